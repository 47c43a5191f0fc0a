// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

#include <devring/client.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "manager.h"
#include "text.h"

#define BATCH	32

struct feed {
	struct manager *manager;
	struct devring_producer *producer;
	char name[DEVRING_NAME_SIZE];
	unsigned int slots;
	unsigned int slot_size;
	struct devring_commit batch[BATCH];
	unsigned int count;
};

static int set_ring(struct feed *f, unsigned int slot_size)
{
	struct devring_format format = { .kind = DEVRING_FORMAT_BYTES };
	int error = devring_producer_set_ring(f->producer, f->slots, slot_size, 0);

	if (error)
		return error;
	devring_producer_drop_old(f->producer);
	f->slot_size = slot_size;
	strcpy(format.bytes.media_type, "application/json");
	return devring_producer_set_format(f->producer, &format);
}

/* A ring that was taken over with the device may do as it is. */
static int check_ring(struct feed *f, unsigned int slot_size)
{
	struct devring_device now;
	int error = devring_producer_device(f->producer, &now);

	if (error)
		return error;
	if (now.geometry.generation && now.geometry.slots == f->slots &&
	    now.geometry.slot_size >= slot_size && now.format.kind == DEVRING_FORMAT_BYTES) {
		f->slot_size = now.geometry.slot_size;
		return 0;
	}
	return set_ring(f, slot_size);
}

struct feed *feed_open(struct manager *manager, const char *name, const char *label,
		       unsigned int slots, unsigned int slot_size)
{
	struct devring_register reg = {
		.type = DEVRING_TYPE_EVENT,
		.flags = DEVRING_REG_PERSIST | DEVRING_REG_PUBLIC | DEVRING_REG_KEEP_HISTORY,
	};
	struct feed *f = calloc(1, sizeof(*f));
	bool attached;
	int fd, error;

	if (!f)
		return NULL;
	f->manager = manager;
	f->slots = slots;
	text_copy(f->name, sizeof(f->name), name);
	text_copy(reg.name, sizeof(reg.name), name);
	text_copy(reg.label, sizeof(reg.label), label);
	snprintf(reg.stable_id, sizeof(reg.stable_id), "devringd-%s", name);
	fd = manager_acquire(manager, &reg, &attached);
	if (fd < 0) {
		free(f);
		errno = -fd;
		return NULL;
	}
	error = devring_producer_from_fd(&f->producer, fd);
	if (error)
		close(fd);
	else
		error = check_ring(f, slot_size);
	if (!error)
		return f;
	feed_close(f);
	errno = -error;
	return NULL;
}

void feed_close(struct feed *f)
{
	if (!f)
		return;
	devring_producer_close(f->producer);
	free(f);
}

uint64_t feed_id(const struct feed *f)
{
	return devring_producer_id(f->producer);
}

unsigned int feed_room(const struct feed *f)
{
	return f->slot_size - 1;
}

static int complain(const struct feed *f, int error)
{
	if (error)
		log_device(LOG_WARNING, f->name, NULL, "an event could not be published: %s",
			   strerror(-error));
	return error;
}

int feed_end(struct feed *f)
{
	unsigned int done = 0;
	int n = 0;

	while (done < f->count) {
		n = devring_producer_commit_many(f->producer, f->batch + done, f->count - done);
		if (n <= 0)
			break;
		done += (unsigned int)n;
	}
	f->count = 0;
	return complain(f, n < 0 ? n : 0);
}

int feed_put(struct feed *f, const char *text, uint64_t trace_id)
{
	size_t length = strlen(text) + 1;
	struct devring_fill fill;
	int error = 0;

	if (f->count == BATCH || length > f->slot_size)
		error = feed_end(f);
	if (!error && length > f->slot_size)
		error = set_ring(f, 2 * length);
	if (!error)
		error = devring_producer_take(f->producer, &fill);
	/* No more may be out at a time, or readers hold the rest. */
	if (error == -ENOBUFS && f->count) {
		error = feed_end(f);
		if (!error)
			error = devring_producer_take(f->producer, &fill);
	}
	if (error)
		return complain(f, error);
	memcpy(fill.data, text, length - 1);
	((char *)fill.data)[length - 1] = '\n';
	f->batch[f->count++] = (struct devring_commit) {
		.slot = fill.slot, .generation = fill.generation, .bytes = length,
		.flags = DEVRING_FRAME_KEY, .trace_id = trace_id,
	};
	return 0;
}

int feed_write(struct feed *f, const char *text)
{
	int error = feed_put(f, text, 0);

	return error ? error : feed_end(f);
}

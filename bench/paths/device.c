// SPDX-License-Identifier: GPL-2.0-only
#include "device.h"
#include "measure.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

void register_one(struct source *source, const char *name)
{
	struct devring_register r = INIT(devring_register, .type = DEVRING_TYPE_CAMERA);
	int control = must(open("/dev/devring", O_RDWR | O_CLOEXEC), "open of /dev/devring");

	snprintf(r.name, sizeof(r.name), "%s", name);
	source->fd = must(ioctl(control, DEVRING_IOC_REGISTER, &r), "REGISTER");
	snprintf(source->node, sizeof(source->node), "/dev/devring%u", r.minor);
	close(control);
}

void set_ring(struct source *source)
{
	struct devring_set_ring set = INIT(devring_set_ring, .slots = SLOTS, .slot_size = SLOT_SIZE);

	must(ioctl(source->fd, DEVRING_IOC_SET_RING, &set), "SET_RING");
	source->geometry = set.geometry;
}

void take(struct source *source)
{
	struct devring_slot slot;

	do {
		must(read(source->fd, &slot, sizeof(slot)), "take of a slot");
	} while (slot.rec.kind != DEVRING_RECORD_SLOT);
	source->next = (struct devring_commit){
		.rec = { .size = sizeof(source->next), .kind = DEVRING_RECORD_COMMIT },
		.generation = slot.generation, .slot = slot.slot, .bytes = SLOT_SIZE,
	};
}

void commit(const struct source *source)
{
	must(write(source->fd, &source->next, sizeof(source->next)), "commit");
}

void get_frame(int fd)
{
	struct devring_frame frame;

	do {
		must(read(fd, &frame, sizeof(frame)), "read of a frame");
	} while (frame.rec.kind != DEVRING_RECORD_FRAME);
}

void read_all(int fd)
{
	unsigned char record[DEVRING_RECORD_MAX];

	while (read(fd, record, sizeof(record)) > 0)
		;
}

int open_reader(const struct source *source)
{
	int fd = must(open(source->node, O_RDONLY | O_CLOEXEC | O_NONBLOCK), "open of a reader");

	read_all(fd);
	return fd;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Filling slots and committing them. */

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/* What a producer writes: metadata and slots of one generation. */
struct ring {
	struct devring_geometry geometry;
	char *base;			/* of geometry.metadata_offset; NULL: not mapped */
	size_t bytes;
};

struct devring_producer {
	int fd;
	uint64_t id;
	uint32_t readers;
	bool has_news;			/* readers came or went since devring_producer_readers() */
	bool unmapped;			/* others fill the slots */
	bool stashed;			/* @stash was taken, but not asked for */
	struct devring_slot stash;
	const struct devring_header *header;
	struct ring now;
	struct ring old;
};

/* A record of the producer's read(); both kinds have the same size, so that one fits. */
union news {
	struct devring_record rec;
	struct devring_slot slot;
	struct devring_readers readers;
};

static void unmap_ring(struct ring *ring)
{
	if (ring->base)
		munmap(ring->base, ring->bytes);
	memset(ring, 0, sizeof(*ring));
}

static int map_ring(struct devring_producer *producer, const struct devring_geometry *g)
{
	uint64_t bytes = g->ring_offset + g->ring_bytes - g->metadata_offset;
	void *base = NULL;

	if (!producer->unmapped)
		base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, producer->fd,
			    (off_t)g->metadata_offset);
	if (base == MAP_FAILED)
		return -errno;
	unmap_ring(&producer->old);
	producer->old = producer->now;
	producer->now = (struct ring) { .geometry = *g, .base = base, .bytes = bytes };
	return 0;
}

API int devring_producer_from_fd(struct devring_producer **out, int fd)
{
	struct devring_producer *producer;
	struct devring_device device;
	void *header;
	int ret;

	ret = devring_query_fd(fd, &device);
	if (ret)
		return ret;
	producer = calloc(1, sizeof(*producer));
	if (!producer)
		return -ENOMEM;
	producer->fd = fd;
	producer->id = device.id;
	producer->readers = device.readers;
	header = mmap(NULL, sizeof(*producer->header), PROT_READ, MAP_SHARED, fd, 0);
	if (header != MAP_FAILED)
		producer->header = header;
	*out = producer;
	return 0;
}

static int adopt(struct devring_producer **producer, int fd)
{
	int ret;

	if (fd < 0)
		return fd;
	ret = devring_producer_from_fd(producer, fd);
	if (ret)
		close(fd);
	return ret;
}

API int devring_producer_register(struct devring_producer **producer, struct devring_register *reg)
{
	int control = devring_control_open(O_RDWR);
	int fd;

	if (control < 0)
		return control;
	fd = devring_register_device(control, reg);
	close(control);
	return adopt(producer, fd);
}

API int devring_producer_attach(struct devring_producer **producer, const char *spec,
				uint32_t flags)
{
	int control = devring_control_open(O_RDWR);
	struct devring_device device;
	int fd;

	if (control < 0)
		return control;
	fd = devring_find(control, spec, &device);
	if (!fd)
		fd = devring_attach_device(control, device.id, flags);
	close(control);
	return adopt(producer, fd);
}

API int devring_producer_open(struct devring_producer **producer, const char *spec)
{
	return adopt(producer, devring_open_device(-1, spec, O_RDWR));
}

API void devring_producer_close(struct devring_producer *producer)
{
	if (!producer)
		return;
	unmap_ring(&producer->now);
	unmap_ring(&producer->old);
	if (producer->header)
		munmap((void *)producer->header, sizeof(*producer->header));
	close(producer->fd);
	free(producer);
}

API int devring_producer_fd(const struct devring_producer *producer)
{
	return producer->fd;
}

API uint64_t devring_producer_id(const struct devring_producer *producer)
{
	return producer->id;
}

API int devring_producer_set_ring(struct devring_producer *producer, uint32_t slots,
				  uint32_t slot_size, uint32_t metadata_size)
{
	struct devring_geometry geometry;
	int ret;

	ret = devring_set_ring_fd(producer->fd, slots, slot_size, metadata_size, &geometry);
	if (ret)
		return ret;
	producer->stashed = false;
	return map_ring(producer, &geometry);
}

API void devring_producer_drop_old(struct devring_producer *producer)
{
	unmap_ring(&producer->old);
}

API void devring_producer_unmap(struct devring_producer *producer, bool unmapped)
{
	if (unmapped) {
		unmap_ring(&producer->now);
		unmap_ring(&producer->old);
	}
	producer->unmapped = unmapped;
}

API int devring_producer_export(struct devring_producer *producer, uint32_t generation, uint32_t slot)
{
	struct devring_export e = {
		.size = sizeof(e), .generation = generation, .slot = slot,
	};
	int fd = ioctl(producer->fd, DEVRING_IOC_EXPORT, &e);

	return fd < 0 ? -errno : fd;
}

API int devring_producer_set_format(struct devring_producer *producer,
				    struct devring_format *format)
{
	return devring_set_format_fd(producer->fd, format);
}

API int devring_producer_set_state(struct devring_producer *producer, uint32_t state, int error)
{
	return devring_set_state_fd(producer->fd, state, error);
}

API int devring_producer_device(struct devring_producer *producer, struct devring_device *device)
{
	return devring_query_fd(producer->fd, device);
}

API void devring_producer_geometry(const struct devring_producer *producer,
				   struct devring_geometry *geometry)
{
	*geometry = producer->now.geometry;
}

API const struct devring_header *devring_producer_header(const struct devring_producer *producer)
{
	return producer->header;
}

API void *devring_producer_slot_address(const struct devring_producer *producer, uint32_t slot)
{
	const struct devring_geometry *g = &producer->now.geometry;

	if (!producer->now.base || slot >= g->slots)
		return NULL;
	return producer->now.base + (g->slots_offset - g->metadata_offset) +
	       (size_t)slot * g->slot_stride;
}

static int read_news(struct devring_producer *producer, union news *news)
{
	ssize_t n = read(producer->fd, news, sizeof(*news));

	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(*news))
		return n ? -EPROTO : -ENODEV;
	if (news->rec.kind == DEVRING_RECORD_READERS) {
		producer->readers = news->readers.readers;
		producer->has_news = true;
	}
	return 0;
}

/* Make the ring of @generation the one that is mapped. */
static int follow_generation(struct devring_producer *producer, uint32_t generation)
{
	struct devring_device device;
	int ret;

	if (producer->now.geometry.generation == generation &&
	    (producer->now.base || producer->unmapped))
		return 0;
	ret = devring_query_fd(producer->fd, &device);
	if (ret)
		return ret;
	if (device.geometry.generation != generation)
		return -ESTALE;
	return map_ring(producer, &device.geometry);
}

API int devring_producer_take(struct devring_producer *producer, struct devring_fill *fill)
{
	const struct devring_geometry *g = &producer->now.geometry;
	union news news;
	int ret;

	if (producer->stashed) {
		news.slot = producer->stash;
		producer->stashed = false;
	} else {
		do {
			ret = read_news(producer, &news);
			if (ret)
				return ret;
		} while (news.rec.kind != DEVRING_RECORD_SLOT);
	}
	ret = follow_generation(producer, news.slot.generation);
	if (ret) {
		/* What is wrong may pass: keep the slot for the next call. */
		producer->stash = news.slot;
		producer->stashed = ret != -ESTALE;
		return ret;
	}
	if (news.slot.slot >= g->slots)
		return -EPROTO;
	fill->data = devring_producer_slot_address(producer, news.slot.slot);
	fill->metadata = g->metadata_size && producer->now.base ?
			 producer->now.base + (size_t)news.slot.slot * g->metadata_stride : NULL;
	fill->size = g->slot_size;
	fill->metadata_size = g->metadata_size;
	fill->generation = news.slot.generation;
	fill->slot = news.slot.slot;
	return 0;
}

API int devring_producer_take_wait(struct devring_producer *producer, struct devring_fill *fill,
				   int timeout_ms)
{
	int64_t deadline = deadline_of(timeout_ms);

	for (;;) {
		int ret = devring_producer_take(producer, fill);

		if (ret != -ENOBUFS && ret != -ENXIO && ret != -ESTALE && ret != -EAGAIN)
			return ret;
		if (ret == -ESTALE)
			continue;
		ret = wait_for(producer->fd, POLLOUT, deadline);
		if (ret <= 0)
			return ret ? ret : -EAGAIN;
		if (!(ret & POLLOUT) && ret & (POLLERR | POLLHUP))
			return -ENODEV;
	}
}

static int write_records(struct devring_producer *producer, const void *records, size_t size)
{
	ssize_t n = write(producer->fd, records, size);

	return n < 0 ? -errno : (int)n;
}

API int devring_producer_commit(struct devring_producer *producer, const struct devring_fill *fill,
				const struct devring_commit *commit)
{
	struct devring_commit record = *commit;
	int ret;

	record.rec = (struct devring_record) {
		.size = sizeof(record),
		.kind = DEVRING_RECORD_COMMIT,
	};
	record.generation = fill->generation;
	record.slot = fill->slot;
	ret = write_records(producer, &record, sizeof(record));
	return ret < 0 ? ret : 0;
}

API int devring_producer_commit_many(struct devring_producer *producer,
				     struct devring_commit *commits, unsigned int count)
{
	int ret;

	for (unsigned int i = 0; i < count; i++)
		commits[i].rec = (struct devring_record) {
			.size = sizeof(commits[i]),
			.kind = DEVRING_RECORD_COMMIT,
		};
	if (!count)
		return 0;
	ret = write_records(producer, commits, count * sizeof(*commits));
	return ret < 0 ? ret : ret / (int)sizeof(*commits);
}

API int devring_producer_return(struct devring_producer *producer, const struct devring_fill *fill)
{
	struct devring_return record = {
		.rec = { .size = sizeof(record), .kind = DEVRING_RECORD_RETURN },
		.generation = fill->generation,
		.slot = fill->slot,
	};
	int ret = write_records(producer, &record, sizeof(record));

	return ret < 0 ? ret : 0;
}

/* The record said to be due was withdrawn, and a slot came in its place: keep it for take(). */
static void stash_slot(struct devring_producer *producer, const struct devring_slot *slot)
{
	struct devring_fill fill = { .generation = slot->generation, .slot = slot->slot };

	if (producer->stashed) {
		(void)devring_producer_return(producer, &fill);
		return;
	}
	producer->stash = *slot;
	producer->stashed = true;
}

API bool devring_producer_has_news(const struct devring_producer *producer)
{
	return producer->has_news;
}

API int devring_producer_readers(struct devring_producer *producer)
{
	union news news;
	int ret;

	ret = wait_for(producer->fd, POLLIN, 0);
	if (ret < 0)
		return ret;
	if (ret & POLLIN) {
		ret = read_news(producer, &news);
		if (ret && ret != -ENOBUFS && ret != -ENXIO)
			return ret;
		if (!ret && news.rec.kind == DEVRING_RECORD_SLOT)
			stash_slot(producer, &news.slot);
	} else if (ret & (POLLERR | POLLHUP)) {
		return -ENODEV;
	}
	producer->has_news = false;
	return (int)producer->readers;
}

API int devring_producer_wait_readers(struct devring_producer *producer, unsigned int than,
				      int timeout_ms)
{
	int64_t deadline = deadline_of(timeout_ms);

	for (;;) {
		int ret = devring_producer_readers(producer);

		if (ret < 0 || (unsigned int)ret != than)
			return ret;
		ret = wait_for(producer->fd, POLLIN, deadline);
		if (ret <= 0)
			return ret ? ret : -EAGAIN;
	}
}

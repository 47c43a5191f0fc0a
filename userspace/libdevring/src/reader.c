// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading frames. */

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reader.h"

static int set_reader(struct devring_reader_file *reader, uint32_t flags, uint32_t start,
		      uint64_t sequence)
{
	struct devring_set_reader s = {
		.size = sizeof(s),
		.flags = flags,
		.start = start,
		.holds = reader->holds,
		.sequence = sequence,
	};
	int ret = result(ioctl(reader->fd, DEVRING_IOC_SET_READER, &s));

	if (!ret)
		reader->mode = flags;
	return ret;
}

API int devring_reader_from_fd(struct devring_reader_file **out, int fd,
			       const struct devring_reader_options *options)
{
	static const struct devring_reader_options defaults;
	struct devring_reader_file *reader = calloc(1, sizeof(*reader));
	int ret = 0;

	if (!reader)
		return -ENOMEM;
	if (!options)
		options = &defaults;
	reader->fd = fd;
	reader->flags = options->flags;
	reader->events = options->events;
	reader->holds = options->holds ? options->holds : 1;
	if (options->holds == DEVRING_NO_HOLDS)
		reader->holds = 0;
	if (options->flags || options->start || options->sequence || reader->holds != 1)
		ret = set_reader(reader, options->flags, options->start, options->sequence);
	if (ret) {
		free(reader);
		return ret;
	}
	*out = reader;
	return 0;
}

API int devring_reader_open(struct devring_reader_file **reader, const char *spec,
			    const struct devring_reader_options *options)
{
	int fd = devring_open_device(-1, spec, O_RDONLY);
	int ret;

	if (fd < 0)
		return fd;
	ret = devring_reader_from_fd(reader, fd, options);
	if (ret)
		close(fd);
	return ret;
}

API void devring_reader_close(struct devring_reader_file *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < MAPS_MAX; i++)
		if (reader->maps[i].base)
			munmap(reader->maps[i].base, reader->maps[i].geometry.ring_bytes);
	if (reader->header)
		munmap((void *)reader->header, sizeof(*reader->header));
	close(reader->fd);
	free(reader);
}

API int devring_reader_fd(const struct devring_reader_file *reader)
{
	return reader->fd;
}

/* Unmap rings of which the caller holds no frame any more. */
static void drop_maps(struct devring_reader_file *reader, const struct ring_map *current)
{
	uint64_t holds = reader->holds ? reader->holds : 1;

	for (size_t i = 0; i < MAPS_MAX; i++) {
		struct ring_map *map = &reader->maps[i];

		if (!map->base || map == current || map->geometry.generation == reader->sampled)
			continue;
		if (map->last && reader->number - map->last < holds)
			continue;
		munmap(map->base, map->geometry.ring_bytes);
		map->base = NULL;
	}
}

/* The ring that a frame lies in, mapped at last if it was not yet. */
static int frame_map(struct devring_reader_file *reader, uint32_t generation,
		     struct ring_map **map)
{
	*map = reader_find_map(reader, generation);
	if (*map)
		return 0;
	if (reader->geometry.generation != generation)
		return -ESTALE;
	return reader_map(reader, &reader->geometry, map);
}

static int take_frame(struct devring_reader_file *reader, const void *rec, size_t size,
		      struct devring_view *view)
{
	struct devring_frame *frame = &view->frame;
	const struct devring_geometry *g;
	struct ring_map *map;
	int ret;

	memset(frame, 0, sizeof(*frame));
	memcpy(frame, rec, size < sizeof(*frame) ? size : sizeof(*frame));
	ret = frame_map(reader, frame->generation, &map);
	if (ret == -ESTALE) {
		/* Its ring went away between read() and mmap(): nobody will see this frame. */
		reader->skipped += 1 + frame->lost;
		return 0;
	}
	if (ret)
		return ret;
	g = &map->geometry;
	if (frame->slot >= g->slots || frame->bytes > g->slot_size)
		return -EPROTO;
	view->data = map->base + (g->slots_offset - g->ring_offset) +
		     (size_t)frame->slot * g->slot_stride;
	view->metadata = g->metadata_size ? map->base + (g->metadata_offset - g->ring_offset) +
					    (size_t)frame->slot * g->metadata_stride : NULL;
	view->bytes = frame->bytes;
	view->metadata_size = g->metadata_size;
	frame->lost += reader->skipped;
	reader->skipped = 0;
	map->last = ++reader->number;
	drop_maps(reader, map);
	if (!(frame->flags & DEVRING_FRAME_PARTIAL))
		reader->counters.delivered++;
	reader->counters.lost += frame->lost;
	reader->counters.lost_before += frame->lost_before;
	reader->counters.holds_broken += !!(frame->rec.flags & DEVRING_RECORD_F_HOLD_BROKEN);
	return DEVRING_EVENT_FRAME;
}

static void take_generation(struct devring_reader_file *reader, const void *rec, size_t size)
{
	struct devring_generation record = { 0 };
	struct ring_map *map;

	memcpy(&record, rec, size < sizeof(record) ? size : sizeof(record));
	reader->geometry = record.geometry;
	reader->counters.generations++;
	reader->pending |= DEVRING_EVENT_GENERATION;
	drop_maps(reader, NULL);
	/* Mapped now it stays readable if it is replaced soon; else its first frame maps it. */
	if (!reader_find_map(reader, record.geometry.generation))
		(void)reader_map(reader, &record.geometry, &map);
}

static void take_state(struct devring_reader_file *reader, const void *rec, size_t size)
{
	struct devring_state_change record = { 0 };

	memcpy(&record, rec, size < sizeof(record) ? size : sizeof(record));
	reader->state = record.state;
	reader->error = record.error;
	if (record.changed & DEVRING_CHANGED_STATE)
		reader->pending |= DEVRING_EVENT_STATE;
	if (record.changed & DEVRING_CHANGED_FORMAT) {
		reader->pending |= DEVRING_EVENT_FORMAT;
		reader->format_known = false;
	}
}

/* One record of the buffer: DEVRING_EVENT_FRAME, 0 for anything else, or a negative errno. */
static int take_record(struct devring_reader_file *reader, struct devring_view *view)
{
	const char *p = (const char *)reader->buf + reader->at;
	struct devring_record rec;
	int ret = 0;

	memcpy(&rec, p, sizeof(rec));
	if (rec.size < sizeof(rec) || rec.size > reader->filled - reader->at) {
		reader->at = reader->filled;
		return -EPROTO;
	}
	if (rec.kind == DEVRING_RECORD_FRAME)
		ret = take_frame(reader, p, rec.size, view);
	else if (rec.kind == DEVRING_RECORD_GENERATION)
		take_generation(reader, p, rec.size);
	else if (rec.kind == DEVRING_RECORD_STATE)
		take_state(reader, p, rec.size);
	/* A frame that could not be mapped for want of memory is tried again by the next call. */
	if (ret != -ENOMEM)
		reader->at += rec.size;
	return ret;
}

static ssize_t read_waiting(struct devring_reader_file *reader)
{
	for (;;) {
		ssize_t n = read(reader->fd, reader->buf, sizeof(reader->buf));
		int ret;

		if (n >= 0)
			return n;
		if (errno != EAGAIN)
			return -errno;
		/* The descriptor came with O_NONBLOCK. */
		ret = wait_for(reader->fd, POLLIN, -1);
		if (ret < 0)
			return ret;
	}
}

static ssize_t read_at_once(struct devring_reader_file *reader)
{
	struct iovec iov = { reader->buf, sizeof(reader->buf) };
	ssize_t n;
	int ret;

	if (!reader->no_nowait) {
		n = preadv2(reader->fd, &iov, 1, -1, RWF_NOWAIT);
		if (n >= 0 || errno != EOPNOTSUPP)
			return n < 0 ? -errno : n;
		reader->no_nowait = true;
	}
	ret = wait_for(reader->fd, POLLIN, 0);
	if (ret <= 0)
		return ret ? ret : -EAGAIN;
	n = read(reader->fd, reader->buf, sizeof(reader->buf));
	return n < 0 ? -errno : n;
}

static int fill_buffer(struct devring_reader_file *reader, int64_t deadline)
{
	ssize_t n;
	int ret;

	reader->at = 0;
	reader->filled = 0;
	if (deadline < 0) {
		n = read_waiting(reader);
	} else {
		ret = deadline ? wait_for(reader->fd, POLLIN, deadline) : POLLIN;
		if (ret <= 0)
			return ret ? ret : -EAGAIN;
		n = read_at_once(reader);
	}
	if (n < 0)
		return (int)n;
	reader->active = true;
	reader->filled = (size_t)n;
	reader->ended = !n;
	return 0;
}

/* The next event that the caller asked for, 0 if there is none. */
static int pending_event(struct devring_reader_file *reader)
{
	uint32_t due;

	reader->pending &= reader->events;
	due = reader->pending & -reader->pending;
	reader->pending &= ~due;
	return (int)due;
}

static int next_event(struct devring_reader_file *reader, struct devring_view *view,
		      int timeout_ms)
{
	int64_t deadline = deadline_of(timeout_ms);
	int ret;

	for (;;) {
		ret = pending_event(reader);
		if (ret)
			return ret;
		if (reader->at < reader->filled) {
			ret = take_record(reader, view);
			if (ret)
				return ret;
			continue;
		}
		if (reader->ended)
			return DEVRING_EVENT_END;
		ret = fill_buffer(reader, deadline);
		/* Someone else read the record that poll() had seen; the time is not over. */
		if (ret == -EAGAIN && deadline > 0 && remaining_of(deadline) > 0)
			continue;
		if (ret)
			return ret;
	}
}

static int next_in_mode(struct devring_reader_file *reader, struct devring_view *view,
			int timeout_ms, uint32_t mode)
{
	int ret;

	if (reader->mode != mode && !reader->ended) {
		ret = set_reader(reader, mode, DEVRING_START_KEEP, 0);
		if (ret && ret != -ENODEV)
			return ret;
	}
	return next_event(reader, view, timeout_ms);
}

API int devring_reader_next(struct devring_reader_file *reader, struct devring_view *view,
			    int timeout_ms)
{
	return next_in_mode(reader, view, timeout_ms, reader->flags);
}

API int devring_reader_latest(struct devring_reader_file *reader, struct devring_view *view,
			      int timeout_ms)
{
	return next_in_mode(reader, view, timeout_ms, reader->flags | DEVRING_READER_LATEST);
}

API int devring_reader_release(struct devring_reader_file *reader, uint64_t sequence)
{
	struct devring_release r = { .size = sizeof(r), .sequence = sequence };

	return result(ioctl(reader->fd, DEVRING_IOC_RELEASE, &r));
}

API bool devring_reader_intact(const struct devring_reader_file *reader,
			       const struct devring_view *view)
{
	for (size_t i = 0; i < MAPS_MAX; i++)
		if (reader->maps[i].base &&
		    reader->maps[i].geometry.generation == view->frame.generation)
			return map_intact(&reader->maps[i], view->frame.sequence);
	return false;
}

API int devring_reader_device(struct devring_reader_file *reader, struct devring_device *device)
{
	return devring_query_fd(reader->fd, device);
}

API int devring_reader_format(struct devring_reader_file *reader, struct devring_format *format)
{
	struct devring_device device;
	int ret;

	if (!reader->format_known) {
		ret = devring_query_fd(reader->fd, &device);
		if (ret)
			return ret;
		reader->format = device.format;
		/* Before the first record there is no word of changes to rely on. */
		reader->format_known = reader->state != 0;
	}
	*format = reader->format;
	return 0;
}

API uint32_t devring_reader_state(const struct devring_reader_file *reader, int *error)
{
	if (error)
		*error = reader->error;
	return reader->state;
}

API void devring_reader_geometry(const struct devring_reader_file *reader,
				 struct devring_geometry *geometry)
{
	*geometry = reader->geometry;
}

API void devring_reader_counters(const struct devring_reader_file *reader,
				 struct devring_counters *counters)
{
	*counters = reader->counters;
}

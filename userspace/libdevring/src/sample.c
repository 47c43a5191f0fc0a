// SPDX-License-Identifier: LGPL-2.1-or-later
/* The newest frame without system calls. */

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader.h"

#define SEQCOUNT_TRIES	64

/* The geometry as one whole; the kernel may be writing it. */
static int read_geometry(struct devring_reader_file *reader, struct devring_geometry *geometry)
{
	const struct devring_header *h = reader->header;
	struct devring_header copy;
	ssize_t n;

	for (int i = 0; i < SEQCOUNT_TRIES; i++) {
		uint32_t before = __atomic_load_n(&h->seqcount, __ATOMIC_ACQUIRE);

		if (before & 1)
			continue;
		memcpy(geometry, &h->geometry, sizeof(*geometry));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&h->seqcount, __ATOMIC_RELAXED) == before)
			return 0;
	}
	n = pread(reader->fd, &copy, sizeof(copy), 0);
	if (n != (ssize_t)sizeof(copy))
		return n < 0 ? -errno : -EAGAIN;
	*geometry = copy.geometry;
	return 0;
}

static int map_header(struct devring_reader_file *reader)
{
	void *base;

	if (reader->header)
		return 0;
	base = mmap(NULL, sizeof(*reader->header), PROT_READ, MAP_SHARED, reader->fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	reader->header = base;
	return 0;
}

/* Nothing to sample: see to it that the kernel counts this reader, so that there will be. */
static int nothing_yet(struct devring_reader_file *reader)
{
	if (!reader->active) {
		(void)wait_for(reader->fd, POLLIN, 0);
		reader->active = true;
	}
	return -EAGAIN;
}

static int ring_in_force(struct devring_reader_file *reader, struct ring_map **map)
{
	uint32_t generation = __atomic_load_n(&reader->header->geometry.generation,
					      __ATOMIC_RELAXED);
	struct devring_geometry geometry;
	int ret;

	*map = reader_find_map(reader, generation);
	if (!*map) {
		ret = read_geometry(reader, &geometry);
		if (ret)
			return ret;
		if (!geometry.generation)
			return nothing_yet(reader);
		*map = reader_find_map(reader, geometry.generation);
		ret = *map ? 0 : reader_map(reader, &geometry, map);
		if (ret)
			return ret == -ESTALE ? nothing_yet(reader) : ret;
	}
	reader->sampled = (*map)->geometry.generation;
	return 0;
}

/* An earlier sampled ring of which no frame was read is of no use any more. */
static void drop_sampled(struct devring_reader_file *reader, uint32_t generation)
{
	struct ring_map *map = reader_find_map(reader, generation);

	if (!map || map->last || generation == reader->sampled ||
	    generation == reader->geometry.generation)
		return;
	munmap(map->base, map->geometry.ring_bytes);
	map->base = NULL;
}

static int view_entry(const struct ring_map *map, uint64_t sequence, struct devring_view *view)
{
	const struct devring_geometry *g = &map->geometry;
	const struct devring_entry *shared = map_entry(map, sequence);
	struct devring_entry entry;

	if (__atomic_load_n(&shared->word, __ATOMIC_ACQUIRE) != DEVRING_WORD(sequence))
		return -EAGAIN;
	memcpy(&entry, shared, sizeof(entry));
	/* A frame that is whole has its last length: flags first. */
	entry.flags = __atomic_load_n(&shared->flags, __ATOMIC_ACQUIRE);
	entry.bytes = __atomic_load_n(&shared->bytes, __ATOMIC_ACQUIRE);
	if (!map_intact(map, sequence) || entry.slot >= g->slots || entry.bytes > g->slot_size)
		return -EAGAIN;
	memset(view, 0, sizeof(*view));
	view->data = map->base + (g->slots_offset - g->ring_offset) +
		     (size_t)entry.slot * g->slot_stride;
	if (g->metadata_size)
		view->metadata = map->base + (g->metadata_offset - g->ring_offset) +
				 (size_t)entry.slot * g->metadata_stride;
	view->bytes = entry.bytes;
	view->metadata_size = g->metadata_size;
	view->frame = (struct devring_frame) {
		.sequence = sequence,
		.offset = g->slots_offset + (uint64_t)entry.slot * g->slot_stride,
		.metadata_offset = g->metadata_offset + (uint64_t)entry.slot * g->metadata_stride,
		.generation = g->generation,
		.slot = entry.slot,
		.bytes = entry.bytes,
		.flags = entry.flags,
		.capture_ns = entry.capture_ns,
		.commit_ns = entry.commit_ns,
		.media_time = entry.media_time,
		.trace_id = entry.trace_id,
		.format_generation = entry.format_generation,
		.lost_before = entry.lost_before,
	};
	return 0;
}

API int devring_sample_begin(struct devring_reader_file *reader, struct devring_view *view)
{
	uint32_t before = reader->sampled;
	struct ring_map *map;
	uint64_t head;
	int ret = map_header(reader);

	if (ret)
		return ret;
	if (__atomic_load_n(&reader->header->magic, __ATOMIC_RELAXED) != DEVRING_MAGIC)
		return -ENODEV;
	ret = ring_in_force(reader, &map);
	if (ret)
		return ret;
	if (before != reader->sampled)
		drop_sampled(reader, before);
	head = __atomic_load_n(&reader->header->head, __ATOMIC_ACQUIRE);
	if (!head)
		return -EAGAIN;
	return view_entry(map, head - 1, view);
}

API int devring_sample_end(const struct devring_reader_file *reader,
			   const struct devring_view *view)
{
	return devring_reader_intact(reader, view) ? 0 : -ESTALE;
}

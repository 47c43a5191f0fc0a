// SPDX-License-Identifier: LGPL-2.1-or-later
/* The rings that a reader has mapped. */

#include <sys/mman.h>

#include "reader.h"

const struct devring_entry *map_entry(const struct ring_map *map, uint64_t sequence)
{
	const struct devring_geometry *g = &map->geometry;

	return (const void *)(map->base + (sequence & (g->entries - 1)) * g->entry_stride);
}

bool map_intact(const struct ring_map *map, uint64_t sequence)
{
	/* What was read before must not be read after the word is looked at again. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&map_entry(map, sequence)->word, __ATOMIC_RELAXED) ==
	       DEVRING_WORD(sequence);
}

struct ring_map *reader_find_map(struct devring_reader_file *reader, uint32_t generation)
{
	for (size_t i = 0; i < MAPS_MAX; i++)
		if (reader->maps[i].base && reader->maps[i].geometry.generation == generation)
			return &reader->maps[i];
	return NULL;
}

/* Everything that is computed from a geometry later lies within the map that is made of it. */
static bool is_sound(const struct devring_geometry *g)
{
	uint64_t end = g->ring_offset + g->ring_bytes;
	uint64_t index = (uint64_t)g->entries * g->entry_stride;

	return g->entries && !(g->entries & (g->entries - 1)) &&
	       g->entry_stride >= sizeof(struct devring_entry) && !(g->entry_stride % 8) &&
	       g->ring_bytes <= SIZE_MAX && end >= g->ring_offset &&
	       g->metadata_offset >= g->ring_offset + index &&
	       g->slots_offset >= g->metadata_offset && g->slots_offset <= end &&
	       (uint64_t)g->slots * g->metadata_stride <= g->slots_offset - g->metadata_offset &&
	       (uint64_t)g->slots * g->slot_stride <= end - g->slots_offset &&
	       g->slot_size <= g->slot_stride && g->metadata_size <= g->metadata_stride;
}

static struct ring_map *free_place(struct devring_reader_file *reader)
{
	struct ring_map *oldest = NULL;

	for (size_t i = 0; i < MAPS_MAX; i++) {
		struct ring_map *map = &reader->maps[i];

		if (!map->base)
			return map;
		if (map->geometry.generation != reader->sampled &&
		    (!oldest || map->last < oldest->last))
			oldest = map;
	}
	munmap(oldest->base, oldest->geometry.ring_bytes);
	return oldest;
}

int reader_map(struct devring_reader_file *reader, const struct devring_geometry *geometry,
	       struct ring_map **out)
{
	struct ring_map *map;
	void *base;

	if (!geometry->generation)
		return -ESTALE;
	if (!is_sound(geometry))
		return -EPROTO;
	base = mmap(NULL, geometry->ring_bytes, PROT_READ, MAP_SHARED, reader->fd,
		    (off_t)geometry->ring_offset);
	if (base == MAP_FAILED)
		return -errno;
	reader->active = true;
	map = free_place(reader);
	map->geometry = *geometry;
	map->base = base;
	map->last = 0;
	*out = map;
	return 0;
}

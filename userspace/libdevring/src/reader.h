/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader's inside, shared by reading (reader.c) and sampling (sample.c). */
#ifndef DEVRING_READER_H
#define DEVRING_READER_H

#include "internal.h"

/*
 * Rings that can be mapped at once: each but the newest and the sampled one is there for a frame
 * that the caller may still look at, and there are at most DEVRING_HOLDS_MAX of those.
 */
#define MAPS_MAX	(DEVRING_HOLDS_MAX + 4)

struct ring_map {
	struct devring_geometry geometry;
	char *base;			/* of geometry.ring_offset; NULL: this place is free */
	uint64_t last;			/* number of the newest frame delivered from it, 0: none */
};

struct devring_reader_file {
	int fd;
	bool ended;			/* read() said end of file */
	bool format_known;
	bool active;			/* the kernel counts this reader */
	bool no_nowait;			/* RWF_NOWAIT does not work here */
	uint32_t flags;			/* as asked for */
	uint32_t mode;			/* flags in force in the kernel */
	uint32_t holds;
	uint32_t events;
	uint32_t pending;		/* events to be told */
	uint32_t state;
	int error;
	uint32_t sampled;		/* generation that is being sampled */
	uint64_t number;		/* frames returned */
	uint64_t skipped;		/* frames got, but gone before they could be mapped */
	const struct devring_header *header;
	struct devring_geometry geometry;
	struct devring_format format;
	struct devring_counters counters;
	struct ring_map maps[MAPS_MAX];
	size_t at;
	size_t filled;
	uint64_t buf[DEVRING_RECORD_MAX / sizeof(uint64_t)];
};

/* The map of a generation, or NULL. */
struct ring_map *reader_find_map(struct devring_reader_file *reader, uint32_t generation);
/* Map a ring; *@out.  -ESTALE when it is gone. */
int reader_map(struct devring_reader_file *reader, const struct devring_geometry *geometry,
	       struct ring_map **out);
/* The index entry of a frame. */
const struct devring_entry *map_entry(const struct ring_map *map, uint64_t sequence);
bool map_intact(const struct ring_map *map, uint64_t sequence);

#endif /* DEVRING_READER_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attacks on read-only maps: whoever may only read a region tries to write it.
 *
 * Each way is first tried on the producer's own map of the slots, which nothing defends: there it must write.
 */
#ifndef DEVRING_ATTACKS_READONLY_H
#define DEVRING_ATTACKS_READONLY_H

#include "lib.h"

enum who { NODE_TO_READ, NODE_TO_WRITE, OPENED, GRANTED, PINNABLE, OF_A_SINK, PRODUCER };

enum region { HEADER, INDEX, METADATA, SLOTS, REGIONS };

#define EVIL	0xe7
#define BYTES	64		/* that an attack writes */

FIXTURE(readonly) {
	struct source s;
	int fd;
	unsigned char *map[REGIONS], before[REGIONS][4096], evil[BYTES];
	int regions;
	unsigned char *undefended;
};

FIXTURE_VARIANT(readonly) {
	enum who who;
	uint32_t flags;
	int regions;			/* that may not be written: the first so many */
};

FIXTURE_VARIANT_ADD(readonly, node_to_read) { .who = NODE_TO_READ, .regions = REGIONS };
FIXTURE_VARIANT_ADD(readonly, node_to_write) { .who = NODE_TO_WRITE, .regions = REGIONS };
FIXTURE_VARIANT_ADD(readonly, opened) { .who = OPENED, .flags = DEVRING_REG_PUBLIC, .regions = REGIONS };
FIXTURE_VARIANT_ADD(readonly, granted) { .who = GRANTED, .regions = REGIONS };
FIXTURE_VARIANT_ADD(readonly, pinnable) { .who = PINNABLE, .flags = DEVRING_REG_PINNABLE, .regions = REGIONS };
FIXTURE_VARIANT_ADD(readonly, of_a_sink) { .who = OF_A_SINK, .flags = DEVRING_REG_SINK, .regions = REGIONS };
FIXTURE_VARIANT_ADD(readonly, producer) { .who = PRODUCER, .regions = METADATA };

/* The file of the attacker. */
static inline int attackers_file(const struct source *s, enum who who)
{
	struct devring_open open = INIT(devring_open, .flags = O_NONBLOCK, .id = s->id);
	struct devring_grant grant = INIT(devring_grant);
	int control, fd;

	switch (who) {
	case OPENED:
		control = control_open(O_RDONLY);
		fd = call(control, DEVRING_IOC_OPEN, &open);
		close(control);
		return fd;
	case GRANTED:
		return call(node_open(s, O_RDONLY), DEVRING_IOC_GRANT, &grant);
	case OF_A_SINK:
	case PRODUCER:
		return s->fd;
	default:
		return node_open(s, (who == NODE_TO_WRITE ? O_RDWR : O_RDONLY) | O_NONBLOCK);
	}
}

FIXTURE_SETUP(readonly)
{
	const struct devring_geometry *g = &self->s.g;
	struct source other;

	ASSERT_EQ(0, source_register(&self->s, "attacked", variant->flags | DEVRING_REG_KEEP_HISTORY));
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 2 * PAGE, PAGE, &self->s.g));
	if (variant->who != OF_A_SINK) {
		ASSERT_EQ(0, source_map(&self->s));
		ASSERT_EQ(0, produce(&self->s, 3));
	}
	self->fd = attackers_file(&self->s, variant->who);
	ASSERT_LE(0, self->fd);
	self->regions = variant->regions;
	for (int i = 0; i < self->regions; i++) {
		uint64_t at[] = { 0, g->ring_offset, g->metadata_offset, g->slots_offset };

		self->map[i] = map_of(self->fd, at[i], PAGE, PROT_READ);
		ASSERT_NE(MAP_FAILED, self->map[i]);
		memcpy(self->before[i], self->map[i], PAGE);
	}
	memset(self->evil, EVIL, sizeof(self->evil));
	source_up(_metadata, &other, "undefended", 0, 4, 2 * PAGE, PAGE);
	self->undefended = other.map;
}

FIXTURE_TEARDOWN(readonly)
{
}

/* A way to write @evil to @p: 0, or a negative errno. */
typedef long way(unsigned char *p, unsigned char *evil);

static inline int is_written(const unsigned char *p)
{
	return all_bytes(p, BYTES, EVIL);
}

/* It works where it may, and nowhere else; there it fails with @error. */
static inline void expect_refused(ARGS, FIXTURE_DATA(readonly) *self, way *way, long error)
{
	EXPECT_EQ(0, way(self->undefended, self->evil));
	EXPECT_TRUE(is_written(self->undefended));
	for (int i = 0; i < self->regions; i++) {
		EXPECT_EQ(error, way(self->map[i], self->evil)) TH_LOG("region %d", i);
		EXPECT_EQ(0, memcmp(self->before[i], self->map[i], PAGE)) TH_LOG("region %d", i);
	}
}

#endif

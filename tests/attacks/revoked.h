/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attacks by a reader whose access is revoked: it goes on reading.
 *
 * What it saw before is its own; of what is committed later it must not get a byte. There are two such readers:
 * one of a device whose maps nothing can pin, and one of a PINNABLE device, where pins are not defended against.
 */
#ifndef DEVRING_ATTACKS_REVOKED_H
#define DEVRING_ATTACKS_REVOKED_H

#include "lib.h"

#define FRAME	4096		/* bytes of a frame */
#define RING_SLOTS	4
#define LATER	8		/* frames that are committed after the revocation: each slot gets another */

struct victim {
	struct source s;
	struct stream r;
	struct devring_frame f;
	unsigned char *p, *untouched;
};

FIXTURE(revoked) {
	struct victim v, undefended;
};

/* Frame 0 is there; the reader holds it and looks at it, in one of two maps. */
static inline void victim_up(ARGS, struct victim *v, const char *name, uint32_t flags)
{
	source_up(_metadata, &v->s, name, DEVRING_REG_KEEP_HISTORY | flags, RING_SLOTS, FRAME, 0);
	reader_up(_metadata, &v->s, &v->r);
	ASSERT_EQ(0, produce(&v->s, 1));
	ASSERT_EQ(0, next_frame(&v->r, &v->f));
	v->p = map_of(v->r.fd, v->f.offset, FRAME, PROT_READ);
	v->untouched = map_of(v->r.fd, v->f.offset, FRAME, PROT_READ);
	ASSERT_NE(MAP_FAILED, v->untouched);
	ASSERT_TRUE(is_frame(v->p, FRAME, 0));
}

FIXTURE_SETUP(revoked)
{
	victim_up(_metadata, &self->v, "revoked", 0);
	victim_up(_metadata, &self->undefended, "undefended", DEVRING_REG_PINNABLE);
}

FIXTURE_TEARDOWN(revoked)
{
}

/* Frames go on: whoever still sees a slot sees one of these. */
static inline void go_on(ARGS, struct victim *v)
{
	ASSERT_EQ(0, produce(&v->s, LATER));
}

static inline void cut_off(ARGS, struct victim *v)
{
	uint32_t revoked;

	ASSERT_EQ(0, take_away(v->s.fd, DEVRING_REVOKE_ALL, 0, 0, &revoked));
	EXPECT_LT(0, revoked);
	go_on(_metadata, v);
}

static inline int shows_later(const void *memory)
{
	for (uint64_t sequence = 1; sequence < 3 * LATER; sequence++)
		if (is_frame(memory, FRAME, sequence))
			return 1;
	return 0;
}

static inline int shows_nothing(const volatile void *memory)
{
	return all_bytes(memory, FRAME, 0);
}

#define BOTH	((struct victim *[]){ &self->v, &self->undefended })

/* What a child sees at @p of its parent, by @look; that may be @error for maps of what cannot be pinned. */
static inline void expect_blind(ARGS, FIXTURE_DATA(revoked) *self,
				long (*look)(pid_t pid, unsigned char *p, unsigned char *copy), long error)
{
	unsigned char *copy = mmap(NULL, FRAME, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		struct victim *v = BOTH[i];
		long result = i ? 0 : error;

		CHILD(pid) {
			EXPECT_EQ(result, look(getppid(), v->p, copy));
			EXPECT_EQ(!result, is_frame(copy, FRAME, 0));
		}
		wait_child(_metadata, pid);
		cut_off(_metadata, v);
		memset(copy, 0, FRAME);
		CHILD(pid) {
			EXPECT_EQ(result, look(getppid(), v->p, copy));
			EXPECT_TRUE(shows_nothing(copy));
			EXPECT_EQ(result, look(getppid(), v->untouched, copy));
			EXPECT_TRUE(shows_nothing(copy));
		}
		wait_child(_metadata, pid);
	}
}

#endif

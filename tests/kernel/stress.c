// SPDX-License-Identifier: GPL-2.0-only
/* Everything at once: producers that take over from each other, readers, revocation, listeners. */
#include "lib.h"

#include <pthread.h>

#define RUN_MS 2500

struct storm {
	struct source s;		/* id and node alone */
	uint64_t until;
	uint64_t frames, wrong, rounds;
};

static int goes_on(const struct storm *storm)
{
	return now_ns(CLOCK_MONOTONIC) < storm->until;
}

static void count(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* Fills with the sequence that the frame gets if nobody takes over before the commit. */
static int produce_some(struct source *s, int frames)
{
	struct devring_device d;

	while (frames--) {
		struct devring_slot slot;
		int result = query(s->fd, 0, &d) ?: take(s->fd, &slot);

		if (result)
			return result;
		if (slot.generation != s->g.generation)
			return -ESTALE;
		fill(slot_at(s, slot.offset), s->g.slot_size, d.head);
		result = commit(s->fd, &slot, s->g.slot_size, 0);
		if (result)
			return result;
	}
	return 0;
}

static void *usurp(void *argument)
{
	struct storm *storm = argument;

	for (unsigned int i = 0; goes_on(storm); i++) {
		struct source s = storm->s, stale;
		struct devring_device d;

		s.fd = attach(s.id, DEVRING_ATTACH_TAKEOVER);
		if (s.fd < 0)
			continue;
		if (query(s.fd, 0, &d) == 0 && d.geometry.generation) {
			s.g = d.geometry;
			if (source_map(&s) == 0)
				produce_some(&s, 20);
		}
		stale = s;
		if (source_ring(&s, 3 + i % 6, 4096 << i % 2, i % 3 * 64) == 0) {
			/* Nobody sees what is written to a ring that is no more. */
			if (stale.map && stale.map != MAP_FAILED)
				memset(stale.map, 0xdd, area_bytes(&stale.g));
			produce_some(&s, 50);
			munmap(s.map, area_bytes(&s.g));
		}
		if (stale.map && stale.map != MAP_FAILED)
			munmap(stale.map, area_bytes(&stale.g));
		set_format(s.fd, i);
		set_state(s.fd, i % 2 ? DEVRING_STATE_AVAILABLE : DEVRING_STATE_ERROR,
			  i % 2 ? 0 : EIO);
		close(s.fd);
		count(&storm->rounds, 1);
	}
	return NULL;
}

/* Each word of a frame that is held is the frame's, or zero once it was taken away. */
static int is_frame_or_gone(const volatile void *memory, size_t bytes, uint64_t sequence)
{
	const volatile uint64_t *p = memory;

	for (size_t i = 0; i < bytes / 8; i++) {
		uint64_t word = p[i];

		if (word != pattern(sequence, i) && word)
			return 0;
	}
	return 1;
}

static void read_some(struct storm *storm, int fd)
{
	struct stream r = stream_of(fd, DEVRING_RECORD_MAX);
	struct devring_geometry g = { 0 };
	unsigned char *map = MAP_FAILED;
	uint64_t expected = 0;
	int first = 1, kind;
	union record u;

	while (goes_on(storm)) {
		kind = next(&r, &u);
		if (kind == -EAGAIN) {
			ready_within(fd, POLLIN, 50);
			continue;
		}
		if (kind <= 0)
			break;
		if (kind == DEVRING_RECORD_GENERATION) {
			if (map != MAP_FAILED)
				munmap(map, g.ring_bytes);
			g = u.generation.geometry;
			map = map_of(fd, g.ring_offset, g.ring_bytes, PROT_READ);
		}
		if (kind != DEVRING_RECORD_FRAME)
			continue;
		count(&storm->frames, 1);
		count(&storm->wrong, u.frame.generation != g.generation);
		count(&storm->wrong, !first && u.frame.sequence != expected + u.frame.lost);
		/* It counts only if the hold lasted until after the look. */
		if (map != MAP_FAILED) {
			int good = is_frame_or_gone(map + (u.frame.offset - g.ring_offset),
						    u.frame.bytes, u.frame.sequence);

			count(&storm->wrong, release(fd, u.frame.sequence) == 0 && !good);
		}
		expected = u.frame.sequence + 1;
		first = 0;
	}
	if (map != MAP_FAILED)
		munmap(map, g.ring_bytes);
}

static void *read_on(void *argument)
{
	struct storm *storm = argument;

	while (goes_on(storm)) {
		int fd = node_open(&storm->s, O_RDONLY | O_NONBLOCK);

		if (fd < 0)
			continue;
		read_some(storm, fd);
		close(fd);
	}
	return NULL;
}

static void *revoke_some(void *argument)
{
	struct storm *storm = argument;

	for (unsigned int i = 0; goes_on(storm); i++) {
		int fd = node_open(&storm->s, O_RDONLY);
		struct devring_reader readers[8];
		int n = list_readers(fd, readers, 8);

		if (n > 8)
			n = 8;
		if (i % 4 == 0)
			take_away(fd, DEVRING_REVOKE_ALL, 0, 0, NULL);
		else if (n > 0)
			take_away(fd, DEVRING_REVOKE_READER, 0, readers[i % n].id, NULL);
		close(fd);
		nap();
	}
	return NULL;
}

static void *listen_on(void *argument)
{
	struct stream l = stream_of(control_open(O_RDONLY | O_NONBLOCK), DEVRING_CHANGE_MAX);
	struct storm *storm = argument;
	uint64_t last = 0;
	union record u;

	while (goes_on(storm)) {
		if (next(&l, &u) <= 0) {
			ready_within(l.fd, POLLIN, 50);
			continue;
		}
		count(&storm->wrong, u.change.change <= last);
		last = u.change.change;
	}
	close(l.fd);
	return NULL;
}

static void *come_and_go(void *argument)
{
	struct storm *storm = argument;
	struct source s;

	while (goes_on(storm)) {
		if (source_register(&s, "passer-by", 0) == 0) {
			source_ring(&s, 3, 4096, 0);
			produce(&s, 1);
			munmap(s.map, area_bytes(&s.g));
			close(s.fd);
		}
		nap();
	}
	return NULL;
}

TEST(storm)
{
	static void *(*const roles[])(void *) = {
		usurp, usurp, read_on, read_on, read_on, revoke_some, listen_on, come_and_go,
	};
	pthread_t threads[ARRAY_SIZE(roles)];
	struct storm storm = { .until = now_ns(CLOCK_MONOTONIC) + RUN_MS * 1000000ULL };
	struct devring_device d;
	int control = control_open(O_RDONLY);

	ASSERT_EQ(0, source_register(&storm.s, "storm", DEVRING_REG_PERSIST));
	ASSERT_EQ(0, set_ring(storm.s.fd, 4, 4096, 0, NULL));
	close(storm.s.fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(roles); i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, roles[i], &storm));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(roles); i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	}
	EXPECT_EQ(0, storm.wrong);
	EXPECT_LT(0, storm.frames);
	EXPECT_LT(0, storm.rounds);
	ASSERT_EQ(0, query(control, storm.s.id, &d));
	EXPECT_EQ(DEVRING_STATE_OFFLINE, d.state);
	EXPECT_EQ(0, d.readers + d.opens + d.queued + d.held);
	ASSERT_EQ(0, unregister(storm.s.id));
	WAIT_FOR(info_now(_metadata).total_bytes == 0);
}

TEST_HARNESS_MAIN

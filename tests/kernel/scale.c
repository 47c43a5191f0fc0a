// SPDX-License-Identifier: GPL-2.0-only
/* lane: guest */
/* Ten cameras of 1080p, eight readers each, and not one wrong frame. */
#include "lib.h"

enum {
	DEVICES = 10,
	READERS = 8,
	COMMITS = 300,
	FRAME_BYTES = 1920 * 1080 * 3 / 2,
	/* One that is being filled, one held by each reader, two. */
	SLOTS = 1 + READERS + 2,
	/* Words between those that are written and checked: enough for each page. */
	STRIDE = 251,
};

struct metadata {
	uint64_t sequence;
	uint64_t checksum;
};

/* What each reader saw, in memory that all processes share. */
struct tally {
	uint64_t delivered, lost, wrong, last;
};

static uint64_t write_frame(uint64_t *p, uint64_t seed)
{
	uint64_t sum = seed;

	for (size_t i = 0; i < FRAME_BYTES / 8; i += STRIDE) {
		p[i] = pattern(seed, i);
		sum = (sum ^ p[i]) * 0x100000001b3ULL;
	}
	return sum;
}

static uint64_t checksum(const volatile uint64_t *p, uint64_t seed)
{
	uint64_t sum = seed;

	for (size_t i = 0; i < FRAME_BYTES / 8; i += STRIDE)
		sum = (sum ^ p[i]) * 0x100000001b3ULL;
	return sum;
}

/* Waits for all readers, then commits, every @ms milliseconds or, with 0, as fast as it can. */
static int produce_all(struct source *s, unsigned int device, int ms)
{
	struct devring_readers news = { 0 };

	while (news.readers != READERS)
		if (!wait_ready(s->fd, POLLIN) || read(s->fd, &news, sizeof(news)) != sizeof(news))
			return -EIO;
	for (unsigned int n = 0; n < COMMITS; n++) {
		struct devring_slot slot;
		struct metadata *m;
		int result = take(s->fd, &slot);

		if (result)
			return result;
		m = slot_at(s, slot.metadata_offset);
		m->sequence = n;
		m->checksum = write_frame(slot_at(s, slot.offset), device * COMMITS + n);
		result = commit(s->fd, &slot, FRAME_BYTES, n == COMMITS - 1 ? DEVRING_FRAME_END : 0);
		if (result)
			return result;
		poll(NULL, 0, ms);
	}
	return 0;
}

static void look_at(const unsigned char *ring, const struct devring_geometry *g,
		    const struct devring_frame *f, unsigned int device, struct tally *t)
{
	const struct metadata *m = (const void *)(ring + (f->metadata_offset - g->ring_offset));
	const volatile uint64_t *p = (const void *)(ring + (f->offset - g->ring_offset));

	t->delivered++;
	t->lost += f->lost;
	t->last = f->sequence;
	t->wrong += t->delivered + t->lost != f->sequence + 1 || f->bytes != FRAME_BYTES ||
		    m->sequence != f->sequence ||
		    m->checksum != checksum(p, device * COMMITS + f->sequence) ||
		    f->rec.flags & DEVRING_RECORD_F_HOLD_BROKEN;
}

/* Eight readers in one process, each with a file and a map of its own. */
static int read_all(const struct source *s, unsigned int device, struct tally *tally)
{
	struct stream r[READERS];
	unsigned char *ring[READERS];
	struct pollfd p[READERS];
	int left = READERS;

	for (int i = 0; i < READERS; i++) {
		r[i] = reader_open(s, O_RDONLY | O_NONBLOCK);
		p[i] = (struct pollfd){ .fd = r[i].fd, .events = POLLIN };
		if (r[i].fd < 0 || set_reader(r[i].fd, 0, DEVRING_START_OLDEST, 1))
			return -EIO;
	}
	for (int i = 0; i < READERS; i++) {
		ring[i] = map_of(r[i].fd, s->g.ring_offset, s->g.ring_bytes, PROT_READ);
		if (ring[i] == MAP_FAILED)
			return -EIO;
	}
	while (left) {
		if (poll(p, READERS, 4 * WAIT_MS) <= 0)
			return -ETIME;
		for (int i = 0; i < READERS; i++) {
			struct devring_frame f;

			if (!p[i].revents || next_frame(&r[i], &f))
				continue;
			look_at(ring[i], &s->g, &f, device, &tally[i]);
			if (f.flags & DEVRING_FRAME_END) {
				p[i].fd = -1;
				left--;
			}
		}
	}
	return 0;
}

static void run_all(ARGS, int ms)
{
	struct tally (*tally)[READERS] = mmap(NULL, sizeof(*tally) * DEVICES, RW,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t start, ns, delivered = 0;
	struct source s[DEVICES];
	pid_t pids[DEVICES][2];
	char name[16];

	ASSERT_EQ(0, set_limit("total_mb", 2 * DEVICES * SLOTS * (FRAME_BYTES >> 20)));
	for (int i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "scale%d", i);
		source_up(_metadata, &s[i], name, 0, SLOTS, FRAME_BYTES, sizeof(struct metadata));
	}
	start = now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < DEVICES; i++) {
		CHILD(pids[i][0]) {
			/* A producer's maps stay with who made them. */
			ASSERT_EQ(0, source_map(&s[i]));
			EXPECT_EQ(0, produce_all(&s[i], i, ms));
		}
		CHILD(pids[i][1]) {
			EXPECT_EQ(0, read_all(&s[i], i, tally[i]));
		}
	}
	for (int i = 0; i < DEVICES; i++) {
		wait_child(_metadata, pids[i][0]);
		wait_child(_metadata, pids[i][1]);
	}
	ns = now_ns(CLOCK_MONOTONIC) - start;
	for (int i = 0; i < DEVICES; i++) {
		struct devring_device d = device_of(_metadata, &s[i]);

		EXPECT_EQ(COMMITS, d.head);
		EXPECT_EQ(0, d.holds_broken);
		EXPECT_GE(SLOTS, d.slots_needed);
		for (int n = 0; n < READERS; n++) {
			EXPECT_EQ(0, tally[i][n].wrong);
			EXPECT_EQ(COMMITS, tally[i][n].delivered + tally[i][n].lost);
			EXPECT_EQ(COMMITS - 1, tally[i][n].last);
			delivered += tally[i][n].delivered;
		}
	}
	TH_LOG("%d commits, %llu of %d deliveries in %llu ms: %llu commits/s, %llu deliveries/s",
	       DEVICES * COMMITS, (unsigned long long)delivered, DEVICES * COMMITS * READERS,
	       (unsigned long long)ns / 1000000,
	       DEVICES * COMMITS * 1000000000ULL / ns,
	       (unsigned long long)delivered * 1000000000ULL / ns);
}

TEST_F_TIMEOUT(settings, as_cameras_do, 300)
{
	run_all(_metadata, 20);
}

TEST_F_TIMEOUT(settings, as_fast_as_it_goes, 300)
{
	run_all(_metadata, 0);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Holds: what a reader was given stands still, and when, and whose, hold is broken. */
#include "lib.h"

FIXTURE(holding) {
	struct source s;
	struct stream r;
	struct devring_frame f;
	unsigned char *map;
};

/* Eight slots; a reader with its news behind it, and its view of the ring. */
FIXTURE_SETUP(holding)
{
	source_up(_metadata, &self->s, "hold", DEVRING_REG_PUBLIC, 8, 4096, 64);
	reader_up(_metadata, &self->s, &self->r);
	self->map = map_of(self->r.fd, self->s.g.ring_offset, self->s.g.ring_bytes, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(holding)
{
}

/* Does the frame still have the content that it was committed with, in slot and metadata? */
#define STANDS(f) (is_frame(self->map + ((f)->offset - self->s.g.ring_offset), (f)->bytes,	\
			    (f)->sequence) &&							\
		   is_frame(self->map + ((f)->metadata_offset - self->s.g.ring_offset),		\
			    self->s.g.metadata_size, (f)->sequence))
#define EXPECT_HELD(n)		EXPECT_EQ(n, device_of(_metadata, &self->s).held)
#define EXPECT_BROKEN(n)	EXPECT_EQ(n, device_of(_metadata, &self->s).holds_broken)

TEST_F(holding, one_by_default)
{
	struct devring_frame second;

	ASSERT_EQ(0, produce(&self->s, 2));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_HELD(1);
	EXPECT_EQ(1, myself(_metadata, self->r.fd).held);
	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_TRUE(STANDS(&self->f)) TH_LOG("overwritten after %d frames", i + 1);
	}
	ASSERT_EQ(0, next_frame(&self->r, &second));
	EXPECT_LT(40, second.lost);
	EXPECT_HELD(1);
	EXPECT_TRUE(STANDS(&second));
	ASSERT_EQ(0, produce(&self->s, 20));
	EXPECT_TRUE(STANDS(&second));
	EXPECT_FALSE(STANDS(&self->f));
	EXPECT_BROKEN(0);
}

/* The last five that it got, whatever the producer does, over many laps. */
TEST_F(holding, frames_stand_still)
{
	struct devring_frame f[5];
	unsigned int got = 0;

	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 5));
	for (int i = 0; i < 400; i++) {
		ASSERT_EQ(0, produce(&self->s, 1 + i % 3));
		if (i % 4 != 3) {
			ASSERT_EQ(0, next_frame(&self->r, &f[got++ % 5]));
		}
		for (unsigned int n = got < 5 ? 0 : got - 5; n < got; n++) {
			ASSERT_TRUE(STANDS(&f[n % 5]))
				TH_LOG("frame %u of %u was overwritten", n, got);
		}
		EXPECT_EQ(got < 5 ? got : 5, myself(_metadata, self->r.fd).held);
	}
	EXPECT_BROKEN(0);
}

/* The same with a producer that runs beside. */
TEST_F(holding, frames_stand_still_beside_a_producer)
{
	uint64_t seen = 0, lost = 0;
	pid_t pid;

	CHILD(pid) {
		ASSERT_EQ(0, source_map(&self->s));
		for (int i = 0; i < 20000 && _metadata->passed; i++) {
			EXPECT_EQ(0, produce(&self->s, 1));
			if (i % 16 == 0) {
				sched_yield();
			}
		}
	}
	while (device_of(_metadata, &self->s).head < 20000) {
		int result = next_frame(&self->r, &self->f);

		if (result == -EAGAIN) {
			ready_within(self->r.fd, POLLIN, 100);
			continue;
		}
		ASSERT_EQ(0, result);
		seen++;
		lost += self->f.lost;
		for (int i = 0; i < 8; i++) {
			ASSERT_TRUE(STANDS(&self->f)) TH_LOG("frame %llu changed while held",
							     (unsigned long long)self->f.sequence);
			sched_yield();
		}
	}
	wait_child(_metadata, pid);
	EXPECT_LT(0, seen);
	EXPECT_GE(20000, seen + lost);
	EXPECT_BROKEN(0);
}

TEST_F(holding, none)
{
	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 0));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_HELD(0);
	EXPECT_TRUE(STANDS(&self->f));
	EXPECT_EQ(-ENOENT, release(self->r.fd, 0));
	ASSERT_EQ(0, produce(&self->s, 8));
	EXPECT_FALSE(STANDS(&self->f));
}

TEST_F(holding, fewer)
{
	struct devring_frame f[4];

	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 4));
	ASSERT_EQ(0, produce(&self->s, 4));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, next_frame(&self->r, &f[i]));
	}
	EXPECT_HELD(4);
	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 2));
	EXPECT_HELD(2);
	ASSERT_EQ(0, produce(&self->s, 20));
	EXPECT_FALSE(STANDS(&f[0]));
	EXPECT_FALSE(STANDS(&f[1]));
	EXPECT_TRUE(STANDS(&f[2]));
	EXPECT_TRUE(STANDS(&f[3]));
	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 0));
	EXPECT_HELD(0);
	EXPECT_BROKEN(0);
}

TEST_F(holding, released)
{
	struct devring_frame f[3];

	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 3));
	ASSERT_EQ(0, produce(&self->s, 3));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, next_frame(&self->r, &f[i]));
	}
	EXPECT_EQ(-ENOENT, release(self->r.fd, 3));
	EXPECT_EQ(-ENOENT, release(self->r.fd, ~0ULL));
	EXPECT_EQ(0, release(self->r.fd, 1));
	EXPECT_EQ(-ENOENT, release(self->r.fd, 1));
	EXPECT_HELD(2);
	ASSERT_EQ(0, produce(&self->s, 20));
	EXPECT_TRUE(STANDS(&f[0]));
	EXPECT_FALSE(STANDS(&f[1]));
	EXPECT_TRUE(STANDS(&f[2]));
	EXPECT_EQ(0, release(self->r.fd, 0));
	EXPECT_EQ(0, release(self->r.fd, 2));
	EXPECT_HELD(0);
}

TEST_F(holding, failed_reads_change_nothing)
{
	unsigned char b[DEVRING_RECORD_MAX];
	struct devring_reader before, after;

	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	before = myself(_metadata, self->r.fd);
	EXPECT_EQ(-EAGAIN, next_frame(&self->r, &(struct devring_frame){ 0 }));
	EXPECT_HELD(1);
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(-EINVAL, rc(read(self->r.fd, b, sizeof(b) - 1)));
	EXPECT_EQ(-EFAULT, rc(read(self->r.fd, bad_address(), sizeof(b))));
	after = myself(_metadata, self->r.fd);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	ASSERT_EQ(0, produce(&self->s, 20));
	EXPECT_TRUE(STANDS(&self->f));
	EXPECT_EQ(0, release(self->r.fd, 0));
}

TEST_F(holding, two_readers_of_one_frame)
{
	struct devring_frame other;
	struct stream r;

	reader_up(_metadata, &self->s, &r);
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	ASSERT_EQ(0, next_frame(&r, &other));
	EXPECT_EQ(self->f.slot, other.slot);
	EXPECT_HELD(1);
	EXPECT_EQ(0, release(r.fd, 0));
	EXPECT_HELD(1);
	ASSERT_EQ(0, produce(&self->s, 20));
	EXPECT_TRUE(STANDS(&self->f));
	/* The last to let go ends it; closing is letting go. */
	munmap(self->map, self->s.g.ring_bytes);
	close(self->r.fd);
	EXPECT_HELD(0);
	close(r.fd);
	EXPECT_HELD(0);
}

/* A hold belongs to the open file, whoever has a descriptor of it. */
TEST_F(holding, over_fork)
{
	pid_t pid;

	ASSERT_EQ(0, produce(&self->s, 2));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	CHILD(pid) {
		EXPECT_TRUE(STANDS(&self->f));
		ASSERT_EQ(0, close(self->r.fd));
	}
	wait_child(_metadata, pid);
	EXPECT_HELD(1);
	ASSERT_EQ(0, produce(&self->s, 20));
	EXPECT_TRUE(STANDS(&self->f));
	CHILD(pid) {
		struct devring_frame f = { 0 };

		ASSERT_EQ(0, next_frame(&self->r, &f));
		EXPECT_TRUE(STANDS(&f));
	}
	wait_child(_metadata, pid);
	/* The child's read was this file's: the old frame is free, the new one is held. */
	EXPECT_EQ(-ENOENT, release(self->r.fd, 0));
	EXPECT_HELD(1);
}

/* Each take breaks as many holds as leave two slots neither out nor held, and none before. */
TEST_F(holding, broken_by_the_rule)
{
	struct devring_slot slot[6];
	struct devring_frame f[5];
	unsigned int queued = 0, held = 5, broken = 0;

	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 5));
	ASSERT_EQ(0, produce(&self->s, 5));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, next_frame(&self->r, &f[i]));
	}
	EXPECT_EQ(7, device_of(_metadata, &self->s).slots_needed);
	while (queued < 6) {
		unsigned int open = 8 - queued - held, breaks = open < 2 ? 2 - open : 0;

		ASSERT_EQ(0, take(self->s.fd, &slot[queued]));
		queued++;
		held -= breaks;
		broken += breaks;
		EXPECT_EQ(queued, device_of(_metadata, &self->s).queued);
		EXPECT_HELD(held);
		EXPECT_BROKEN(broken);
		for (unsigned int i = 0; i < 5; i++) {
			struct devring_entry e;

			/* The oldest go first, and a look at their index words tells. */
			ASSERT_EQ(sizeof(e), pread(self->r.fd, &e, sizeof(e), self->s.g.ring_offset +
						   i * self->s.g.entry_stride));
			EXPECT_EQ(i >= broken, e.word == DEVRING_WORD((uint64_t)i));
			EXPECT_TRUE(STANDS(&f[i]) || i < broken);
		}
	}
	EXPECT_LT(0, broken);
	EXPECT_LT(0, held);
	EXPECT_EQ(-ENOBUFS, take(self->s.fd, slot));
	for (unsigned int i = 0; i < 5; i++) {
		EXPECT_EQ(i < broken ? -ENOENT : 0, release(self->r.fd, i));
	}
	EXPECT_BROKEN(broken);
	EXPECT_LT(8, device_of(_metadata, &self->s).slots_needed);
}

TEST_F(holding, the_reader_is_told_once)
{
	struct devring_slot slot;

	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, DEVRING_HOLDS_MAX));
	ASSERT_EQ(0, produce(&self->s, 8));
	for (int i = 0; i < 8; i++) {
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(0, self->f.rec.flags);
	}
	EXPECT_HELD(8);
	ASSERT_EQ(0, take(self->s.fd, &slot));
	EXPECT_BROKEN(2);
	ASSERT_EQ(0, commit(self->s.fd, &slot, 1, 0));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(DEVRING_RECORD_F_HOLD_BROKEN, self->f.rec.flags);
	EXPECT_LE(1, self->f.broken_sequence);
	EXPECT_GT(self->f.sequence, self->f.broken_sequence);
	ASSERT_EQ(0, release(self->r.fd, self->f.sequence));
	while (next_frame(&self->r, &self->f) == 0) {
		EXPECT_EQ(0, self->f.rec.flags);
	}
}

static int open_as(uid_t uid, const struct source *s)
{
	struct devring_open o = INIT(devring_open, .flags = O_NONBLOCK, .id = s->id);
	int control = control_open(O_RDONLY), fd;

	if (seteuid(uid))
		return -errno;
	fd = call(control, DEVRING_IOC_OPEN, &o);
	if (seteuid(0))
		return -errno;
	close(control);
	return fd;
}

/* Who holds most pays first, then the oldest. */
TEST_F(holding, who_pays)
{
	struct stream modest = stream_of(open_as(USER_A, &self->s), DEVRING_RECORD_MAX);
	struct stream greedy[2];
	struct devring_slot slot;

	ASSERT_LE(0, modest.fd);
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&modest, &self->f));
	EXPECT_EQ(0, self->f.sequence);
	/* Two files of one user with five holds between them. */
	for (int i = 0; i < 2; i++) {
		greedy[i] = stream_of(open_as(USER_B, &self->s), DEVRING_RECORD_MAX);
		ASSERT_EQ(0, set_reader(greedy[i].fd, 0, DEVRING_START_NEXT, 3));
	}
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_EQ(0, set_reader(greedy[i % 2].fd, 0, DEVRING_START_NEWEST, 3));
		ASSERT_EQ(0, next_frame(&greedy[i % 2], &self->f));
	}
	EXPECT_HELD(6);
	EXPECT_BROKEN(0);
	for (int i = 1; i <= 4; i++) {
		ASSERT_EQ(0, take(self->s.fd, &slot));
		EXPECT_EQ(i - 1, device_of(_metadata, &self->s).holds_broken);
	}
	/* Frames 1, 2 and 3 went; frame 0, older than all, is its only one's. */
	EXPECT_EQ(-ENOENT, release(greedy[0].fd, 1));
	EXPECT_EQ(-ENOENT, release(greedy[1].fd, 2));
	EXPECT_EQ(-ENOENT, release(greedy[0].fd, 3));
	EXPECT_EQ(0, release(greedy[1].fd, 4));
	EXPECT_EQ(0, release(greedy[0].fd, 5));
	EXPECT_EQ(0, release(modest.fd, 0));
}

/* A frame that is still being filled is with the producer: holding it costs no slot, and breaks nobody's hold. */
TEST_F(holding, of_a_partial_frame)
{
	struct stream parts[2], modest = stream_of(open_as(USER_A, &self->s), DEVRING_RECORD_MAX);
	struct devring_slot slot[6];

	ASSERT_EQ(0, set_reader(modest.fd, 0, 0, 6));
	ASSERT_EQ(0, produce(&self->s, 5));
	ASSERT_EQ(0, set_reader(modest.fd, 0, DEVRING_START_OLDEST, 6));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, next_frame(&modest, &self->f));
	}
	ASSERT_EQ(0, take(self->s.fd, &slot[0]));
	EXPECT_BROKEN(0);
	ASSERT_EQ(0, commit(self->s.fd, &slot[0], 8, DEVRING_FRAME_PARTIAL));
	for (int i = 0; i < 2; i++) {
		reader_up(_metadata, &self->s, &parts[i]);
		ASSERT_EQ(0, set_reader(parts[i].fd, DEVRING_READER_PARTIAL, DEVRING_START_NEWEST,
					1));
		ASSERT_EQ(0, next_frame(&parts[i], &self->f));
		EXPECT_EQ(5, self->f.sequence);
	}
	EXPECT_HELD(5);
	for (int i = 1; i < 6; i++) {
		ASSERT_EQ(0, take(self->s.fd, &slot[i]));
	}
	/* The frame came through it all. */
	ASSERT_EQ(0, commit(self->s.fd, &slot[0], 16, 0));
	ASSERT_EQ(0, next_frame(&parts[0], &self->f));
	EXPECT_EQ(5, self->f.sequence);
	EXPECT_EQ(16, self->f.bytes);
	EXPECT_EQ(0, release(parts[1].fd, 5));
}

/* The old generation stands while a hold names it, then it reads as zeros. */
TEST_F(holding, over_generations)
{
	struct devring_frame old;
	struct stream other;
	union record u;

	reader_up(_metadata, &self->s, &other);
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &old));
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 4096, 0, NULL));
	EXPECT_TRUE(STANDS(&old));
	memset(self->s.map, 0xff, area_bytes(&self->s.g));
	EXPECT_TRUE(STANDS(&old));
	EXPECT_LT(self->s.g.ring_bytes, device_of(_metadata, &self->s).bytes);
	EXPECT_EQ(-EAGAIN, skip_news(&other));
	EXPECT_TRUE(STANDS(&old));
	/* News alone need no hold; a new frame does. */
	EXPECT_EQ(DEVRING_RECORD_GENERATION, next(&self->r, &u));
	munmap(self->s.map, area_bytes(&self->s.g));
	self->s.g = u.generation.geometry;
	ASSERT_EQ(0, source_map(&self->s));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(1, self->f.sequence);
	WAIT_FOR(all_bytes(self->map, 4096, 0));
	WAIT_FOR(device_of(_metadata, &self->s).bytes == self->s.g.ring_bytes);
	EXPECT_BROKEN(0);
	EXPECT_EQ(-ENOENT, release(self->r.fd, 0));
}

/* Frames of the generation before take no slot of this one: what is broken is the frame of this one. */
TEST_F(holding, of_the_old_generation_do_not_pay)
{
	struct devring_slot slot;
	struct devring_frame old, newest;
	union record u;

	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 3));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &old));
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 4096, 64, NULL));
	EXPECT_EQ(DEVRING_RECORD_GENERATION, next(&self->r, &u));
	munmap(self->s.map, area_bytes(&self->s.g));
	self->s.g = u.generation.geometry;
	ASSERT_EQ(0, source_map(&self->s));
	ASSERT_EQ(0, produce(&self->s, 2));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	ASSERT_EQ(0, next_frame(&self->r, &newest));
	EXPECT_HELD(2);
	ASSERT_EQ(0, take(self->s.fd, &slot));
	EXPECT_BROKEN(0);
	ASSERT_EQ(0, take(self->s.fd, &slot));
	EXPECT_BROKEN(1);
	EXPECT_EQ(-ENOENT, release(self->r.fd, self->f.sequence));
	EXPECT_EQ(0, release(self->r.fd, newest.sequence));
	EXPECT_EQ(0, release(self->r.fd, old.sequence));
}

TEST_F(holding, one_old_generation_at_most)
{
	struct devring_frame old;
	struct devring_geometry g = { 0 };

	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &old));
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 4096, 0, &g));
	EXPECT_TRUE(STANDS(&old));
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 4096, 0, &g));
	EXPECT_TRUE(all_bytes(self->map, self->s.g.ring_bytes, 0));
	EXPECT_BROKEN(1);
	EXPECT_EQ(-ENOENT, release(self->r.fd, 0));
	WAIT_FOR(device_of(_metadata, &self->s).bytes == g.ring_bytes);
	self->s.g = g;
	ASSERT_EQ(0, source_map(&self->s));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(DEVRING_RECORD_F_HOLD_BROKEN, self->f.rec.flags);
	EXPECT_EQ(0, self->f.broken_sequence);
}

TEST_F(holding, an_old_generation_ends_after_five_seconds)
{
	struct devring_geometry g = { 0 };
	uint64_t since, seconds;

	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	since = now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 4096, 0, &g));
	EXPECT_TRUE(STANDS(&self->f));
	WAIT_FOR(all_bytes(self->map, self->s.g.ring_bytes, 0));
	seconds = (now_ns(CLOCK_MONOTONIC) - since) / 1000000000;
	EXPECT_LE(4, seconds);
	WAIT_FOR(device_of(_metadata, &self->s).bytes == g.ring_bytes);
	EXPECT_BROKEN(1);
}

TEST_F(settings, limit_of_holds_of_a_user)
{
	struct source s;
	pid_t pid;

	ASSERT_EQ(0, set_limit("user_holds", 20));
	EXPECT_EQ(20, info_now(_metadata).user_holds_max);
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, source_register(&s, "limit", DEVRING_REG_PUBLIC));
	CHILD(pid) {
		struct devring_open o = INIT(devring_open, .id = s.id);
		int control, a, b, c;

		become(USER_A);
		control = control_open(O_RDONLY);
		a = call(control, DEVRING_IOC_OPEN, &o);
		b = call(control, DEVRING_IOC_OPEN, &o);
		c = call(control, DEVRING_IOC_OPEN, &o);
		ASSERT_LE(0, c);
		/* The first of each reader is free. */
		EXPECT_EQ(0, set_reader(a, 0, 0, 16));
		EXPECT_EQ(-EDQUOT, set_reader(b, 0, 0, 7));
		EXPECT_EQ(0, set_reader(b, 0, 0, 5));
		EXPECT_EQ(0, set_reader(b, 0, 0, 6));
		EXPECT_EQ(-EDQUOT, set_reader(c, 0, 0, 2));
		EXPECT_EQ(0, set_reader(c, 0, 0, 1));
		EXPECT_EQ(0, set_reader(b, 0, 0, 0));
		/* What is refused is not counted. */
		for (int i = 0; i < 3; i++)
			EXPECT_EQ(-EPERM, set_reader(c, DEVRING_READER_LOSSLESS, 0, 6));
		EXPECT_EQ(0, set_reader(c, 0, 0, 6));
		close(a);
		EXPECT_EQ(0, set_reader(b, 0, 0, 16));
	}
	wait_child(_metadata, pid);
}

TEST_HARNESS_MAIN

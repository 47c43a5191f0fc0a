// SPDX-License-Identifier: GPL-2.0-only
/* Readers that the producer waits for.  Clocks are asked for lower bounds alone. */
#include "lib.h"

#define SECOND	1000000000ULL

enum { SLOTS = 6, DEADLINE_MS = 5000, SOON_MS = 20 };

FIXTURE(lossless) {
	struct source s;
	struct stream r;
	struct devring_frame f;
	mode_t mode;
};

static int ask(int fd, uint32_t flags, uint32_t holds, uint32_t deadline_ms)
{
	struct devring_set_reader set = INIT(devring_set_reader, .flags = flags, .start = DEVRING_START_NEXT,
					     .holds = holds, .deadline_ms = deadline_ms);

	return call(fd, DEVRING_IOC_SET_READER, &set);
}

static int lossless(int fd, uint32_t deadline_ms)
{
	return ask(fd, DEVRING_READER_LOSSLESS, 1, deadline_ms);
}

FIXTURE_SETUP(lossless)
{
	struct stat st;

	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	self->mode = st.st_mode & 07777;
	ASSERT_EQ(0, source_register_lossless(&self->s, "lossless", DEVRING_REG_LOSSLESS | DEVRING_REG_PERSIST |
				       DEVRING_REG_PUBLIC, DEADLINE_MS));
	ASSERT_EQ(0, source_ring(&self->s, SLOTS, 4096, 0));
	reader_up(_metadata, &self->s, &self->r);
}

FIXTURE_TEARDOWN(lossless)
{
	EXPECT_EQ(0, seteuid(0));
	unregister(self->s.id);
	EXPECT_EQ(0, chmod(CONTROL_NODE, self->mode));
}

/* Commits frames until there is no slot; how many. */
static int produce_all(ARGS, struct source *s)
{
	int n = 0, result;

	while (!(result = produce(s, 1)))
		n++;
	EXPECT_EQ(-EAGAIN, result);
	return n;
}

static bool is_lossless(ARGS, int fd)
{
	return myself(_metadata, fd).flags & DEVRING_READER_LOSSLESS;
}

TEST_F(lossless, says_that_it_is_there)
{
	struct devring_device d = device_of(_metadata, &self->s);

	EXPECT_NE(0, info_now(_metadata).features & DEVRING_FEATURE_LOSSLESS);
	EXPECT_NE(0, d.flags & DEVRING_REG_LOSSLESS);
	EXPECT_EQ(DEADLINE_MS, d.deadline_ms);
	EXPECT_EQ(0, d.reserved0);
}

TEST_F(lossless, limits_of_a_registration)
{
	static const struct {
		uint32_t flags, deadline_ms;
		int result;
	} rows[] = {
		{ DEVRING_REG_LOSSLESS, 0, -EINVAL },
		{ DEVRING_REG_LOSSLESS, 1, 0 },
		{ DEVRING_REG_LOSSLESS, DEVRING_DEADLINE_MAX, 0 },
		{ DEVRING_REG_LOSSLESS, DEVRING_DEADLINE_MAX + 1, -EINVAL },
		{ DEVRING_REG_LOSSLESS | DEVRING_REG_SINK, 1, 0 },
		{ 0, 1, -EINVAL },
		{ 0, 0, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct source s;

		EXPECT_EQ(rows[i].result, source_register_lossless(&s, "limits", rows[i].flags, rows[i].deadline_ms)) {
			TH_LOG("row %u", i);
		}
		if (s.fd >= 0)
			close(s.fd);
	}
}

TEST_F(lossless, what_a_reader_may_ask)
{
	struct devring_set_reader set = INIT(devring_set_reader, .flags = DEVRING_READER_LOSSLESS, .holds = 1);
	int fd = self->r.fd;

	EXPECT_EQ(-EINVAL, lossless(fd, DEADLINE_MS + 1));
	EXPECT_FALSE(is_lossless(_metadata, fd));
	EXPECT_EQ(0, lossless(fd, DEADLINE_MS));
	EXPECT_EQ(0, lossless(fd, DEADLINE_MS - 1));
	EXPECT_EQ(0, lossless(fd, 0));
	EXPECT_TRUE(is_lossless(_metadata, fd));
	EXPECT_EQ(-EINVAL, ask(fd, DEVRING_READER_LOSSLESS | DEVRING_READER_LATEST, 1, 0));
	EXPECT_EQ(-EINVAL, ask(fd, DEVRING_READER_LOSSLESS | DEVRING_READER_KEY_ONLY, 1, 0));
	set.wake_frames = 2;
	EXPECT_EQ(-EINVAL, call(fd, DEVRING_IOC_SET_READER, &set));
	set.wake_frames = 0;
	set.wake_rate = 1;
	EXPECT_EQ(-EINVAL, call(fd, DEVRING_IOC_SET_READER, &set));
	set.wake_rate = 0;
	set.wake_frames = 1;
	EXPECT_EQ(0, call(fd, DEVRING_IOC_SET_READER, &set));
	EXPECT_EQ(0, ask(fd, DEVRING_READER_LOSSLESS | DEVRING_READER_PARTIAL, 1, 0));
	/* What failed changed nothing. */
	EXPECT_TRUE(is_lossless(_metadata, fd));
	EXPECT_EQ(-EINVAL, ask(fd, 0, 1, 1));
	EXPECT_EQ(0, ask(fd, 0, 1, 0));
	EXPECT_FALSE(is_lossless(_metadata, fd));
	EXPECT_EQ(-EACCES, lossless(self->s.fd, 0));
}

TEST_F(lossless, only_where_it_is_allowed)
{
	struct source plain;
	struct stream r;

	source_up(_metadata, &plain, "plain", 0, 4, 4096, 0);
	reader_up(_metadata, &plain, &r);
	EXPECT_EQ(-EPERM, lossless(r.fd, 0));
	EXPECT_EQ(0, device_of(_metadata, &plain).deadline_ms);
}

/* All frames arrive, whole and in order, though the ring is full again and again. */
TEST_F(lossless, misses_nothing)
{
	const unsigned char *map = map_of(self->r.fd, self->s.g.slots_offset, SLOTS * 4096, PROT_READ);
	uint64_t expected = 0;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	for (int round = 0; round < 50; round++) {
		int n = produce_all(_metadata, &self->s);

		/* A held frame has its place too, from the second round on. */
		EXPECT_EQ(round ? SLOTS - 1 : SLOTS, n);
		EXPECT_EQ(0, ready(self->s.fd, POLLOUT));
		for (int i = 0; i < n; i++) {
			ASSERT_EQ(0, next_frame(&self->r, &self->f));
			ASSERT_EQ(expected++, self->f.sequence);
			ASSERT_EQ(0, self->f.lost);
			ASSERT_EQ(0, self->f.rec.flags);
			ASSERT_TRUE(is_frame(map + (self->f.offset - self->s.g.slots_offset), 4096, self->f.sequence));
		}
		ASSERT_EQ(-EAGAIN, skip_news(&self->r));
		EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
	}
	EXPECT_TRUE(is_lossless(_metadata, self->r.fd));
	EXPECT_EQ(0, myself(_metadata, self->r.fd).lost);
}

/* What others hold or missed is no reason to wait; and they are no reason for it to lose. */
TEST_F(lossless, beside_others)
{
	struct stream slow, holder;

	reader_up(_metadata, &self->s, &slow);
	reader_up(_metadata, &self->s, &holder);
	ASSERT_EQ(0, set_reader(holder.fd, 0, DEVRING_START_NEXT, 3));
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	for (uint64_t i = 0; i < 40; i++) {
		struct devring_frame f;

		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		ASSERT_EQ(i, self->f.sequence);
		if (i < 3)
			ASSERT_EQ(0, next_frame(&holder, &f));
	}
	EXPECT_EQ(3, myself(_metadata, holder.fd).held);
	ASSERT_EQ(0, next_frame(&slow, &self->f));
	EXPECT_LT(0, self->f.lost);
}

/* The wake-up of a producer that waits comes from the read, the release, and the end of who kept the slot. */
TEST_F(lossless, the_producer_goes_on)
{
	struct devring_slot slot;

	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	/* It holds what it got. */
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(-EAGAIN, take(self->s.fd, &slot));
	EXPECT_EQ(0, ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, release(self->r.fd, self->f.sequence));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(-EAGAIN, take(self->s.fd, &slot));
	ASSERT_EQ(0, ask(self->r.fd, 0, 1, 0));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, produce(&self->s, SLOTS));

	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, produce(&self->s, SLOTS));

	reader_up(_metadata, &self->s, &self->r);
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	close(self->r.fd);
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, produce(&self->s, SLOTS));
}

/* A slot that it did not keep comes free: somebody else lets go of it, or the producer gives one back. */
TEST_F(lossless, other_slots_do_too)
{
	struct devring_slot slot;
	struct stream other;

	reader_up(_metadata, &self->s, &other);
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&other, &self->f));
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(SLOTS - 1, produce_all(_metadata, &self->s));
	ASSERT_EQ(0, release(other.fd, self->f.sequence));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, take(self->s.fd, &slot));
	EXPECT_EQ(-EAGAIN, produce(&self->s, 1));
	ASSERT_EQ(0, give_back(self->s.fd, &slot));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
}

/* It is too late: the producer goes on, it is told, and neither it nor another file of its user is waited for again. */
TEST_F(lossless, is_demoted)
{
	uint64_t since;
	struct stream again;

	ASSERT_EQ(0, chmod(CONTROL_NODE, 0644));
	ASSERT_EQ(0, chmod(self->s.node, 0644));
	close(self->r.fd);
	ASSERT_EQ(0, seteuid(USER_A));
	reader_up(_metadata, &self->s, &self->r);
	ASSERT_EQ(0, lossless(self->r.fd, SOON_MS));
	ASSERT_EQ(0, seteuid(0));
	since = now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
	EXPECT_LE(SOON_MS * (SECOND / 1000), now_ns(CLOCK_MONOTONIC) - since);
	EXPECT_FALSE(is_lossless(_metadata, self->r.fd));
	ASSERT_EQ(0, produce(&self->s, SLOTS));

	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(DEVRING_RECORD_F_DEMOTED, self->f.rec.flags);
	EXPECT_LT(0, self->f.lost);
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(0, self->f.rec.flags);

	ASSERT_EQ(0, seteuid(USER_A));
	EXPECT_EQ(-ETIME, lossless(self->r.fd, 0));
	close(self->r.fd);
	reader_up(_metadata, &self->s, &again);
	EXPECT_EQ(-ETIME, lossless(again.fd, 0));
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, seteuid(USER_B));
	reader_up(_metadata, &self->s, &again);
	EXPECT_EQ(0, lossless(again.fd, 0));
	ASSERT_EQ(0, seteuid(0));
}

/* Whoever may have more than others has no such limit. */
TEST_F(lossless, but_root)
{
	ASSERT_EQ(0, lossless(self->r.fd, 1));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
	EXPECT_FALSE(is_lossless(_metadata, self->r.fd));
	EXPECT_EQ(0, lossless(self->r.fd, 1));
}

/* Each frame that is taken is a new time; one reader's does not end with another's. */
TEST_F(lossless, each_has_its_time)
{
	struct stream late;
	uint64_t lost;

	reader_up(_metadata, &self->s, &late);
	ASSERT_EQ(0, lossless(late.fd, 1));
	ASSERT_EQ(0, lossless(self->r.fd, DEADLINE_MS));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	WAIT_FOR(!is_lossless(_metadata, late.fd));
	EXPECT_TRUE(is_lossless(_metadata, self->r.fd));
	for (uint64_t i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(i, self->f.sequence);
	}
	lost = myself(_metadata, self->r.fd).lost;
	EXPECT_EQ(0, lost);
}

/* Who was too late is forgiven by the next producer; sixteen users' failure is the end of it until then. */
TEST_F(lossless, until_the_next_producer)
{
	int fd;

	ASSERT_EQ(0, chmod(CONTROL_NODE, 0644));
	ASSERT_EQ(0, chmod(self->s.node, 0644));
	close(self->r.fd);
	for (int i = 0; i <= 16; i++) {
		ASSERT_EQ(0, seteuid(USER_A + i));
		reader_up(_metadata, &self->s, &self->r);
		ASSERT_EQ(i == 16 ? -EUSERS : 0, lossless(self->r.fd, 1));
		ASSERT_EQ(0, seteuid(0));
		if (i == 16)
			break;
		ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
		EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
		close(self->r.fd);
		ASSERT_EQ(0, produce(&self->s, SLOTS));
	}
	fd = attach(self->s.id, DEVRING_ATTACH_TAKEOVER);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, seteuid(USER_A));
	EXPECT_EQ(0, lossless(self->r.fd, 1));
	ASSERT_EQ(0, seteuid(0));
}

/* A producer that only polls, and takes what poll() says there is, is woken, and is held up no longer than agreed. */
TEST_F(lossless, for_a_producer_that_polls)
{
	int n = 0;

	ASSERT_EQ(0, lossless(self->r.fd, 0));
	while (ready(self->s.fd, POLLOUT)) {
		ASSERT_EQ(0, produce(&self->s, 1));
		n++;
	}
	EXPECT_EQ(SLOTS, n);
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	ASSERT_EQ(0, release(self->r.fd, self->f.sequence));
	/* A read() is worth another try: whoever had EAGAIN may wait for POLLIN, as io_uring does. */
	EXPECT_EQ(POLLIN | POLLOUT, ready(self->s.fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(0, ready(self->s.fd, POLLIN | POLLOUT));

	ASSERT_EQ(0, lossless(self->r.fd, SOON_MS));
	while (ready(self->s.fd, POLLOUT))
		ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
	EXPECT_FALSE(is_lossless(_metadata, self->r.fd));
}

/* Asking again, going back and coming in turns win no time: it runs from when the producer was refused. */
TEST_F(lossless, has_no_more_time)
{
	struct stream other;

	ASSERT_EQ(0, lossless(self->r.fd, SOON_MS));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	for (int i = 0; i < 1000 && !ready(self->s.fd, POLLOUT); i++) {
		struct devring_set_reader set = INIT(devring_set_reader, .flags = DEVRING_READER_LOSSLESS, .holds = 1,
						     .start = DEVRING_START_OLDEST, .deadline_ms = SOON_MS);

		ASSERT_EQ(0, call(self->r.fd, DEVRING_IOC_SET_READER, &set));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		nap();
	}
	EXPECT_FALSE(is_lossless(_metadata, self->r.fd));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));

	/* Another one comes while the producer waits, and keeps all that the first one kept. */
	ASSERT_EQ(0, release(self->r.fd, self->f.sequence));
	ASSERT_EQ(0, lossless(self->r.fd, 10 * SOON_MS));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	other = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, set_reader(other.fd, DEVRING_READER_LOSSLESS, DEVRING_START_OLDEST, 1));
	EXPECT_EQ(POLLIN, ready(other.fd, POLLIN));
	{
		struct devring_set_reader set = INIT(devring_set_reader, .flags = DEVRING_READER_LOSSLESS, .holds = 1,
						     .deadline_ms = 10 * SOON_MS);

		ASSERT_EQ(0, call(other.fd, DEVRING_IOC_SET_READER, &set));
	}
	close(self->r.fd);
	EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
	EXPECT_FALSE(is_lossless(_metadata, other.fd));
	self->r = other;
}

/* Nor by letting go of one frame while it goes back to another: the producer sees nothing of it. */
TEST_F(lossless, holds_win_no_time)
{
	struct devring_set_reader set = INIT(devring_set_reader, .flags = DEVRING_READER_LOSSLESS,
					     .start = DEVRING_START_OLDEST, .deadline_ms = 10 * SOON_MS);

	ASSERT_EQ(0, lossless(self->r.fd, 10 * SOON_MS));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	for (int i = 0; i < 1000 && !ready(self->s.fd, POLLOUT); i++) {
		/* It holds the first two, or the first alone and is to get all again. */
		for (set.holds = 2; set.holds; set.holds--) {
			ASSERT_EQ(0, call(self->r.fd, DEVRING_IOC_SET_READER, &set));
			for (uint32_t n = 0; n < set.holds; n++)
				ASSERT_EQ(0, next_frame(&self->r, &self->f));
			/* For a moment there is a slot. */
			if (set.holds == 2)
				ASSERT_EQ(0, release(self->r.fd, self->f.sequence - 1));
		}
		nap();
	}
	EXPECT_FALSE(is_lossless(_metadata, self->r.fd));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
}

/* Reads a frame and lets go of it again. */
static void pass(ARGS, struct stream *r)
{
	struct devring_frame f;

	ASSERT_EQ(0, next_frame(r, &f));
	ASSERT_EQ(0, release(r->fd, f.sequence));
}

/* A producer that sleeps is told when others hold so much that their holds may be broken for it. */
TEST_F(lossless, a_slot_that_others_hold)
{
	struct devring_set_reader set = INIT(devring_set_reader, .start = DEVRING_START_SEQUENCE, .sequence = 3,
					     .holds = 2);
	struct stream holder, other;
	pid_t pid;

	reader_up(_metadata, &self->s, &holder);
	reader_up(_metadata, &self->s, &other);
	ASSERT_EQ(0, set_reader(holder.fd, 0, DEVRING_START_NEXT, 3));
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, next_frame(&holder, &self->f));
		pass(_metadata, &self->r);
	}
	EXPECT_EQ(0, ready(self->s.fd, POLLOUT));
	CHILD(pid) {
		EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
	}
	WAIT_FOR(task_state(pid) == 'S');
	ASSERT_EQ(0, call(other.fd, DEVRING_IOC_SET_READER, &set));
	ASSERT_EQ(0, next_frame(&other, &self->f));
	ASSERT_EQ(0, next_frame(&other, &self->f));
	wait_child(_metadata, pid);
	EXPECT_TRUE(is_lossless(_metadata, self->r.fd));
}

/* Nor does it miss the next slot when it comes too late for one, and waits for POLLIN alone. */
TEST_F(lossless, a_slot_that_is_kept_again)
{
	struct devring_set_reader set = INIT(devring_set_reader, .flags = DEVRING_READER_LOSSLESS,
					     .start = DEVRING_START_SEQUENCE);
	struct stream other;
	pid_t pid;

	reader_up(_metadata, &self->s, &other);
	ASSERT_EQ(0, set_reader(other.fd, 0, DEVRING_START_NEXT, 1));
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	ASSERT_EQ(0, next_frame(&other, &self->f));
	pass(_metadata, &self->r);
	EXPECT_EQ(0, ready(self->s.fd, POLLIN | POLLOUT));
	CHILD(pid) {
		EXPECT_EQ(POLLIN, wait_ready(self->s.fd, POLLIN));
	}
	WAIT_FOR(task_state(pid) == 'S');
	/* It is let go and kept at once; the producer wakes up for nothing. */
	ASSERT_EQ(0, call(other.fd, DEVRING_IOC_SET_READER, &set));
	WAIT_FOR(task_state(pid) == 'S');
	close(other.fd);
	wait_child(_metadata, pid);
	EXPECT_TRUE(is_lossless(_metadata, self->r.fd));
}

/* It is not late because the producer has all slots itself. */
TEST_F(lossless, not_for_a_producer_that_has_all)
{
	struct devring_slot slot;

	ASSERT_EQ(0, lossless(self->r.fd, SOON_MS));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	for (int i = 0; i < SLOTS - 2; i++)
		ASSERT_EQ(0, take(self->s.fd, &slot));
	EXPECT_EQ(-ENOBUFS, take(self->s.fd, &slot));
	for (int i = 0; i < 3 * SOON_MS; i++) {
		EXPECT_EQ(0, ready(self->s.fd, POLLOUT));
		nap();
	}
	EXPECT_TRUE(is_lossless(_metadata, self->r.fd));
}

/* Breaking the holds of others costs it no frame, and costs them none that would not help. */
TEST_F(lossless, beside_holds_that_are_broken)
{
	struct stream holder;
	struct devring_frame f;

	reader_up(_metadata, &self->s, &holder);
	ASSERT_EQ(0, set_reader(holder.fd, 0, DEVRING_START_NEXT, 16));
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	for (int i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_EQ(0, next_frame(&holder, &f));
	}
	EXPECT_EQ(0, ready(self->s.fd, POLLOUT));
	EXPECT_EQ(-EAGAIN, produce(&self->s, 1));
	EXPECT_EQ(0, device_of(_metadata, &self->s).holds_broken);
	EXPECT_EQ(SLOTS, myself(_metadata, holder.fd).held);
	/* What it has read and let go of may be broken: one hold for one slot. */
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	ASSERT_EQ(0, release(self->r.fd, self->f.sequence));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(1, device_of(_metadata, &self->s).holds_broken);
	for (uint64_t i = 1; i <= SLOTS; i++) {
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(i, self->f.sequence);
		EXPECT_EQ(0, self->f.lost);
		ASSERT_EQ(0, release(self->r.fd, self->f.sequence));
	}
}

/* All files of a user have their time together. */
TEST_F(lossless, with_all_files_of_a_user)
{
	struct stream r[4];

	ASSERT_EQ(0, chmod(CONTROL_NODE, 0644));
	ASSERT_EQ(0, chmod(self->s.node, 0644));
	close(self->r.fd);
	ASSERT_EQ(0, seteuid(USER_A));
	for (int i = 0; i < 4; i++) {
		reader_up(_metadata, &self->s, &r[i]);
		ASSERT_EQ(0, lossless(r[i].fd, i ? 0 : SOON_MS));
	}
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
	for (int i = 0; i < 4; i++)
		EXPECT_FALSE(is_lossless(_metadata, r[i].fd));
	self->r = r[0];
}

/* Whose device has failed waits for nobody. */
TEST_F(lossless, not_for_a_device_that_failed)
{
	ASSERT_EQ(0, lossless(self->r.fd, SOON_MS));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	ASSERT_EQ(0, set_state(self->s.fd, DEVRING_STATE_ERROR, EIO));
	for (int i = 0; i < 3 * SOON_MS; i++)
		nap();
	EXPECT_TRUE(is_lossless(_metadata, self->r.fd));
}

/* Partial frames that are given back use up sequences, not what is still to be read. */
TEST_F(lossless, partial_frames_given_back)
{
	struct devring_slot slot;
	long result = 0;

	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(0, produce(&self->s, 1));
	for (int i = 0; !result && i < 100; i++) {
		ASSERT_EQ(0, take(self->s.fd, &slot));
		result = commit(self->s.fd, &slot, 8, DEVRING_FRAME_PARTIAL);
		if (!result)
			ASSERT_EQ(0, give_back(self->s.fd, &slot));
	}
	EXPECT_EQ(-EAGAIN, result);
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(0, self->f.sequence);
	EXPECT_EQ(0, commit(self->s.fd, &slot, 8, 0));
}

/* A new ring while the producer waits ends what was not read, counted, and the waiting. */
TEST_F(lossless, a_new_ring)
{
	ASSERT_EQ(0, lossless(self->r.fd, 0));
	ASSERT_EQ(SLOTS, produce_all(_metadata, &self->s));
	ASSERT_EQ(0, source_ring(&self->s, SLOTS, 4096, 0));
	EXPECT_EQ(POLLOUT, ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(SLOTS, self->f.lost);
	EXPECT_EQ(0, self->f.rec.flags);
	EXPECT_TRUE(is_lossless(_metadata, self->r.fd));
}

/* Many holds: none is broken for the producer, which waits. */
TEST_F(lossless, holds_are_kept)
{
	ASSERT_EQ(0, ask(self->r.fd, DEVRING_READER_LOSSLESS, 16, SOON_MS));
	for (uint64_t i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(i, self->f.sequence);
	}
	EXPECT_EQ(-EAGAIN, produce(&self->s, 1));
	EXPECT_EQ(SLOTS, myself(_metadata, self->r.fd).held);
	EXPECT_EQ(0, device_of(_metadata, &self->s).holds_broken);
	/* Demoted, its holds are like all others. */
	EXPECT_EQ(POLLOUT, wait_ready(self->s.fd, POLLOUT));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_LT(0, device_of(_metadata, &self->s).holds_broken);
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(DEVRING_RECORD_F_DEMOTED | DEVRING_RECORD_F_HOLD_BROKEN, self->f.rec.flags);
}

TEST_F(lossless, holds_that_it_had_are_kept)
{
	ASSERT_EQ(0, ask(self->r.fd, 0, 16, 0));
	for (int i = 0; i < SLOTS - 1; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
	}
	ASSERT_EQ(0, ask(self->r.fd, DEVRING_READER_LOSSLESS, 16, DEADLINE_MS));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(-EAGAIN, produce(&self->s, 1));
	EXPECT_EQ(SLOTS, myself(_metadata, self->r.fd).held);
	EXPECT_EQ(0, device_of(_metadata, &self->s).holds_broken);
	/* As one of many again, it keeps no slot from its producer. */
	ASSERT_EQ(0, ask(self->r.fd, 0, 16, 0));
	EXPECT_EQ(0, produce(&self->s, 1));
	EXPECT_LT(0, device_of(_metadata, &self->s).holds_broken);
}

/* One that never read, polled or mapped is waited for by nobody. */
TEST_F(lossless, not_before_it_reads)
{
	struct stream idle = reader_open(&self->s, O_RDONLY | O_NONBLOCK);

	ASSERT_EQ(0, lossless(idle.fd, 0));
	EXPECT_EQ(0, produce(&self->s, 4 * SLOTS));
	EXPECT_TRUE(is_lossless(_metadata, idle.fd));
}

TEST_HARNESS_MAIN

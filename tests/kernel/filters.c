// SPDX-License-Identifier: GPL-2.0-only
/* Readers that want to be woken for some frames only. Clocks are asked for lower bounds alone. */
#include "lib.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#define SECOND	1000000000ULL

FIXTURE(filters) {
	struct source s;
	struct stream r;
	struct devring_frame f;
};

FIXTURE_SETUP(filters)
{
	source_up(_metadata, &self->s, "filters", DEVRING_REG_PERSIST, 8, 4096, 0);
	reader_up(_metadata, &self->s, &self->r);
}

FIXTURE_TEARDOWN(filters)
{
	unregister(self->s.id);
}

static int filter(int fd, uint32_t flags, uint32_t wake_frames, uint32_t wake_rate)
{
	struct devring_set_reader set = INIT(devring_set_reader, .flags = flags, .holds = 1,
					     .wake_frames = wake_frames, .wake_rate = wake_rate);

	return call(fd, DEVRING_IOC_SET_READER, &set);
}

/* Commits a frame with @flags. */
static int produce_flagged(struct source *s, uint32_t flags)
{
	struct devring_slot slot;
	int ret = take(s->fd, &slot);

	return ret ?: commit(s->fd, &slot, 8, flags);
}

static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : epoll;
}

static int epoll_has(int epoll, int ms)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, ms);
}

TEST_F(filters, say_that_they_are_there)
{
	EXPECT_NE(0, info_now(_metadata).features & DEVRING_FEATURE_WAKE_FILTERS);
}

TEST_F(filters, refuse_what_makes_no_sense)
{
	EXPECT_EQ(-EINVAL, filter(self->r.fd, DEVRING_READER_KEY_ONLY, 2, 0));
	EXPECT_EQ(0, filter(self->r.fd, DEVRING_READER_KEY_ONLY, 1, 0));
	EXPECT_EQ(0, filter(self->r.fd, 0, UINT32_MAX, UINT32_MAX));
	EXPECT_EQ(0, filter(self->r.fd, 0, 0, 0));
}

/* N - 1 frames are not enough, the Nth is. Who does not wait gets what there is. */
TEST_F(filters, so_many_frames)
{
	int epoll = epoll_of(self->r.fd, EPOLLIN);

	ASSERT_EQ(0, filter(self->r.fd, 0, 4, 0));
	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, produce(&self->s, 3));
		EXPECT_EQ(0, ready(self->r.fd, POLLIN));
		EXPECT_EQ(0, epoll_has(epoll, 0));
		ASSERT_EQ(0, produce(&self->s, 1));
		EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
		EXPECT_EQ(1, epoll_has(epoll, 0));
		for (int i = 0; i < 4; i++) {
			ASSERT_EQ(0, next_frame(&self->r, &self->f));
			EXPECT_EQ(round * 4 + i, self->f.sequence);
			EXPECT_EQ(0, ready(self->r.fd, POLLIN));
		}
	}
	/* What was overwritten counts as well: a number above the ring's slots is reached too. */
	ASSERT_EQ(0, filter(self->r.fd, 0, 40, 0));
	ASSERT_EQ(0, produce(&self->s, 39));
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_LT(30, self->f.lost);
}

TEST_F(filters, a_read_that_waits_for_so_many)
{
	int told[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(told));
	CHILD(pid) {
		struct stream r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
		struct devring_frame f;

		ASSERT_EQ(-EAGAIN, skip_news(&r));
		ASSERT_EQ(0, filter(r.fd, 0, 3, 0));
		ASSERT_EQ(0, fcntl(r.fd, F_SETFL, 0));
		tell(told[1]);
		for (int i = 0; i < 3; i++) {
			if (i)
				fcntl(r.fd, F_SETFL, O_NONBLOCK);
			EXPECT_EQ(0, next_frame(&r, &f));
		}
		EXPECT_EQ(2, f.sequence);
	}
	hear(_metadata, told[0]);
	ASSERT_EQ(0, produce(&self->s, 2));
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, produce(&self->s, 1));
	wait_child(_metadata, pid);
}

TEST_F(filters, key_frames_only)
{
	int epoll = epoll_of(self->r.fd, EPOLLIN);

	ASSERT_EQ(0, filter(self->r.fd, DEVRING_READER_KEY_ONLY, 0, 0));
	ASSERT_EQ(0, produce_flagged(&self->s, 0));
	ASSERT_EQ(0, produce_flagged(&self->s, DEVRING_FRAME_DISCONTINUITY));
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	EXPECT_EQ(0, epoll_has(epoll, 0));
	EXPECT_EQ(-EAGAIN, next_frame(&self->r, &self->f));
	ASSERT_EQ(0, produce_flagged(&self->s, DEVRING_FRAME_KEY));
	ASSERT_EQ(0, produce_flagged(&self->s, 0));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	EXPECT_EQ(1, epoll_has(epoll, 0));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(2, self->f.sequence);
	EXPECT_EQ(2, self->f.lost);
	EXPECT_EQ(-EAGAIN, next_frame(&self->r, &self->f));
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	/* The newest of two, and the partial one only once it is whole. */
	ASSERT_EQ(0, filter(self->r.fd, DEVRING_READER_KEY_ONLY | DEVRING_READER_LATEST, 0, 0));
	ASSERT_EQ(0, produce_flagged(&self->s, DEVRING_FRAME_KEY));
	ASSERT_EQ(0, produce_flagged(&self->s, DEVRING_FRAME_KEY));
	ASSERT_EQ(0, produce_flagged(&self->s, 0));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(5, self->f.sequence);
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
}

/* A frame that becomes a key frame as it grows. */
TEST_F(filters, a_partial_key_frame)
{
	struct devring_slot slot;

	ASSERT_EQ(0, filter(self->r.fd, DEVRING_READER_KEY_ONLY, 0, 0));
	ASSERT_EQ(0, take(self->s.fd, &slot));
	ASSERT_EQ(0, commit(self->s.fd, &slot, 8, DEVRING_FRAME_PARTIAL));
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, commit(self->s.fd, &slot, 16, DEVRING_FRAME_KEY));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(16, self->f.bytes);
}

/* The first frame wakes at once, the next one no sooner than a second later, by a timer if nothing else comes. */
TEST_F(filters, once_a_second)
{
	uint64_t before;

	ASSERT_EQ(0, filter(self->r.fd, 0, 0, 1));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	before = now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, produce(&self->s, 1));
	if (now_ns(CLOCK_MONOTONIC) - before < SECOND / 2) {
		EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	}
	EXPECT_EQ(POLLIN, wait_ready(self->r.fd, POLLIN));
	EXPECT_LE(SECOND - SECOND / 10, now_ns(CLOCK_MONOTONIC) - before);
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	/* Who does not wait need not wait. */
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(0, next_frame(&self->r, &self->f));
}

/* Who queued before it had a filter is woken by the timer too. */
TEST_F(filters, set_after_epoll)
{
	int epoll = epoll_of(self->r.fd, EPOLLIN);
	uint64_t before;

	EXPECT_EQ(0, epoll_has(epoll, 0));
	ASSERT_EQ(0, filter(self->r.fd, 0, 0, 1));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(1, epoll_has(epoll, 0));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	before = now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(1, epoll_has(epoll, WAIT_MS));
	EXPECT_LE(SECOND - SECOND / 10, now_ns(CLOCK_MONOTONIC) - before);
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	/* And once the filter is gone again, by each frame. */
	ASSERT_EQ(0, filter(self->r.fd, 0, 0, 0));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, epoll_has(epoll, 0));
		ASSERT_EQ(0, produce(&self->s, 1));
		EXPECT_EQ(1, epoll_has(epoll, 0));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
	}
}

/* Commits pass by who is not due; whoever was due, and went away without asking again, is not forgotten. */
TEST_F(filters, edge_triggered)
{
	int epoll;

	ASSERT_EQ(0, filter(self->r.fd, 0, 3, 0));
	epoll = epoll_of(self->r.fd, EPOLLIN | EPOLLET);
	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, produce(&self->s, 2));
		EXPECT_EQ(0, epoll_has(epoll, 0));
		ASSERT_EQ(0, produce(&self->s, 1));
		EXPECT_EQ(1, epoll_has(epoll, 0));
		for (int i = 0; i < 3; i++)
			ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(-EAGAIN, next_frame(&self->r, &self->f));
	}
}

/* A filter that is set while its reader waits counts from the next commit on, one that asks for less too. */
TEST_F(filters, set_while_waiting)
{
	int epoll;

	ASSERT_EQ(0, filter(self->r.fd, 0, 100, 0));
	epoll = epoll_of(self->r.fd, EPOLLIN);
	ASSERT_EQ(0, produce(&self->s, 2));
	EXPECT_EQ(0, epoll_has(epoll, 0));
	ASSERT_EQ(0, filter(self->r.fd, 0, 3, 0));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(1, epoll_has(epoll, 0));
}

/* What is no frame is told at once. */
TEST_F(filters, hold_back_no_news)
{
	ASSERT_EQ(0, filter(self->r.fd, 0, 100, 1));
	ASSERT_LT(0, set_format(self->s.fd, 7));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	EXPECT_EQ(-EAGAIN, skip_news(&self->r));
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, produce(&self->s, 2));
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	/* What a producer leaves behind would never become a hundred. */
	close(self->s.fd);
	munmap(self->s.map, area_bytes(&self->s.g));
	EXPECT_EQ(POLLIN, wait_ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(0, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, unregister(self->s.id));
	EXPECT_EQ(POLLIN | POLLHUP, ready(self->r.fd, POLLIN));
}

/* All that waits alone is woken by the end of access, and of the device. */
TEST_F(filters, hold_back_no_end)
{
	const struct { uint32_t frames, rate, flags; } kinds[] = {
		{ 100, 0, 0 }, { 0, 1, 0 }, { 0, 0, DEVRING_READER_KEY_ONLY },
	};
	pid_t pid[6];
	int told[2];

	ASSERT_EQ(0, pipe(told));
	for (int i = 0; i < 6; i++) {
		CHILD(pid[i]) {
			struct stream r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
			struct devring_frame f;

			skip_news(&r);
			ASSERT_EQ(0, filter(r.fd, kinds[i / 2].flags, kinds[i / 2].frames, kinds[i / 2].rate));
			tell(told[1]);
			if (i % 2) {
				EXPECT_EQ(POLLIN | POLLHUP, wait_ready(r.fd, POLLIN) & (POLLIN | POLLHUP));
			} else {
				ASSERT_EQ(0, fcntl(r.fd, F_SETFL, 0));
				EXPECT_GE(0, next_frame(&r, &f));
			}
		}
		hear(_metadata, told[0]);
		WAIT_ASLEEP(pid[i]);
	}
	ASSERT_EQ(0, unregister(self->s.id));
	for (int i = 0; i < 6; i++)
		wait_child(_metadata, pid[i]);
}

TEST_F(filters, revoked_while_it_waits)
{
	uint32_t revoked = POISON;
	pid_t pid;
	int told[2];

	ASSERT_EQ(0, pipe(told));
	CHILD(pid) {
		struct stream r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
		struct devring_frame f;

		ASSERT_EQ(-EAGAIN, skip_news(&r));
		ASSERT_EQ(0, filter(r.fd, 0, 100, 0));
		ASSERT_EQ(0, fcntl(r.fd, F_SETFL, 0));
		tell(told[1]);
		EXPECT_EQ(-ENODEV, next_frame(&r, &f));
	}
	hear(_metadata, told[0]);
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 0, &revoked));
	EXPECT_EQ(2, revoked);
	wait_child(_metadata, pid);
}

/* Frames that it does not want do not schedule a reader: neither of its context switches is for one of them. */
TEST_F(filters, sleep_through_the_rest)
{
	const int frames = 400, every = 50;
	struct rusage before, after;
	int told[2], back[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(told));
	ASSERT_EQ(0, pipe(back));
	CHILD(pid) {
		struct stream r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
		struct devring_frame f;

		skip_news(&r);
		ASSERT_EQ(0, filter(r.fd, DEVRING_READER_LATEST, every, 0));
		getrusage(RUSAGE_SELF, &before);
		tell(told[1]);
		for (int i = 0; i < frames / every; i++) {
			ASSERT_EQ(POLLIN, wait_ready(r.fd, POLLIN));
			ASSERT_EQ(0, next_frame(&r, &f));
			EXPECT_EQ(i * every + every - 1, f.sequence);
			tell(told[1]);
		}
		getrusage(RUSAGE_SELF, &after);
		/* One for each wake, and one for each word to the producer. */
		EXPECT_GE(2 * frames / every + 2, after.ru_nvcsw - before.ru_nvcsw);
	}
	hear(_metadata, told[0]);
	for (int i = 0; i < frames; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		if (i % 5 == 0)
			sched_yield();
		if (i % every == every - 1)
			hear(_metadata, told[0]);
	}
	wait_child(_metadata, pid);
}

TEST_HARNESS_MAIN

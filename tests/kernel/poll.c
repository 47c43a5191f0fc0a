// SPDX-License-Identifier: GPL-2.0-only
/* poll() and its kin: what is said to whom, and that it wakes. */
#include "lib.h"

#include <pthread.h>
#include <linux/io_uring.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define ALL_EVENTS (POLLIN | POLLOUT | POLLPRI | POLLHUP | POLLERR | POLLRDNORM | POLLWRNORM)

FIXTURE(polling) {
	struct source s;
	struct stream r;
	struct devring_frame f;
};

FIXTURE_SETUP(polling)
{
	source_up(_metadata, &self->s, "poll", DEVRING_REG_PERSIST, 4, 4096, 0);
	reader_up(_metadata, &self->s, &self->r);
}

FIXTURE_TEARDOWN(polling)
{
	unregister(self->s.id);
}

TEST_F(polling, readers)
{
	int fd = self->r.fd;

	EXPECT_EQ(0, ready(fd, ALL_EVENTS));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(POLLIN | POLLRDNORM, ready(fd, ALL_EVENTS));
	EXPECT_EQ(POLLRDNORM, ready(fd, POLLRDNORM));
	EXPECT_EQ(0, ready(fd, POLLOUT | POLLPRI));
	/* Looking changes nothing. */
	EXPECT_EQ(POLLIN, ready(fd, POLLIN));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(0, ready(fd, ALL_EVENTS));
	ASSERT_EQ(0, set_state(self->s.fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_EQ(POLLIN, ready(fd, POLLIN));
	EXPECT_EQ(-EAGAIN, skip_news(&self->r));
	EXPECT_EQ(0, ready(fd, POLLIN));
	/* A frame that was taken back before it was read is no news. */
	ASSERT_EQ(0, set_reader(fd, 0, DEVRING_START_NEXT, 1));
	EXPECT_EQ(0, ready(fd, POLLIN));
	ASSERT_EQ(0, unregister(self->s.id));
	EXPECT_EQ(POLLIN | POLLHUP, ready(fd, POLLIN));
	EXPECT_EQ(POLLHUP, ready(fd, 0));
	skip_news(&self->r);
	EXPECT_EQ(POLLHUP, ready(fd, POLLIN) & POLLHUP);
	EXPECT_EQ(0, ready(fd, POLLIN) & POLLERR);
}

TEST_F(polling, producers)
{
	struct devring_slot slot[2];
	int fd = self->s.fd, next_fd;

	/* The fixture's reader is news. */
	EXPECT_EQ(POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM, ready(fd, ALL_EVENTS));
	ASSERT_EQ(0, take(fd, &slot[0]));
	EXPECT_EQ(POLLOUT | POLLWRNORM, ready(fd, ALL_EVENTS));
	ASSERT_EQ(0, take(fd, &slot[1]));
	EXPECT_EQ(0, ready(fd, ALL_EVENTS));
	ASSERT_EQ(0, give_back(fd, &slot[1]));
	EXPECT_EQ(POLLOUT, ready(fd, POLLOUT));
	close(self->r.fd);
	EXPECT_EQ(POLLIN, ready(fd, POLLIN));
	next_fd = attach(self->s.id, DEVRING_ATTACH_TAKEOVER);
	ASSERT_LE(0, next_fd);
	EXPECT_EQ(POLLHUP | POLLERR, ready(fd, ALL_EVENTS) & (POLLHUP | POLLERR));
	EXPECT_EQ(POLLHUP | POLLERR, ready(fd, 0));
	EXPECT_EQ(POLLOUT, ready(next_fd, POLLOUT));
	ASSERT_EQ(0, unregister(self->s.id));
	EXPECT_EQ(POLLHUP | POLLERR, ready(next_fd, ALL_EVENTS) & (POLLHUP | POLLERR));
}

/* Who only looks for hang-ups is no reader: the camera stays off. */
TEST_F(polling, lights_no_lamp_without_interest_in_input)
{
	struct devring_device d;
	int fd = node_open(&self->s, O_RDONLY);

	EXPECT_EQ(0, ready(fd, 0));
	EXPECT_EQ(0, ready(fd, POLLOUT | POLLPRI));
	d = device_of(_metadata, &self->s);
	EXPECT_EQ(1, d.readers);
	EXPECT_EQ(2, d.opens);
	EXPECT_EQ(POLLIN, ready(fd, POLLIN));
	EXPECT_EQ(2, device_of(_metadata, &self->s).readers);
}

static int epoll_with(int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : epoll;
}

static int epoll_says(int epoll, int ms)
{
	struct epoll_event event = { 0 };
	int n = epoll_wait(epoll, &event, 1, ms);

	return n == 1 ? (int)event.events : n;
}

TEST_F(polling, epoll_level)
{
	int epoll = epoll_with(self->r.fd, EPOLLIN);

	EXPECT_EQ(0, epoll_says(epoll, 0));
	ASSERT_EQ(0, produce(&self->s, 2));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(EPOLLIN, epoll_says(epoll, 0));
		EXPECT_EQ(EPOLLIN, epoll_says(epoll, 0));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
	}
	EXPECT_EQ(0, epoll_says(epoll, 0));
	ASSERT_EQ(0, unregister(self->s.id));
	EXPECT_EQ(EPOLLIN | EPOLLHUP, epoll_says(epoll, 0));
}

TEST_F(polling, epoll_edge)
{
	int epoll = epoll_with(self->r.fd, EPOLLIN | EPOLLET), producer;

	EXPECT_EQ(0, epoll_says(epoll, 0));
	for (int i = 0; i < 5; i++) {
		/* One commit, one edge, read or not. */
		ASSERT_EQ(0, produce(&self->s, 1));
		EXPECT_EQ(EPOLLIN, epoll_says(epoll, 0));
		EXPECT_EQ(0, epoll_says(epoll, 0));
		if (i % 2) {
			ASSERT_EQ(0, next_frame(&self->r, &self->f));
		}
	}
	/* produce() read the news that there is a reader; that it has gone is news again. */
	producer = epoll_with(self->s.fd, EPOLLIN | EPOLLET);
	EXPECT_EQ(0, epoll_says(producer, 0));
	close(self->r.fd);
	EXPECT_EQ(EPOLLIN, epoll_says(producer, 0));
	EXPECT_EQ(0, epoll_says(producer, 0));
}

/* One commit wakes all who wait, also those that ask to be woken alone: each has a frame to read. */
static void wakes_all(ARGS, FIXTURE_DATA(polling) *self, unsigned int events)
{
	enum { READERS = 5 };
	pid_t pids[READERS];

	for (int i = 0; i < READERS; i++) {
		CHILD(pids[i]) {
			struct devring_frame f;
			struct stream r;
			int epoll;

			reader_up(_metadata, &self->s, &r);
			epoll = epoll_with(r.fd, events);
			EXPECT_EQ(EPOLLIN, epoll_says(epoll, WAIT_MS));
			EXPECT_EQ(0, next_frame(&r, &f));
		}
	}
	WAIT_FOR(device_of(_metadata, &self->s).readers == READERS + 1);
	for (int i = 0; i < READERS; i++) {
		WAIT_ASLEEP(pids[i]);
	}
	ASSERT_EQ(0, produce(&self->s, 1));
	for (int i = 0; i < READERS; i++) {
		wait_child(_metadata, pids[i]);
	}
}

TEST_F(polling, epoll_exclusive_wakes_all)
{
	wakes_all(_metadata, self, EPOLLIN | EPOLLEXCLUSIVE);
	wakes_all(_metadata, self, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET);
	wakes_all(_metadata, self, EPOLLIN);
}

TEST_F(polling, reads_that_do_not_wait)
{
	struct iovec iov = { &self->f, sizeof(self->f) };

	ASSERT_EQ(0, fcntl(self->r.fd, F_SETFL, O_RDONLY));
	EXPECT_EQ(-EAGAIN, rc(preadv2(self->r.fd, &iov, 1, -1, RWF_NOWAIT)));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(sizeof(self->f), rc(preadv2(self->r.fd, &iov, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(0, self->f.sequence);
	EXPECT_EQ(-EAGAIN, rc(preadv2(self->r.fd, &iov, 1, -1, RWF_NOWAIT)));
}

struct follower {
	struct stream r;
	int end;
	uint64_t polls, frames;
};

static void *poll_and_read(void *argument)
{
	struct follower *f = argument;
	union record u;

	for (; !__atomic_load_n(&f->end, __ATOMIC_RELAXED); f->polls++)
		if (ready(f->r.fd, POLLIN) == POLLIN)
			f->frames += next(&f->r, &u) == DEVRING_RECORD_FRAME;
	return NULL;
}

/* On two processors one looks at what the other changes: in a kernel that looks for races, without a report. */
TEST_F(polling, while_frames_come)
{
	struct follower f = { .r = reader_open(&self->s, O_RDONLY | O_NONBLOCK) };
	uint64_t until = now_ns(CLOCK_MONOTONIC) + 1000000000;
	pthread_t thread;

	ASSERT_LE(0, f.r.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_and_read, &f));
	do {
		ASSERT_EQ(0, produce(&self->s, 1));
	} while (now_ns(CLOCK_MONOTONIC) < until);
	__atomic_store_n(&f.end, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LT(0, f.frames);
	EXPECT_LE(f.frames, f.polls);
}

/* Becoming a reader takes a lock, which nobody has here. */
TEST_F(polling, first_read_that_does_not_wait)
{
	struct stream r = reader_open(&self->s, O_RDONLY);
	struct devring_device d;
	union record u;
	struct iovec iov = { &u, sizeof(u) };

	ASSERT_LE(0, r.fd);
	ASSERT_EQ(0, query(self->s.fd, 0, &d));
	EXPECT_EQ(1, d.readers);
	EXPECT_LT(0, rc(preadv2(r.fd, &iov, 1, -1, RWF_NOWAIT)));
	ASSERT_EQ(0, query(self->s.fd, 0, &d));
	EXPECT_EQ(2, d.readers);
}

TEST(listener_does_not_wait)
{
	struct source s;
	unsigned char change[DEVRING_CHANGE_MAX];
	struct iovec iov = { change, sizeof(change) };
	int control = control_open(O_RDONLY);

	ASSERT_EQ(0, source_register(&s, "nowait", 0));
	while (preadv2(control, &iov, 1, -1, RWF_NOWAIT) > 0) {
	}
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(1, set_format(s.fd, 1));
	EXPECT_EQ(POLLIN, wait_ready(control, POLLIN));
	EXPECT_EQ(sizeof(struct devring_change), rc(preadv2(control, &iov, 1, -1, RWF_NOWAIT)));
}

/* ---- io_uring, by its system calls ---- */

struct ring {
	int fd;
	struct io_uring_params p;
	unsigned char *sq, *cq;
	struct io_uring_sqe *sqes;
};

static int ring_open(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = rc(syscall(SYS_io_uring_setup, 8, &ring->p));
	if (ring->fd < 0)
		return ring->fd;
	ring->sq = mmap(NULL, 1 << 16, RW, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	if (ring->sq == MAP_FAILED)
		ring->sq = mmap(NULL, PAGE, RW, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, PAGE, RW, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, PAGE, RW, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || ring->sqes == MAP_FAILED ?
	       -errno : 0;
}

static int ring_submit(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned int *tail = (void *)(ring->sq + ring->p.sq_off.tail);
	unsigned int *mask = (void *)(ring->sq + ring->p.sq_off.ring_mask);
	unsigned int *array = (void *)(ring->sq + ring->p.sq_off.array);
	unsigned int at = *tail & *mask;

	ring->sqes[at] = *sqe;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return rc(syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0));
}

/* The next completion's result; EAGAIN if there is none and @wait is not set. */
static int ring_result(struct ring *ring, int wait)
{
	unsigned int *head = (void *)(ring->cq + ring->p.cq_off.head);
	unsigned int *tail = (void *)(ring->cq + ring->p.cq_off.tail);
	unsigned int *mask = (void *)(ring->cq + ring->p.cq_off.ring_mask);
	struct io_uring_cqe *cqes = (void *)(ring->cq + ring->p.cq_off.cqes);
	int result;

	if (syscall(SYS_io_uring_enter, ring->fd, 0, wait, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	if (*head == __atomic_load_n(tail, __ATOMIC_ACQUIRE))
		return -EAGAIN;
	result = cqes[*head & *mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

TEST_F(polling, io_uring)
{
	struct io_uring_sqe read_sqe = { .opcode = IORING_OP_READ, .fd = self->r.fd, .off = -1 };
	struct io_uring_sqe poll_sqe = { .opcode = IORING_OP_POLL_ADD, .fd = self->r.fd,
					 .poll32_events = POLLIN };
	struct ring ring;
	int result = ring_open(&ring);

	if (result == -ENOSYS) {
		SKIP(return, "this kernel has no io_uring");
	}
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, fcntl(self->r.fd, F_SETFL, O_RDONLY));
	read_sqe.addr = (uintptr_t)&self->f;
	read_sqe.len = sizeof(self->f);
	/* What is there comes at once; else it comes when it is there. */
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(1, ring_submit(&ring, &read_sqe));
	EXPECT_EQ(sizeof(self->f), ring_result(&ring, 1));
	EXPECT_EQ(0, self->f.sequence);
	ASSERT_EQ(1, ring_submit(&ring, &read_sqe));
	EXPECT_EQ(-EAGAIN, ring_result(&ring, 0));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(sizeof(self->f), ring_result(&ring, 1));
	EXPECT_EQ(1, self->f.sequence);
	ASSERT_EQ(1, ring_submit(&ring, &poll_sqe));
	EXPECT_EQ(-EAGAIN, ring_result(&ring, 0));
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(POLLIN, ring_result(&ring, 1) & POLLIN);
	/* A read with an offset is a copy of the map. */
	read_sqe.off = 0;
	read_sqe.len = 4;
	ASSERT_EQ(1, ring_submit(&ring, &read_sqe));
	EXPECT_EQ(4, ring_result(&ring, 1));
	EXPECT_EQ(DEVRING_MAGIC, *(__u32 *)&self->f);
	/* A waiting read ends with the device. */
	read_sqe.off = -1;
	read_sqe.len = sizeof(self->f);
	EXPECT_EQ(0, next_frame(&self->r, &self->f));
	ASSERT_EQ(1, ring_submit(&ring, &read_sqe));
	EXPECT_EQ(-EAGAIN, ring_result(&ring, 0));
	ASSERT_EQ(0, unregister(self->s.id));
	EXPECT_EQ(sizeof(struct devring_state_change), ring_result(&ring, 1));
}

TEST_HARNESS_MAIN

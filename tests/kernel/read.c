// SPDX-License-Identifier: GPL-2.0-only
/* Readers: the records they get, which frames, and how they wait. */
#include "lib.h"

#include <pthread.h>
#include <sys/syscall.h>

FIXTURE(reading) {
	struct source s;
	struct stream r;
	struct devring_frame f;
	union record u;
};

/* Four slots, and a reader that got its first news. */
FIXTURE_SETUP(reading)
{
	source_up(_metadata, &self->s, "read", 0, 4, 4096, 64);
	reader_up(_metadata, &self->s, &self->r);
}

FIXTURE_TEARDOWN(reading)
{
}

#define EXPECT_FRAME(expected_sequence, expected_lost) do {		\
	ASSERT_EQ(0, next_frame(&self->r, &self->f));			\
	EXPECT_EQ(expected_sequence, self->f.sequence);			\
	EXPECT_EQ(expected_lost, self->f.lost);				\
} while (0)
#define EXPECT_NO_FRAME() EXPECT_EQ(-EAGAIN, next_frame(&self->r, &self->f))

TEST_F(reading, first_records)
{
	struct stream r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	union record u;

	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(POLLIN, ready(r.fd, POLLIN));
	ASSERT_EQ(DEVRING_RECORD_GENERATION, next(&r, &u));
	EXPECT_EQ(sizeof(u.generation), u.rec.size);
	EXPECT_EQ(0, u.rec.flags);
	EXPECT_EQ(0, memcmp(&self->s.g, &u.generation.geometry, sizeof(self->s.g)));
	EXPECT_EQ(0, u.generation.head);
	ASSERT_EQ(DEVRING_RECORD_STATE, next(&r, &u));
	EXPECT_EQ(sizeof(u.state), u.rec.size);
	EXPECT_EQ(0, u.rec.flags);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, u.state.state);
	EXPECT_EQ(0, u.state.error);
	EXPECT_EQ(0, u.state.format_generation);
	EXPECT_EQ(DEVRING_CHANGED_STATE, u.state.changed & DEVRING_CHANGED_STATE);
	EXPECT_EQ(0, u.state.changed & ~(DEVRING_CHANGED_STATE | DEVRING_CHANGED_FORMAT));
	ASSERT_EQ(DEVRING_RECORD_FRAME, next(&r, &u));
	EXPECT_EQ(0, u.frame.sequence);
	EXPECT_EQ(-EAGAIN, next(&r, &u));
}

TEST_F(reading, first_records_without_a_ring)
{
	struct source s;
	struct stream r;
	union record u;

	ASSERT_EQ(0, source_register(&s, "bare", 0));
	r = reader_open(&s, O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(DEVRING_RECORD_STATE, next(&r, &u));
	EXPECT_EQ(-EAGAIN, next(&r, &u));
	EXPECT_EQ(0, ready(r.fd, POLLIN));
	ASSERT_EQ(0, source_ring(&s, 3, 100, 0));
	EXPECT_EQ(POLLIN, ready(r.fd, POLLIN));
	ASSERT_EQ(DEVRING_RECORD_GENERATION, next(&r, &u));
	EXPECT_EQ(-EAGAIN, next(&r, &u));
	ASSERT_EQ(0, produce(&s, 1));
	EXPECT_EQ(0, next_frame(&r, &u.frame));
}

TEST_F(reading, content)
{
	unsigned char *map = map_of(self->r.fd, self->s.g.ring_offset, self->s.g.ring_bytes,
				    PROT_READ);
	unsigned char copy[4096];

	ASSERT_NE(MAP_FAILED, map);
	for (unsigned int n = 0; n < 10; n++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		EXPECT_FRAME(n, 0);
		EXPECT_EQ(4096, self->f.bytes);
		EXPECT_TRUE(is_frame(map + (self->f.offset - self->s.g.ring_offset), 4096, n));
		EXPECT_TRUE(is_frame(map + (self->f.metadata_offset - self->s.g.ring_offset), 64, n));
		ASSERT_EQ(4096, pread(self->r.fd, copy, 4096, self->f.offset));
		EXPECT_TRUE(is_frame(copy, 4096, n));
		ASSERT_EQ(64, pread(self->r.fd, copy, 64, self->f.metadata_offset));
		EXPECT_TRUE(is_frame(copy, 64, n));
	}
	EXPECT_NO_FRAME();
}

TEST_F(reading, losses)
{
	uint64_t delivered = 0, lost = 0;
	struct devring_reader me;

	/* Bursts of every length against four slots, of which this reader holds one. */
	for (unsigned int burst = 1; burst < 12; burst++) {
		ASSERT_EQ(0, produce(&self->s, burst));
		while (next_frame(&self->r, &self->f) == 0) {
			delivered++;
			lost += self->f.lost;
			EXPECT_EQ(delivered + lost - 1, self->f.sequence);
		}
		EXPECT_EQ(self->s.head, delivered + lost);
	}
	EXPECT_LT(0, lost);
	me = myself(_metadata, self->r.fd);
	EXPECT_EQ(delivered, me.delivered);
	EXPECT_EQ(lost, me.lost);
	EXPECT_EQ(self->s.head, me.cursor);
}

TEST_F(reading, fills_the_buffer)
{
	unsigned char buffer[3 * sizeof(self->f) + 8];
	struct devring_frame *frames = (void *)buffer;
	int fd = self->r.fd;

	ASSERT_EQ(0, set_reader(fd, 0, 0, 3));
	ASSERT_EQ(0, produce(&self->s, 2));
	EXPECT_EQ(2 * sizeof(self->f), rc(read(fd, buffer, sizeof(buffer))));
	EXPECT_EQ(0, frames[0].sequence);
	EXPECT_EQ(1, frames[1].sequence);
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(sizeof(self->f), rc(read(fd, buffer, 2 * sizeof(self->f) - 1)));
	EXPECT_EQ(2, frames[0].sequence);
	EXPECT_EQ(-EAGAIN, rc(read(fd, buffer, sizeof(buffer))));
}

/* One read hands out no more than may be held, however large its buffer; the next one returns the oldest of these. */
TEST_F(reading, as_many_as_it_may_hold)
{
	struct devring_frame frames[4];

	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 2));
	ASSERT_EQ(0, produce(&self->s, 3));
	ASSERT_EQ(2 * sizeof(self->f), rc(read(self->r.fd, frames, sizeof(frames))));
	EXPECT_EQ(1, frames[1].sequence);
	EXPECT_EQ(2, myself(_metadata, self->r.fd).held);
	ASSERT_EQ(sizeof(self->f), rc(read(self->r.fd, frames, sizeof(frames))));
	EXPECT_EQ(2, frames[0].sequence);
	EXPECT_EQ(0, frames[0].lost);
	EXPECT_EQ(2, myself(_metadata, self->r.fd).held);
}

TEST_F(reading, short_buffers)
{
	struct stream r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	unsigned char b[DEVRING_RECORD_MAX];
	struct devring_record *rec = (void *)b;

	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(-EINVAL, rc(read(r.fd, b, 1)));
	EXPECT_EQ(-EINVAL, rc(read(r.fd, b, sizeof(struct devring_generation) - 1)));
	EXPECT_EQ(-EFAULT, rc(read(r.fd, bad_address(), sizeof(b))));
	EXPECT_EQ(sizeof(struct devring_generation),
		  rc(read(r.fd, b, sizeof(struct devring_generation))));
	EXPECT_EQ(DEVRING_RECORD_GENERATION, rec->kind);
	EXPECT_EQ(-EINVAL, rc(read(r.fd, b, sizeof(struct devring_state_change) - 1)));
	EXPECT_EQ(sizeof(struct devring_state_change),
		  rc(read(r.fd, b, sizeof(struct devring_state_change))));
	EXPECT_EQ(DEVRING_RECORD_STATE, rec->kind);
	EXPECT_EQ(-EINVAL, rc(read(r.fd, b, sizeof(struct devring_frame) - 1)));
	EXPECT_EQ(-EFAULT, rc(read(r.fd, bad_address(), sizeof(b))));
	EXPECT_EQ(POLLIN, ready(r.fd, POLLIN));
	EXPECT_EQ(0, myself(_metadata, r.fd).delivered);
	EXPECT_EQ(sizeof(struct devring_frame), rc(read(r.fd, b, sizeof(struct devring_frame))));
	EXPECT_EQ(DEVRING_RECORD_FRAME, rec->kind);
	EXPECT_EQ(-EAGAIN, rc(read(r.fd, b, sizeof(b))));
}

TEST_F(reading, into_pieces)
{
	struct devring_frame f;
	struct iovec iov[3] = {
		{ &f, 8 }, { (char *)&f + 8, 1 }, { (char *)&f + 9, sizeof(f) - 9 },
	};
	struct iovec torn[2] = { { &f, 8 }, { bad_address(), sizeof(f) - 8 } };

	ASSERT_EQ(0, produce(&self->s, 1));
	memset(&f, POISON, sizeof(f));
	EXPECT_EQ(-EINVAL, rc(readv(self->r.fd, iov, 2)));
	EXPECT_EQ(-EFAULT, rc(readv(self->r.fd, torn, 2)));
	EXPECT_EQ(sizeof(f), rc(readv(self->r.fd, iov, 3)));
	EXPECT_EQ(0, f.sequence);
	EXPECT_EQ(sizeof(f), f.rec.size);
	EXPECT_EQ(4096, f.bytes);
}

TEST_F(reading, latest)
{
	ASSERT_EQ(0, set_reader(self->r.fd, DEVRING_READER_LATEST, 0, 1));
	ASSERT_EQ(0, produce(&self->s, 3));
	EXPECT_FRAME(2, 2);
	EXPECT_NO_FRAME();
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_FRAME(3, 0);
	ASSERT_EQ(0, produce(&self->s, 20));
	EXPECT_FRAME(23, 19);
	EXPECT_NO_FRAME();
	/* And back to every frame. */
	ASSERT_EQ(0, set_reader(self->r.fd, 0, 0, 1));
	ASSERT_EQ(0, produce(&self->s, 2));
	EXPECT_FRAME(24, 0);
	EXPECT_FRAME(25, 0);
}

struct start_case {
	__u32 start;
	uint64_t sequence, expected, lost;
};

static int start_at(int fd, const struct start_case *c)
{
	struct devring_set_reader r = INIT(devring_set_reader, .start = c->start, .holds = 1,
					   .sequence = c->sequence);

	return call(fd, DEVRING_IOC_SET_READER, &r);
}

/* Frames 6 to 9 of ten are there (the fixture's reader keeps the device from going idle). */
TEST_F(reading, starts)
{
	static const struct start_case cases[] = {
		{ DEVRING_START_KEEP, 0, 9, 0 },
		{ DEVRING_START_NEWEST, 0, 9, 0 },
		{ DEVRING_START_OLDEST, 0, 6, 0 },
		{ DEVRING_START_NEXT, 0, 10, 0 },
		{ DEVRING_START_SEQUENCE, 0, 6, 6 },
		{ DEVRING_START_SEQUENCE, 5, 6, 1 },
		{ DEVRING_START_SEQUENCE, 6, 6, 0 },
		{ DEVRING_START_SEQUENCE, 7, 7, 0 },
		{ DEVRING_START_SEQUENCE, 9, 9, 0 },
		{ DEVRING_START_SEQUENCE, 10, 10, 0 },
	};
	struct stream r[ARRAY_SIZE(cases)];

	ASSERT_EQ(0, produce(&self->s, 10));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		r[i] = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
		ASSERT_EQ(0, start_at(r[i].fd, &cases[i])) TH_LOG("case %u", i);
		if (cases[i].expected < 10) {
			ASSERT_EQ(0, next_frame(&r[i], &self->f)) TH_LOG("case %u", i);
			EXPECT_EQ(cases[i].expected, self->f.sequence) TH_LOG("case %u", i);
			EXPECT_EQ(cases[i].lost, self->f.lost) TH_LOG("case %u", i);
		} else {
			EXPECT_EQ(-EAGAIN, next_frame(&r[i], &self->f)) TH_LOG("case %u", i);
		}
	}
	ASSERT_EQ(0, produce(&self->s, 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].expected == 10) {
			ASSERT_EQ(0, next_frame(&r[i], &self->f)) TH_LOG("case %u", i);
			EXPECT_EQ(10, self->f.sequence) TH_LOG("case %u", i);
			EXPECT_EQ(0, self->f.lost) TH_LOG("case %u", i);
		}
	}
}

/* A reader that goes back gets frames again. */
TEST_F(reading, starts_again)
{
	static const struct start_case oldest = { DEVRING_START_OLDEST }, five = {
		DEVRING_START_SEQUENCE, .sequence = 3 };

	ASSERT_EQ(0, produce(&self->s, 4));
	for (int i = 0; i < 4; i++) {
		EXPECT_FRAME(i, 0);
	}
	ASSERT_EQ(0, start_at(self->r.fd, &oldest));
	EXPECT_FRAME(0, 0);
	ASSERT_EQ(0, start_at(self->r.fd, &five));
	EXPECT_FRAME(3, 0);
	EXPECT_NO_FRAME();
}

TEST_F(reading, refused_settings)
{
	const struct devring_set_reader good = INIT(devring_set_reader, .holds = 1);
	const struct { struct devring_set_reader r; int result; } cases[] = {
#define SET(result, ...) { ({ struct devring_set_reader r = good; __VA_ARGS__; r; }), result }
		SET(0, (void)r),
		SET(0, r.holds = 0),
		SET(0, r.holds = DEVRING_HOLDS_MAX),
		SET(-EINVAL, r.holds = DEVRING_HOLDS_MAX + 1),
		SET(-EINVAL, r.holds = ~0U),
		SET(-EINVAL, r.start = DEVRING_START_SEQUENCE + 1),
		SET(-EINVAL, r.start = ~0U),
		SET(-EINVAL, r.sequence = 1),
		SET(-EINVAL, r.start = DEVRING_START_OLDEST; r.sequence = 1),
		SET(-EINVAL, r.flags = 1U << 4),
		SET(-EINVAL, r.flags = DEVRING_READER_IS_ACTIVE),
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct devring_set_reader r = cases[i].r;

		EXPECT_EQ(cases[i].result, call(self->r.fd, DEVRING_IOC_SET_READER, &r))
			TH_LOG("case %u", i);
	}
	/* No refused one changed anything. */
	EXPECT_EQ(DEVRING_READER_IS_ACTIVE | DEVRING_READER_IS_SELF,
		  myself(_metadata, self->r.fd).flags);
}

TEST_F(reading, states_coalesce)
{
	union record *u = &self->u;
	uint64_t before = now_ns(CLOCK_MONOTONIC);

	ASSERT_EQ(1, set_format(self->s.fd, 1));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	ASSERT_EQ(DEVRING_RECORD_STATE, next(&self->r, u));
	EXPECT_EQ(DEVRING_CHANGED_FORMAT, u->state.changed);
	EXPECT_EQ(1, u->state.format_generation);
	for (int i = 1; i <= 10; i++) {
		ASSERT_EQ(0, set_state(self->s.fd, DEVRING_STATE_ERROR, i));
	}
	ASSERT_EQ(DEVRING_RECORD_STATE, next(&self->r, u));
	EXPECT_EQ(DEVRING_CHANGED_STATE, u->state.changed);
	EXPECT_EQ(DEVRING_STATE_ERROR, u->state.state);
	EXPECT_EQ(10, u->state.error);
	EXPECT_LE(before, u->state.time_ns);
	EXPECT_GE(now_ns(CLOCK_MONOTONIC), u->state.time_ns);
	EXPECT_EQ(-EAGAIN, next(&self->r, u));
	ASSERT_EQ(0, set_state(self->s.fd, DEVRING_STATE_AVAILABLE, 0));
	ASSERT_EQ(2, set_format(self->s.fd, 2));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(DEVRING_RECORD_STATE, next(&self->r, u));
	EXPECT_EQ(DEVRING_CHANGED_STATE | DEVRING_CHANGED_FORMAT, u->state.changed);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, u->state.state);
	EXPECT_EQ(0, u->state.error);
	ASSERT_EQ(DEVRING_RECORD_FRAME, next(&self->r, u));
	EXPECT_EQ(2, u->frame.format_generation);
}

TEST_F(reading, over_generations)
{
	union record *u = &self->u;

	ASSERT_EQ(0, produce(&self->s, 3));
	EXPECT_FRAME(0, 0);
	ASSERT_EQ(0, source_ring(&self->s, 5, 8192, 0));
	EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
	ASSERT_EQ(0, produce(&self->s, 2));
	/* The ring comes before its frames, numbers go on, and what was not read of the old one is lost. */
	ASSERT_EQ(DEVRING_RECORD_GENERATION, next(&self->r, u));
	EXPECT_EQ(0, memcmp(&self->s.g, &u->generation.geometry, sizeof(self->s.g)));
	EXPECT_EQ(3, u->generation.head);
	EXPECT_FRAME(3, 2);
	EXPECT_EQ(self->s.g.generation, self->f.generation);
	EXPECT_FRAME(4, 0);
	EXPECT_NO_FRAME();
	/* Only the last of many. */
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, source_ring(&self->s, 4, 4096, 0));
	}
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(DEVRING_RECORD_GENERATION, next(&self->r, u));
	EXPECT_EQ(self->s.g.generation, u->generation.geometry.generation);
	EXPECT_EQ(5, u->generation.head);
	EXPECT_FRAME(5, 0);
}

TEST_F(reading, end_of_the_device)
{
	union record *u = &self->u;
	unsigned short events;

	ASSERT_EQ(0, produce(&self->s, 2));
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	events = ready(self->r.fd, POLLIN);
	EXPECT_EQ(POLLIN | POLLHUP, events);
	/* What is left, the news, the end. */
	ASSERT_EQ(DEVRING_RECORD_FRAME, next(&self->r, u));
	EXPECT_EQ(0, u->frame.sequence);
	ASSERT_EQ(DEVRING_RECORD_FRAME, next(&self->r, u));
	EXPECT_EQ(1, u->frame.sequence);
	ASSERT_EQ(DEVRING_RECORD_STATE, next(&self->r, u));
	EXPECT_EQ(DEVRING_STATE_REMOVED, u->state.state);
	EXPECT_EQ(DEVRING_CHANGED_STATE, u->state.changed);
	EXPECT_EQ(0, next(&self->r, u));
	EXPECT_EQ(0, next(&self->r, u));
	EXPECT_EQ(POLLHUP, ready(self->r.fd, POLLIN) & POLLHUP);
	EXPECT_EQ(-ENODEV, set_reader(self->r.fd, 0, 0, 1));
}

static void on_signal(int number)
{
	(void)number;
}

TEST_F(reading, waits)
{
	struct sigaction action = { .sa_handler = on_signal };
	pid_t pid;

	ASSERT_EQ(0, fcntl(self->r.fd, F_SETFL, O_RDONLY));
	CHILD(pid) {
		struct devring_frame f = { 0 };

		close(self->s.fd);
		ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
		action.sa_flags = SA_RESTART;
		ASSERT_EQ(0, sigaction(SIGUSR2, &action, NULL));
		EXPECT_EQ(-EINTR, next_frame(&self->r, &f));
		/* The other signal does not show. */
		EXPECT_EQ(0, next_frame(&self->r, &f));
		EXPECT_EQ(0, f.sequence);
		EXPECT_EQ(-ENODATA, next_frame(&self->r, &f));
	}
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	nap();
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	nap();
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, produce(&self->s, 1));
	nap();
	WAIT_ASLEEP(pid);
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	wait_child(_metadata, pid);
}

/* Threads that wait on one file: each frame goes to one of them. */
struct worker {
	struct stream r;
	pid_t tid;
	int frames;
	int error;
	uint64_t sum;
};

static void *work(void *argument)
{
	struct worker *w = argument;
	struct devring_frame f;

	__atomic_store_n(&w->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	while ((w->error = next_frame(&w->r, &f)) == 0) {
		w->frames++;
		w->sum += f.sequence + f.lost;
	}
	return NULL;
}

TEST_F(reading, threads_share_a_file)
{
	struct worker workers[3] = { 0 };
	pthread_t threads[3];
	uint64_t delivered = 0;
	struct devring_reader me;

	ASSERT_EQ(0, fcntl(self->r.fd, F_SETFL, O_RDONLY));
	for (int i = 0; i < 3; i++) {
		workers[i].r = stream_of(self->r.fd, DEVRING_RECORD_MAX);
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, work, &workers[i]));
		WAIT_FOR(__atomic_load_n(&workers[i].tid, __ATOMIC_ACQUIRE));
		WAIT_ASLEEP(workers[i].tid);
	}
	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		sched_yield();
	}
	me = myself(_metadata, self->r.fd);
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		delivered += workers[i].frames;
		/* One was told REMOVED and met the end; all met the end. */
		EXPECT_EQ(-ENODATA, workers[i].error);
	}
	EXPECT_LE(me.delivered, delivered);
	EXPECT_GE(50, delivered);
	EXPECT_LT(0, delivered);
}

TEST_HARNESS_MAIN

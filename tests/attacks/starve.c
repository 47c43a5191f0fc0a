// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers that are slow, many, or in a hurry: the producer, honest readers and listeners go on.  What they did is
 * counted; how fast it went is not asked.
 */
#include "lib.h"

#include <pthread.h>
#include <linux/userfaultfd.h>
#include <sys/syscall.h>

enum { FRAMES = 1500, STORMERS = 4 };

FIXTURE(starve) {
	struct source s;
	struct stream honest;
	unsigned char *map;
};

FIXTURE_SETUP(starve)
{
	source_up(_metadata, &self->s, "starve", DEVRING_REG_PUBLIC, 24, 4096, 0);
	reader_up(_metadata, &self->s, &self->honest);
	self->map = map_of(self->honest.fd, self->s.g.slots_offset, 24 * 4096, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(starve)
{
}

static long sleeps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

/* Frames are made, and each reaches the honest reader, whole; its producer never waited for anything. */
static void all_goes_on(ARGS, FIXTURE_DATA(starve) *self)
{
	struct devring_frame f;
	long slept = 0, before;

	for (int i = 0; i < FRAMES; i++) {
		before = sleeps();
		ASSERT_EQ(0, produce(&self->s, 1));
		slept += sleeps() - before;
		ASSERT_EQ(0, next_frame(&self->honest, &f));
		ASSERT_EQ(self->s.head - 1, f.sequence);
		ASSERT_EQ(0, f.lost);
		ASSERT_TRUE(is_frame(self->map + (f.offset - self->s.g.slots_offset), f.bytes, f.sequence));
	}
	/* Page faults of its own map apart, which may sleep. */
	EXPECT_GE(24, slept);
	EXPECT_EQ(FRAMES, myself(_metadata, self->honest.fd).delivered);
	EXPECT_EQ(0, myself(_metadata, self->honest.fd).lost);
}

/* Never reading, reading a byte, reading into memory that cannot be written, and holding as much as is allowed. */
TEST_F(starve, readers_that_do_not_read)
{
	struct stream lazy[4];
	struct devring_frame f;
	char byte;

	for (int i = 0; i < 4; i++) {
		lazy[i] = stream_of(public_reader(self->s.id), DEVRING_RECORD_MAX);
		ASSERT_EQ(0, set_reader(lazy[i].fd, 0, DEVRING_START_NEXT, 4));
		ASSERT_EQ(-EAGAIN, skip_news(&lazy[i]));
	}
	ASSERT_EQ(0, produce(&self->s, 4));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, next_frame(&self->honest, &f));
		ASSERT_EQ(0, next_frame(&lazy[3], &f));
	}
	EXPECT_EQ(-EINVAL, rc(read(lazy[0].fd, &byte, 1)));
	EXPECT_EQ(-EFAULT, rc(read(lazy[1].fd, bad_address(), DEVRING_RECORD_MAX)));
	ASSERT_EQ(0, set_reader(self->honest.fd, 0, DEVRING_START_NEXT, 1));
	close(self->honest.fd);
	reader_up(_metadata, &self->s, &self->honest);
	all_goes_on(_metadata, self);
	EXPECT_EQ(-EINVAL, rc(read(lazy[0].fd, &byte, 1)));
	EXPECT_EQ(4, myself(_metadata, lazy[3].fd).held);
}

/* A page of which somebody in user space says when it comes: never. */
static void *page_that_never_comes(ARGS)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	reg.range.start = (uintptr_t)page;
	reg.range.len = PAGE;
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));
	return page;
}

/* A read, a pread and a READERS into such a page hold up nobody: not frames, openers, or the revocation of all. */
TEST_F(starve, reads_that_never_end)
{
	pid_t pid[3], others;

	for (int i = 0; i < 3; i++) {
		CHILD(pid[i]) {
			struct devring_list_readers l = INIT(devring_list_readers, .count = 64,
							     .reader_size = sizeof(struct devring_reader));
			void *page = page_that_never_comes(_metadata);
			int fd = public_reader(self->s.id);

			ASSERT_LE(0, fd);
			l.readers = (uintptr_t)page;
			if (i == 0)
				read(fd, page, DEVRING_RECORD_MAX);
			else if (i == 1)
				pread(fd, page, 4096, self->s.g.slots_offset);
			else
				call(fd, DEVRING_IOC_READERS, &l);
			EXPECT_TRUE(!"the page came");
		}
	}
	for (int i = 0; i < 3; i++)
		WAIT_FOR(strchr("SD", task_state(pid[i])));
	WAIT_FOR(device_of(_metadata, &self->s).opens == 4);
	/* In a process of its own, so that a test that fails ends. */
	CHILD(others) {
		struct stream r;

		ASSERT_EQ(0, source_map(&self->s));
		all_goes_on(_metadata, self);
		reader_up(_metadata, &self->s, &r);
		ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
		EXPECT_EQ(0, device_of(_metadata, &self->s).opens);
		ASSERT_EQ(0, set_ring(self->s.fd, 4, 4096, 0, NULL));
	}
	WAIT_FOR(task_state(others) == 'Z');
	wait_child(_metadata, others);
	for (int i = 0; i < 3; i++)
		kill_child(_metadata, pid[i]);
}

/* Ten thousand descriptors: places of the device, then of the user, are what ends it; listeners are as many as fit. */
TEST_F(starve, ten_thousand_opens)
{
	struct stream listener = stream_of(control_open(O_RDONLY | O_NONBLOCK), DEVRING_CHANGE_MAX);
	pid_t pid;
	int out[2], in[2];
	union record r;

	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, chmod(CONTROL_NODE, 0644));
	while (next(&listener, &r) > 0)
		;
	CHILD(pid) {
		int fd, opened = 0;

		ASSERT_EQ(0, raise_file_limit(20000));
		become(USER_A);
		while ((fd = public_reader(self->s.id)) >= 0)
			opened++;
		EXPECT_TRUE(fd == -EUSERS || fd == -EDQUOT);
		EXPECT_GE(DEVRING_READERS_MAX / 2, opened);
		for (int i = 0; i < 10000; i++) {
			fd = control_open(O_RDONLY | O_NONBLOCK);
			ASSERT_LE(0, fd);
		}
		tell(out[1]);
		hear(_metadata, in[0]);
	}
	hear(_metadata, out[0]);
	all_goes_on(_metadata, self);
	ASSERT_EQ(0, set_state(self->s.fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_EQ(POLLIN, wait_ready(listener.fd, POLLIN));
	ASSERT_EQ(DEVRING_RECORD_CHANGE, next(&listener, &r));
	EXPECT_EQ(self->s.id, r.change.device.id);
	/* Another user still finds a place. */
	ASSERT_EQ(0, seteuid(USER_B));
	EXPECT_LE(0, public_reader(self->s.id));
	ASSERT_EQ(0, seteuid(0));
	tell(in[1]);
	wait_child(_metadata, pid);
	EXPECT_EQ(0, chmod(CONTROL_NODE, 0600));
}

/* Grants that end at once, made in a loop: none outlives it, and no place is lost. */
TEST_F(starve, short_grants)
{
	struct devring_grant g = INIT(devring_grant);
	int parent = public_reader(self->s.id);
	uint64_t made = 0, a_call;
	pid_t pid;

	ASSERT_LE(0, parent);
	a_call = now_ns(CLOCK_BOOTTIME);
	ASSERT_EQ(0, close(call(parent, DEVRING_IOC_GRANT, &g)));
	a_call = now_ns(CLOCK_BOOTTIME) - a_call;
	CHILD(pid) {
		for (int i = 0; i < 3000; i++) {
			int fd;

			/* From what is over when the call looks to what ends four calls later. */
			g.expires_ns = now_ns(CLOCK_BOOTTIME) + i % 64 * a_call / 16;
			fd = call(parent, DEVRING_IOC_GRANT, &g);
			ASSERT_TRUE(fd >= 0 || fd == -ETIME || fd == -EUSERS) TH_LOG("grant: %d", fd);
			made += fd >= 0;
			/* Most are left open until they ended, and some time more. */
			if (fd >= 0 && fd % 8)
				ready(fd, POLLIN);
			if (fd > 200)
				for (int old = 100; old <= fd; old++)
					close(old);
		}
		EXPECT_LT(100, made);
	}
	all_goes_on(_metadata, self);
	wait_child(_metadata, pid);
	WAIT_FOR(device_of(_metadata, &self->s).opens == 2);
	EXPECT_EQ(1, device_of(_metadata, &self->s).readers);
}

/* How often a listener was told of a device. */
static int told(ARGS, struct stream *listener, uint64_t id)
{
	union record r;
	int n = 0, kind;

	while ((kind = next(listener, &r)) > 0)
		n += kind == DEVRING_RECORD_CHANGE && r.change.device.id == id;
	EXPECT_EQ(-EAGAIN, kind);
	return n;
}

/* The number of the latest change that there is to be told of any device. */
static uint64_t last_change(ARGS)
{
	struct devring_info info = INIT(devring_info);
	int control = control_open(O_RDONLY);

	ASSERT_EQ(0, call(control, DEVRING_IOC_INFO, &info));
	close(control);
	return info.change;
}

/* Opening, polling, setting and closing in loops: no frame is lost, and listeners are told ten times a second. */
TEST_F(starve, storm_of_opens)
{
	struct stream listener = stream_of(control_open(O_RDONLY | O_NONBLOCK), DEVRING_CHANGE_MAX);
	struct source idle;
	uint64_t since, tenths, before, changes;
	unsigned long *rounds = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[STORMERS];

	ASSERT_NE(MAP_FAILED, rounds);
	source_up(_metadata, &idle, "idle", DEVRING_REG_PUBLIC, 3, 4096, 0);
	told(_metadata, &listener, idle.id);
	before = last_change(_metadata);
	since = now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < STORMERS; i++) {
		CHILD(pid[i]) {
			for (;; __atomic_add_fetch(&rounds[i], 1, __ATOMIC_RELAXED)) {
				/* The first has one to himself, which is in use, and not, in turns. */
				int fd = public_reader(i ? self->s.id : idle.id);

				ready(fd, POLLIN);
				set_reader(fd, DEVRING_READER_LATEST, i % 3, i % 5);
				close(fd);
			}
		}
	}
	/* All of them, however slow the machine is. */
	for (int i = 0; i < STORMERS; i++)
		WAIT_FOR(__atomic_load_n(&rounds[i], __ATOMIC_RELAXED) > 1);
	all_goes_on(_metadata, self);
	while (now_ns(CLOCK_MONOTONIC) - since < 1500000000ULL)
		nap();
	WAIT_FOR(last_change(_metadata) > before);
	for (int i = 0; i < STORMERS; i++)
		kill_child(_metadata, pid[i]);
	changes = last_change(_metadata) - before;
	tenths = (now_ns(CLOCK_MONOTONIC) - since) / 100000000ULL;
	/* Counted by the module: a listener that is late is told of many at once. */
	EXPECT_GE(2 * (tenths + 2), changes);
	EXPECT_LT(0, told(_metadata, &listener, idle.id));
	EXPECT_EQ(1, device_of(_metadata, &self->s).opens);
	EXPECT_EQ(0, device_of(_metadata, &idle).opens);
}

/*
 * Lossless readers that do not read, in as many files as there may be, one after the other: the producer is held up
 * for one deadline, not for one each.
 */
TEST_F(starve, lossless_that_do_not_read)
{
	struct devring_register reg = registration("patient", DEVRING_REG_PUBLIC | DEVRING_REG_LOSSLESS);
	struct source s = { 0 };
	int stalls = 0, refused = 0;
	pid_t pid;
	int out[2];

	ASSERT_EQ(0, pipe(out));
	reg.deadline_ms = 20;
	s.fd = registered(&reg);
	ASSERT_LE(0, s.fd);
	s.id = reg.id;
	ASSERT_EQ(0, source_ring(&s, 4, 4096, 0));
	ASSERT_EQ(0, chmod(CONTROL_NODE, 0644));
	CHILD(pid) {
		become(USER_A);
		for (int i = 0; i < 20; i++) {
			struct devring_set_reader set = INIT(devring_set_reader, .flags = DEVRING_READER_LOSSLESS,
							     .holds = 1);
			int fd = public_reader(s.id);
			int result = call(fd, DEVRING_IOC_SET_READER, &set);

			ASSERT_TRUE(result == 0 || result == -ETIME);
			refused += result == -ETIME;
			ready(fd, POLLIN);
			if (i == 0) {
				WAIT_FOR(!(myself(_metadata, fd).flags & DEVRING_READER_LOSSLESS));
				tell(out[1]);
			}
			for (int naps = 0; naps < 10; naps++)
				nap();
			close(fd);
		}
		EXPECT_LE(19, refused);
	}
	ASSERT_EQ(0, source_map(&s));
	while (!stalls) {
		int result = produce(&s, 1);

		ASSERT_TRUE(result == 0 || result == -EAGAIN);
		stalls += result == -EAGAIN;
		nap();
	}
	hear(_metadata, out[0]);
	/* It was demoted while its file was open, so it was not closing it that let the producer go on. */
	for (int i = 0; i < 200; i++) {
		EXPECT_EQ(0, produce(&s, 1));
		nap();
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(0, chmod(CONTROL_NODE, 0600));
}

TEST_HARNESS_MAIN

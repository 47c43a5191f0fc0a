// SPDX-License-Identifier: GPL-2.0-only
/* READERS: who reads, truthfully, and to whom it is told. */
#include "lib.h"

FIXTURE(who) {
	struct source s;
	struct devring_reader readers[DEVRING_READERS_MAX];
};

FIXTURE_SETUP(who)
{
	source_up(_metadata, &self->s, "who", DEVRING_REG_PUBLIC, 4, 4096, 0);
}

FIXTURE_TEARDOWN(who)
{
}

static int is_active(ARGS, int fd)
{
	return !!(myself(_metadata, fd).flags & DEVRING_READER_IS_ACTIVE);
}

/* Opening, asking and the header start no camera; reading, polling and mapping frames do. */
TEST_F(who, counts_as_a_reader)
{
	struct devring_frame f;
	unsigned char page[4096];
	struct stream r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	struct devring_device d;
	int mapper, poller, copier;

	EXPECT_EQ(0, is_active(_metadata, r.fd));
	ASSERT_EQ(0, query(r.fd, 0, &d));
	ASSERT_EQ(sizeof(page), pread(r.fd, page, sizeof(page), 0));
	EXPECT_EQ(0, map_errno(r.fd, 0, PAGE, PROT_READ, MAP_SHARED));
	ASSERT_EQ(0, set_reader(r.fd, 0, 0, 1));
	EXPECT_EQ(0, is_active(_metadata, r.fd));
	d = device_of(_metadata, &self->s);
	EXPECT_EQ(0, d.readers);
	EXPECT_EQ(1, d.opens);
	EXPECT_EQ(0, d.used_ns);
	EXPECT_EQ(-EAGAIN, next_frame(&r, &f));
	EXPECT_EQ(1, is_active(_metadata, r.fd));
	mapper = node_open(&self->s, O_RDONLY);
	EXPECT_EQ(0, map_errno(mapper, self->s.g.slots_offset, PAGE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(1, is_active(_metadata, mapper));
	copier = node_open(&self->s, O_RDONLY);
	ASSERT_EQ(sizeof(page), pread(copier, page, sizeof(page), self->s.g.slots_offset));
	EXPECT_EQ(1, is_active(_metadata, copier));
	poller = node_open(&self->s, O_RDONLY);
	ready(poller, POLLIN);
	EXPECT_EQ(1, is_active(_metadata, poller));
	d = device_of(_metadata, &self->s);
	EXPECT_EQ(4, d.readers);
	EXPECT_EQ(4, d.opens);
	EXPECT_LT(0, d.used_ns);
	EXPECT_GE(now_ns(CLOCK_BOOTTIME), d.used_ns);
}

TEST_F(who, everything_of_a_reader)
{
	uint64_t before = now_ns(CLOCK_BOOTTIME);
	struct devring_reader me, after;
	struct devring_frame f;
	struct stream r;
	pid_t pid;

	reader_up(_metadata, &self->s, &r);
	me = myself(_metadata, r.fd);
	EXPECT_LT(0, me.id);
	EXPECT_EQ(getpid(), me.open_pid);
	EXPECT_EQ(getpid(), me.last_pid);
	EXPECT_EQ(0, me.map_pid);
	EXPECT_EQ(0, me.uid);
	EXPECT_LE(before, me.since_ns);
	EXPECT_GE(now_ns(CLOCK_BOOTTIME), me.since_ns);
	EXPECT_EQ(0, me.delivered + me.lost + me.cursor + me.held);
	EXPECT_EQ(DEVRING_READER_IS_ACTIVE | DEVRING_READER_IS_SELF, me.flags);
	EXPECT_TRUE(all_bytes(me.reserved, sizeof(me.reserved), 0));
	ASSERT_EQ(0, set_reader(r.fd, DEVRING_READER_LATEST, 0, 2));
	ASSERT_EQ(0, produce(&self->s, 3));
	/* The child reads and maps with the file that it was given. */
	CHILD(pid) {
		ASSERT_EQ(0, next_frame(&r, &f));
		ASSERT_EQ(0, map_errno(r.fd, self->s.g.slots_offset, PAGE, PROT_READ, MAP_SHARED));
		me = myself(_metadata, r.fd);
		EXPECT_EQ(getppid(), me.open_pid);
		EXPECT_EQ(getpid(), me.last_pid);
		EXPECT_EQ(getpid(), me.map_pid);
	}
	wait_child(_metadata, pid);
	after = myself(_metadata, r.fd);
	EXPECT_EQ(me.id, after.id);
	EXPECT_EQ(getpid(), after.open_pid);
	/* Who is gone is nobody's pid. */
	EXPECT_EQ(0, after.last_pid);
	EXPECT_EQ(0, after.map_pid);
	EXPECT_EQ(1, after.delivered);
	EXPECT_EQ(2, after.lost);
	EXPECT_EQ(3, after.cursor);
	EXPECT_EQ(1, after.held);
	EXPECT_EQ(DEVRING_READER_IS_ACTIVE | DEVRING_READER_IS_SELF | DEVRING_READER_LATEST,
		  after.flags);
}

TEST_F(who, lists)
{
	struct devring_list_readers l = INIT(devring_list_readers, .reader_size = 120);
	struct { struct devring_reader r; uint64_t more; } longer[3];

	for (int i = 0; i < 3; i++) {
		ASSERT_LE(0, node_open(&self->s, O_RDONLY));
	}
	/* How many there are is told whatever fits. */
	EXPECT_EQ(3, list_readers(self->s.fd, self->readers, 0));
	memset(self->readers, POISON, sizeof(self->readers));
	EXPECT_EQ(3, list_readers(self->s.fd, self->readers, 2));
	EXPECT_LT(self->readers[0].id, self->readers[1].id);
	EXPECT_TRUE(all_bytes(&self->readers[2], sizeof(self->readers[0]), POISON));
	EXPECT_EQ(3, list_readers(self->s.fd, self->readers, 3));
	EXPECT_EQ(3, list_readers(self->s.fd, self->readers, DEVRING_READERS_MAX));
	/* With the caller's idea of the entry's size: what is unknown is zero. */
	memset(longer, POISON, sizeof(longer));
	l.readers = (uintptr_t)longer;
	l.reader_size = sizeof(longer[0]);
	l.count = 3;
	EXPECT_EQ(0, call(self->s.fd, DEVRING_IOC_READERS, &l));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(self->readers[i].id, longer[i].r.id);
		EXPECT_EQ(0, longer[i].more);
	}
	l.reader_size = sizeof(self->readers[0]) - 1;
	EXPECT_EQ(-EINVAL, call(self->s.fd, DEVRING_IOC_READERS, &l));
	l.reader_size = 0;
	EXPECT_EQ(-EINVAL, call(self->s.fd, DEVRING_IOC_READERS, &l));
	l.reader_size = sizeof(self->readers[0]);
	l.readers = (uintptr_t)bad_address();
	l.count = 3;
	EXPECT_EQ(-EFAULT, call(self->s.fd, DEVRING_IOC_READERS, &l));
	l.count = ~0U;
	l.readers = (uintptr_t)self->readers;
	EXPECT_EQ(0, call(self->s.fd, DEVRING_IOC_READERS, &l));
	EXPECT_EQ(3, l.count);
}

/* Others' identity is for the producer, for who registered, for root, and for nobody else. */
TEST_F(who, is_hidden_from_others)
{
	struct devring_open o = INIT(devring_open, .id = self->s.id);
	int control = control_open(O_RDONLY), fd_a, fd_b;
	pid_t pid;

	ASSERT_EQ(0, seteuid(USER_A));
	fd_a = call(control, DEVRING_IOC_OPEN, &o);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, seteuid(USER_B));
	fd_b = call(control, DEVRING_IOC_OPEN, &o);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_LE(0, fd_a);
	ASSERT_LE(0, fd_b);
	ASSERT_EQ(2, list_readers(fd_a, self->readers, 2));
	EXPECT_EQ(USER_A, self->readers[0].uid);
	EXPECT_EQ(USER_B, self->readers[1].uid);
	EXPECT_EQ(0, self->readers[1].flags & DEVRING_READER_IS_HIDDEN);
	CHILD(pid) {
		become(USER_A);
		ASSERT_EQ(2, list_readers(fd_a, self->readers, 2));
		EXPECT_EQ(USER_A, self->readers[0].uid);
		EXPECT_EQ(getppid(), self->readers[0].open_pid);
		EXPECT_EQ(DEVRING_READER_IS_SELF,
			  self->readers[0].flags & ~DEVRING_READER_IS_GRANTED);
		EXPECT_EQ(65534, self->readers[1].uid);
		EXPECT_EQ(0, self->readers[1].open_pid);
		EXPECT_EQ(0, self->readers[1].last_pid);
		EXPECT_EQ(0, self->readers[1].map_pid);
		EXPECT_EQ(0, self->readers[1].cgroup);
		EXPECT_EQ(DEVRING_READER_IS_HIDDEN,
			  self->readers[1].flags & ~DEVRING_READER_IS_GRANTED);
		/* The producer's file shows all, whoever has it. */
		ASSERT_EQ(2, list_readers(self->s.fd, self->readers, 2));
		EXPECT_EQ(USER_B, self->readers[1].uid);
	}
	wait_child(_metadata, pid);
}

/* He could have the producer's file, too. */
TEST_F(settings, is_shown_to_who_registered)
{
	struct devring_reader readers[2];
	struct source s;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, seteuid(USER_A));
	source_up(_metadata, &s, "mine", DEVRING_REG_PUBLIC, 4, 4096, 0);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, seteuid(USER_B));
	fd = public_reader(s.id);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, seteuid(0));
	for (uid_t uid = USER_A; uid <= USER_A + 2; uid += 2) {
		CHILD(pid) {
			become(uid);
			fd = public_reader(s.id);
			ASSERT_EQ(2, list_readers(fd, readers, 2));
			EXPECT_EQ(uid == USER_A ? USER_B : 65534, readers[0].uid);
			EXPECT_EQ(uid == USER_A ? getppid() : 0, readers[0].open_pid);
		}
		wait_child(_metadata, pid);
	}
}

/* Until when, and from whom, somebody has it. */
TEST_F(who, was_granted)
{
	uint64_t end = now_ns(CLOCK_BOOTTIME) + 3600 * 1000000000ULL;
	struct devring_grant g = INIT(devring_grant, .expires_ns = end);
	struct devring_reader me;
	int fd = node_open(&self->s, O_RDONLY), granted;

	granted = call(fd, DEVRING_IOC_GRANT, &g);
	ASSERT_LE(0, granted);
	me = myself(_metadata, fd);
	EXPECT_EQ(0, me.expires_ns);
	EXPECT_EQ(0, me.granted_from);
	EXPECT_EQ(me.id, myself(_metadata, granted).granted_from);
	EXPECT_EQ(end, myself(_metadata, granted).expires_ns);
}

/* Pids are those of who asks; from inside a namespace, what is outside has none. */
TEST_F(who, in_a_pid_namespace)
{
	struct stream r;
	pid_t pid, outer = getpid();

	reader_up(_metadata, &self->s, &r);
	if (rc(unshare(CLONE_NEWPID)) == -EINVAL) {
		SKIP(return, "this kernel has no pid namespaces");
	}
	CHILD(pid) {
		struct devring_device d;
		struct stream inner;

		EXPECT_EQ(1, getpid());
		ASSERT_EQ(1, list_readers(self->s.fd, self->readers, 2));
		EXPECT_EQ(0, self->readers[0].open_pid);
		EXPECT_EQ(0, self->readers[0].last_pid);
		EXPECT_EQ(0, self->readers[0].cgroup);
		reader_up(_metadata, &self->s, &inner);
		EXPECT_EQ(1, myself(_metadata, inner.fd).open_pid);
		EXPECT_EQ(1, myself(_metadata, inner.fd).last_pid);
		ASSERT_EQ(0, query(r.fd, 0, &d));
		EXPECT_EQ(0, d.registrant_pid);
		EXPECT_EQ(0, d.producer_pid);
	}
	/* From outside both can be seen. */
	WAIT_FOR(list_readers(self->s.fd, self->readers, 2) >= 1);
	EXPECT_EQ(outer, self->readers[0].open_pid);
	wait_child(_metadata, pid);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Access that was handed on: how far it goes, and how it ends. RECHECK, and how fast one can register. */
#include "lib.h"

static int grant(int fd, uint64_t expires)
{
	struct devring_grant g = INIT(devring_grant, .expires_ns = expires);

	return call(fd, DEVRING_IOC_GRANT, &g);
}

FIXTURE(granting) {
	struct source s;
	int parent;
};

FIXTURE_SETUP(granting)
{
	source_up(_metadata, &self->s, "grant", DEVRING_REG_KEEP_HISTORY, 4, 4096, 0);
	ASSERT_EQ(0, produce(&self->s, 1));
	self->parent = rc(open(self->s.node, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	ASSERT_LE(0, self->parent);
}

FIXTURE_TEARDOWN(granting)
{
}

static void expect_ended(ARGS, struct stream *g, const unsigned char *map, size_t bytes)
{
	unsigned char record[DEVRING_RECORD_MAX];

	EXPECT_EQ(POLLHUP | POLLERR, ready(g->fd, POLLIN) & (POLLHUP | POLLERR));
	EXPECT_EQ(-ENODEV, rc(read(g->fd, record, sizeof(record))));
	EXPECT_EQ(-ENODEV, rc(pread(g->fd, record, 4, 0)));
	EXPECT_EQ(-ENODEV, map_errno(g->fd, 0, PAGE, PROT_READ, MAP_SHARED));
	EXPECT_TRUE(all_bytes(map, bytes, 0));
}

/* A user without any right reads what was passed to him, and cannot pass it on. */
TEST_F(granting, is_a_reader)
{
	struct stream g = stream_of(grant(self->parent, 0), DEVRING_RECORD_MAX);
	pid_t pid;

	ASSERT_LE(0, g.fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(g.fd, F_GETFD));
	EXPECT_EQ(DEVRING_READER_IS_GRANTED,
		  myself(_metadata, g.fd).flags & DEVRING_READER_IS_GRANTED);
	EXPECT_EQ(0, myself(_metadata, self->parent).flags & DEVRING_READER_IS_GRANTED);
	CHILD(pid) {
		struct devring_frame f = { 0 };
		const unsigned char *map = map_of(g.fd, self->s.g.slots_offset, PAGE, PROT_READ);

		become(USER_A);
		EXPECT_EQ(-EACCES, rc(open(self->s.node, O_RDONLY)));
		ASSERT_NE(MAP_FAILED, map);
		EXPECT_EQ(0, next_frame(&g, &f));
		EXPECT_TRUE(is_frame(map + f.offset - self->s.g.slots_offset, f.bytes, 0));
		EXPECT_EQ(-EACCES, grant(g.fd, 0));
		EXPECT_EQ(-EACCES, map_errno(g.fd, self->s.g.slots_offset, PAGE, RW, MAP_SHARED));
	}
	wait_child(_metadata, pid);
}

TEST_F(granting, ends_with_its_parent)
{
	struct stream g = stream_of(grant(self->parent, 0), DEVRING_RECORD_MAX);
	const unsigned char *map = map_of(g.fd, self->s.g.slots_offset, PAGE, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_FALSE(all_bytes(map, PAGE, 0));
	close(self->parent);
	expect_ended(_metadata, &g, map, PAGE);
}

TEST_F(granting, is_revoked_with_its_parent)
{
	struct stream g = stream_of(grant(self->parent, 0), DEVRING_RECORD_MAX);
	const unsigned char *map = map_of(g.fd, self->s.g.slots_offset, PAGE, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_READER, 0,
			       myself(_metadata, self->parent).id, NULL));
	expect_ended(_metadata, &g, map, PAGE);
	EXPECT_EQ(-ENODEV, grant(self->parent, 0));
}

TEST_F(granting, is_revoked_alone)
{
	struct stream g = stream_of(grant(self->parent, 0), DEVRING_RECORD_MAX);
	struct stream p = stream_of(self->parent, DEVRING_RECORD_MAX);
	const unsigned char *map = map_of(g.fd, self->s.g.slots_offset, PAGE, PROT_READ);
	struct devring_frame f;

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_READER, 0, myself(_metadata, g.fd).id, NULL));
	expect_ended(_metadata, &g, map, PAGE);
	EXPECT_EQ(0, next_frame(&p, &f));
}

/* The time is over for a waiter, for a map that was never touched, and for one that was. */
TEST_F(granting, expires)
{
	uint64_t end = now_ns(CLOCK_BOOTTIME) + 500000000;
	struct stream g = stream_of(grant(self->parent, end), DEVRING_RECORD_MAX);
	const unsigned char *seen = map_of(g.fd, self->s.g.slots_offset, PAGE, PROT_READ);
	const unsigned char *unseen = map_of(g.fd, self->s.g.slots_offset, PAGE, PROT_READ);
	struct devring_frame f;

	ASSERT_NE(MAP_FAILED, seen);
	ASSERT_NE(MAP_FAILED, unseen);
	EXPECT_FALSE(all_bytes(seen, PAGE, 0));
	ASSERT_EQ(0, next_frame(&g, &f));
	EXPECT_EQ(POLLHUP | POLLERR, wait_ready(g.fd, POLLIN) & (POLLHUP | POLLERR));
	EXPECT_LE(end, now_ns(CLOCK_BOOTTIME));
	expect_ended(_metadata, &g, seen, PAGE);
	EXPECT_TRUE(all_bytes(unseen, PAGE, 0));
	EXPECT_EQ(0, myself(_metadata, self->parent).held);
}

TEST_F(granting, refuses)
{
	struct devring_grant g = INIT(devring_grant, .flags = 1);

	EXPECT_EQ(-EINVAL, call(self->parent, DEVRING_IOC_GRANT, &g));
	g = INIT(devring_grant);
	g.size--;
	EXPECT_EQ(-EINVAL, call(self->parent, DEVRING_IOC_GRANT, &g));
	EXPECT_EQ(-EFAULT, call(self->parent, DEVRING_IOC_GRANT, bad_address()));
	EXPECT_EQ(-ETIME, grant(self->parent, now_ns(CLOCK_BOOTTIME) - 1));
	EXPECT_EQ(-EACCES, grant(self->s.fd, 0));
}

/* Grants in a loop end at the limit of readers, and leave nothing. */
TEST_F(granting, is_limited)
{
	int fds[DEVRING_READERS_MAX];

	for (int i = 1; i < DEVRING_READERS_MAX; i++) {
		fds[i] = grant(self->parent, now_ns(CLOCK_BOOTTIME) + 1000000000000ULL + i);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(-EUSERS, grant(self->parent, 0));
	close(fds[1]);
	fds[1] = grant(self->parent, 0);
	EXPECT_LE(0, fds[1]);
	for (int i = 1; i < DEVRING_READERS_MAX; i++)
		close(fds[i]);
	EXPECT_EQ(1, device_of(_metadata, &self->s).opens);
}

/* Whose right is gone loses what he has open; who still has it notices nothing. */
TEST_F(granting, recheck)
{
	int others, in[2], out[2];
	uint32_t revoked = 99;
	pid_t pid;

	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0, chmod(self->s.node, 0604));
	CHILD(pid) {
		struct stream r;
		struct devring_frame f;

		become(USER_A);
		r = stream_of(rc(open(self->s.node, O_RDONLY | O_NONBLOCK)), DEVRING_RECORD_MAX);
		ASSERT_LE(0, r.fd);
		EXPECT_EQ(0, next_frame(&r, &f));
		tell(out[1]);
		hear(_metadata, in[0]);
		EXPECT_EQ(-ENODEV, next_frame(&r, &f));
	}
	hear(_metadata, out[0]);
	others = grant(self->parent, 0);
	EXPECT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_RECHECK, 0, 0, &revoked));
	EXPECT_EQ(0, revoked);
	ASSERT_EQ(0, chmod(self->s.node, 0600));
	EXPECT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_RECHECK, 0, 0, &revoked));
	EXPECT_EQ(1, revoked);
	tell(in[1]);
	wait_child(_metadata, pid);
	EXPECT_EQ(POLLIN, ready(self->parent, POLLIN));
	EXPECT_EQ(POLLIN, ready(others, POLLIN));
}

/* Who registers in a loop is slowed down, and not by letting go of everything made new. */
TEST(registering_is_limited)
{
	pid_t pid;

	ASSERT_EQ(0, chmod(CONTROL_NODE, 0606));
	CHILD(pid) {
		int made = 0, fd;
		uint64_t until;

		become(USER_B);
		for (;;) {
			struct devring_register r = registration("flood", 0);

			fd = registered(&r);
			if (fd < 0)
				break;
			close(fd);
			made++;
			ASSERT_GT(4096, made);
		}
		EXPECT_EQ(-EAGAIN, fd);
		EXPECT_LE(256, made);
		until = now_ns(CLOCK_MONOTONIC) + WAIT_MS * 1000000ULL;
		while (fd < 0 && now_ns(CLOCK_MONOTONIC) < until) {
			struct devring_register r = registration("flood", 0);

			nap();
			fd = registered(&r);
		}
		EXPECT_LE(0, fd);
	}
	wait_child(_metadata, pid);
	chmod(CONTROL_NODE, 0600);
}

TEST_HARNESS_MAIN

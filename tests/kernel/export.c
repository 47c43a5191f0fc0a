// SPDX-License-Identifier: GPL-2.0-only
/*
 * EXPORT: slots as dma-bufs.  What a driver does with one is seen in the suite `zerocopy`; here nobody has one but us.
 * Kernels without dma-bufs say so.
 */
#include "lib.h"

#include <sys/sysmacros.h>

enum { SLOTS = 4, BYTES = 3 * 4096 - 8 };

FIXTURE(export) {
	struct source s;
	int there;	/* this kernel has dma-bufs */
	char parameter[16];
};

FIXTURE_SETUP(export)
{
	source_up(_metadata, &self->s, "export", DEVRING_REG_PERSIST, SLOTS, BYTES, 64);
	self->there = !!(info_now(_metadata).features & DEVRING_FEATURE_EXPORT);
	memset(self->parameter, 0, sizeof(self->parameter));
	ASSERT_LT(0, parameter_io("user_mb", self->parameter, 15, O_RDONLY));
}

FIXTURE_TEARDOWN(export)
{
	EXPECT_LT(0, parameter_io("user_mb", self->parameter, strlen(self->parameter), O_WRONLY));
	EXPECT_EQ(0, unregister(self->s.id));
}

static int export(int fd, uint32_t flags, uint32_t generation, uint32_t slot)
{
	struct devring_export e = INIT(devring_export, .flags = flags, .generation = generation, .slot = slot);

	return call(fd, DEVRING_IOC_EXPORT, &e);
}

TEST_F(export, what_may_be_exported)
{
	const int no = -EOPNOTSUPP;
	uint32_t g = self->s.g.generation;
	struct stream r = reader_open(&self->s, O_RDWR);
	int fd;

	ASSERT_LE(0, r.fd);
	EXPECT_EQ(self->there ? -EACCES : no, export(r.fd, 0, g, 0));
	EXPECT_EQ(self->there ? -EINVAL : no, export(self->s.fd, 1, g, 0));
	EXPECT_EQ(self->there ? -ESTALE : no, export(self->s.fd, 0, g - 1, 0));
	EXPECT_EQ(self->there ? -ESTALE : no, export(self->s.fd, 0, g + 1, 0));
	EXPECT_EQ(self->there ? -EINVAL : no, export(self->s.fd, 0, g, SLOTS));
	EXPECT_EQ(self->there ? -EINVAL : no, export(self->s.fd, 0, g, UINT32_MAX));
	fd = export(self->s.fd, 0, g, SLOTS - 1);
	if (!self->there) {
		EXPECT_EQ(no, fd);
		return;
	}
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(self->s.g.slot_stride, lseek(fd, 0, SEEK_END));
	EXPECT_GT(0, map_errno(fd, 0, 4096, RW, MAP_SHARED));
	EXPECT_GT(0, map_errno(fd, 0, 4096, PROT_READ, MAP_SHARED));
	/* As often as one likes. */
	EXPECT_LE(0, export(self->s.fd, 0, g, SLOTS - 1));
	close(fd);
}

/* Whoever opens a sink fills a ring that is its registrant's. */
TEST_F(export, of_a_sink)
{
	struct source sink;
	int fd;

	ASSERT_EQ(0, source_register(&sink, "sink", DEVRING_REG_SINK));
	ASSERT_EQ(0, set_ring(sink.fd, SLOTS, 4096, 0, &sink.g));
	fd = node_open(&sink, O_WRONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(self->there ? -EACCES : -EOPNOTSUPP, export(fd, 0, sink.g.generation + 1, 0));
	EXPECT_EQ(self->there ? -EACCES : -EOPNOTSUPP, export(sink.fd, 0, sink.g.generation + 1, 0));
	close(fd);
	close(sink.fd);
}

TEST_F(export, without_a_ring_and_after_the_end)
{
	struct source bare;
	int next;

	if (!self->there) {
		EXPECT_EQ(-EOPNOTSUPP, export(self->s.fd, 0, 0, 0));
		return;
	}
	ASSERT_EQ(0, source_register(&bare, "bare", 0));
	EXPECT_EQ(-ESTALE, export(bare.fd, 0, 0, 0));
	next = attach(self->s.id, DEVRING_ATTACH_TAKEOVER);
	ASSERT_LE(0, next);
	EXPECT_EQ(-ENODEV, export(self->s.fd, 0, self->s.g.generation, 0));
	EXPECT_EQ(-ESTALE, export(next, 0, self->s.g.generation, 0));
	EXPECT_LE(0, export(next, 0, self->s.g.generation + 1, 0));
}

TEST_F(export, when_no_descriptor_is_left)
{
	struct rlimit before, none = { 0 };
	int result;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	none.rlim_max = before.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	result = export(self->s.fd, 0, self->s.g.generation, 0);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	EXPECT_EQ(-EMFILE, result);
}

static uint64_t bytes_of_user(ARGS, uid_t uid)
{
	uint64_t bytes;

	ASSERT_EQ(0, seteuid(uid));
	bytes = info_now(_metadata).user_bytes;
	ASSERT_EQ(0, seteuid(0));
	return bytes;
}

/* A ring whose slot is exported is charged until that is closed: nobody gets more memory than he may have by it. */
TEST_F(export, is_charged_until_it_is_closed)
{
	struct stat st;
	struct source mine;
	uint64_t before, ring;
	int fd;

	if (!self->there) {
		EXPECT_EQ(-EOPNOTSUPP, export(self->s.fd, 0, self->s.g.generation, 0));
		return;
	}
	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	ASSERT_EQ(0, chmod(CONTROL_NODE, 0666));
	ASSERT_EQ(0, set_limit("user_mb", 1));
	before = bytes_of_user(_metadata, USER_A);
	ASSERT_EQ(0, seteuid(USER_A));
	ASSERT_EQ(0, source_register(&mine, "mine", 0));
	ASSERT_EQ(0, set_ring(mine.fd, 10, 64 << 10, 0, &mine.g));
	ring = mine.g.ring_bytes;
	fd = export(mine.fd, 0, mine.g.generation, 0);
	ASSERT_LE(0, fd);
	/* The ring goes, and its memory does not. */
	EXPECT_EQ(-EDQUOT, set_ring(mine.fd, 10, 64 << 10, 0, NULL));
	ASSERT_EQ(0, set_ring(mine.fd, 3, 4096, 0, &mine.g));
	EXPECT_EQ(-EDQUOT, set_ring(mine.fd, 10, 64 << 10, 0, NULL));
	close(mine.fd);
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(before + ring, bytes_of_user(_metadata, USER_A));
	close(fd);
	WAIT_FOR(bytes_of_user(_metadata, USER_A) == before);
	EXPECT_EQ(0, chmod(CONTROL_NODE, st.st_mode & 07777));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* lane: guest */
/* Rings count in the memory cgroup of who sets them, where the kernel can map pages that it counts. */
#include "lib.h"

#define CGROUPS		"/sys/fs/cgroup"
#define OURS		CGROUPS "/devring-test"

enum {
	SLOTS = 16,
	SLOT_BYTES = 1 << 20,
	RING_BYTES = SLOTS * SLOT_BYTES,
	/* What processors keep charged for later, and what a process takes for itself. */
	SLACK = 4 << 20,
};

static long long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 ? atoll(text) : -1;
}

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long n = rc(fd < 0 ? fd : write(fd, text, strlen(text)));

	close(fd);
	return n < 0 ? n : 0;
}

static int is_counted(void)
{
	struct devring_info info = INIT(devring_info);
	int control = control_open(O_RDONLY);
	int result = call(control, DEVRING_IOC_INFO, &info);

	close(control);
	return result ?: !!(info.features & DEVRING_FEATURE_MEMCG);
}

FIXTURE(memcg)
{
	struct source s;
	int counted;
};

FIXTURE_SETUP(memcg)
{
	self->counted = is_counted();
	ASSERT_GE(self->counted, 0);
	/* The device is somebody else's, outside. */
	ASSERT_EQ(0, source_register(&self->s, "memcg", 0));
	ASSERT_EQ(0, write_to(CGROUPS "/cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, rc(mkdir(OURS, 0755)));
}

FIXTURE_TEARDOWN(memcg)
{
	close(self->s.fd);
	/* Who was in it leaves it when he is reaped, or a moment later. */
	WAIT_FOR(rmdir(OURS) == 0 || errno == ENOENT);
}

TEST_F(memcg, rings_are_charged)
{
	long long before, with;
	pid_t pid;

	CHILD(pid) {
		ASSERT_EQ(0, write_to(OURS "/cgroup.procs", "0"));
		before = number_in(OURS "/memory.current");
		ASSERT_LE(0, before);
		ASSERT_EQ(0, set_ring(self->s.fd, SLOTS, SLOT_BYTES, 0, NULL));
		with = number_in(OURS "/memory.current");
		if (self->counted) {
			EXPECT_LE(before + RING_BYTES, with);
		} else {
			EXPECT_GT(before + SLACK, with);
		}
		/* A small one takes its place. */
		ASSERT_EQ(0, set_ring(self->s.fd, DEVRING_SLOTS_MIN, 4096, 0, NULL));
		WAIT_FOR(number_in(OURS "/memory.current") < before + SLACK);
	}
	wait_child(_metadata, pid);
}

/* The id that READERS tells is the number of the cgroup's directory. */
TEST_F(memcg, a_reader_is_in_its_cgroup)
{
	struct stat outside, inside;
	pid_t pid;

	ASSERT_EQ(0, stat(CGROUPS, &outside));
	ASSERT_EQ(0, stat(OURS, &inside));
	ASSERT_NE(outside.st_ino, inside.st_ino);
	CHILD(pid) {
		int fd = node_open(&self->s, O_RDONLY);

		EXPECT_EQ(outside.st_ino, myself(_metadata, fd).cgroup);
		ASSERT_EQ(0, write_to(OURS "/cgroup.procs", "0"));
		/* Who opened it was there. */
		EXPECT_EQ(outside.st_ino, myself(_metadata, fd).cgroup);
		EXPECT_EQ(inside.st_ino, myself(_metadata, node_open(&self->s, O_RDONLY)).cgroup);
	}
	wait_child(_metadata, pid);
}

TEST_F(memcg, a_limit_is_enomem)
{
	struct devring_query q = INIT(devring_query);
	pid_t pid;

	ASSERT_EQ(0, write_to(OURS "/memory.max", "8388608"));
	/* Kernels without swap have no limit of it. */
	if (!access(OURS "/memory.swap.max", F_OK)) {
		ASSERT_EQ(0, write_to(OURS "/memory.swap.max", "0"));
	}
	CHILD(pid) {
		ASSERT_EQ(0, write_to(OURS "/cgroup.procs", "0"));
		EXPECT_EQ(self->counted ? -ENOMEM : 0, set_ring(self->s.fd, SLOTS, SLOT_BYTES, 0, NULL));
		/* And nothing of it stays, nor does anybody die of it. */
		ASSERT_EQ(0, set_ring(self->s.fd, DEVRING_SLOTS_MIN, 4096, 0, NULL));
	}
	wait_child(_metadata, pid);
	ASSERT_EQ(0, call(self->s.fd, DEVRING_IOC_QUERY, &q));
	EXPECT_EQ(DEVRING_SLOTS_MIN, q.device.geometry.slots);
}

TEST_HARNESS_MAIN

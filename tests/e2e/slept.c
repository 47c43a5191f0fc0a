// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends the machine to sleep for five seconds, with a reader whose access was granted for three: the clock that tells
 * when it ends goes on meanwhile, and the timers that end it stand still.
 */
#include "../kernel/lib.h"

#define GRANTED_NS	3000000000ULL

static int write_to(const char *path, const char *text)
{
	int fd = rc(open(path, O_WRONLY | O_CLOEXEC));
	long n = fd < 0 ? fd : rc(write(fd, text, strlen(text)));

	close(fd);
	return n < 0 ? n : 0;
}

TEST(a_grant_ends_meanwhile)
{
	struct devring_grant g = INIT(devring_grant);
	uint64_t slept = now_ns(CLOCK_BOOTTIME) - now_ns(CLOCK_MONOTONIC);
	int fd, parent, ready_pipe[2];
	struct source s;
	uint64_t began;
	pid_t pid;

	source_up(_metadata, &s, "sleep", DEVRING_REG_KEEP_HISTORY, 4, 4096, 0);
	ASSERT_EQ(0, produce(&s, 1));
	parent = node_open(&s, O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, parent);
	ASSERT_EQ(0, pipe(ready_pipe));
	began = now_ns(CLOCK_MONOTONIC);
	g.expires_ns = now_ns(CLOCK_BOOTTIME) + GRANTED_NS;
	fd = call(parent, DEVRING_IOC_GRANT, &g);
	ASSERT_LE(0, fd);
	CHILD(pid) {
		const unsigned char *map = map_of(fd, s.g.slots_offset, PAGE, PROT_READ);
		unsigned char record[DEVRING_RECORD_MAX];
		struct stream r = stream_of(fd, DEVRING_RECORD_MAX);
		struct devring_frame f;

		ASSERT_NE(MAP_FAILED, map);
		ASSERT_EQ(0, next_frame(&r, &f));
		EXPECT_TRUE(is_frame(map + f.offset - s.g.slots_offset, f.bytes, 0));
		tell(ready_pipe[1]);
		EXPECT_EQ(POLLHUP | POLLERR, wait_ready(fd, 0));
		EXPECT_EQ(-ENODEV, rc(read(fd, record, sizeof(record))));
		EXPECT_EQ(-ENODEV, rc(pread(fd, record, 4, s.g.slots_offset)));
		EXPECT_EQ(-ENODEV, map_errno(fd, 0, PAGE, PROT_READ, MAP_SHARED));
		/* What is mapped goes as the machine wakes up, and not when the timer is due, which is later. */
		WAIT_FOR(all_bytes(map, PAGE, 0));
		TH_LOG("gone after %llu ms awake", (now_ns(CLOCK_MONOTONIC) - began) / 1000000ULL);
		EXPECT_GT(GRANTED_NS, now_ns(CLOCK_MONOTONIC) - began);
	}
	hear(_metadata, ready_pipe[0]);
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, write_to("/sys/class/rtc/rtc0/wakealarm", "+5"));
	ASSERT_EQ(0, write_to("/sys/power/state", "mem"));
	slept = now_ns(CLOCK_BOOTTIME) - now_ns(CLOCK_MONOTONIC) - slept;
	EXPECT_LT(GRANTED_NS, slept);
	wait_child(_metadata, pid);
	/* Whose own access has no end goes on. */
	EXPECT_EQ(DEVRING_READER_IS_SELF, myself(_metadata, parent).flags & DEVRING_READER_IS_SELF);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* What one user can keep from others: places, memory, wake-ups. */
#include "lib.h"

#include <sys/epoll.h>

/* A reader of a PUBLIC device, or a negative errno. */
static int public_reader(uint64_t id)
{
	struct devring_open o = INIT(devring_open, .flags = O_NONBLOCK, .id = id);
	int control = control_open(O_RDONLY);
	int fd = control < 0 ? control : call(control, DEVRING_IOC_OPEN, &o);

	close(control);
	return fd;
}

/* As many readers of @id as there is room for; what the first without a place was told comes back in @end. */
static int fill_places(uint64_t id, int *end)
{
	int n = 0;

	while ((*end = public_reader(id)) >= 0)
		n++;
	return n;
}

/* Each user takes all he can, and the next one still finds a place; revoked files keep none. */
TEST_F(settings, places_of_a_device)
{
	struct source s;
	uint32_t revoked;
	int ready[2], go[2], end;
	pid_t pid[4];

	ASSERT_EQ(0, chmod(CONTROL_NODE, 0604));
	source_up(_metadata, &s, "places", DEVRING_REG_PUBLIC, 4, 4096, 0);
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	for (int i = 0; i < 4; i++) {
		CHILD(pid[i]) {
			become(USER_A + i);
			EXPECT_EQ(DEVRING_READERS_MAX >> (i + 1), fill_places(s.id, &end));
			EXPECT_EQ(-EUSERS, end);
			tell(ready[1]);
			hear(_metadata, go[0]);
		}
		hear(_metadata, ready[0]);
	}
	/* Who may do anything gets the rest, and then there is none. */
	EXPECT_EQ(4, fill_places(s.id, &end));
	EXPECT_EQ(-EUSERS, end);
	EXPECT_EQ(DEVRING_READERS_MAX, device_of(_metadata, &s).opens);
	ASSERT_EQ(0, take_away(s.fd, DEVRING_REVOKE_ALL, 0, 0, &revoked));
	EXPECT_EQ(DEVRING_READERS_MAX, revoked);
	EXPECT_EQ(0, device_of(_metadata, &s).opens);
	end = public_reader(s.id);
	EXPECT_LE(0, end);
	for (int i = 0; i < 4; i++)
		tell(go[1]);
	for (int i = 0; i < 4; i++)
		wait_child(_metadata, pid[i]);
	EXPECT_EQ(1, device_of(_metadata, &s).opens);
}

/* A ring of more than half of what its user may have does not keep the device from being attached again. */
TEST_F(settings, attaching_a_large_ring)
{
	pid_t pid;

	ASSERT_EQ(0, set_limit("user_mb", 1));
	ASSERT_EQ(0, chmod(CONTROL_NODE, 0606));
	CHILD(pid) {
		struct source s;
		int fd;

		become(USER_A);
		ASSERT_EQ(0, source_register(&s, "large", DEVRING_REG_PERSIST));
		ASSERT_EQ(0, set_ring(s.fd, 200, PAGE, 0, &s.g));
		for (int i = 0; i < 3; i++) {
			/* A hung producer is replaced, */
			fd = attach(s.id, DEVRING_ATTACH_TAKEOVER);
			ASSERT_LE(0, fd);
			EXPECT_EQ(200, (s.fd = fd, device_of(_metadata, &s).geometry.slots));
			close(fd);
			/* and one that is gone. */
			fd = attach(s.id, 0);
			ASSERT_LE(0, fd);
			EXPECT_EQ(200, (s.fd = fd, device_of(_metadata, &s).geometry.slots));
		}
		close(fd);
		/* Nobody reads it: its memory is free for others. */
		WAIT_FOR(info_now(_metadata).user_bytes == 0);
		EXPECT_EQ(0, unregister(s.id));
	}
	wait_child(_metadata, pid);
}

/* A producer that waits in epoll for a slot learns that it can have one again. */
TEST(room_for_a_producer)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct devring_slot slot[2];
	struct source s;

	source_up(_metadata, &s, "room", 0, 4, 4096, 0);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, s.fd, &event));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
		ASSERT_EQ(0, take(s.fd, &slot[0]));
		ASSERT_EQ(0, take(s.fd, &slot[1]));
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
		ASSERT_EQ(0, i ? commit(s.fd, &slot[0], 1, 0) : give_back(s.fd, &slot[0]));
		EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
		ASSERT_EQ(0, give_back(s.fd, &slot[1]));
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* What one user can keep from others: places, memory, wake-ups. */
#include "lib.h"

#include <sys/epoll.h>

/* As many readers of @id as there is room for; what the first without a place was told comes back in @end. */
static int fill_places(uint64_t id, int *end)
{
	int n = 0;

	while ((*end = public_reader(id)) >= 0)
		n++;
	return n;
}

/* What users get of a device's places, one after the other, if each takes all he can. */
static const int shares[] = { 30, 15, 8, 4, 2, 1, 0 };

FIXTURE(places) {
	struct source s;
	mode_t mode;
	int go[2];
	pid_t pid[ARRAY_SIZE(shares)];
};

/* A device of USER_A's, with all places taken that others can have. */
FIXTURE_SETUP(places)
{
	int ready[2], end;
	struct stat st;

	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	self->mode = st.st_mode & 07777;
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, seteuid(USER_A));
	source_up(_metadata, &self->s, "places", DEVRING_REG_PUBLIC, 4, 4096, 0);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(self->go));
	for (unsigned int i = 0; i < ARRAY_SIZE(shares); i++) {
		CHILD(self->pid[i]) {
			become(USER_A + 1 + i);
			EXPECT_EQ(shares[i], fill_places(self->s.id, &end));
			EXPECT_EQ(-EUSERS, end);
			tell(ready[1]);
			hear(_metadata, self->go[0]);
		}
		hear(_metadata, ready[0]);
	}
}

FIXTURE_TEARDOWN(places)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shares); i++)
		tell(self->go[1]);
	for (unsigned int i = 0; i < ARRAY_SIZE(shares); i++)
		wait_child(_metadata, self->pid[i]);
	EXPECT_EQ(0, chmod(CONTROL_NODE, self->mode));
}

/* Each user takes all he can, and the next one still finds a place; revoked files keep none. */
TEST_F(places, of_a_device)
{
	uint32_t revoked;
	int end;

	/* Who may do anything gets the rest, and then there is none. */
	EXPECT_EQ(4, fill_places(self->s.id, &end));
	EXPECT_EQ(-EUSERS, end);
	EXPECT_EQ(DEVRING_READERS_MAX, device_of(_metadata, &self->s).opens);
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 0, &revoked));
	EXPECT_EQ(DEVRING_READERS_MAX, revoked);
	EXPECT_EQ(0, device_of(_metadata, &self->s).opens);
	end = public_reader(self->s.id);
	EXPECT_LE(0, end);
	EXPECT_EQ(1, device_of(_metadata, &self->s).opens);
}

/* Who registered the device, another process of his, still gets in, sees who has the places, and takes them away. */
TEST_F(places, are_kept_for_who_manages)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	uint32_t revoked;
	pid_t pid;

	CHILD(pid) {
		int fd, n;

		become(USER_A);
		fd = public_reader(self->s.id);
		/* No assertion: that would have this process wait for its siblings. */
		EXPECT_LE(0, fd);
		n = list_readers(fd, readers, DEVRING_READERS_MAX);
		EXPECT_EQ(DEVRING_READERS_MAX - 4 + 1, n);
		for (int i = 0; i < n - 1; i++) {
			EXPECT_LE(USER_A + 1, readers[i].uid);
			EXPECT_EQ(0, readers[i].flags & DEVRING_READER_IS_HIDDEN);
		}
		EXPECT_EQ(0, take_away(fd, DEVRING_REVOKE_UID, USER_A + 1, 0, &revoked));
		EXPECT_EQ(shares[0], revoked);
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(DEVRING_READERS_MAX - 4 - shares[0], device_of(_metadata, &self->s).opens);
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

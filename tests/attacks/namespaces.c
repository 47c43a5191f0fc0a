// SPDX-License-Identifier: GPL-2.0-only
/* Root of a user namespace: what it is shown, what it may do, and that it has the limits of who it is outside. */
#include "userns.h"

/* A camera of root's, everybody's to read; and a control node that everybody may write. */
static void public_camera(ARGS, struct source *s)
{
	ASSERT_EQ(0, open_control_to_all());
	source_up(_metadata, s, "public", DEVRING_REG_PUBLIC | DEVRING_REG_PERSIST, 4, 4096, 0);
}

/* Uids are those of the caller's namespace, of which others have none; it sees what its kuid may see, no more. */
TEST_F(settings, what_is_shown)
{
	struct source s;
	pid_t pid;
	int other;

	public_camera(_metadata, &s);
	ASSERT_EQ(0, seteuid(USER_B));
	other = public_reader(s.id);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_LE(0, other);
	CHILD(pid) {
		struct devring_reader readers[3];
		struct devring_device d;
		int fd, outside;

		become(USER_A);
		outside = public_reader(s.id);
		ASSERT_EQ(0, enter_userns(USER_A));
		ASSERT_EQ(0, geteuid());
		fd = public_reader(s.id);
		ASSERT_LE(0, fd);
		ASSERT_EQ(3, list_readers(fd, readers, 3));
		/* A stranger. */
		EXPECT_EQ(65534, readers[0].uid);
		EXPECT_EQ(0, readers[0].open_pid);
		EXPECT_EQ(0, readers[0].cgroup);
		EXPECT_EQ(DEVRING_READER_IS_HIDDEN, readers[0].flags & DEVRING_READER_IS_HIDDEN);
		/* Itself, from before and now. */
		for (int i = 1; i < 3; i++) {
			EXPECT_EQ(0, readers[i].uid);
			EXPECT_EQ(getpid(), readers[i].open_pid);
			EXPECT_EQ(0, readers[i].flags & DEVRING_READER_IS_HIDDEN);
		}
		ASSERT_EQ(0, query(outside, 0, &d));
		EXPECT_EQ(65534, d.registrant_uid);
		EXPECT_EQ(65534, d.producer_uid);
		/* The uid of a revocation is one of the caller's, too, and this one is no manager. */
		EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_UID, 0, 0, NULL));
		EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_READER, 0, readers[0].id, NULL));
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(0, unregister(s.id));
}

/* Its own devices it manages: there, it is who it is outside. */
TEST_F(settings, what_is_its_own)
{
	struct source s;
	int ids[2];
	pid_t pid;

	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, pipe(ids));
	CHILD(pid) {
		become(USER_A);
		ASSERT_EQ(0, source_register(&s, "mine", DEVRING_REG_PERSIST));
		ASSERT_EQ(sizeof(s), write(ids[1], &s, sizeof(s)));
	}
	wait_child(_metadata, pid);
	ASSERT_EQ(sizeof(s), read(ids[0], &s, sizeof(s)));
	CHILD(pid) {
		become_userns_root(_metadata, USER_B);
		EXPECT_EQ(-EPERM, attach(s.id, 0));
		EXPECT_EQ(-EPERM, unregister(s.id));
	}
	wait_child(_metadata, pid);
	CHILD(pid) {
		int fd;

		become_userns_root(_metadata, USER_A);
		fd = attach(s.id, 0);
		EXPECT_LE(0, fd);
		EXPECT_EQ(0, unregister(s.id));
	}
	wait_child(_metadata, pid);
}

/* CAP_SYS_RESOURCE of a user namespace lifts no limit; what the user has outside counts inside. */
TEST_F(settings, its_limits)
{
	struct source s;
	pid_t pid;

	public_camera(_metadata, &s);
	ASSERT_EQ(0, set_limit("user_devices", 2));
	ASSERT_EQ(0, set_limit("user_readers", 3));
	ASSERT_EQ(0, set_limit("user_holds", 4));
	ASSERT_EQ(0, set_limit("user_mb", 1));
	CHILD(pid) {
		struct source mine;
		int fd[3];

		become(USER_A);
		ASSERT_EQ(0, source_register(&mine, "outside", 0));
		fd[0] = public_reader(s.id);
		ASSERT_LE(0, fd[0]);
		ASSERT_EQ(0, enter_userns(USER_A));
		ASSERT_EQ(0, source_register(&mine, "inside", 0));
		EXPECT_EQ(-EDQUOT, source_register(&(struct source){ 0 }, "more", 0));
		EXPECT_EQ(-EDQUOT, set_ring(mine.fd, 4, 1 << 20, 0, NULL));
		EXPECT_EQ(0, set_ring(mine.fd, 4, 1 << 17, 0, NULL));
		for (int i = 1; i < 3; i++) {
			fd[i] = public_reader(s.id);
			ASSERT_LE(0, fd[i]);
		}
		EXPECT_EQ(-EDQUOT, public_reader(s.id));
		EXPECT_EQ(0, set_reader(fd[0], 0, 0, 3));
		EXPECT_EQ(-EDQUOT, set_reader(fd[1], 0, 0, 4));
		EXPECT_EQ(0, set_reader(fd[1], 0, 0, 3));
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(0, unregister(s.id));
}

/* Each uid of a namespace has limits of its own; together they stay below those of all. */
TEST_F(settings, its_uids)
{
	enum { UIDS = 6 };
	struct devring_info before = info_now(_metadata), after;
	int made[2], in[2], to_map[2], mapped[2];
	pid_t pid;

	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, pipe(made));
	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, pipe(to_map));
	ASSERT_EQ(0, pipe(mapped));
	ASSERT_EQ(0, set_limit("total_mb", (before.total_bytes >> 20) + 4));
	CHILD(pid) {
		struct source s;
		char name[16];
		int full = 0;

		become(USER_A);
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		tell(to_map[1]);
		hear(_metadata, mapped[0]);
		ASSERT_EQ(0, rc(setresgid(0, 0, 0)));
		for (int i = 0; i < UIDS; i++) {
			ASSERT_EQ(0, rc(setresuid(-1, i, 0)));
			snprintf(name, sizeof(name), "uid%d", i);
			ASSERT_EQ(0, source_register(&s, name, 0));
			full += set_ring(s.fd, 3, (1 << 20) * 2 / 5, 0, NULL) == -EDQUOT;
			ASSERT_EQ(0, rc(setresuid(-1, 0, 0)));
		}
		EXPECT_LE(2, full);
		tell(made[1]);
		hear(_metadata, in[0]);
	}
	hear(_metadata, to_map[0]);
	{
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
		ASSERT_EQ(0, write_text(path, "0 200000 100"));
		snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
		ASSERT_EQ(0, write_text(path, "0 200000 100"));
	}
	tell(mapped[1]);
	hear(_metadata, made[0]);
	after = info_now(_metadata);
	EXPECT_LT(before.total_bytes, after.total_bytes);
	EXPECT_GE(after.total_bytes_max, after.total_bytes);
	tell(in[1]);
	wait_child(_metadata, pid);
	WAIT_FOR(info_now(_metadata).total_bytes == before.total_bytes);
}

TEST_HARNESS_MAIN

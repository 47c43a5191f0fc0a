// SPDX-License-Identifier: GPL-2.0-only
/* Every limit: the last that is given, the first that is not, that others go on, and that all comes back. */
#include "lib.h"

/* Be another user for a while, without any group of root's: that would be a right to the plain names. */
static void as(ARGS, uid_t uid)
{
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setegid(uid));
	ASSERT_EQ(0, seteuid(uid));
}

static int register_as(ARGS, uid_t uid, const char *name, struct source *s)
{
	int result;

	as(_metadata, uid);
	result = source_register(s, name, 0);
	as(_metadata, 0);
	return result;
}

TEST_F(settings, devices)
{
	__u32 before = info_now(_metadata).devices;
	struct source s[6];

	ASSERT_EQ(0, set_limit("user_devices", 2));
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, register_as(_metadata, USER_A, "one", &s[0]));
	ASSERT_EQ(0, register_as(_metadata, USER_A, "two", &s[1]));
	EXPECT_EQ(-EDQUOT, register_as(_metadata, USER_A, "three", &s[2]));
	/* Another user has his own, and so does root. */
	EXPECT_EQ(0, register_as(_metadata, USER_B, "one", &s[2]));
	EXPECT_EQ(0, register_as(_metadata, USER_B, "two", &s[3]));
	EXPECT_EQ(-EDQUOT, register_as(_metadata, USER_B, "three", &s[4]));
	EXPECT_EQ(0, register_as(_metadata, 0, "one", &s[4]));
	close(s[0].fd);
	EXPECT_EQ(0, register_as(_metadata, USER_A, "three", &s[0]));
	EXPECT_EQ(-EDQUOT, register_as(_metadata, USER_A, "four", &s[5]));
	for (int i = 0; i < 5; i++)
		close(s[i].fd);
	EXPECT_EQ(before, info_now(_metadata).devices);
}

/* However many users one person is, together they have no more than this; root has more. */
TEST_F(settings, devices_of_all)
{
	struct source s[3];

	ASSERT_EQ(0, set_limit("total_devices", info_now(_metadata).devices + 2));
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, register_as(_metadata, USER_A, "all", &s[0]));
	ASSERT_EQ(0, register_as(_metadata, USER_B, "all", &s[1]));
	EXPECT_EQ(-EDQUOT, register_as(_metadata, USER_A + 2, "all", &s[2]));
	EXPECT_EQ(0, register_as(_metadata, 0, "all", &s[2]));
	close(s[2].fd);
	close(s[0].fd);
	EXPECT_EQ(0, register_as(_metadata, USER_A + 2, "all", &s[0]));
	close(s[0].fd);
	close(s[1].fd);
}

TEST_F(settings, readers_of_all)
{
	struct source s;
	int fd[3];

	ASSERT_EQ(0, open_control_to_all());
	source_up(_metadata, &s, "all", DEVRING_REG_PUBLIC, 4, 4096, 0);
	/* Nobody else has a reader while this test runs. */
	ASSERT_EQ(0, set_limit("total_readers", 2));
	for (int i = 0; i < 3; i++) {
		as(_metadata, USER_A + i);
		fd[i] = public_reader(s.id);
	}
	EXPECT_LE(0, fd[1]);
	EXPECT_EQ(-EDQUOT, fd[2]);
	as(_metadata, 0);
	fd[2] = public_reader(s.id);
	EXPECT_LE(0, fd[2]);
	close(fd[2]);
	close(fd[0]);
	as(_metadata, USER_A + 2);
	fd[0] = public_reader(s.id);
	EXPECT_LE(0, fd[0]);
	as(_metadata, 0);
	close(fd[0]);
	close(fd[1]);
}

/* Sixteen seconds' worth at once, then as many a second; another user is not made to wait. */
TEST_F(settings, registrations)
{
	struct source s;
	int made = 0, result;

	ASSERT_EQ(0, set_limit("user_registrations", 1));
	ASSERT_EQ(0, open_control_to_all());
	/* Users whom no other test knows: they have all their tokens. */
	while ((result = register_as(_metadata, 31337, "flood", &s)) == 0 && made < 40) {
		close(s.fd);
		made++;
	}
	EXPECT_EQ(-EAGAIN, result);
	EXPECT_LE(16, made);
	EXPECT_GT(40, made);
	EXPECT_EQ(0, register_as(_metadata, 31338, "calm", &s));
	close(s.fd);
	EXPECT_EQ(0, register_as(_metadata, 0, "calm", &s));
	close(s.fd);
	WAIT_FOR(result == 0 || (result = register_as(_metadata, 31337, "flood", &s)) == 0);
}

TEST_F(settings, readers)
{
	struct source s;
	int fd[3], other;

	ASSERT_EQ(0, set_limit("user_readers", 2));
	ASSERT_EQ(0, open_control_to_all());
	source_up(_metadata, &s, "read", DEVRING_REG_PUBLIC, 4, 4096, 0);
	as(_metadata, USER_A);
	fd[0] = public_reader(s.id);
	fd[1] = public_reader(s.id);
	ASSERT_LE(0, fd[1]);
	EXPECT_EQ(-EDQUOT, public_reader(s.id));
	as(_metadata, USER_B);
	other = public_reader(s.id);
	EXPECT_LE(0, other);
	as(_metadata, USER_A);
	close(fd[0]);
	fd[0] = public_reader(s.id);
	EXPECT_LE(0, fd[0]);
	EXPECT_EQ(-EDQUOT, public_reader(s.id));
	/* A revoked file is one until it is closed: or revoking and opening in turns would have no end. */
	ASSERT_EQ(0, take_away(fd[0], DEVRING_REVOKE_THIS, 0, 0, NULL));
	EXPECT_EQ(-EDQUOT, public_reader(s.id));
	as(_metadata, 0);
	close(fd[0]);
	close(fd[1]);
	close(other);
	EXPECT_EQ(0, device_of(_metadata, &s).opens);
}

TEST_F(settings, holds)
{
	struct source s;
	int fd[2], other;

	ASSERT_EQ(0, set_limit("user_holds", 5));
	ASSERT_EQ(0, open_control_to_all());
	source_up(_metadata, &s, "held", DEVRING_REG_PUBLIC, 32, 4096, 0);
	as(_metadata, USER_A);
	fd[0] = public_reader(s.id);
	fd[1] = public_reader(s.id);
	EXPECT_EQ(0, set_reader(fd[0], 0, 0, 5));
	EXPECT_EQ(0, set_reader(fd[1], 0, 0, 2));
	EXPECT_EQ(-EDQUOT, set_reader(fd[1], 0, 0, 3));
	EXPECT_EQ(-EDQUOT, set_reader(fd[0], 0, 0, 6));
	as(_metadata, USER_B);
	other = public_reader(s.id);
	EXPECT_EQ(0, set_reader(other, 0, 0, 6));
	as(_metadata, USER_A);
	close(fd[1]);
	EXPECT_EQ(0, set_reader(fd[0], 0, 0, 6));
	EXPECT_EQ(-EDQUOT, set_reader(fd[0], 0, 0, 7));
	as(_metadata, 0);
}

TEST_F(settings, bytes)
{
	struct devring_info before = info_now(_metadata);
	struct source a, b;

	ASSERT_EQ(0, set_limit("user_mb", 1));
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, register_as(_metadata, USER_A, "large", &a));
	ASSERT_EQ(0, register_as(_metadata, USER_B, "large", &b));
	as(_metadata, USER_A);
	/* 32 KiB of index, and slots: a MiB. */
	EXPECT_EQ(-EDQUOT, set_ring(a.fd, 249, 4096, 0, NULL));
	EXPECT_EQ(-EDQUOT, set_ring(a.fd, 3, 1 << 30, 0, NULL));
	EXPECT_EQ(0, set_ring(a.fd, 248, 4096, 0, NULL));
	EXPECT_EQ(-EDQUOT, set_ring(a.fd, 3, 1, 0, NULL));
	as(_metadata, USER_B);
	EXPECT_EQ(0, set_ring(b.fd, 248, 4096, 0, NULL));
	as(_metadata, 0);
	close(a.fd);
	close(b.fd);
	WAIT_FOR(info_now(_metadata).total_bytes == before.total_bytes);
}

/* No file is left in the system: said, and nothing else happened. */
TEST_F(settings, files_of_the_system)
{
	static const char file_max[] = "/proc/sys/fs/file-max";
	struct devring_info before;
	struct source s;
	char text[32] = "";
	int fd = open(file_max, O_RDWR), reader = -1, made = 0, ready[2], go[2];
	pid_t pid;

	ASSERT_LT(0, read(fd, text, sizeof(text) - 1));
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, set_limit("user_devices", 120));
	source_up(_metadata, &s, "files", DEVRING_REG_PUBLIC, 4, 4096, 0);
	before = info_now(_metadata);
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	CHILD(pid) {
		struct devring_register r = registration("more", 0);
		struct devring_grant g = INIT(devring_grant);
		struct devring_open o = INIT(devring_open, .id = s.id);
		int control;

		become(31339);
		control = control_open(O_RDWR);
		reader = call(control, DEVRING_IOC_OPEN, &o);
		ASSERT_LE(0, reader);
		tell(ready[1]);
		hear(_metadata, go[0]);
		/* Counts of files are not exact: each processor keeps some. */
		for (int i = 0; i < 100 && made >= 0; i++) {
			snprintf(r.name, sizeof(r.name), "more%d", i);
			made = call(control, DEVRING_IOC_REGISTER, &r);
		}
		EXPECT_EQ(-ENFILE, made);
		/* A call that fails costs its user nothing: it goes on failing for the same reason. */
		for (int i = 0; i < 120; i++) {
			ASSERT_EQ(-ENFILE, call(control, DEVRING_IOC_REGISTER, &r)) TH_LOG("try %d", i);
		}
		EXPECT_EQ(-ENFILE, call(reader, DEVRING_IOC_GRANT, &g));
		EXPECT_EQ(-ENFILE, call(control, DEVRING_IOC_OPEN, &o));
		EXPECT_EQ(0, close(reader));
	}
	hear(_metadata, ready[0]);
	EXPECT_EQ(1, pwrite(fd, "1", 1, 0));
	tell(go[1]);
	wait_child(_metadata, pid);
	ASSERT_LT(0, pwrite(fd, text, strlen(text), 0));
	EXPECT_EQ(before.devices, info_now(_metadata).devices);
	EXPECT_EQ(0, device_of(_metadata, &s).opens);
}

TEST_HARNESS_MAIN

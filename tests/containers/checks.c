// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a container may and may not that was given /dev/devring for reading, and nothing else.  Outside there are a
 * PUBLIC device "open" and one that is not, "closed", both of root's, with frames; root and the container's user on
 * the host read "open".
 */
#include "contained.h"

#include <dirent.h>

#define OVERFLOW_UID	65534

FIXTURE(contained) {
	int control;
	struct devring_device open;
	struct devring_device closed;
};

FIXTURE_SETUP(contained)
{
	self->control = control_open(O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(0, find_device(self->control, "open", &self->open));
	ASSERT_EQ(0, find_device(self->control, "closed", &self->closed));
	ASSERT_EQ(DEVRING_REG_PUBLIC, self->open.flags);
	ASSERT_EQ(DEVRING_REG_PERSIST, self->closed.flags);
}

FIXTURE_TEARDOWN(contained)
{
}

TEST_F(contained, is_a_container)
{
	char map[64] = "";
	int fd = open("/proc/self/uid_map", O_RDONLY);

	EXPECT_EQ(0, getuid());
	ASSERT_LT(0, read(fd, map, sizeof(map) - 1));
	EXPECT_EQ(NULL, strstr(map, "4294967295"));
	EXPECT_GT(100, getpid());
}

/* The control node is the only one of devring's, whatever it is called, and none can be made. */
TEST_F(contained, has_no_other_node)
{
	struct dirent *entry;
	struct stat st, other;
	DIR *dir = opendir("/dev");

	ASSERT_NE(NULL, dir);
	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	while ((entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &other, 0) || !S_ISCHR(other.st_mode))
			continue;
		if (strcmp(entry->d_name, "devring")) {
			EXPECT_GE(5, major(other.st_rdev));
		}
	}
	EXPECT_EQ(-ENOENT, rc(open("/dev/devring0", O_RDONLY)));
	EXPECT_EQ(-ENOENT, rc(open("/dev/devrings", O_RDONLY)));
	EXPECT_EQ(-EPERM, rc(mknod("/dev/devring-mine", S_IFCHR | 0600, makedev(major(st.st_rdev), 0))));
	EXPECT_EQ(-EPERM, rc(mknod("/tmp/devring-mine", S_IFCHR | 0600, st.st_rdev)));
}

TEST_F(contained, lists_all_devices)
{
	struct devring_info info = info_now(_metadata);
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);
	unsigned int count = 0;

	EXPECT_EQ(DEVRING_ABI_VERSION, info.abi_version);
	while (call(self->control, DEVRING_IOC_QUERY, &q) == 0) {
		EXPECT_LT(q.id, q.device.id);
		q.id = q.device.id;
		count++;
	}
	EXPECT_EQ(-ENODEV, call(self->control, DEVRING_IOC_QUERY, &q));
	EXPECT_EQ(info.devices, count);
}

/* Whom the namespaces do not show has no number. */
TEST_F(contained, does_not_learn_who_provides)
{
	EXPECT_EQ(OVERFLOW_UID, self->open.registrant_uid);
	EXPECT_EQ(OVERFLOW_UID, self->open.producer_uid);
	EXPECT_EQ(0, self->open.registrant_pid);
	EXPECT_EQ(0, self->open.producer_pid);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, self->closed.state);
	EXPECT_EQ(OVERFLOW_UID, self->closed.producer_uid);
	EXPECT_EQ(0, self->closed.producer_pid);
}

TEST_F(contained, opens_what_is_public)
{
	struct devring_open o = INIT(devring_open, .flags = O_NONBLOCK, .id = self->open.id);
	int fd = call(self->control, DEVRING_IOC_OPEN, &o);

	ASSERT_LE(0, fd);
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EACCES, map_errno(fd, self->open.geometry.slots_offset, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EBADF, put(fd, "12345678", 8));
}

TEST_F(contained, opens_nothing_else)
{
	struct devring_open o = INIT(devring_open, .id = self->closed.id);

	EXPECT_EQ(-EACCES, call(self->control, DEVRING_IOC_OPEN, &o));
	o.id = ~0ULL;
	EXPECT_EQ(-ENODEV, call(self->control, DEVRING_IOC_OPEN, &o));
}

/* A mode is what keeps it from writing; a read-only mount would not. */
TEST_F(contained, manages_no_device)
{
	struct devring_register r = registration("mine", 0);
	struct devring_attach a = INIT(devring_attach, .flags = DEVRING_ATTACH_TAKEOVER, .id = self->open.id);
	struct devring_unregister u = INIT(devring_unregister, .id = self->closed.id);

	EXPECT_EQ(-EACCES, control_open(O_RDWR));
	EXPECT_EQ(-EACCES, control_open(O_WRONLY));
	EXPECT_EQ(-EROFS, rc(chmod(CONTROL_NODE, 0666)));
	EXPECT_EQ(-EACCES, call(self->control, DEVRING_IOC_REGISTER, &r));
	EXPECT_EQ(-EACCES, call(self->control, DEVRING_IOC_UNREGISTER, &u));
	EXPECT_EQ(-EACCES, call(self->control, DEVRING_IOC_ATTACH, &a));
	a.id = self->closed.id;
	EXPECT_EQ(-EACCES, call(self->control, DEVRING_IOC_ATTACH, &a));
}

TEST_F(contained, disturbs_no_reader)
{
	int fd = open_public(self->control, "open");
	struct devring_reader others[DEVRING_READERS_MAX];
	int n = list_readers(fd, others, DEVRING_READERS_MAX);

	ASSERT_LE(3, n);
	EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
	EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_READER, 0, others[0].id, NULL));
	EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_UID, 0, 0, NULL));
	EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_RECHECK, 0, 0, NULL));
	EXPECT_EQ(-EACCES, set_ring(fd, 4, 4096, 0, NULL));
	EXPECT_EQ(-EACCES, set_format(fd, 1));
	EXPECT_EQ(-EACCES, set_state(fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_LE(n, list_readers(fd, others, DEVRING_READERS_MAX));
	EXPECT_EQ(0, take_away(fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	EXPECT_EQ(-ENODEV, list_readers(fd, others, DEVRING_READERS_MAX));
}

/* Others are hidden; of those who are the same user on the host only the uid is known, as it is called here. */
TEST_F(contained, does_not_learn_who_reads)
{
	int fd = open_public(self->control, "open"), hidden = 0, outside = 0;
	struct devring_reader readers[DEVRING_READERS_MAX];
	int n = list_readers(fd, readers, DEVRING_READERS_MAX);

	ASSERT_LE(3, n);
	for (int i = 0; i < n; i++) {
		const struct devring_reader *r = &readers[i];

		if (r->flags & DEVRING_READER_IS_SELF) {
			EXPECT_EQ(getpid(), r->open_pid);
			EXPECT_EQ(0, r->uid);
		} else if (r->flags & DEVRING_READER_IS_HIDDEN) {
			EXPECT_EQ(OVERFLOW_UID, r->uid);
			EXPECT_EQ(0, r->open_pid | r->last_pid | r->map_pid);
			EXPECT_EQ(0, r->cgroup);
			hidden++;
		} else {
			EXPECT_EQ(0, r->uid);
			outside += r->open_pid == 0;
		}
	}
	EXPECT_LT(0, hidden);
	EXPECT_LT(0, outside);
}

TEST_HARNESS_MAIN

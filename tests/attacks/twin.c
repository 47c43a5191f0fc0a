// SPDX-License-Identifier: GPL-2.0-only
/* Other ways to a node: mknod, links, bind mounts, numbers of devices that are gone. */
#include "userns.h"

#include <sys/mount.h>

#define FOLDER	"/tmp/devring-twins"
#define TWIN	FOLDER "/twin"

FIXTURE(twin) {
	struct source s;
	dev_t number;
};

FIXTURE_SETUP(twin)
{
	struct stat st;

	source_up(_metadata, &self->s, "twin", 0, 4, 4096, 0);
	ASSERT_EQ(0, stat(self->s.node, &st));
	self->number = st.st_rdev;
	mkdir(FOLDER, 0755);
	unlink(TWIN);
}

FIXTURE_TEARDOWN(twin)
{
	umount2(TWIN, MNT_DETACH);
	unlink(TWIN);
	rmdir(FOLDER);
}

static struct stream open_as(const char *path, int flags, uid_t uid)
{
	struct stream r;
	gid_t gid = getegid();

	if (setegid(uid) || seteuid(uid))
		_exit(97);
	r = stream_of(rc(open(path, flags | O_NONBLOCK | O_CLOEXEC)), DEVRING_RECORD_MAX);
	if (seteuid(0) || setegid(gid))
		_exit(97);
	return r;
}

static int recheck(const struct source *s)
{
	uint32_t revoked = 99;

	return take_away(s->fd, DEVRING_REVOKE_RECHECK, 0, 0, &revoked) ?: revoked;
}

static int is_revoked(int fd)
{
	return ready(fd, POLLIN) == (POLLHUP | POLLERR);
}

/* No user makes one, not as root of a namespace either. */
TEST_F(twin, made_by_users)
{
	pid_t pid;

	ASSERT_EQ(0, chmod(FOLDER, 0777));
	CHILD(pid) {
		become(USER_A);
		EXPECT_EQ(-EPERM, rc(mknod(TWIN, S_IFCHR | 0666, self->number)));
		ASSERT_EQ(0, enter_userns(USER_A));
		EXPECT_EQ(-EPERM, rc(mknod(TWIN, S_IFCHR | 0666, self->number)));
		ASSERT_EQ(0, rc(unshare(CLONE_NEWNS)));
		ASSERT_EQ(0, rc(mount("none", FOLDER, "tmpfs", 0, NULL)));
		EXPECT_EQ(-EPERM, rc(mknod(TWIN, S_IFCHR | 0666, self->number)));
	}
	wait_child(_metadata, pid);
	/* It is undefended against root. */
	EXPECT_EQ(0, mknod(TWIN, S_IFCHR | 0666, self->number));
}

/* One that root made for others has rights of its own, and RECHECK asks that which was opened. */
TEST_F(twin, is_judged_by_itself)
{
	struct stream r, of_node;

	ASSERT_EQ(0, mknod(TWIN, S_IFCHR, self->number));
	ASSERT_EQ(0, chmod(TWIN, 0666));
	of_node = open_as(self->s.node, O_RDONLY, USER_A);
	EXPECT_EQ(-EACCES, of_node.fd);
	r = open_as(TWIN, O_RDONLY, USER_A);
	ASSERT_LE(0, r.fd);
	EXPECT_EQ(0, recheck(&self->s));
	ASSERT_EQ(0, chmod(self->s.node, 0));
	EXPECT_EQ(0, recheck(&self->s));
	EXPECT_FALSE(is_revoked(r.fd));
	ASSERT_EQ(0, chmod(TWIN, 0660));
	EXPECT_EQ(1, recheck(&self->s));
	EXPECT_TRUE(is_revoked(r.fd));
}

/* By its uid, or with all, whoever came through it is found. */
TEST_F(twin, does_not_hide)
{
	struct devring_reader readers[2];
	struct stream r;

	ASSERT_EQ(0, mknod(TWIN, S_IFCHR, self->number));
	ASSERT_EQ(0, chmod(TWIN, 0666));
	r = open_as(TWIN, O_RDONLY, USER_A);
	ASSERT_EQ(1, list_readers(self->s.fd, readers, 2));
	EXPECT_EQ(USER_A, readers[0].uid);
	EXPECT_EQ(getpid(), readers[0].open_pid);
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_UID, USER_A, 0, NULL));
	EXPECT_TRUE(is_revoked(r.fd));
	r = open_as(TWIN, O_RDONLY, USER_A);
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
	EXPECT_TRUE(is_revoked(r.fd));
}

/* Links and bind mounts are the node itself. */
TEST_F(twin, links_and_mounts)
{
	static const char link_path[] = "/dev/devring-twin-link";
	struct stream r[2];
	int fd;

	unlink(link_path);
	ASSERT_EQ(0, link(self->s.node, link_path));
	fd = open(TWIN, O_CREAT | O_WRONLY, 0666);
	close(fd);
	ASSERT_EQ(0, mount(self->s.node, TWIN, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, chmod(self->s.node, 0604));
	r[0] = open_as(link_path, O_RDONLY, USER_A);
	r[1] = open_as(TWIN, O_RDONLY, USER_A);
	unlink(link_path);
	ASSERT_LE(0, r[0].fd);
	ASSERT_LE(0, r[1].fd);
	EXPECT_EQ(0, recheck(&self->s));
	ASSERT_EQ(0, chmod(self->s.node, 0600));
	EXPECT_EQ(-EACCES, open_as(TWIN, O_RDONLY, USER_A).fd);
	EXPECT_EQ(2, recheck(&self->s));
	EXPECT_TRUE(is_revoked(r[0].fd) && is_revoked(r[1].fd));
}

/* Opened with neither mode, which takes both rights: it can poll and keep the camera on, so it is asked too. */
TEST_F(twin, opened_for_neither)
{
	int fd;

	ASSERT_EQ(0, chmod(self->s.node, 0606));
	fd = open_as(self->s.node, O_ACCMODE, USER_A).fd;
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, recheck(&self->s));
	EXPECT_EQ(POLLIN, ready(fd, POLLIN));
	EXPECT_EQ(1, device_of(_metadata, &self->s).readers);
	ASSERT_EQ(0, chmod(self->s.node, 0600));
	EXPECT_EQ(1, recheck(&self->s));
	EXPECT_TRUE(is_revoked(fd));
	EXPECT_EQ(0, device_of(_metadata, &self->s).readers);
}

/* The number of a device that is gone is not soon another's: neither an old twin nor an old file gets there. */
TEST_F(twin, of_a_device_that_is_gone)
{
	unsigned char record[DEVRING_RECORD_MAX];
	struct stream before;
	struct source others[20];
	char name[16];
	long result;

	ASSERT_EQ(0, mknod(TWIN, S_IFCHR | 0600, self->number));
	before = stream_of(open(TWIN, O_RDONLY | O_NONBLOCK | O_CLOEXEC), DEVRING_RECORD_MAX);
	ASSERT_EQ(-EAGAIN, skip_news(&before));
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "next%d", i);
		source_up(_metadata, &others[i], name, 0, 3, 4096, 0);
		ASSERT_EQ(0, produce(&others[i], 1));
		result = rc(open(TWIN, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
		ASSERT_TRUE(result == -ENXIO || result == -ENODEV) TH_LOG("open: %ld", result);
	}
	/* That it ended is all that it is told. */
	EXPECT_EQ(0, skip_news(&before));
	EXPECT_EQ(0, read(before.fd, record, sizeof(record)));
	for (int i = 0; i < 20; i++) {
		pread(before.fd, record, 64, others[i].g.slots_offset);
		EXPECT_FALSE(is_frame(record, 64, 0));
	}
}

/* A control node that belongs to a container's root does not make him one of those who have the plain names. */
TEST_F(settings, twin_of_the_control_node)
{
	struct stat st;
	pid_t pid;

	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	mkdir(FOLDER, 0755);
	unlink(TWIN);
	ASSERT_EQ(0, mknod(TWIN, S_IFCHR | 0600, st.st_rdev));
	ASSERT_EQ(0, chown(TWIN, USER_A, USER_A));
	CHILD(pid) {
		struct devring_register r = registration("camera0", 0);
		struct devring_device d;
		char link[DEVRING_LINK_SIZE];
		int control, fd;

		become_userns_root(_metadata, USER_A);
		control = rc(open(TWIN, O_RDWR));
		ASSERT_LE(0, control);
		fd = call(control, DEVRING_IOC_REGISTER, &r);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, query(fd, 0, &d));
		snprintf(link, sizeof(link), "u%d-camera0", USER_A);
		EXPECT_STREQ(link, d.link);
		EXPECT_EQ(0, d.registrant_uid);
	}
	wait_child(_metadata, pid);
	unlink(TWIN);
	rmdir(FOLDER);
}

TEST_HARNESS_MAIN

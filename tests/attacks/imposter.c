// SPDX-License-Identifier: GPL-2.0-only
/* Becoming the producer of somebody's camera, or whom somebody takes for it; becoming who hears somebody's voice. */
#include "userns.h"

FIXTURE(imposter) {
	struct source s;
	mode_t mode;
};

/* Root's camera, which everybody may read and write, and a control node that everybody may write. */
FIXTURE_SETUP(imposter)
{
	struct stat st;

	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	self->mode = st.st_mode & 07777;
	ASSERT_EQ(0, open_control_to_all());
	source_up(_metadata, &self->s, "camera0", DEVRING_REG_PERSIST | DEVRING_REG_PUBLIC, 4, 4096, 64);
	ASSERT_EQ(0, chmod(self->s.node, 0666));
}

FIXTURE_TEARDOWN(imposter)
{
	unregister(self->s.id);
	EXPECT_EQ(0, chmod(CONTROL_NODE, self->mode));
}

/* Everything that a producer does, by who is none. */
static void try_to_produce(ARGS, int fd, const struct devring_slot *out, long for_writing)
{
	struct devring_export export = INIT(devring_export);

	EXPECT_EQ(for_writing, commit(fd, out, 1, 0));
	EXPECT_EQ(for_writing, give_back(fd, out));
	EXPECT_EQ(-EACCES, set_ring(fd, 4, 4096, 0, NULL));
	EXPECT_EQ(-EACCES, set_format(fd, 1));
	EXPECT_EQ(-EACCES, set_state(fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_EQ(info_now(_metadata).features & DEVRING_FEATURE_EXPORT ? -EACCES : -EOPNOTSUPP,
		  call(fd, DEVRING_IOC_EXPORT, &export));
	EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
	EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_RECHECK, 0, 0, NULL));
}

static void try_to_take_over(ARGS, uint64_t id)
{
	EXPECT_EQ(-EPERM, attach(id, 0));
	EXPECT_EQ(-EPERM, attach(id, DEVRING_ATTACH_TAKEOVER));
	EXPECT_EQ(-EPERM, unregister(id));
}

/* A file that reads does nothing else, whatever it was opened for. */
TEST_F(imposter, with_a_reader)
{
	struct devring_grant g = INIT(devring_grant);
	struct devring_slot slot;
	uint64_t head;
	pid_t pid;

	ASSERT_EQ(0, take(self->s.fd, &slot));
	head = device_of(_metadata, &self->s).head;
	CHILD(pid) {
		static const struct { int flags; long write; } modes[] = {
			{ O_RDONLY, -EBADF }, { O_WRONLY, -EBADF }, { O_RDWR, -EBADF }, { O_ACCMODE, -EBADF },
		};
		size_t bytes = self->s.g.ring_bytes;
		int fd = -1;

		become(USER_A);
		for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
			fd = node_open(&self->s, modes[i].flags);
			ASSERT_LE(0, fd);
			try_to_produce(_metadata, fd, &slot, modes[i].write);
			EXPECT_EQ(-EACCES, map_errno(fd, self->s.g.ring_offset, bytes, RW, MAP_SHARED));
			EXPECT_EQ(-EACCES, map_errno(fd, self->s.g.slots_offset, 4096, PROT_WRITE, MAP_SHARED));
		}
		fd = call(node_open(&self->s, O_RDWR), DEVRING_IOC_GRANT, &g);
		ASSERT_LE(0, fd);
		try_to_produce(_metadata, fd, &slot, -EBADF);
		fd = control_open(O_RDWR);
		EXPECT_EQ(-ENOTTY, set_ring(fd, 4, 4096, 0, NULL));
		EXPECT_EQ(-EINVAL, commit(fd, &slot, 1, 0));
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(head, device_of(_metadata, &self->s).head);
	EXPECT_EQ(1, device_of(_metadata, &self->s).queued);
	EXPECT_EQ(0, commit(self->s.fd, &slot, 1, 0));
}

TEST_F(imposter, as_root_of_a_namespace)
{
	pid_t pid;

	CHILD(pid) {
		become_userns_root(_metadata, USER_A);
		try_to_take_over(_metadata, self->s.id);
		try_to_produce(_metadata, node_open(&self->s, O_RDWR), &(struct devring_slot){ 0 }, -EBADF);
	}
	wait_child(_metadata, pid);
	/* Nor when the camera waits for its next producer. */
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	CHILD(pid) {
		become_userns_root(_metadata, USER_A);
		try_to_take_over(_metadata, self->s.id);
	}
	wait_child(_metadata, pid);
	self->s.fd = attach(self->s.id, 0);
	EXPECT_LE(0, self->s.fd);
}

/* Who was root when he opened the control node is judged by who he is when he calls. */
TEST_F(imposter, after_setuid)
{
	struct devring_attach a = INIT(devring_attach, .flags = DEVRING_ATTACH_TAKEOVER, .id = self->s.id);
	struct devring_unregister u = INIT(devring_unregister, .id = self->s.id);
	struct devring_register r = registration("camera1", 0);
	int control = control_open(O_RDWR), fd;
	struct devring_device d;
	char link[32];
	pid_t pid;

	CHILD(pid) {
		become(USER_A);
		EXPECT_EQ(-EPERM, call(control, DEVRING_IOC_ATTACH, &a));
		EXPECT_EQ(-EPERM, call(control, DEVRING_IOC_UNREGISTER, &u));
		fd = call(control, DEVRING_IOC_REGISTER, &r);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, query(fd, 0, &d));
		snprintf(link, sizeof(link), "u%d-camera1", USER_A);
		EXPECT_STREQ(link, d.link);
		EXPECT_EQ(USER_A, d.registrant_uid);
	}
	wait_child(_metadata, pid);
	CHILD(pid) {
		/* The effective uid counts, which a set-user-ID program drops. */
		ASSERT_EQ(0, seteuid(USER_A));
		EXPECT_EQ(-EPERM, call(control, DEVRING_IOC_ATTACH, &a));
		EXPECT_EQ(-EPERM, call(control, DEVRING_IOC_UNREGISTER, &u));
	}
	wait_child(_metadata, pid);
}

/* A reader that was passed on, or sent back to root, stays what it is. */
TEST_F(imposter, with_passed_files)
{
	struct devring_slot slot;
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	ASSERT_EQ(0, take(self->s.fd, &slot));
	CHILD(pid) {
		become(USER_A);
		ASSERT_EQ(1, send_fd(pair[1], node_open(&self->s, O_RDWR)));
		try_to_produce(_metadata, receive_fd(pair[1]), &slot, -EBADF);
	}
	/* Root revokes as root, whosever file it is, and produces with none but a producer's. */
	EXPECT_EQ(-EBADF, commit(receive_fd(pair[0]), &slot, 1, 0));
	ASSERT_EQ(1, send_fd(pair[0], node_open(&self->s, O_RDWR)));
	wait_child(_metadata, pid);
	EXPECT_EQ(0, device_of(_metadata, &self->s).head);
}

/* Whoever has a name first, the plain one is the system's, and each is told who is behind it. */
TEST_F(imposter, with_the_same_name)
{
	static const char *const bad[] = { "u0-camera0", "u1001-camera0", "by-id", "by-id-x", "../camera0", "..",
					   "a/b", "" };
	struct devring_device d;
	struct source s;
	char link[32];
	pid_t pid;

	for (int before = 0; before < 2; before++) {
		int out[2], in[2];

		ASSERT_EQ(0, pipe(out));
		ASSERT_EQ(0, pipe(in));
		if (before) {
			munmap(self->s.map, area_bytes(&self->s.g));
			close(self->s.fd);
			ASSERT_EQ(0, unregister(self->s.id));
		}
		CHILD(pid) {
			become(USER_A);
			ASSERT_EQ(0, source_register(&s, "camera0", 0));
			d = device_of(_metadata, &s);
			snprintf(link, sizeof(link), "u%d-camera0", USER_A);
			EXPECT_STREQ(link, d.link);
			EXPECT_EQ(USER_A, d.registrant_uid);
			EXPECT_EQ(USER_A, d.producer_uid);
			for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
				EXPECT_EQ(-EINVAL, source_register(&s, bad[i], 0)) TH_LOG("'%s'", bad[i]);
			}
			tell(out[1]);
			hear(_metadata, in[0]);
		}
		hear(_metadata, out[0]);
		if (before) {
			ASSERT_EQ(0, source_register(&self->s, "camera0", DEVRING_REG_PERSIST));
		}
		EXPECT_STREQ("camera0", device_of(_metadata, &self->s).link);
		tell(in[1]);
		wait_child(_metadata, pid);
	}
}

/* Whose sink it is hears; a sink of the same name is another one, and its opener's words go nowhere else. */
TEST_F(imposter, who_listens)
{
	struct devring_register r = registration("speaker0", DEVRING_REG_SINK | DEVRING_REG_PERSIST);
	struct source sink = { 0 }, player = { 0 };
	int out[2], in[2];
	pid_t pid;

	r.type = DEVRING_TYPE_SPEAKER;
	sink.fd = registered(&r);
	ASSERT_LE(0, sink.fd);
	snprintf(sink.node, sizeof(sink.node), "/dev/devring%u", r.minor);
	ASSERT_EQ(0, set_ring(sink.fd, 4, 4096, 0, NULL));
	ASSERT_EQ(0, chmod(sink.node, 0666));
	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0, pipe(in));
	CHILD(pid) {
		struct devring_open o = INIT(devring_open, .id = r.id);
		struct devring_grant g = INIT(devring_grant);
		struct devring_frame f;
		struct stream mine;
		int fd;

		become(USER_A);
		/* There is no reader's file of a sink to be had. */
		EXPECT_EQ(-EACCES, node_open(&sink, O_RDONLY));
		EXPECT_EQ(-EACCES, call(control_open(O_RDONLY), DEVRING_IOC_OPEN, &o));
		try_to_take_over(_metadata, r.id);
		fd = node_open(&sink, O_RDWR);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EACCES, call(fd, DEVRING_IOC_GRANT, &g));
		EXPECT_EQ(-EACCES, set_reader(fd, 0, DEVRING_START_OLDEST, 1));
		EXPECT_EQ(-EACCES, set_ring(fd, 4, 4096, 0, NULL));
		close(fd);
		mine = stream_of(registered(&r), DEVRING_RECORD_MAX);
		ASSERT_LE(0, mine.fd);
		ASSERT_EQ(0, set_ring(mine.fd, 4, 4096, 0, NULL));
		fcntl(mine.fd, F_SETFL, O_NONBLOCK);
		tell(out[1]);
		hear(_metadata, in[0]);
		EXPECT_EQ(-EAGAIN, next_frame(&mine, &f));
		EXPECT_EQ(0, unregister(r.id));
	}
	hear(_metadata, out[0]);
	player = sink;
	player.fd = node_open(&sink, O_RDWR);
	ASSERT_LE(0, player.fd);
	player.g = device_of(_metadata, &player).geometry;
	ASSERT_EQ(0, source_map(&player));
	ASSERT_EQ(0, produce(&player, 2));
	tell(in[1]);
	wait_child(_metadata, pid);
	EXPECT_EQ(2, device_of(_metadata, &player).head);
	unregister(r.id);
}

TEST_HARNESS_MAIN

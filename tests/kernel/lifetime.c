// SPDX-License-Identifier: GPL-2.0-only
/* Lifetime: producers that die, come back, are replaced; devices that end while others look. */
#include "lib.h"

/* How far a producer gets before it is killed. */
enum step { REGISTERED, WITH_RING, PRODUCED, SLOTS_OUT, IN_PARTIAL, STEPS };

FIXTURE(life) {
	struct source s;
	struct stream r;
	struct devring_frame f;
	pid_t producer;
	int id_pipe[2];
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, pipe2(self->id_pipe, O_CLOEXEC));
}

FIXTURE_TEARDOWN(life)
{
	if (self->s.id) {
		unregister(self->s.id);
	}
}

/* What a producer does up to @step; it is not there any more to say more than its id. */
static void live_up_to(ARGS, FIXTURE_DATA(life) *self, __u32 flags, enum step step)
{
	struct devring_slot slot = { 0 };

	ASSERT_EQ(0, source_register(&self->s, "mortal", flags));
	if (step >= WITH_RING) {
		ASSERT_EQ(0, source_ring(&self->s, 6, 4096, 64));
	}
	if (step >= PRODUCED) {
		ASSERT_EQ(0, produce(&self->s, 3));
	}
	for (int i = 0; step >= SLOTS_OUT && i < 3; i++) {
		ASSERT_EQ(0, take(self->s.fd, &slot));
	}
	if (step >= IN_PARTIAL) {
		fill(slot_at(&self->s, slot.offset), 4096, 99);
		ASSERT_EQ(0, commit(self->s.fd, &slot, 4096, DEVRING_FRAME_PARTIAL));
	}
	ASSERT_EQ(sizeof(self->s), write(self->id_pipe[1], &self->s, sizeof(self->s)));
}

/* A producer in a process of its own that waits to be killed; here there is no descriptor of it. */
static void start_producer(ARGS, FIXTURE_DATA(life) *self, __u32 flags, enum step step)
{
	CHILD(self->producer) {
		live_up_to(_metadata, self, flags, step);
		pause();
	}
	ASSERT_EQ(POLLIN, wait_ready(self->id_pipe[0], POLLIN));
	ASSERT_EQ(sizeof(self->s), read(self->id_pipe[0], &self->s, sizeof(self->s)));
	self->s.fd = -1;
	self->s.map = NULL;
}

static __u32 state_now(ARGS, uint64_t id)
{
	struct devring_device d = { 0 };
	int control = control_open(O_RDONLY);
	int result = query(control, id, &d);

	close(control);
	return result == -ENODEV ? (__u32)DEVRING_STATE_REMOVED : d.state;
}

/* The producer of @self->s is here now: map what it has. */
static void adopt(ARGS, FIXTURE_DATA(life) *self, int fd)
{
	struct devring_device d;

	ASSERT_LE(0, fd);
	self->s.fd = fd;
	d = device_of(_metadata, &self->s);
	self->s.g = d.geometry;
	self->s.head = d.head;
	if (d.geometry.generation) {
		ASSERT_EQ(0, source_map(&self->s));
	}
}

TEST_F(life, death_of_a_producer_ends_the_device)
{
	for (int step = REGISTERED; step < STEPS; step++) {
		struct devring_info before = info_now(_metadata);
		int frames = 0, kind, seen_end = 0;
		union record u;

		start_producer(_metadata, self, 0, step);
		self->r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
		ASSERT_EQ(0, set_reader(self->r.fd, 0, DEVRING_START_OLDEST, 1));
		EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
		kill_child(_metadata, self->producer);
		EXPECT_EQ(DEVRING_STATE_REMOVED, state_now(_metadata, self->s.id));
		EXPECT_EQ(-ENOENT, node_open(&self->s, O_RDONLY));
		while ((kind = next(&self->r, &u)) > 0) {
			frames += kind == DEVRING_RECORD_FRAME;
			seen_end += kind == DEVRING_RECORD_STATE &&
				    u.state.state == DEVRING_STATE_REMOVED;
		}
		EXPECT_EQ(0, kind);
		EXPECT_EQ(1, seen_end);
		/* Frames from before there was a reader are nobody's. */
		EXPECT_EQ(0, frames);
		close(self->r.fd);
		WAIT_FOR(info_now(_metadata).total_bytes == before.total_bytes);
		EXPECT_EQ(before.devices, info_now(_metadata).devices);
	}
}

/* A reader goes on with the file that it has, through the death and return of the producer. */
TEST_F(life, death_of_a_persistent_devices_producer)
{
	for (int step = REGISTERED; step < STEPS; step++) {
		struct devring_device d;
		uint64_t head;
		union record u;
		int kind, offline = 0;

		start_producer(_metadata, self, DEVRING_REG_PERSIST, step);
		reader_up(_metadata, &self->s, &self->r);
		kill_child(_metadata, self->producer);
		EXPECT_EQ(DEVRING_STATE_OFFLINE, state_now(_metadata, self->s.id));
		EXPECT_EQ(POLLIN, ready(self->r.fd, POLLIN));
		while ((kind = next(&self->r, &u)) > 0) {
			offline += kind == DEVRING_RECORD_STATE &&
				   u.state.state == DEVRING_STATE_OFFLINE;
		}
		EXPECT_EQ(-EAGAIN, kind);
		EXPECT_EQ(1, offline);
		ASSERT_EQ(0, query(self->r.fd, 0, &d));
		EXPECT_EQ(0, d.queued);
		EXPECT_EQ(0, d.producer_pid);
		EXPECT_EQ(step >= PRODUCED ? step == IN_PARTIAL ? 4 : 3 : 0, d.head);
		adopt(_metadata, self, attach(self->s.id, 0));
		EXPECT_EQ(DEVRING_STATE_AVAILABLE, state_now(_metadata, self->s.id));
		head = self->s.head;
		EXPECT_EQ(d.head, head);
		if (step == REGISTERED) {
			EXPECT_EQ(0, self->s.g.generation);
			ASSERT_EQ(0, source_ring(&self->s, 6, 4096, 64));
		} else {
			EXPECT_EQ(2, self->s.g.generation);
			EXPECT_EQ(6, self->s.g.slots);
		}
		ASSERT_EQ(0, produce(&self->s, 2));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(head, self->f.sequence);
		EXPECT_EQ(self->s.g.generation, self->f.generation);
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		munmap(self->s.map, area_bytes(&self->s.g));
		close(self->s.fd);
		close(self->r.fd);
		ASSERT_EQ(0, unregister(self->s.id));
	}
}

TEST_F(life, of_a_lease_by_mapping)
{
	int pids[2];
	pid_t keeper;
	long result;

	ASSERT_EQ(0, pipe(pids));
	CHILD(self->producer) {
		live_up_to(_metadata, self, 0, PRODUCED);
		keeper = fork();
		if (keeper == 0) {
			if (source_map(&self->s))
				_exit(1);
			close(self->s.fd);
			pause();
		}
		ASSERT_EQ(sizeof(keeper), write(pids[1], &keeper, sizeof(keeper)));
		pause();
	}
	ASSERT_EQ(sizeof(keeper), read(pids[0], &keeper, sizeof(keeper)));
	ASSERT_EQ(sizeof(self->s), read(self->id_pipe[0], &self->s, sizeof(self->s)));
	WAIT_ASLEEP(keeper);
	kill_child(_metadata, self->producer);
	/* The mapping alone keeps it. */
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, state_now(_metadata, self->s.id));
	result = node_open(&self->s, O_RDONLY);
	EXPECT_LE(0, result);
	ASSERT_EQ(0, kill(keeper, SIGKILL));
	WAIT_FOR(state_now(_metadata, self->s.id) == DEVRING_STATE_REMOVED);
}

TEST_F(life, of_a_lease_that_is_passed_on)
{
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	CHILD(self->producer) {
		live_up_to(_metadata, self, 0, PRODUCED);
		ASSERT_EQ(1, send_fd(ends[0], self->s.fd));
	}
	wait_child(_metadata, self->producer);
	ASSERT_EQ(sizeof(self->s), read(self->id_pipe[0], &self->s, sizeof(self->s)));
	/* It lives in the message. */
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, state_now(_metadata, self->s.id));
	adopt(_metadata, self, receive_fd(ends[1]));
	EXPECT_EQ(3, self->s.head);
	ASSERT_EQ(0, produce(&self->s, 5));
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	EXPECT_EQ(DEVRING_STATE_REMOVED, state_now(_metadata, self->s.id));
}

TEST_F(life, attach)
{
	struct devring_geometry before;
	int fd;

	source_up(_metadata, &self->s, "attach", DEVRING_REG_PERSIST, 5, 8192, 128);
	before = self->s.g;
	ASSERT_EQ(0, produce(&self->s, 2));
	EXPECT_EQ(-EBUSY, attach(self->s.id, 0));
	EXPECT_EQ(-EINVAL, attach(self->s.id, 1U << 1));
	EXPECT_EQ(-ENODEV, attach(self->s.id + 1000, 0));
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	fd = attach(self->s.id, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(-EBUSY, attach(self->s.id, 0));
	adopt(_metadata, self, fd);
	/* A ring like the last, and nothing in it. */
	EXPECT_EQ(before.generation + 1, self->s.g.generation);
	EXPECT_EQ(before.slots, self->s.g.slots);
	EXPECT_EQ(before.slot_size, self->s.g.slot_size);
	EXPECT_EQ(before.metadata_size, self->s.g.metadata_size);
	EXPECT_EQ(before.ring_bytes, self->s.g.ring_bytes);
	EXPECT_TRUE(all_bytes(self->s.map, area_bytes(&self->s.g), 0));
	EXPECT_EQ(2, self->s.head);
	ASSERT_EQ(0, produce(&self->s, 1));
	EXPECT_EQ(3, device_of(_metadata, &self->s).head);
}

TEST_F(settings, attach_by_others)
{
	struct source s = { 0 };
	int ids[2], fd;
	pid_t pid;

	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, pipe(ids));
	CHILD(pid) {
		become(USER_A);
		ASSERT_EQ(0, source_register(&s, "theirs", DEVRING_REG_PERSIST));
		ASSERT_EQ(sizeof(s), write(ids[1], &s, sizeof(s)));
	}
	wait_child(_metadata, pid);
	ASSERT_EQ(sizeof(s), read(ids[0], &s, sizeof(s)));
	CHILD(pid) {
		become(USER_B);
		EXPECT_EQ(-EPERM, attach(s.id, 0));
		EXPECT_EQ(-EPERM, attach(s.id, DEVRING_ATTACH_TAKEOVER));
		EXPECT_EQ(-EPERM, unregister(s.id));
	}
	wait_child(_metadata, pid);
	CHILD(pid) {
		become(USER_A);
		fd = attach(s.id, 0);
		EXPECT_LE(0, fd);
		close(fd);
		fd = attach(s.id, DEVRING_ATTACH_TAKEOVER);
		EXPECT_LE(0, fd);
	}
	wait_child(_metadata, pid);
	fd = attach(s.id, 0);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, unregister(s.id));
}

/* An ATTACH that fails leaves the device as it was. */
TEST_F(settings, attach_that_fails)
{
	struct devring_attach a = INIT(devring_attach);
	struct rlimit old, none = { 0 };
	struct source s = { 0 };
	int ids[2], control = control_open(O_RDWR), fd;
	pid_t pid;

	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, pipe(ids));
	CHILD(pid) {
		become(USER_A);
		source_up(_metadata, &s, "poor", DEVRING_REG_PERSIST, 4, 65536, 0);
		ASSERT_EQ(sizeof(s), write(ids[1], &s, sizeof(s)));
	}
	wait_child(_metadata, pid);
	ASSERT_EQ(sizeof(s), read(ids[0], &s, sizeof(s)));
	a.id = s.id;
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none.rlim_max = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, call(control, DEVRING_IOC_ATTACH, &a));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(DEVRING_STATE_OFFLINE, state_now(_metadata, s.id));
	ASSERT_EQ(0, set_limit("user_mb", 0));
	CHILD(pid) {
		become(USER_A);
		EXPECT_EQ(-EDQUOT, attach(s.id, 0));
		EXPECT_EQ(DEVRING_STATE_OFFLINE, state_now(_metadata, s.id));
	}
	wait_child(_metadata, pid);
	ASSERT_EQ(0, set_limit("user_mb", 16));
	CHILD(pid) {
		become(USER_A);
		EXPECT_LE(0, attach(s.id, 0));
	}
	wait_child(_metadata, pid);
	fd = control_open(O_RDONLY);
	a.id = s.id;
	EXPECT_EQ(-EACCES, call(fd, DEVRING_IOC_ATTACH, &a));
	EXPECT_EQ(0, unregister(s.id));
}

TEST_F(life, takeover)
{
	struct devring_slot slot;
	unsigned char *old_map, *reader_map;
	uint64_t old_slots;
	int old_fd, fd;

	source_up(_metadata, &self->s, "takeover", DEVRING_REG_PERSIST, 5, 4096, 0);
	reader_up(_metadata, &self->s, &self->r);
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	reader_map = map_of(self->r.fd, self->s.g.slots_offset, 5 * 4096, PROT_READ);
	ASSERT_EQ(0, take(self->s.fd, &slot));
	old_fd = self->s.fd;
	old_map = self->s.map;
	old_slots = self->s.g.slots_offset;
	fd = attach(self->s.id, DEVRING_ATTACH_TAKEOVER);
	adopt(_metadata, self, fd);
	EXPECT_EQ(-ENODEV, commit(old_fd, &slot, 1, 0));
	EXPECT_EQ(-ENODEV, take(old_fd, &slot));
	EXPECT_EQ(-ENODEV, set_ring(old_fd, 4, 4096, 0, NULL));
	EXPECT_EQ(-ENODEV, set_format(old_fd, 1));
	EXPECT_EQ(-ENODEV, set_state(old_fd, DEVRING_STATE_AVAILABLE, 0));
	EXPECT_EQ(-ENODEV, map_errno(old_fd, self->s.g.slots_offset, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-ENODEV, map_errno(old_fd, 0, PAGE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(POLLHUP | POLLERR, ready(old_fd, POLLIN | POLLOUT) & (POLLHUP | POLLERR));
	/* What it goes on writing is not in the frame that is held, nor in any other. */
	memset(old_map, 0xdd, 5 * 4096);
	EXPECT_TRUE(is_frame(reader_map + (self->f.offset - old_slots), 4096, 0));
	EXPECT_FALSE(all_bytes(reader_map, 4096, 0xdd));
	close(old_fd);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, state_now(_metadata, self->s.id));
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(1, self->f.sequence);
	EXPECT_EQ(self->s.g.generation, self->f.generation);
	EXPECT_EQ(0, self->f.lost);
	munmap(old_map, 5 * 4096);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, state_now(_metadata, self->s.id));
}

TEST_F(life, unregister)
{
	struct devring_slot slot;
	union record u;
	uint64_t id;
	int frames = 0, kind;

	source_up(_metadata, &self->s, "ended", DEVRING_REG_PERSIST, 5, 4096, 0);
	id = self->s.id;
	reader_up(_metadata, &self->s, &self->r);
	ASSERT_EQ(0, produce(&self->s, 2));
	ASSERT_EQ(0, take(self->s.fd, &slot));
	ASSERT_EQ(0, unregister(id));
	EXPECT_EQ(-ENODEV, unregister(id));
	EXPECT_EQ(-ENODEV, attach(id, DEVRING_ATTACH_TAKEOVER));
	EXPECT_EQ(-ENOENT, node_open(&self->s, O_RDONLY));
	EXPECT_EQ(-ENODEV, commit(self->s.fd, &slot, 1, 0));
	EXPECT_EQ(-ENODEV, take(self->s.fd, &slot));
	EXPECT_EQ(-ENODEV, set_ring(self->s.fd, 3, 1, 0, NULL));
	memset(self->s.map, 0xdd, area_bytes(&self->s.g));
	while ((kind = next(&self->r, &u)) > 0) {
		frames += kind == DEVRING_RECORD_FRAME;
	}
	EXPECT_EQ(0, kind);
	EXPECT_EQ(2, frames);
	/* The name is free while both old files are still open. */
	ASSERT_EQ(0, source_register(&self->s, "ended", 0));
	EXPECT_LT(id, self->s.id);
}

TEST_F(life, a_name_is_kept_while_offline)
{
	struct source s;

	ASSERT_EQ(0, source_register(&self->s, "kept", DEVRING_REG_PERSIST));
	close(self->s.fd);
	EXPECT_EQ(DEVRING_STATE_OFFLINE, state_now(_metadata, self->s.id));
	EXPECT_EQ(-EEXIST, source_register(&s, "kept", 0));
	EXPECT_EQ(0, unregister(self->s.id));
	EXPECT_EQ(0, source_register(&s, "kept", 0));
}

/* Who reads may have the rest of what an absent producer left, for some seconds; then it is zeroed. */
TEST_F(life, what_an_absent_producer_left)
{
	uint64_t before = info_now(_metadata).total_bytes;
	unsigned char *p;

	source_up(_metadata, &self->s, "left", DEVRING_REG_PERSIST, 5, 4096, 0);
	reader_up(_metadata, &self->s, &self->r);
	ASSERT_EQ(0, produce(&self->s, 3));
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	p = map_of(self->r.fd, self->s.g.slots_offset, 5 * 4096, PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	for (unsigned int i = 0; i < 3; i++) {
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(i, self->f.sequence);
		EXPECT_TRUE(is_frame(p + (self->f.offset - self->s.g.slots_offset), 4096, i));
	}
	ASSERT_EQ(0, release(self->r.fd, 2));
	WAIT_FOR(all_bytes(p, 5 * 4096, 0));
	/* With the last who could read it the memory goes too. */
	EXPECT_LT(before, info_now(_metadata).total_bytes);
	munmap(p, 5 * 4096);
	close(self->r.fd);
	EXPECT_EQ(before, info_now(_metadata).total_bytes);
	EXPECT_EQ(0, unregister(self->s.id));
}

static int frames_for_a_newcomer(ARGS, const struct source *s)
{
	struct stream r = reader_open(s, O_RDONLY | O_NONBLOCK);
	struct devring_frame f;
	int frames = 0;

	ASSERT_EQ(0, set_reader(r.fd, 0, DEVRING_START_OLDEST, 1));
	while (next_frame(&r, &f) == 0) {
		frames++;
	}
	EXPECT_EQ(0, myself(_metadata, r.fd).lost);
	close(r.fd);
	return frames;
}

/* Nobody sees what was captured before he was let in, unless the device is for that. */
TEST_F(life, idle_devices_are_zeroed)
{
	source_up(_metadata, &self->s, "idle", 0, 5, 4096, 64);
	ASSERT_EQ(0, produce(&self->s, 4));
	EXPECT_EQ(0, frames_for_a_newcomer(_metadata, &self->s));
	EXPECT_TRUE(all_bytes(self->s.map, area_bytes(&self->s.g), 0));
	/* And again when the last one has gone. */
	reader_up(_metadata, &self->s, &self->r);
	ASSERT_EQ(0, produce(&self->s, 4));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(4, frames_for_a_newcomer(_metadata, &self->s));
	close(self->r.fd);
	EXPECT_TRUE(all_bytes(self->s.map, area_bytes(&self->s.g), 0));
	EXPECT_EQ(0, frames_for_a_newcomer(_metadata, &self->s));
}

TEST_F(life, history_is_kept_where_asked_for)
{
	source_up(_metadata, &self->s, "history", DEVRING_REG_KEEP_HISTORY, 5, 4096, 64);
	ASSERT_EQ(0, produce(&self->s, 4));
	EXPECT_EQ(4, frames_for_a_newcomer(_metadata, &self->s));
	EXPECT_EQ(4, frames_for_a_newcomer(_metadata, &self->s));
	reader_up(_metadata, &self->s, &self->r);
	close(self->r.fd);
	EXPECT_EQ(4, frames_for_a_newcomer(_metadata, &self->s));
}

/* Killed where it pleases the scheduler, with readers that never stop. */
TEST_F(life, death_at_any_instruction)
{
	uint64_t got = 0, lost = 0, last_head = 0;
	struct devring_device d;

	ASSERT_EQ(0, source_register(&self->s, "anywhere", DEVRING_REG_PERSIST));
	close(self->s.fd);
	self->r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, set_reader(self->r.fd, 0, DEVRING_START_NEXT, 2));
	/* Its first read makes it a reader: before there is anything to lose. */
	ASSERT_EQ(-EAGAIN, skip_news(&self->r));
	for (int round = 0; round < 20; round++) {
		CHILD(self->producer) {
			adopt(_metadata, self, attach(self->s.id, 0));
			ASSERT_EQ(0, source_ring(&self->s, 4 + round % 3, 4096, 64));
			while (produce(&self->s, 1) == 0) {
			}
		}
		ASSERT_EQ(0, query(self->r.fd, 0, &d));
		for (int i = 0; i < 10 + 7 * round; ) {
			int result = next_frame(&self->r, &self->f);

			if (result == -EAGAIN) {
				ASSERT_LT(0, wait_ready(self->r.fd, POLLIN));
				continue;
			}
			ASSERT_EQ(0, result);
			got++;
			lost += self->f.lost;
			EXPECT_EQ(got + lost - 1, self->f.sequence);
			i++;
		}
		kill_child(_metadata, self->producer);
		ASSERT_EQ(0, query(self->r.fd, 0, &d));
		EXPECT_EQ(0, d.queued);
		EXPECT_LT(last_head, d.head);
		last_head = d.head;
	}
}

TEST_HARNESS_MAIN

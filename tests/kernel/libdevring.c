// SPDX-License-Identifier: GPL-2.0-only
/* libdevring against the module: finding, reading, sampling, producing, following. */
#include "lib.h"

#include <pthread.h>

#include <devring/client.h>

FIXTURE(client) {
	struct devring_producer *p;
	struct devring_reader_file *r;
	struct devring_view v;
	struct devring_register reg;
	uint64_t head;
	char node[DEVRING_NODE_SIZE];
};

static struct devring_register camera(const char *name, uint32_t flags)
{
	struct devring_register reg = { .flags = flags, .type = DEVRING_TYPE_CAMERA };

	snprintf(reg.name, sizeof(reg.name), "%s", name);
	return reg;
}

static int id_of(const char *spec)
{
	struct devring_device d;
	int control = devring_control_open(O_RDONLY);
	int ret = devring_find(control, spec, &d);

	close(control);
	return ret ? ret : (int)d.id;
}

/* A camera of four slots of a page. */
FIXTURE_SETUP(client)
{
	/* Of a test that ended before its teardown. */
	if (id_of("client") > 0)
		unregister(id_of("client"));
	self->reg = camera("client", DEVRING_REG_PERSIST);
	snprintf(self->reg.stable_id, sizeof(self->reg.stable_id), "stable:1");
	snprintf(self->reg.path_id, sizeof(self->reg.path_id), "path-1");
	ASSERT_EQ(0, devring_producer_register(&self->p, &self->reg));
	ASSERT_EQ(0, devring_producer_set_ring(self->p, 4, 4096, 64));
	devring_node(self->reg.minor, self->node, sizeof(self->node));
	self->r = NULL;
	self->head = 0;
}

FIXTURE_TEARDOWN(client)
{
	devring_reader_close(self->r);
	devring_producer_close(self->p);
	EXPECT_EQ(0, unregister(self->reg.id));
}

static int produce_one(struct devring_producer *p, uint64_t number, uint32_t flags)
{
	struct devring_commit c = { .flags = flags, .media_time = number, .trace_id = number + 7 };
	struct devring_fill f;
	int ret = devring_producer_take(p, &f);

	if (ret)
		return ret;
	fill(f.data, f.size, number);
	if (f.metadata)
		fill(f.metadata, f.metadata_size, number);
	c.bytes = f.size;
	return devring_producer_commit(p, &f, &c);
}

#define PRODUCE(count) do {							\
	for (int i_ = 0; i_ < (count); i_++)					\
		ASSERT_EQ(0, produce_one(self->p, self->head++, 0));		\
} while (0)

static void open_reader(ARGS, FIXTURE_DATA(client) *self, struct devring_reader_options options)
{
	ASSERT_EQ(0, devring_reader_open(&self->r, self->node, &options));
	/* From now on it counts, and the next frame is its first. */
	ASSERT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
}

#define READER(...) \
	open_reader(_metadata, self, (struct devring_reader_options){ __VA_ARGS__ })

#define EXPECT_VIEW(number, lost_) do {						\
	ASSERT_EQ(DEVRING_EVENT_FRAME, devring_reader_next(self->r, &self->v, WAIT_MS)); \
	EXPECT_EQ(number, self->v.frame.sequence);				\
	EXPECT_EQ(lost_, self->v.frame.lost);					\
	EXPECT_TRUE(is_frame(self->v.data, self->v.bytes, number));		\
} while (0)

/* ---- finding ---- */

TEST_F(client, find)
{
	int id = self->reg.id;
	char text[64];

	EXPECT_EQ(id, id_of("client"));
	EXPECT_EQ(id, id_of("stable:1"));
	EXPECT_EQ(id, id_of("path-1"));
	EXPECT_EQ(id, id_of(self->node));
	EXPECT_EQ(id, id_of("/dev/devrings/client"));
	EXPECT_EQ(id, id_of("/dev/devrings/by-id/stable:1"));
	EXPECT_EQ(id, id_of("/dev/devrings/by-path/path-1"));
	EXPECT_EQ(id, id_of("@first-camera"));
	snprintf(text, sizeof(text), "%d", id);
	EXPECT_EQ(id, id_of(text));
	EXPECT_EQ(-ENODEV, id_of("clien"));
	EXPECT_EQ(-ENODEV, id_of("/dev/devring999999"));
	EXPECT_EQ(-ENODEV, id_of("/dev/devrings/by-id/client"));
	EXPECT_EQ(-ENODEV, id_of("@first-tensor"));
	EXPECT_EQ(-EINVAL, id_of("@first-toaster"));
	EXPECT_EQ(-EINVAL, id_of(""));
}

TEST_F(client, find_prefers_what_is_available)
{
	struct devring_register reg = camera("second", 0);
	struct devring_producer *second;

	devring_producer_close(self->p);
	self->p = NULL;
	ASSERT_EQ(0, devring_producer_register(&second, &reg));
	EXPECT_EQ((int)reg.id, id_of("@first-camera"));
	devring_producer_close(second);
	EXPECT_EQ((int)self->reg.id, id_of("@first-camera"));
}

/* A stranger who claims another's name, ids and type is not found by them. */
TEST_F(client, find_is_not_fooled)
{
	struct devring_register reg = self->reg;
	int up[2], down[2];
	struct stat st;
	pid_t pid;

	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, pipe(up) | pipe(down));
	CHILD(pid) {
		struct devring_producer *p;

		become(USER_A);
		reg.flags = 0;
		EXPECT_EQ(0, devring_producer_register(&p, &reg));
		EXPECT_EQ(0, id_of("client") == (int)reg.id);
		snprintf(reg.name, sizeof(reg.name), "mine");
		EXPECT_EQ(0, devring_producer_register(&p, &reg));
		EXPECT_EQ((int)reg.id, id_of("mine"));
		tell(up[1]);
		hear(_metadata, down[0]);
	}
	hear(_metadata, up[0]);
	EXPECT_EQ((int)self->reg.id, id_of("client"));
	EXPECT_EQ((int)self->reg.id, id_of("stable:1"));
	EXPECT_EQ((int)self->reg.id, id_of("path-1"));
	EXPECT_EQ((int)self->reg.id, id_of("@first-camera"));
	EXPECT_EQ(-ENODEV, id_of("mine"));
	EXPECT_LT(0, id_of("u1000-mine"));
	tell(down[1]);
	wait_child(_metadata, pid);
	EXPECT_EQ(0, chmod(CONTROL_NODE, st.st_mode & 07777));
}

TEST_F(client, iterate)
{
	struct devring_device d = { 0 };
	int control = devring_control_open(O_RDONLY);
	struct devring_info info;
	unsigned int count = 0;
	uint64_t last = 0;

	while (devring_next_device(control, &d) > 0) {
		EXPECT_LT(last, d.id);
		last = d.id;
		count++;
	}
	ASSERT_EQ(0, devring_get_info(control, &info));
	EXPECT_EQ(info.devices, count);
	EXPECT_LT(0, count);
}

TEST_F(client, open_public_without_right)
{
	struct devring_register reg = camera("public", DEVRING_REG_PUBLIC);
	struct devring_producer *p;
	struct stat st;
	pid_t pid;

	/* As the udev rules do: everybody may look. */
	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	ASSERT_EQ(0, chmod(CONTROL_NODE, 0664));
	ASSERT_EQ(0, devring_producer_register(&p, &reg));
	CHILD(pid) {
		int fd;

		become(USER_A);
		EXPECT_EQ(-EACCES, devring_open_device(-1, "client", O_RDONLY));
		EXPECT_EQ(-EACCES, devring_open_device(-1, self->node, O_RDONLY));
		fd = devring_open_device(-1, "public", O_RDONLY);
		EXPECT_LE(0, fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		EXPECT_EQ(-EACCES, devring_open_device(-1, "public", O_RDWR));
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(-ENODEV, devring_open_device(-1, "nothing", O_RDONLY));
	EXPECT_EQ(-ENOENT, devring_open_device(-1, "/dev/nothing", O_RDONLY));
	EXPECT_EQ(0, chmod(CONTROL_NODE, st.st_mode & 07777));
	devring_producer_close(p);
}

/* ---- reading ---- */

TEST_F(client, frames)
{
	struct devring_counters c;

	READER();
	PRODUCE(2);
	EXPECT_VIEW(0, 0);
	EXPECT_EQ(4096, self->v.bytes);
	EXPECT_EQ(64, self->v.metadata_size);
	EXPECT_TRUE(is_frame(self->v.metadata, 64, 0));
	EXPECT_EQ(7, self->v.frame.trace_id);
	EXPECT_VIEW(1, 0);
	EXPECT_TRUE(devring_reader_intact(self->r, &self->v));
	EXPECT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
	EXPECT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 5));
	PRODUCE(6);
	EXPECT_VIEW(5, 3);
	devring_reader_counters(self->r, &c);
	EXPECT_EQ(3, c.delivered);
	EXPECT_EQ(3, c.lost);
	EXPECT_EQ(1, c.generations);
	EXPECT_EQ(0, c.holds_broken);
}

TEST_F(client, metadata_absent)
{
	ASSERT_EQ(0, devring_producer_set_ring(self->p, 3, 100, 0));
	READER();
	PRODUCE(1);
	EXPECT_VIEW(0, 0);
	EXPECT_EQ(100, self->v.bytes);
	EXPECT_EQ(NULL, self->v.metadata);
}

/* What another thread does once the main one sleeps in a system call. */
struct later {
	pthread_t thread;
	FIXTURE_DATA(client) *self;
	int result;
};

static void *produce_later(void *arg)
{
	struct later *later = arg;

	while (task_state(getpid()) != 'S')
		nap();
	later->result = produce_one(later->self->p, later->self->head++, 0);
	return NULL;
}

static void *read_later(void *arg)
{
	struct later *later = arg;

	while (task_state(getpid()) != 'S')
		nap();
	later->result = devring_reader_open(&later->self->r, later->self->node, NULL);
	if (!later->result)
		later->result = devring_reader_next(later->self->r, &later->self->v, 0);
	return NULL;
}

#define LATER(function) \
	struct later later = { .self = self, .result = 1 };			\
	ASSERT_EQ(0, pthread_create(&later.thread, NULL, function, &later))

TEST_F(client, waiting)
{
	const int timeouts[] = { -1, WAIT_MS };

	READER();
	for (int i = 0; i < 2; i++) {
		LATER(produce_later);
		ASSERT_EQ(DEVRING_EVENT_FRAME,
			  devring_reader_next(self->r, &self->v, timeouts[i]));
		EXPECT_EQ(i, self->v.frame.sequence);
		pthread_join(later.thread, NULL);
		EXPECT_EQ(0, later.result);
	}
}

TEST_F(client, waiting_on_a_descriptor_that_does_not)
{
	int fd = devring_open_device(-1, self->node, O_RDONLY | O_NONBLOCK);

	ASSERT_EQ(0, devring_reader_from_fd(&self->r, fd, NULL));
	EXPECT_EQ(fd, devring_reader_fd(self->r));
	ASSERT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
	LATER(produce_later);
	EXPECT_EQ(DEVRING_EVENT_FRAME, devring_reader_next(self->r, &self->v, -1));
	pthread_join(later.thread, NULL);
	EXPECT_EQ(0, later.result);
}

TEST_F(client, latest)
{
	READER();
	PRODUCE(2);
	ASSERT_EQ(DEVRING_EVENT_FRAME, devring_reader_latest(self->r, &self->v, 0));
	EXPECT_EQ(1, self->v.frame.sequence);
	EXPECT_EQ(1, self->v.frame.lost);
	EXPECT_EQ(-EAGAIN, devring_reader_latest(self->r, &self->v, 0));
	PRODUCE(2);
	EXPECT_VIEW(2, 0);
	ASSERT_EQ(DEVRING_EVENT_FRAME, devring_reader_latest(self->r, &self->v, 0));
	EXPECT_EQ(3, self->v.frame.sequence);
	EXPECT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
}

TEST_F(client, start)
{
	struct devring_reader_options o = { .start = DEVRING_START_OLDEST };
	struct devring_reader_file *keeper;

	/* As long as one reader is there the ring is not cleared. */
	ASSERT_EQ(0, devring_reader_open(&keeper, self->node, NULL));
	ASSERT_EQ(-EAGAIN, devring_reader_next(keeper, &self->v, 0));
	PRODUCE(3);
	ASSERT_EQ(0, devring_reader_open(&self->r, self->node, &o));
	EXPECT_VIEW(0, 0);
	devring_reader_close(self->r);
	o = (struct devring_reader_options){ .start = DEVRING_START_SEQUENCE, .sequence = 1 };
	ASSERT_EQ(0, devring_reader_open(&self->r, self->node, &o));
	EXPECT_VIEW(1, 0);
	devring_reader_close(self->r);
	ASSERT_EQ(0, devring_reader_open(&self->r, self->node, NULL));
	EXPECT_VIEW(2, 0);
	devring_reader_close(keeper);
}

TEST_F(client, holds)
{
	struct devring_view first;

	READER(.holds = 2);
	PRODUCE(2);
	EXPECT_VIEW(0, 0);
	first = self->v;
	EXPECT_VIEW(1, 0);
	PRODUCE(5);
	EXPECT_TRUE(is_frame(first.data, first.bytes, 0));
	EXPECT_TRUE(is_frame(self->v.data, self->v.bytes, 1));
	EXPECT_EQ(0, devring_reader_release(self->r, 0));
	EXPECT_EQ(-ENOENT, devring_reader_release(self->r, 0));
}

TEST_F(client, without_holds)
{
	READER(.holds = DEVRING_NO_HOLDS);
	PRODUCE(1);
	EXPECT_VIEW(0, 0);
	EXPECT_EQ(-ENOENT, devring_reader_release(self->r, 0));
	EXPECT_TRUE(devring_reader_intact(self->r, &self->v));
	PRODUCE(4);
	EXPECT_FALSE(devring_reader_intact(self->r, &self->v));
}

TEST_F(client, bad_options)
{
	struct devring_reader_options o = { .holds = DEVRING_HOLDS_MAX + 1 };

	EXPECT_EQ(-EINVAL, devring_reader_open(&self->r, self->node, &o));
	o = (struct devring_reader_options){ .start = 99 };
	EXPECT_EQ(-EINVAL, devring_reader_open(&self->r, self->node, &o));
	o = (struct devring_reader_options){ .flags = 1U << 31 };
	EXPECT_EQ(-EINVAL, devring_reader_open(&self->r, self->node, &o));
	self->r = NULL;
}

#define ALL_EVENTS (DEVRING_EVENT_STATE | DEVRING_EVENT_FORMAT | DEVRING_EVENT_GENERATION)

TEST_F(client, events)
{
	struct devring_format f = { .kind = DEVRING_FORMAT_BYTES }, got;
	struct devring_reader_options o = { .events = ALL_EVENTS };
	uint32_t seen = 0;
	int ret, error = 1;

	ASSERT_EQ(0, devring_producer_set_format(self->p, &f));
	ASSERT_EQ(0, devring_reader_open(&self->r, self->node, &o));
	EXPECT_EQ(0, devring_reader_state(self->r, NULL));
	while ((ret = devring_reader_next(self->r, &self->v, 0)) > 0) {
		EXPECT_EQ(0, seen & ret);
		seen |= ret;
	}
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_EQ(ALL_EVENTS, seen);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, devring_reader_state(self->r, &error));
	EXPECT_EQ(0, error);
	ASSERT_EQ(0, devring_producer_set_state(self->p, DEVRING_STATE_ERROR, EIO));
	ASSERT_EQ(DEVRING_EVENT_STATE, devring_reader_next(self->r, &self->v, 0));
	EXPECT_EQ(DEVRING_STATE_ERROR, devring_reader_state(self->r, &error));
	EXPECT_EQ(EIO, error);
	snprintf(f.bytes.media_type, sizeof(f.bytes.media_type), "text/plain");
	ASSERT_EQ(0, devring_producer_set_format(self->p, &f));
	ASSERT_EQ(DEVRING_EVENT_FORMAT, devring_reader_next(self->r, &self->v, 0));
	ASSERT_EQ(0, devring_reader_format(self->r, &got));
	EXPECT_STREQ("text/plain", got.bytes.media_type);
	EXPECT_EQ(f.generation, got.generation);
	ASSERT_EQ(0, devring_producer_set_ring(self->p, 3, 100, 0));
	ASSERT_EQ(DEVRING_EVENT_GENERATION, devring_reader_next(self->r, &self->v, 0));
	EXPECT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
}

TEST_F(client, the_end)
{
	struct devring_register reg = camera("mortal", 0);
	struct devring_producer *p;
	struct devring_reader_file *r;

	ASSERT_EQ(0, devring_producer_register(&p, &reg));
	ASSERT_EQ(0, devring_producer_set_ring(p, 4, 4096, 0));
	ASSERT_EQ(0, devring_reader_open(&r, "mortal", NULL));
	ASSERT_EQ(-EAGAIN, devring_reader_next(r, &self->v, 0));
	ASSERT_EQ(0, produce_one(p, 0, 0));
	devring_producer_close(p);
	ASSERT_EQ(DEVRING_EVENT_FRAME, devring_reader_next(r, &self->v, -1));
	EXPECT_TRUE(is_frame(self->v.data, self->v.bytes, 0));
	EXPECT_EQ(DEVRING_EVENT_END, devring_reader_next(r, &self->v, -1));
	EXPECT_EQ(DEVRING_EVENT_END, devring_reader_next(r, &self->v, 0));
	EXPECT_EQ(DEVRING_EVENT_END, devring_reader_latest(r, &self->v, WAIT_MS));
	EXPECT_EQ(DEVRING_STATE_REMOVED, devring_reader_state(r, NULL));
	devring_reader_close(r);
}

/* ---- generations ---- */

static int maps_of_devices(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	int count = 0;

	while (f && fgets(line, sizeof(line), f))
		count += !!strstr(line, "devring");
	if (f)
		fclose(f);
	return count;
}

TEST_F(client, a_reader_outlives_its_producer)
{
	READER();
	PRODUCE(1);
	EXPECT_VIEW(0, 0);
	for (int i = 0; i < 3; i++) {
		devring_producer_close(self->p);
		ASSERT_EQ(0, devring_producer_attach(&self->p, "stable:1", 0));
		PRODUCE(1);
		EXPECT_VIEW(i + 1, 0);
		EXPECT_EQ(i + 2, self->v.frame.generation);
	}
}

TEST_F(client, maps_stay_while_frames_are_held)
{
	const unsigned char *first;
	int maps;

	READER(.holds = 3);
	maps = maps_of_devices();
	PRODUCE(1);
	EXPECT_VIEW(0, 0);
	first = self->v.data;
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, devring_producer_set_ring(self->p, 4, 4096, 64));
		devring_producer_drop_old(self->p);
		PRODUCE(1);
		EXPECT_VIEW(i + 1, 0);
		/* Its content is not promised any more, but the memory is. */
		EXPECT_GE(255, *(const volatile unsigned char *)first);
	}
	EXPECT_EQ(maps + 2, maps_of_devices());
	PRODUCE(2);
	EXPECT_VIEW(3, 0);
	EXPECT_VIEW(4, 0);
	EXPECT_EQ(maps, maps_of_devices());
}

TEST_F(client, many_generations_unseen)
{
	int maps;

	READER(.holds = DEVRING_HOLDS_MAX);
	maps = maps_of_devices();
	for (int i = 0; i < 40; i++) {
		ASSERT_EQ(0, devring_producer_set_ring(self->p, 3, 64, 0));
		devring_producer_drop_old(self->p);
		EXPECT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
	}
	EXPECT_EQ(maps, maps_of_devices());
	/* One frame of each: never more maps than holds allow. */
	for (int i = 0; i < 40; i++) {
		ASSERT_EQ(0, devring_producer_set_ring(self->p, 3, 64, 0));
		devring_producer_drop_old(self->p);
		PRODUCE(1);
		EXPECT_VIEW(i, 0);
		EXPECT_GE(maps + DEVRING_HOLDS_MAX, maps_of_devices());
	}
}

/* ---- sampling ---- */

TEST_F(client, sampling)
{
	struct devring_view a;

	ASSERT_EQ(0, devring_reader_open(&self->r, self->node, NULL));
	EXPECT_EQ(0, devring_producer_readers(self->p));
	EXPECT_EQ(-EAGAIN, devring_sample_begin(self->r, &a));
	EXPECT_EQ(1, devring_producer_readers(self->p));
	PRODUCE(3);
	ASSERT_EQ(0, devring_sample_begin(self->r, &a));
	EXPECT_EQ(2, a.frame.sequence);
	EXPECT_EQ(9, a.frame.trace_id);
	EXPECT_TRUE(is_frame(a.data, a.bytes, 2));
	EXPECT_TRUE(is_frame(a.metadata, a.metadata_size, 2));
	EXPECT_EQ(0, devring_sample_end(self->r, &a));
	ASSERT_EQ(0, devring_sample_begin(self->r, &a));
	EXPECT_EQ(2, a.frame.sequence);
	PRODUCE(4);
	EXPECT_EQ(-ESTALE, devring_sample_end(self->r, &a));
	ASSERT_EQ(0, devring_sample_begin(self->r, &a));
	EXPECT_EQ(6, a.frame.sequence);
}

TEST_F(client, sampling_over_generations)
{
	struct devring_view a;
	int maps;

	ASSERT_EQ(0, devring_reader_open(&self->r, self->node, NULL));
	EXPECT_EQ(-EAGAIN, devring_sample_begin(self->r, &a));
	maps = maps_of_devices();
	for (int i = 0; i < 5; i++) {
		PRODUCE(1);
		ASSERT_EQ(0, devring_sample_begin(self->r, &a));
		EXPECT_EQ(i, a.frame.sequence);
		ASSERT_EQ(0, devring_producer_set_ring(self->p, 4, 4096, 64));
		devring_producer_drop_old(self->p);
		EXPECT_EQ(-EAGAIN, devring_sample_begin(self->r, &a));
		EXPECT_EQ(maps, maps_of_devices());
	}
	/* Reading and sampling by one object. */
	PRODUCE(1);
	ASSERT_EQ(0, devring_sample_begin(self->r, &a));
	EXPECT_VIEW(5, 5);
	EXPECT_EQ(a.data, self->v.data);
	EXPECT_EQ(0, devring_sample_end(self->r, &a));
}

TEST_F(client, sampling_without_a_ring)
{
	struct devring_register reg = camera("bare", 0);
	struct devring_reader_file *r;
	struct devring_producer *p;
	struct devring_view a;

	ASSERT_EQ(0, devring_producer_register(&p, &reg));
	ASSERT_EQ(0, devring_reader_open(&r, "bare", NULL));
	EXPECT_EQ(-EAGAIN, devring_sample_begin(r, &a));
	/* Or a producer that makes its ring for its readers would never make one. */
	EXPECT_EQ(1, devring_producer_readers(p));
	ASSERT_EQ(0, devring_producer_set_ring(p, 3, 64, 0));
	ASSERT_EQ(0, produce_one(p, 0, 0));
	EXPECT_EQ(0, devring_sample_begin(r, &a));
	devring_reader_close(r);
	devring_producer_close(p);
}

TEST_F(client, revoked)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	struct devring_view a;
	int fd = devring_producer_fd(self->p);

	READER();
	PRODUCE(1);
	EXPECT_VIEW(0, 0);
	ASSERT_EQ(0, devring_sample_begin(self->r, &a));
	ASSERT_EQ(1, devring_get_readers(fd, readers, DEVRING_READERS_MAX));
	EXPECT_EQ(getpid(), readers[0].last_pid);
	EXPECT_EQ(1, readers[0].delivered);
	EXPECT_EQ(-ENOENT, devring_revoke_readers(fd, DEVRING_REVOKE_READER, 0, 1ULL << 60));
	EXPECT_EQ(1, devring_revoke_readers(fd, DEVRING_REVOKE_READER, 0, readers[0].id));
	PRODUCE(1);
	EXPECT_EQ(-ENODEV, devring_reader_next(self->r, &self->v, -1));
	EXPECT_EQ(-ENODEV, devring_reader_next(self->r, &self->v, 0));
	EXPECT_EQ(-ENODEV, devring_reader_next(self->r, &self->v, 10));
	EXPECT_EQ(-ENODEV, devring_reader_latest(self->r, &self->v, 0));
	EXPECT_EQ(-ESTALE, devring_sample_end(self->r, &a));
	EXPECT_EQ(-ENODEV, devring_sample_begin(self->r, &a));
}

TEST_F(client, granted)
{
	struct devring_reader_file *r;
	struct devring_view v;
	int fd;

	READER();
	PRODUCE(1);
	EXPECT_EQ(-ETIME, devring_grant_reader(devring_reader_fd(self->r), 1));
	EXPECT_EQ(-EACCES, devring_grant_reader(devring_producer_fd(self->p), 0));
	fd = devring_grant_reader(devring_reader_fd(self->r), now_ns(CLOCK_BOOTTIME) + 600000000000);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(-EACCES, devring_grant_reader(fd, 0));
	ASSERT_EQ(0, devring_reader_from_fd(&r, fd, NULL));
	EXPECT_EQ(DEVRING_EVENT_FRAME, devring_reader_next(r, &v, -1));
	EXPECT_TRUE(is_frame(v.data, v.bytes, 0));
	devring_reader_close(self->r);
	self->r = NULL;
	EXPECT_EQ(-ENODEV, devring_reader_next(r, &v, -1));
	devring_reader_close(r);
}

/* ---- producing ---- */

TEST_F(client, slots)
{
	struct devring_commit c[2] = { { .bytes = 10 }, { .bytes = 20 } };
	struct devring_fill f[3];
	struct devring_geometry g;

	ASSERT_EQ(0, devring_producer_take(self->p, &f[0]));
	ASSERT_EQ(0, devring_producer_take(self->p, &f[1]));
	EXPECT_EQ(-ENOBUFS, devring_producer_take(self->p, &f[2]));
	EXPECT_EQ(-EAGAIN, devring_producer_take_wait(self->p, &f[2], 0));
	EXPECT_EQ(-EAGAIN, devring_producer_take_wait(self->p, &f[2], 5));
	EXPECT_EQ(4096, f[0].size);
	EXPECT_EQ(0, (uintptr_t)f[0].data % PAGE);
	EXPECT_EQ(0, (uintptr_t)f[1].metadata % 64);
	EXPECT_EQ(f[1].data, devring_producer_slot_address(self->p, f[1].slot));
	EXPECT_EQ(NULL, devring_producer_slot_address(self->p, 4));
	EXPECT_EQ(0, devring_producer_return(self->p, &f[0]));
	EXPECT_EQ(-EINVAL, devring_producer_return(self->p, &f[0]));
	ASSERT_EQ(0, devring_producer_take_wait(self->p, &f[0], -1));
	for (int i = 0; i < 2; i++) {
		c[i].generation = f[i].generation;
		c[i].slot = f[i].slot;
	}
	EXPECT_EQ(2, devring_producer_commit_many(self->p, c, 2));
	EXPECT_EQ(0, devring_producer_commit_many(self->p, c, 0));
	EXPECT_EQ(-EINVAL, devring_producer_commit_many(self->p, c, 2));
	EXPECT_EQ(2, devring_producer_header(self->p)->head);
	devring_producer_geometry(self->p, &g);
	EXPECT_EQ(1, g.generation);
}

TEST_F(client, stale_slots)
{
	struct devring_commit c = { .bytes = 1 };
	struct devring_fill f;

	ASSERT_EQ(0, devring_producer_take(self->p, &f));
	ASSERT_EQ(0, devring_producer_set_ring(self->p, 3, 64, 0));
	/* A driver may still write there. */
	memset(f.data, 1, f.size);
	EXPECT_EQ(-ESTALE, devring_producer_commit(self->p, &f, &c));
	EXPECT_EQ(-ESTALE, devring_producer_return(self->p, &f));
	EXPECT_EQ(0, produce_one(self->p, 0, 0));
}

TEST_F(client, no_ring)
{
	struct devring_register reg = camera("bare", 0);
	struct devring_producer *p;
	struct devring_fill f;

	ASSERT_EQ(0, devring_producer_register(&p, &reg));
	EXPECT_EQ(reg.id, devring_producer_id(p));
	EXPECT_EQ(-ENXIO, devring_producer_take(p, &f));
	EXPECT_EQ(-EAGAIN, devring_producer_take_wait(p, &f, 5));
	EXPECT_EQ(NULL, devring_producer_slot_address(p, 0));
	devring_producer_close(p);
}

TEST_F(client, readers_come_and_go)
{
	struct devring_fill f;

	EXPECT_EQ(0, devring_producer_readers(self->p));
	EXPECT_EQ(-EAGAIN, devring_producer_wait_readers(self->p, 0, 5));
	READER();
	/* Taking a slot reads the news on the way, and loses none. */
	ASSERT_EQ(0, devring_producer_take(self->p, &f));
	EXPECT_EQ(0, devring_producer_return(self->p, &f));
	EXPECT_EQ(1, devring_producer_readers(self->p));
	devring_reader_close(self->r);
	self->r = NULL;
	EXPECT_EQ(0, devring_producer_wait_readers(self->p, 1, WAIT_MS));
	LATER(read_later);
	EXPECT_EQ(1, devring_producer_wait_readers(self->p, 0, -1));
	pthread_join(later.thread, NULL);
	EXPECT_EQ(-EAGAIN, later.result);
}

/* What take() read on its way to a slot the descriptor does not tell again: it is asked for. */
TEST_F(client, readers_come_while_slots_are_taken)
{
	struct pollfd pfd = { .fd = devring_producer_fd(self->p), .events = POLLIN };

	READER();
	EXPECT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
	EXPECT_FALSE(devring_producer_has_news(self->p));
	PRODUCE(1);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_TRUE(devring_producer_has_news(self->p));
	EXPECT_EQ(1, devring_producer_readers(self->p));
	EXPECT_FALSE(devring_producer_has_news(self->p));
}

TEST_F(client, taken_over)
{
	struct devring_producer *next;
	struct devring_fill f;

	EXPECT_EQ(-EBUSY, devring_producer_attach(&next, "client", 0));
	ASSERT_EQ(0, devring_producer_attach(&next, "client", DEVRING_ATTACH_TAKEOVER));
	EXPECT_EQ(-ENODEV, devring_producer_take(self->p, &f));
	EXPECT_EQ(-ENODEV, devring_producer_take_wait(self->p, &f, -1));
	EXPECT_EQ(-ENODEV, devring_producer_readers(self->p));
	EXPECT_EQ(-ENODEV, devring_producer_set_ring(self->p, 3, 64, 0));
	EXPECT_EQ(0, produce_one(next, 0, 0));
	devring_producer_close(next);
	EXPECT_EQ(-ENODEV, devring_producer_attach(&next, "nothing", 0));
}

/* ---- sinks ---- */

TEST_F(client, sink)
{
	struct devring_register reg = camera("sink", DEVRING_REG_SINK);
	struct devring_producer *p, *second;
	struct devring_device d;
	int control = devring_control_open(O_RDWR);
	int fd = devring_register_device(control, &reg);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, devring_set_ring_fd(fd, 4, 4096, 0, NULL));
	ASSERT_EQ(0, devring_reader_from_fd(&self->r, fd, NULL));
	EXPECT_EQ(-EACCES, devring_open_device(control, "sink", O_RDONLY));
	ASSERT_EQ(0, devring_producer_open(&p, "sink"));
	EXPECT_EQ(-EBUSY, devring_producer_open(&second, "sink"));
	EXPECT_EQ(-EAGAIN, devring_reader_next(self->r, &self->v, 0));
	EXPECT_EQ(0, produce_one(p, 0, 0));
	EXPECT_VIEW(0, 0);
	/* The registrant wants smaller ones from now on: the producer follows. */
	ASSERT_EQ(0, devring_set_ring_fd(fd, 3, 64, 0, NULL));
	EXPECT_EQ(0, produce_one(p, 1, 0));
	EXPECT_VIEW(1, 0);
	EXPECT_EQ(64, self->v.bytes);
	ASSERT_EQ(0, devring_producer_device(p, &d));
	EXPECT_EQ(64, d.geometry.slot_size);
	devring_producer_close(p);
	ASSERT_EQ(0, devring_producer_open(&p, "sink"));
	EXPECT_EQ(0, produce_one(p, 2, 0));
	EXPECT_VIEW(2, 0);
	devring_producer_close(p);
	close(control);
}

/* ---- following ---- */

static int next_of(struct devring_watch *w, uint64_t id, struct devring_change *c)
{
	int kind;

	do
		kind = devring_watch_next(w, c, WAIT_MS);
	while (kind > 0 && c->device.id != id);
	return kind;
}

TEST_F(client, watch)
{
	struct devring_register reg = camera("new", 0);
	struct devring_producer *p;
	struct devring_change c;
	struct devring_watch *w;

	ASSERT_EQ(0, devring_watch_open(&w));
	ASSERT_EQ(DEVRING_RECORD_CHANGE, next_of(w, self->reg.id, &c));
	EXPECT_EQ(DEVRING_CHANGED_ADDED, c.changed & DEVRING_CHANGED_ADDED);
	EXPECT_STREQ("client", c.device.link);
	/* News of a device come at most ten times a second: until no more do. */
	while (devring_watch_next(w, &c, 500) > 0)
		;
	EXPECT_EQ(-EAGAIN, devring_watch_next(w, &c, 0));
	EXPECT_EQ(-EAGAIN, devring_watch_next(w, &c, 5));
	EXPECT_EQ(0, ready(devring_watch_fd(w), POLLIN));
	ASSERT_EQ(0, devring_producer_register(&p, &reg));
	EXPECT_EQ(POLLIN, ready(devring_watch_fd(w), POLLIN));
	ASSERT_EQ(DEVRING_RECORD_CHANGE, next_of(w, reg.id, &c));
	EXPECT_EQ(DEVRING_CHANGED_ADDED, c.changed & DEVRING_CHANGED_ADDED);
	devring_producer_close(p);
	ASSERT_EQ(DEVRING_RECORD_REMOVED, next_of(w, reg.id, &c));
	EXPECT_STREQ("new", c.device.name);
	devring_watch_close(w);
	devring_watch_close(NULL);
}

/* ---- threads ---- */

struct racer {
	pthread_t thread;
	const char *node;
	uint64_t delivered;
	uint64_t lost;
	uint64_t wrong;
};

#define RACE_FRAMES	2000

/* Reads to the frame that is marked as the last. */
static void *race(void *arg)
{
	struct devring_reader_options o = { .start = DEVRING_START_NEXT };
	struct devring_reader_file *r;
	struct racer *racer = arg;
	struct devring_counters c;
	struct devring_view v;
	bool end = false;

	if (devring_reader_open(&r, racer->node, &o))
		return NULL;
	while (!end && devring_reader_next(r, &v, WAIT_MS) == DEVRING_EVENT_FRAME) {
		racer->wrong += !is_frame(v.data, v.bytes, v.frame.sequence);
		end = v.frame.flags & DEVRING_FRAME_END;
	}
	devring_reader_counters(r, &c);
	racer->delivered = c.delivered;
	racer->lost = c.lost;
	devring_reader_close(r);
	return NULL;
}

TEST_F(client, threads)
{
	struct racer racers[4];

	ASSERT_EQ(0, devring_producer_set_ring(self->p, 8, 512, 0));
	for (int i = 0; i < 4; i++) {
		racers[i] = (struct racer){ .node = self->node };
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, race, &racers[i]));
		ASSERT_EQ(i + 1, devring_producer_wait_readers(self->p, i, WAIT_MS));
	}
	for (int i = 0; i < RACE_FRAMES; i++)
		ASSERT_EQ(0, produce_one(self->p, self->head++,
					 i == RACE_FRAMES - 1 ? DEVRING_FRAME_END : 0));
	for (int i = 0; i < 4; i++) {
		pthread_join(racers[i].thread, NULL);
		EXPECT_EQ(0, racers[i].wrong);
		EXPECT_EQ(RACE_FRAMES, racers[i].delivered + racers[i].lost);
		EXPECT_LT(0, racers[i].delivered);
	}
}

TEST_HARNESS_MAIN

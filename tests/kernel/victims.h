/* SPDX-License-Identifier: GPL-2.0-only */
/* Producers and readers whose lives are to be ended, and those who are left and look what became of what they had. */
#ifndef DEVRING_TESTS_VICTIMS_H
#define DEVRING_TESTS_VICTIMS_H

#include "lib.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define SLOTS		8
#define SLOT_SIZE	8192

/*
 * What all processes share: a persistent device of USER_A's, and one who has it open all the time; and a sink of
 * USER_A's, which all may play.  @p.fd is the test's own producer, or -1 while that is somebody else's part.
 */
struct scene {
	struct source p;
	struct source sink;
	struct devring_slot taken[SLOTS];	/* by the test's own producer, for the victim to be waited for */
	unsigned int nr_taken;
	struct stream bystander;
	uint64_t expected;		/* sequence that the bystander is due */
	uint32_t told_state;		/* the last one that the bystander was told */
	int witness[4], witnesses;	/* readers of what the victim has registered */
	struct devring_device seen[4];
};

typedef void life(struct scene *scene);

/* How far a victim is, in steps of its life; it stops for its tracer at one of them. */
static struct progress {
	unsigned int step, stop_at;
	pid_t pid;
} *progress;

/* ---- the victims ---- */

static void must(int line, long wanted, long got)
{
	if (wanted != got) {
		dprintf(STDOUT_FILENO, "# victims.h:%d: %ld in place of %ld\n", line, got, wanted);
		_exit(1);
	}
	if (++progress->step == progress->stop_at)
		syscall(SYS_kill, progress->pid, SIGSTOP);
}

static long must_have(int line, long got)
{
	must(line, 0, got < 0 ? got : 0);
	return got;
}

#define MUST(wanted, expression)	must(__LINE__, wanted, expression)
#define MUST_HAVE(expression)		must_have(__LINE__, expression)

static long open_public(int control, uint64_t id)
{
	struct devring_open o = INIT(devring_open, .flags = O_NONBLOCK, .id = id);

	return call(control, DEVRING_IOC_OPEN, &o);
}

static long grant(int fd, uint64_t ns)
{
	struct devring_grant g = INIT(devring_grant, .expires_ns = ns ? now_ns(CLOCK_BOOTTIME) + ns : 0);

	return call(fd, DEVRING_IOC_GRANT, &g);
}

/* One frame, in three pieces. */
static void produce_partial(struct source *s)
{
	struct devring_slot slot = { 0 };

	MUST(0, take(s->fd, &slot));
	fill(slot_at(s, slot.offset), s->g.slot_size, s->head++);
	MUST(0, commit(s->fd, &slot, 64, DEVRING_FRAME_PARTIAL));
	MUST(0, commit(s->fd, &slot, 128, DEVRING_FRAME_PARTIAL));
	MUST(0, commit(s->fd, &slot, s->g.slot_size, 0));
}

/* Readers that its own producer lets in and throws out. */
static void govern_readers(struct source *s, int control, struct stream *reader)
{
	struct devring_reader list[2];
	struct devring_frame f;
	long granted;

	*reader = stream_of(MUST_HAVE(open_public(control, s->id)), DEVRING_RECORD_MAX);
	MUST(-EAGAIN, skip_news(reader));
	MUST(POLLIN | POLLOUT, ready(s->fd, POLLIN | POLLOUT));
	MUST(0, produce(s, 2));
	MUST(0, next_frame(reader, &f));
	granted = MUST_HAVE(grant(reader->fd, 0));
	MUST(2, list_readers(s->fd, list, 2));
	MUST(0, take_away(s->fd, DEVRING_REVOKE_READER, 0, list[1].id, NULL));
	close(granted);
}

/* A slot as a dma-buf, where the kernel has them. */
static long export(const struct source *s, uint32_t slot)
{
	struct devring_export e = INIT(devring_export, .generation = s->g.generation, .slot = slot);

	return call(s->fd, DEVRING_IOC_EXPORT, &e);
}

/* What ends while somebody else still has a part of it: a dma-buf, and pages that are in a pipe. */
static void lend(struct source *s, struct stream *reader)
{
	unsigned char *map = map_of(reader->fd, s->g.slots_offset, PAGE, PROT_READ);
	long buffer = export(s, 0);
	int ends[2];

	MUST(0, buffer < 0 && buffer != -EOPNOTSUPP);
	MUST(0, map == MAP_FAILED);
	MUST(0, rc(pipe(ends)));
	MUST(PAGE, rc(vmsplice(ends[1], &(struct iovec){ map, PAGE }, 1, 0)));
	munmap(map, PAGE);
	if (buffer >= 0)
		close(buffer);
	close(ends[0]);
	close(ends[1]);
}

/* One record, in pieces that are none: a slot taken by readv() and committed by writev(). */
static void produce_in_pieces(struct source *s)
{
	struct devring_slot slot = { 0 };
	struct devring_commit c;
	struct iovec in[] = { { &slot, 3 }, { (char *)&slot + 3, 0 }, { (char *)&slot + 3, sizeof(slot) - 3 } };
	struct iovec out[] = { { &c, 20 }, { (char *)&c + 20, sizeof(c) - 20 } };

	MUST(sizeof(slot), rc(readv(s->fd, in, ARRAY_SIZE(in))));
	fill(slot_at(s, slot.offset), s->g.slot_size, s->head++);
	c = committing(&slot, s->g.slot_size, DEVRING_FRAME_KEY);
	MUST(sizeof(c), rc(writev(s->fd, out, ARRAY_SIZE(out))));
}

/* All that a producer can do with a device of its own, from its registration to its end. */
static void own_device(void)
{
	struct devring_register r = registration("victim", DEVRING_REG_PUBLIC | DEVRING_REG_PINNABLE);
	struct devring_info info = INIT(devring_info);
	int control = MUST_HAVE(control_open(O_RDWR | O_NONBLOCK));
	struct source s = { .fd = -1 };
	struct devring_slot slot = { 0 };
	struct stream reader;
	char news[DEVRING_CHANGE_MAX];

	MUST(0, call(control, DEVRING_IOC_INFO, &info));
	MUST(sizeof(struct devring_change), read(control, news, sizeof(news)));
	s.fd = MUST_HAVE(call(control, DEVRING_IOC_REGISTER, &r));
	s.id = r.id;
	MUST(1, set_format(s.fd, 1));
	MUST(0, source_ring(&s, SLOTS, SLOT_SIZE, 64));
	govern_readers(&s, control, &reader);
	produce_partial(&s);
	produce_in_pieces(&s);
	lend(&s, &reader);
	MUST(0, set_state(s.fd, DEVRING_STATE_ERROR, EIO));
	MUST(0, set_state(s.fd, DEVRING_STATE_AVAILABLE, 0));
	MUST(0, take(s.fd, &slot));
	MUST(0, give_back(s.fd, &slot));
	MUST(0, take(s.fd, &slot));
	/* The reader holds a frame of the ring that is replaced. */
	munmap(s.map, area_bytes(&s.g));
	MUST(0, source_ring(&s, SLOTS / 2, SLOT_SIZE, 0));
	MUST(-ESTALE, commit(s.fd, &slot, 1, 0));
	MUST(0, produce(&s, 1));
	munmap(s.map, PAGE);
	MUST(0, take_away(reader.fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	MUST(0, unregister(s.id));
	close(s.fd);
	munmap(s.map + PAGE, area_bytes(&s.g) - PAGE);
	close(reader.fd);
	close(control);
}

/* Become the producer of the shared device, with a map of what there is. */
static void succeed(struct source *s, uint32_t flags)
{
	struct devring_device d;

	s->fd = MUST_HAVE(attach(s->id, flags));
	MUST(0, query(s->fd, 0, &d));
	s->g = d.geometry;
	s->head = d.head;
	if (d.geometry.generation)
		MUST(0, source_map(s));
	else
		MUST(0, source_ring(s, SLOTS, SLOT_SIZE, 64));
}

static void shared_device(struct scene *scene)
{
	struct source s = scene->p, usurper = scene->p;
	struct devring_slot slot = { 0 };

	succeed(&s, 0);
	MUST(0, produce(&s, 2));
	MUST(-EBUSY, attach(s.id, 0));
	MUST(0, take(s.fd, &slot));
	succeed(&usurper, DEVRING_ATTACH_TAKEOVER);
	MUST(-ENODEV, commit(s.fd, &slot, 1, 0));
	close(s.fd);
	munmap(usurper.map, area_bytes(&usurper.g));
	MUST(0, source_ring(&usurper, SLOTS, SLOT_SIZE, 0));
	MUST(0, produce(&usurper, 1));
	produce_partial(&usurper);
	MUST(0, take(usurper.fd, &slot));
	MUST(0, commit(usurper.fd, &slot, 64, DEVRING_FRAME_PARTIAL));
	MUST(0, take(usurper.fd, &slot));
	munmap(s.map, area_bytes(&s.g));
	/* The map alone keeps it now. */
	close(usurper.fd);
	munmap(usurper.map, area_bytes(&usurper.g));
}

/* A device that stays until somebody ends it; its only descriptor travels in a message. */
static void orphan(void)
{
	struct source s;
	int ends[2];

	MUST(0, source_register(&s, "orphan", DEVRING_REG_PERSIST | DEVRING_REG_PUBLIC));
	MUST(0, source_ring(&s, SLOTS, SLOT_SIZE, 0));
	MUST(0, produce(&s, 1));
	munmap(s.map, area_bytes(&s.g));
	MUST(0, rc(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)));
	MUST(1, send_fd(ends[0], s.fd));
	close(s.fd);
	MUST(-EBUSY, attach(s.id, 0));
	close(ends[0]);
	close(ends[1]);
	succeed(&s, 0);
	MUST(0, produce(&s, 1));
	munmap(s.map, area_bytes(&s.g));
	close(s.fd);
	MUST(0, unregister(s.id));
}

/* Registers a sink; answers for another one, and plays it. */
static void play(struct scene *scene)
{
	struct source own, sink = scene->sink, player = scene->sink;
	struct stream listener;
	struct devring_slot slot = { 0 };
	struct devring_device d;
	struct devring_frame f;

	MUST(0, source_register(&own, "jack", DEVRING_REG_SINK));
	MUST(0, set_ring(own.fd, SLOTS / 2, SLOT_SIZE, 0, NULL));
	close(own.fd);
	sink.fd = MUST_HAVE(attach(sink.id, 0));
	MUST(0, rc(fcntl(sink.fd, F_SETFL, O_NONBLOCK)));
	MUST(0, set_ring(sink.fd, SLOTS / 2, SLOT_SIZE, 64, NULL));
	listener = stream_of(sink.fd, DEVRING_RECORD_MAX);
	MUST(-EAGAIN, skip_news(&listener));
	player.fd = MUST_HAVE(node_open(&sink, O_RDWR));
	MUST(0, query(player.fd, 0, &d));
	player.g = d.geometry;
	player.head = d.head;
	MUST(0, source_map(&player));
	MUST(0, produce(&player, 2));
	MUST(0, next_frame(&listener, &f));
	MUST(0, take(player.fd, &slot));
	MUST(0, commit(player.fd, &slot, 64, DEVRING_FRAME_PARTIAL));
	close(player.fd);
	munmap(player.map, area_bytes(&player.g));
	MUST(0, next_frame(&listener, &f));
	MUST(-EAGAIN, skip_news(&listener));
	close(sink.fd);
}

static void life_of_a_producer(struct scene *scene)
{
	own_device();
	shared_device(scene);
	orphan();
	play(scene);
}

/* What it was given is what it sees, in its map and by pread(). */
static void read_frames(struct stream *reader, const unsigned char *map, const struct devring_geometry *g)
{
	struct devring_frame f = { 0 };
	unsigned char copy[SLOT_SIZE];

	for (int i = 0; i < 4; i++) {
		MUST(0, next_frame(reader, &f));
		MUST(1, is_frame(map + (f.offset - g->ring_offset), f.bytes, f.sequence));
		MUST(f.bytes, rc(pread(reader->fd, copy, f.bytes, f.offset)));
		MUST(1, is_frame(copy, f.bytes, f.sequence));
	}
	MUST(0, release(reader->fd, f.sequence));
	MUST(-ENOENT, release(reader->fd, f.sequence));
}

/* Hands on what it has. */
static void share(struct stream *reader, int control, uint64_t id)
{
	struct stream other = stream_of(MUST_HAVE(open_public(control, id)), DEVRING_RECORD_MAX);
	struct stream granted = stream_of(MUST_HAVE(grant(reader->fd, 3600000000000)), DEVRING_RECORD_MAX);
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = MUST_HAVE(rc(epoll_create1(EPOLL_CLOEXEC)));
	int copy = MUST_HAVE(rc(dup(granted.fd)));
	struct devring_reader list[4];
	struct devring_frame f;

	MUST(0, rc(epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &event)));
	MUST(0, rc(epoll_ctl(epoll, EPOLL_CTL_ADD, other.fd, &event)));
	MUST(1, rc(epoll_wait(epoll, &event, 1, 0)));
	MUST(0, set_reader(granted.fd, DEVRING_READER_LATEST, DEVRING_START_OLDEST, 1));
	MUST(0, next_frame(&granted, &f));
	MUST(-EACCES, grant(granted.fd, 0));
	MUST(4, list_readers(other.fd, list, 4));
	MUST(0, take_away(granted.fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	MUST(-ENODEV, next_frame(&granted, &f));
	close(granted.fd);
	close(copy);
	close(other.fd);
	close(epoll);
}

static int ask(int fd, const struct devring_set_reader *how)
{
	struct devring_set_reader set = *how;

	set.size = sizeof(set);
	return call(fd, DEVRING_IOC_SET_READER, &set);
}

#define ASK(fd, ...)	ask(fd, &(struct devring_set_reader){ __VA_ARGS__ })

/* What comes before the first frame: so much room that no frame fits behind it. */
static int read_news(struct stream *reader)
{
	union {
		struct devring_generation generation;
		struct devring_state_change state;
	} news;

	return read(reader->fd, &news, sizeof(news)) == sizeof(news.generation) &&
	       read(reader->fd, &news, sizeof(news)) == sizeof(news.state) ? 0 : -EBADMSG;
}

/* The producer waits for it, or it waits for some frames only. */
static void wait_for_me(struct scene *scene)
{
	struct stream reader = reader_open(&scene->p, O_RDONLY | O_NONBLOCK);
	struct devring_frame f;
	struct iovec pieces[] = { { &f, 5 }, { (char *)&f + 5, sizeof(f) - 5 } };

	MUST_HAVE(reader.fd);
	MUST(0, ASK(reader.fd, .flags = DEVRING_READER_LOSSLESS, .start = DEVRING_START_OLDEST, .holds = 2));
	MUST(0, read_news(&reader));
	for (int i = 0; i < 2; i++)
		MUST(sizeof(f), rc(readv(reader.fd, pieces, ARRAY_SIZE(pieces))));
	MUST(0, release(reader.fd, f.sequence));
	MUST(0, ASK(reader.fd, .holds = 1, .wake_rate = 1));
	MUST(POLLIN, ready(reader.fd, POLLIN));
	MUST(0, next_frame(&reader, &f));
	/* Not within a second, which may be over. */
	MUST_HAVE(ready(reader.fd, POLLIN));
	MUST(0, ASK(reader.fd, .holds = 1, .flags = DEVRING_READER_KEY_ONLY));
	MUST(0, ready(reader.fd, POLLIN));
	MUST(0, ASK(reader.fd, .holds = 1, .wake_frames = 1000));
	MUST(0, ready(reader.fd, POLLIN));
	MUST(0, ASK(reader.fd, .holds = 1, .flags = DEVRING_READER_LOSSLESS));
	close(reader.fd);
}

static void life_of_a_reader(struct scene *scene)
{
	int control = MUST_HAVE(control_open(O_RDONLY | O_NONBLOCK));
	struct stream reader = reader_open(&scene->p, O_RDONLY | O_NONBLOCK);
	struct devring_geometry *g;
	struct devring_device d;
	unsigned char *map;
	void *header;

	MUST_HAVE(reader.fd);
	g = &d.geometry;
	MUST(0, query(reader.fd, 0, &d));
	MUST(0, set_reader(reader.fd, DEVRING_READER_PARTIAL, DEVRING_START_OLDEST, 3));
	MUST(POLLIN, ready(reader.fd, POLLIN));
	header = map_of(reader.fd, 0, PAGE, PROT_READ);
	MUST(DEVRING_MAGIC, *(uint32_t *)header);
	map = map_of(reader.fd, g->ring_offset, g->ring_bytes, PROT_READ);
	MUST(0, map == MAP_FAILED);
	read_frames(&reader, map, g);
	share(&reader, control, d.id);
	munmap(map + PAGE, PAGE);
	munmap(header, PAGE);
	MUST(0, set_reader(reader.fd, 0, DEVRING_START_KEEP, 0));
	close(reader.fd);
	munmap(map, g->ring_bytes);
	close(control);
	wait_for_me(scene);
}

/* ---- those who are left ---- */

/* Read all that the bystander is due: no frame is missed, and each is whole. */
static void drain(ARGS, struct scene *scene)
{
	unsigned char copy[SLOT_SIZE];
	struct devring_device d;
	union record u;
	int kind;

	while ((kind = next(&scene->bystander, &u)) > 0) {
		if (kind == DEVRING_RECORD_STATE)
			scene->told_state = u.state.state;
		if (kind != DEVRING_RECORD_FRAME)
			continue;
		ASSERT_EQ(scene->expected + u.frame.lost, u.frame.sequence);
		scene->expected = u.frame.sequence + 1;
		ASSERT_EQ(SLOT_SIZE, u.frame.bytes);
		ASSERT_EQ(0, query(scene->bystander.fd, 0, &d));
		if (pread(scene->bystander.fd, copy, SLOT_SIZE, u.frame.offset) == SLOT_SIZE) {
			ASSERT_TRUE(is_frame(copy, SLOT_SIZE, u.frame.sequence));
		} else {
			ASSERT_EQ(ESTALE, errno);
			ASSERT_NE(d.geometry.generation, u.frame.generation);
		}
		release(scene->bystander.fd, u.frame.sequence);
	}
	ASSERT_EQ(-EAGAIN, kind);
}

static void scene_up(ARGS, struct scene **made)
{
	struct scene *scene = mmap(NULL, sizeof(*scene), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	progress = mmap(NULL, sizeof(*progress), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, scene);
	ASSERT_NE(MAP_FAILED, progress);
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, set_limit("user_registrations", 1000000));
	ASSERT_EQ(0, set_limit("user_devices", 3));
	ASSERT_EQ(0, set_limit("user_readers", 3));
	ASSERT_EQ(0, set_limit("user_holds", 2));
	ASSERT_EQ(0, set_limit("user_mb", 1));
	CHILD(pid) {
		become(USER_A);
		ASSERT_EQ(0, source_register_lossless(&scene->p, "shared", DEVRING_REG_PERSIST | DEVRING_REG_PUBLIC |
						      DEVRING_REG_LOSSLESS, DEVRING_DEADLINE_MAX));
		ASSERT_EQ(0, source_register(&scene->sink, "sink", DEVRING_REG_PERSIST | DEVRING_REG_SINK));
	}
	wait_child(_metadata, pid);
	scene->p.fd = -1;
	scene->sink.fd = -1;
	ASSERT_EQ(0, rc(chmod(scene->p.node, 0644)));
	ASSERT_EQ(0, rc(chmod(scene->sink.node, 0666)));
	reader_up(_metadata, &scene->p, &scene->bystander);
	scene->told_state = DEVRING_STATE_OFFLINE;
	drain(_metadata, scene);
	*made = scene;
}

static void scene_down(ARGS, struct scene *scene)
{
	struct devring_info info;

	ASSERT_EQ(0, unregister(scene->p.id));
	ASSERT_EQ(0, unregister(scene->sink.id));
	EXPECT_EQ(POLLIN | POLLHUP, ready(scene->bystander.fd, POLLIN));
	close(scene->bystander.fd);
	WAIT_FOR(info_now(_metadata).total_bytes == 0);
	info = info_now(_metadata);
	EXPECT_EQ(0, info.devices);
	EXPECT_EQ(0, info.user_bytes);
	munmap(scene, sizeof(*scene));
}

/* Become the next producer of the shared device. */
static void produce_here(ARGS, struct scene *scene)
{
	struct source *s = &scene->p;
	struct devring_device d;

	s->fd = attach(s->id, 0);
	ASSERT_LE(0, s->fd);
	d = device_of(_metadata, s);
	s->g = d.geometry;
	s->head = d.head;
	if (d.geometry.slots != SLOTS || d.geometry.slot_size != SLOT_SIZE)
		ASSERT_EQ(0, set_ring(s->fd, SLOTS, SLOT_SIZE, 64, &s->g));
}

static void leave(struct scene *scene)
{
	close(scene->p.fd);
	scene->p.fd = -1;
}

/* Takes slots until there is none, or all that may be out; the readers' state alone decides how many. */
static void take_all(struct scene *scene)
{
	while (scene->nr_taken < SLOTS - 2 && !take(scene->p.fd, &scene->taken[scene->nr_taken]))
		scene->nr_taken++;
}

/* Nobody who is gone keeps a slot from the producer, which is told so if it waits. */
static void expect_all_slots(ARGS, struct scene *scene)
{
	EXPECT_EQ(scene->nr_taken < SLOTS - 2 ? POLLOUT : 0, ready(scene->p.fd, POLLOUT));
	take_all(scene);
	EXPECT_EQ(SLOTS - 2, scene->nr_taken);
	while (scene->nr_taken)
		EXPECT_EQ(0, give_back(scene->p.fd, &scene->taken[--scene->nr_taken]));
}

/* There is no map left of it when the next victim is forked: user-mode Linux 6.1 shows children what is VM_DONTCOPY. */
static void produce_frames(ARGS, struct scene *scene, unsigned int count)
{
	ASSERT_EQ(0, source_map(&scene->p));
	ASSERT_EQ(0, produce(&scene->p, count));
	ASSERT_EQ(0, munmap(scene->p.map, area_bytes(&scene->p.g)));
}

/* What the victim has registered up to now gets a reader of its own, which will see its end. */
static void call_witnesses(ARGS, struct scene *scene)
{
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);
	int control = control_open(O_RDONLY), n = 0;

	while (call(control, DEVRING_IOC_QUERY, &q) == 0) {
		struct stream s;

		q.id = q.device.id;
		/* A sink is read by whom it belongs to alone. */
		if (q.id == scene->p.id || q.device.flags & DEVRING_REG_SINK)
			continue;
		ASSERT_GT(ARRAY_SIZE(scene->witness), n);
		scene->seen[n] = q.device;
		s = stream_of(open_public(control, q.id), DEVRING_RECORD_MAX);
		ASSERT_LE(0, s.fd);
		ASSERT_EQ(0, set_reader(s.fd, 0, DEVRING_START_NEXT, 1));
		ASSERT_EQ(-EAGAIN, skip_news(&s));
		EXPECT_EQ(0, ready(s.fd, POLLIN));
		scene->witness[n++] = s.fd;
	}
	scene->witnesses = n;
	close(control);
}

/* The end of a device that went with its producer. */
static void expect_removed(ARGS, int fd, const struct devring_device *before)
{
	struct stream s = stream_of(fd, DEVRING_RECORD_MAX);
	struct devring_device d;
	int control = control_open(O_RDWR);
	char node[32];
	union record u;

	EXPECT_EQ(POLLIN | POLLHUP, ready(fd, POLLIN));
	EXPECT_EQ(DEVRING_RECORD_STATE, next(&s, &u));
	EXPECT_EQ(DEVRING_STATE_REMOVED, u.state.state);
	EXPECT_EQ(0, next(&s, &u));
	EXPECT_EQ(-ENODEV, query(control, before->id, &d));
	EXPECT_EQ(-ENODEV, unregister(before->id));
	snprintf(node, sizeof(node), "/dev/devring%u", before->minor);
	EXPECT_EQ(-ENOENT, rc(open(node, O_RDONLY)));
	close(control);
}

/* A persistent device is offline, and whoever attaches gets it. */
static void expect_offline(ARGS, int fd, const struct devring_device *before)
{
	struct stream s = stream_of(fd, DEVRING_RECORD_MAX);
	struct devring_device d;
	union record u;

	if (before->state != DEVRING_STATE_OFFLINE) {
		EXPECT_EQ(POLLIN, ready(fd, POLLIN));
		EXPECT_EQ(DEVRING_RECORD_STATE, next(&s, &u));
		EXPECT_EQ(DEVRING_STATE_OFFLINE, u.state.state);
	}
	EXPECT_EQ(-EAGAIN, next(&s, &u));
	EXPECT_EQ(0, ready(fd, POLLIN));
	ASSERT_EQ(0, query(fd, 0, &d));
	EXPECT_EQ(DEVRING_STATE_OFFLINE, d.state);
	EXPECT_EQ(0, d.producer_pid);
	EXPECT_EQ(0, d.queued);
	EXPECT_EQ(1, d.opens);
	EXPECT_EQ(1, d.readers);
	EXPECT_EQ(0, unregister(d.id));
}

static void expect_witnessed(ARGS, struct scene *scene)
{
	for (int i = 0; i < scene->witnesses; i++) {
		if (scene->seen[i].flags & DEVRING_REG_PERSIST)
			expect_offline(_metadata, scene->witness[i], &scene->seen[i]);
		else
			expect_removed(_metadata, scene->witness[i], &scene->seen[i]);
		close(scene->witness[i]);
	}
}

/* Nobody but us has anything of the shared device. */
static void expect_alone(ARGS, struct scene *scene, struct devring_device *d)
{
	struct devring_reader list[2];

	ASSERT_EQ(0, query(scene->bystander.fd, 0, d));
	EXPECT_EQ(1, d->opens);
	EXPECT_EQ(1, d->readers);
	EXPECT_EQ(0, d->queued);
	EXPECT_EQ(1, list_readers(scene->bystander.fd, list, 2));
	EXPECT_EQ(DEVRING_READER_IS_SELF, list[0].flags & DEVRING_READER_IS_SELF);
	EXPECT_EQ(0, list[0].held);
	EXPECT_EQ(0, d->held);
}

static void expect_nothing_left(ARGS, struct scene *scene)
{
	struct devring_device d, sink;
	int control = control_open(O_RDONLY);
	struct devring_info info;

	/* Without its registrant a sink has nothing, and nobody plays it. */
	ASSERT_EQ(0, query(control, scene->sink.id, &sink));
	EXPECT_EQ(DEVRING_STATE_OFFLINE, sink.state);
	EXPECT_EQ(0, sink.producer_pid);
	EXPECT_EQ(0, sink.queued);
	EXPECT_EQ(0, sink.opens);
	EXPECT_EQ(0, sink.held);
	EXPECT_EQ(-ENXIO, node_open(&scene->sink, O_WRONLY));
	close(control);
	/* What was ended is freed when the last of those who were told have gone. */
	ASSERT_EQ(0, query(scene->bystander.fd, 0, &d));
	WAIT_FOR(info_now(_metadata).total_bytes == d.bytes);
	info = info_now(_metadata);
	EXPECT_EQ(2, info.devices);
	EXPECT_EQ(0, info.user_bytes);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* lane: debug */
/*
 * Every call of the ABI, with its first allocation or user copy failing, then its second, and so on until the call
 * comes to none that fails.  It must fail with an errno that it may have, having done nothing, or not mind; and
 * go through afterwards.
 */
#include "failnth.h"

#include <sys/epoll.h>

#define POINTS_MAX	5000
#define WALKS_MAX	5
#define REPEAT		3	/* a cache that runs empty has a point more, and moves the others */
#define ERRNOS		3
#define FRAMES		3
#define PIECES		10	/* of memory: more than a system call has on its stack */
#define TIGHT_SLOTS	150	/* two such rings are more than a megabyte */

/* What is there before the call: a device with a ring and frames in it, and a reader who has read the first. */
struct scene {
	int control;
	struct source s;
	struct stream reader;
	struct devring_frame frame;
	unsigned char *map;	/* of what is touched, and where */
	int fd;			/* that the call gave */
};

/* What everybody can see of the devices, and the number of the next descriptor. */
struct view {
	struct devring_info info;
	struct devring_device devices[4];
	int fd;
};

/**
 * struct call - what is walked
 * @flags: of the device that is there
 * @prepare: what else is to be done before
 * @act: the call: a result from 0, or a negative errno
 * @check: after it went well: is it done?
 * @errnos: what it must be seen to fail with, and may
 * @late: EFAULT may come after the deed: of an answer
 * @any: it may come to nothing that can fail
 * @path: the copy of a path may fail too, with EFAULT; not all architectures have points there
 * @tight: there is a megabyte for all rings; the ring there is may end for the next one, which does not come then
 */
struct call {
	uint32_t flags;
	void (*prepare)(struct scene *);
	long (*act)(struct scene *);
	int (*check)(struct scene *);
	int errnos[ERRNOS];
	int late;
	int any;
	int path;
	int tight;
};

/* ---- scenes ---- */

static void look(ARGS, const struct scene *scene, struct view *view)
{
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);
	unsigned int n = 0;

	memset(view, 0, sizeof(*view));
	view->info = INIT(devring_info);
	ASSERT_EQ(0, call(scene->control, DEVRING_IOC_INFO, &view->info));
	/* What is told later, by a work. */
	view->info.change = 0;
	while (!call(scene->control, DEVRING_IOC_QUERY, &q)) {
		ASSERT_LT(n, ARRAY_SIZE(view->devices));
		q.id = q.device.id;
		q.device.used_ns = 0;
		view->devices[n++] = q.device;
	}
	view->fd = dup(scene->control);
	close(view->fd);
}

static void scene_up(ARGS, struct scene *scene, const struct call *c)
{
	memset(scene, 0, sizeof(*scene));
	scene->fd = -1;
	scene->control = control_open(O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, scene->control);
	ASSERT_EQ(0, source_register_lossless(&scene->s, "walked", c->flags,
					      c->flags & DEVRING_REG_LOSSLESS ? 1000 : 0));
	ASSERT_EQ(0, set_ring(scene->s.fd, 5, 5000, 64, &scene->s.g));
	if (c->flags & DEVRING_REG_SINK) {
		scene->reader.fd = -1;
	} else {
		ASSERT_EQ(0, source_map(&scene->s));
		reader_up(_metadata, &scene->s, &scene->reader);
		ASSERT_EQ(0, set_reader(scene->reader.fd, 0, DEVRING_START_KEEP, 2));
		ASSERT_EQ(0, produce(&scene->s, FRAMES));
		ASSERT_EQ(0, next_frame(&scene->reader, &scene->frame));
	}
	if (c->prepare)
		c->prepare(scene);
}

static void unmap_slots(struct scene *scene)
{
	if (scene->s.map)
		munmap(scene->s.map, area_bytes(&scene->s.g));
	scene->s.map = NULL;
}

static void close_of(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void scene_down(ARGS, struct scene *scene)
{
	struct devring_info info;

	if (scene->map)
		munmap(scene->map, PAGE);
	close_of(&scene->fd);
	unmap_slots(scene);
	close_of(&scene->reader.fd);
	close_of(&scene->s.fd);
	unregister(scene->s.id);
	close_of(&scene->control);
	info = info_now(_metadata);
	ASSERT_EQ(0, info.devices);
	ASSERT_EQ(0, info.total_bytes);
}

/* ---- the walk ---- */

struct tally {
	unsigned int points;
	unsigned int fine;
	unsigned int failed[ERRNOS];
};

static int may_fail_with(const struct call *c, struct tally *tally, long result)
{
	for (int i = 0; i < ERRNOS; i++) {
		if (c->errnos[i] && result == -c->errnos[i]) {
			tally->failed[i]++;
			return 1;
		}
	}
	return c->path && result == -EFAULT;
}

static void forget_ring(struct view *view)
{
	view->info.total_bytes = view->info.user_bytes = 0;
	view->devices[0].bytes = 0;
	view->devices[0].slots_needed = 0;
	memset(&view->devices[0].geometry, 0, sizeof(view->devices[0].geometry));
}

/* One point; false when there was none. */
static int step(ARGS, const struct call *c, int fail, unsigned int n, struct tally *tally)
{
	struct view before, after;
	struct scene scene;
	long result;
	int faulted;

	scene_up(_metadata, &scene, c);
	look(_metadata, &scene, &before);
	fail_at(fail, n);
	result = c->act(&scene);
	faulted = happened(fail);
	if (!faulted || result >= 0) {
		ASSERT_LE(0, result) {
			TH_LOG("point %u: %s", n, strerror(-result));
		}
		tally->fine += faulted;
	} else {
		ASSERT_TRUE(may_fail_with(c, tally, result)) {
			TH_LOG("point %u: %s", n, strerror(-result));
		}
		look(_metadata, &scene, &after);
		if (c->tight)
			forget_ring(&before), forget_ring(&after);
		ASSERT_TRUE((c->late && result == -EFAULT) || !memcmp(&before, &after, sizeof(before))) {
			TH_LOG("point %u: %s, and not all is as it was", n, strerror(-result));
		}
		result = c->act(&scene);
		ASSERT_LE(0, result) {
			TH_LOG("after point %u: %s", n, strerror(-result));
		}
	}
	ASSERT_TRUE(!c->check || c->check(&scene)) {
		TH_LOG("point %u: it is not done", n);
	}
	scene_down(_metadata, &scene);
	return faulted;
}

/* A walk that failed may have left its device. */
static void clear(void)
{
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);
	int control = control_open(O_RDONLY);

	while (!call(control, DEVRING_IOC_QUERY, &q)) {
		unregister(q.device.id);
		q.id = q.device.id;
	}
	close(control);
}

static int all_seen(const struct call *c, const struct tally *tally)
{
	for (int i = 0; i < ERRNOS; i++)
		if (c->errnos[i] && !tally->failed[i])
			return 0;
	return 1;
}

static void walk(ARGS, const char *name, const struct call *c)
{
	int faulted, walks = 0, fail = faults_on();
	char total_mb[16] = "";
	struct tally tally = { };

	ASSERT_LE(0, fail);
	clear();
	ASSERT_LT(0, parameter_io("total_mb", total_mb, sizeof(total_mb) - 1, O_RDONLY));
	if (c->tight)
		ASSERT_EQ(0, set_limit("total_mb", 1));
	/* Points move as caches run empty, and an errno of one point alone can be stepped over. */
	do {
		tally.points = 0;
		do {
			faulted = 0;
			for (int i = 0; i < REPEAT; i++)
				faulted |= step(_metadata, c, fail, tally.points + 1, &tally);
			tally.points += faulted;
			ASSERT_GT(POINTS_MAX, tally.points);
		} while (faulted);
	} while (!all_seen(c, &tally) && ++walks < WALKS_MAX);
	ASSERT_EQ(0, set_limit("total_mb", atoi(total_mb)));
	printf("# %s: %u points, each %u times: %u did not matter", name, tally.points, REPEAT, tally.fine);
	for (int i = 0; i < ERRNOS && c->errnos[i]; i++)
		printf(", %u %s", tally.failed[i], strerrorname_np(c->errnos[i]));
	printf("\n");
	fflush(stdout);
	/* A walk that met nothing has shown nothing. */
	EXPECT_TRUE(c->any || tally.points > 0);
	for (int i = 0; i < ERRNOS && c->errnos[i]; i++) {
		EXPECT_LT(0, tally.failed[i]) {
			TH_LOG("%s was not seen", strerrorname_np(c->errnos[i]));
		}
	}
}

#define WALK(name, ...)							\
	TEST(nth_##name)						\
	{								\
		walk(_metadata, #name, &(const struct call){ __VA_ARGS__ });	\
	}

#define PERSIST		(DEVRING_REG_PERSIST | DEVRING_REG_KEEP_HISTORY)
#define OUT_OF_MEMORY	.errnos = { ENOMEM }
#define BAD_COPY	.errnos = { EFAULT }
#define EITHER		.errnos = { ENOMEM, EFAULT }

/* ---- the control node ---- */

static long keep(struct scene *scene, long fd)
{
	if (fd >= 0)
		scene->fd = fd;
	return fd;
}

static long act_open_control(struct scene *scene)
{
	return keep(scene, control_open(O_RDWR));
}

static long act_info(struct scene *scene)
{
	struct devring_info info = INIT(devring_info);

	return call(scene->control, DEVRING_IOC_INFO, &info);
}

static long act_query(struct scene *scene)
{
	struct devring_device d;

	return query(scene->control, scene->s.id, &d);
}

static long do_register(struct scene *scene, uint32_t flags)
{
	struct devring_register r = registration("another", flags);

	return keep(scene, call(scene->control, DEVRING_IOC_REGISTER, &r));
}

static long act_register(struct scene *scene)
{
	return do_register(scene, 0);
}

static long act_register_sink(struct scene *scene)
{
	return do_register(scene, DEVRING_REG_SINK);
}

static int is_registered(struct scene *scene)
{
	struct devring_device d;

	return !query(scene->fd, 0, &d) && !strcmp(d.name, "another") && d.state == DEVRING_STATE_AVAILABLE;
}

static long act_unregister(struct scene *scene)
{
	struct devring_unregister u = INIT(devring_unregister, .id = scene->s.id);

	return call(scene->control, DEVRING_IOC_UNREGISTER, &u);
}

static int is_gone(struct scene *scene)
{
	struct devring_device d;

	return query(scene->control, scene->s.id, &d) == -ENODEV;
}

static long do_attach(struct scene *scene, uint32_t flags)
{
	struct devring_attach a = INIT(devring_attach, .id = scene->s.id, .flags = flags);

	return keep(scene, call(scene->control, DEVRING_IOC_ATTACH, &a));
}

static void leave(struct scene *scene)
{
	unmap_slots(scene);
	close_of(&scene->s.fd);
}

static long act_attach(struct scene *scene)
{
	return do_attach(scene, 0);
}

static long act_take_over(struct scene *scene)
{
	return do_attach(scene, DEVRING_ATTACH_TAKEOVER);
}

static int is_attached(struct scene *scene)
{
	struct devring_device d;

	return !query(scene->fd, 0, &d) && d.geometry.generation == scene->s.g.generation + 1 &&
	       d.state == DEVRING_STATE_AVAILABLE;
}

/* As large a ring as there cannot be two of, and nothing of the one before. */
static void fill_up(struct scene *scene)
{
	struct devring_device d;

	unmap_slots(scene);
	close_of(&scene->reader.fd);
	if (set_ring(scene->s.fd, TIGHT_SLOTS, 4096, 0, &scene->s.g))
		return;
	/* What a hold kept goes by a work. */
	do {
		nap();
	} while (!query(scene->s.fd, 0, &d) && d.bytes >= 1 << 20);
}

static int has_ring_of_its_own(struct scene *scene)
{
	struct devring_device d;

	return !query(scene->fd, 0, &d) && d.geometry.slots == TIGHT_SLOTS &&
	       d.geometry.generation > scene->s.g.generation && d.state == DEVRING_STATE_AVAILABLE;
}

static long act_open_public(struct scene *scene)
{
	struct devring_open o = INIT(devring_open, .id = scene->s.id);

	return keep(scene, call(scene->control, DEVRING_IOC_OPEN, &o));
}

static long act_listen(struct scene *scene)
{
	union record r;

	return rc(read(scene->control, &r, sizeof(r)));
}

WALK(open_control, .act = act_open_control, OUT_OF_MEMORY, .path = 1)
WALK(info, .act = act_info, EITHER)
WALK(query_by_control, .act = act_query, EITHER)
WALK(register, .act = act_register, .check = is_registered, EITHER)
WALK(register_sink, .act = act_register_sink, .check = is_registered, EITHER)
WALK(unregister, .act = act_unregister, .check = is_gone, EITHER)
WALK(attach, .flags = PERSIST, .prepare = leave, .act = act_attach, .check = is_attached, EITHER)
WALK(attach_sink, .flags = PERSIST | DEVRING_REG_SINK, .prepare = leave, .act = act_attach, .check = is_attached,
     EITHER)
WALK(take_over, .flags = PERSIST, .act = act_take_over, .check = is_attached, EITHER)
WALK(take_over_and_make_room, .flags = PERSIST, .prepare = fill_up, .act = act_take_over,
     .check = has_ring_of_its_own, EITHER, .tight = 1)
WALK(open_public, .flags = DEVRING_REG_PUBLIC, .act = act_open_public, EITHER)
WALK(listen, .act = act_listen, BAD_COPY)

/* ---- a device's files ---- */

static long act_open_node(struct scene *scene)
{
	return keep(scene, node_open(&scene->s, O_RDWR));
}

static long act_query_file(struct scene *scene)
{
	struct devring_device d;

	return query(scene->reader.fd, 0, &d);
}

static long act_readers(struct scene *scene)
{
	struct devring_reader readers[4];

	return list_readers(scene->reader.fd, readers, 4);
}

static long act_grant(struct scene *scene)
{
	struct devring_grant g = INIT(devring_grant);

	return keep(scene, call(scene->reader.fd, DEVRING_IOC_GRANT, &g));
}

/* Expires in a minute. */
static long act_grant_for_a_while(struct scene *scene)
{
	struct devring_grant g = INIT(devring_grant, .expires_ns = now_ns(CLOCK_BOOTTIME) + 60000000000ULL);

	return keep(scene, call(scene->reader.fd, DEVRING_IOC_GRANT, &g));
}

static long act_revoke_all(struct scene *scene)
{
	return take_away(scene->s.fd, DEVRING_REVOKE_ALL, 0, 0, NULL);
}

static int is_revoked(struct scene *scene)
{
	return ready(scene->reader.fd, POLLIN) == (POLLHUP | POLLERR);
}

static long act_recheck(struct scene *scene)
{
	return take_away(scene->s.fd, DEVRING_REVOKE_RECHECK, 0, 0, NULL);
}

static long act_set_ring(struct scene *scene)
{
	return set_ring(scene->s.fd, 7, 5000, 64, NULL);
}

static int has_new_ring(struct scene *scene)
{
	struct devring_device d;

	return !query(scene->s.fd, 0, &d) && d.geometry.slots == 7;
}

/* So large that its lists are larger than a page. */
static long act_set_large_ring(struct scene *scene)
{
	return set_ring(scene->s.fd, 110, 4096, 0, NULL);
}

static long act_set_format(struct scene *scene)
{
	return set_format(scene->s.fd, 1);
}

static long act_set_state(struct scene *scene)
{
	return set_state(scene->s.fd, DEVRING_STATE_ERROR, EIO);
}

static long act_set_reader(struct scene *scene)
{
	return set_reader(scene->reader.fd, DEVRING_READER_LATEST, DEVRING_START_KEEP, 4);
}

static long act_set_lossless(struct scene *scene)
{
	return set_reader(scene->reader.fd, DEVRING_READER_LOSSLESS, DEVRING_START_KEEP, 2);
}

static int is_lossless(struct scene *scene)
{
	struct devring_reader reader;

	return list_readers(scene->reader.fd, &reader, 1) == 1 && reader.flags & DEVRING_READER_LOSSLESS;
}

static long act_release(struct scene *scene)
{
	return release(scene->reader.fd, scene->frame.sequence);
}

static long act_export(struct scene *scene)
{
	struct devring_export e = INIT(devring_export, .generation = scene->s.g.generation);
	int result = call(scene->s.fd, DEVRING_IOC_EXPORT, &e);

	if (result >= 0)
		close(result);
	return result == -EOPNOTSUPP || result >= 0 ? 0 : result;
}

static long act_read(struct scene *scene)
{
	struct devring_frame f;
	int result = next_frame(&scene->reader, &f);

	return result ?: f.sequence == scene->frame.sequence + 1 ? 0 : -EBADMSG;
}

static void cut(void *memory, size_t bytes, struct iovec *iov)
{
	size_t part = bytes / PIECES;

	for (int i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){ (char *)memory + i * part, i < PIECES - 1 ? part : bytes - i * part };
}

static long act_readv(struct scene *scene)
{
	struct iovec iov[PIECES];
	struct devring_frame f;
	long result;

	cut(&f, sizeof(f), iov);
	result = rc(readv(scene->reader.fd, iov, PIECES));
	if (result < 0)
		return result;
	return result == sizeof(f) && f.sequence == scene->frame.sequence + 1 ? 0 : -EBADMSG;
}

/* What there is comes without a wait, but by the way that waits. */
static void may_wait(struct scene *scene)
{
	fcntl(scene->reader.fd, F_SETFL, 0);
}

static long act_take(struct scene *scene)
{
	struct devring_slot slot;

	return take(scene->s.fd, &slot);
}

static long act_commit(struct scene *scene)
{
	struct devring_commit c = committing((void *)scene->reader.buffer, 5000, 0);

	return put(scene->s.fd, &c, sizeof(c));
}

static long act_writev(struct scene *scene)
{
	struct devring_commit c = committing((void *)scene->reader.buffer, 5000, 0);
	struct iovec iov[PIECES];
	long result;

	cut(&c, sizeof(c), iov);
	result = rc(writev(scene->s.fd, iov, PIECES));
	return result == sizeof(c) ? 0 : result;
}

static void take_one(struct scene *scene)
{
	(void)!take(scene->s.fd, (void *)scene->reader.buffer);
}

static int is_committed(struct scene *scene)
{
	struct devring_device d;

	return !query(scene->s.fd, 0, &d) && d.head == FRAMES + 1;
}

static long act_pread(struct scene *scene)
{
	static char copy[6000];

	return rc(pread(scene->reader.fd, copy, 5000, scene->frame.offset));
}

static long act_poll(struct scene *scene)
{
	return rc(ready(scene->reader.fd, POLLIN) == POLLIN ? 0 : -1);
}

static void prepare_epoll(struct scene *scene)
{
	scene->fd = epoll_create1(EPOLL_CLOEXEC);
}

static long act_epoll(struct scene *scene)
{
	struct epoll_event event = { .events = EPOLLIN };

	return rc(epoll_ctl(scene->fd, EPOLL_CTL_ADD, scene->reader.fd, &event));
}

static long act_fdinfo(struct scene *scene)
{
	char path[64], text[1024];
	long n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", scene->reader.fd);
	fd = rc(open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	n = rc(read(fd, text, sizeof(text)));
	close(fd);
	return n;
}

WALK(open_node, .act = act_open_node, OUT_OF_MEMORY, .path = 1)
WALK(open_sink, .flags = DEVRING_REG_SINK, .act = act_open_node, OUT_OF_MEMORY, .path = 1)
WALK(query_by_file, .act = act_query_file, EITHER)
WALK(readers, .act = act_readers, EITHER)
WALK(grant, .act = act_grant, EITHER)
WALK(grant_for_a_while, .act = act_grant_for_a_while, EITHER)
WALK(revoke, .act = act_revoke_all, .check = is_revoked, EITHER, .late = 1)
WALK(recheck, .act = act_recheck, EITHER, .late = 1)
WALK(set_ring, .act = act_set_ring, .check = has_new_ring, EITHER, .late = 1)
WALK(set_large_ring, .act = act_set_large_ring, EITHER, .late = 1)
WALK(set_format, .act = act_set_format, EITHER, .late = 1)
WALK(set_state, .act = act_set_state, EITHER)
WALK(set_reader, .act = act_set_reader, EITHER)
WALK(set_lossless, .flags = DEVRING_REG_LOSSLESS, .act = act_set_lossless, .check = is_lossless, EITHER)
WALK(release, .act = act_release, EITHER)
WALK(export, .act = act_export, EITHER)
WALK(read, .act = act_read)
WALK(read_that_may_wait, .prepare = may_wait, .act = act_read)
WALK(readv, .act = act_readv, EITHER)
WALK(take, .act = act_take)
WALK(commit, .prepare = take_one, .act = act_commit, .check = is_committed, BAD_COPY)
WALK(writev, .prepare = take_one, .act = act_writev, .check = is_committed, EITHER)
WALK(pread, .act = act_pread, EITHER)
WALK(poll, .act = act_poll, BAD_COPY)
WALK(epoll, .prepare = prepare_epoll, .act = act_epoll, EITHER)
WALK(fdinfo, .act = act_fdinfo, EITHER)

/* ---- maps ---- */

/* Where no page table is yet, so that each level is allocated. */
static void *fresh_address(void)
{
	static uintptr_t last = 64UL << 30;

	return (void *)(last += 1UL << 30);
}

static long map_at(struct scene *scene, int fd, uint64_t offset, int prot)
{
	unsigned char *p = mmap(fresh_address(), PAGE, prot, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, offset);

	if (p == MAP_FAILED)
		return -errno;
	scene->map = p;
	return 0;
}

static long act_map(struct scene *scene)
{
	return map_at(scene, scene->reader.fd, scene->frame.offset, PROT_READ);
}

static long act_map_slots(struct scene *scene)
{
	return map_at(scene, scene->s.fd, scene->frame.offset, RW);
}

static void prepare_map(struct scene *scene)
{
	act_map(scene);
}

static void prepare_map_slots(struct scene *scene)
{
	act_map_slots(scene);
}

static long act_touch(struct scene *scene)
{
	return is_frame(scene->map, PAGE, scene->frame.sequence) ? 0 : -EBADMSG;
}

WALK(map, .act = act_map, OUT_OF_MEMORY)
WALK(map_slots, .act = act_map_slots, OUT_OF_MEMORY)
WALK(touch, .prepare = prepare_map, .act = act_touch)
WALK(touch_pinnable, .flags = DEVRING_REG_PINNABLE, .prepare = prepare_map, .act = act_touch)
WALK(touch_slots, .prepare = prepare_map_slots, .act = act_touch)

static long act_unmap(struct scene *scene)
{
	long result = rc(munmap(scene->map, PAGE));

	if (!result)
		scene->map = NULL;
	return result;
}

WALK(unmap, .prepare = prepare_map, .act = act_unmap, OUT_OF_MEMORY)

/* ---- ends, which nothing can prevent ---- */

static long act_close_reader(struct scene *scene)
{
	int fd = scene->reader.fd;

	scene->reader.fd = -1;
	return rc(close(fd));
}

static int has_no_reader(struct scene *scene)
{
	struct devring_device d;

	return !query(scene->control, scene->s.id, &d) && !d.opens;
}

static long act_close_producer(struct scene *scene)
{
	int fd = scene->s.fd;

	scene->s.fd = -1;
	return rc(close(fd));
}

static int is_offline(struct scene *scene)
{
	struct devring_device d;

	return !query(scene->control, scene->s.id, &d) && d.state == DEVRING_STATE_OFFLINE;
}

WALK(close_reader, .act = act_close_reader, .check = has_no_reader, .any = 1)
WALK(close_producer, .prepare = unmap_slots, .act = act_close_producer, .check = is_gone, .any = 1)
WALK(close_persistent, .flags = PERSIST, .prepare = unmap_slots, .act = act_close_producer, .check = is_offline,
     .any = 1)

/* ---- sysfs ---- */

static long act_attribute(struct scene *scene)
{
	char path[64], text[4096];
	long n;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/devring/devring%u/state", scene->s.minor);
	fd = rc(open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	n = rc(read(fd, text, sizeof(text)));
	close(fd);
	return n;
}

static long act_parameter(struct scene *scene)
{
	return parameter_io("user_readers", "1024", 4, O_WRONLY);
}

WALK(attribute, .act = act_attribute, EITHER)
WALK(parameter, .act = act_parameter, EITHER)

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Listeners: what changed, told by reads of the control node. */
#include "lib.h"

#define NEWS_BYTES offsetof(struct devring_change, device)	/* a RESYNC */

static struct stream listener_open(void)
{
	return stream_of(control_open(O_RDONLY | O_NONBLOCK), DEVRING_CHANGE_MAX);
}

/* A listener that knows all there is. */
static void listener_up(ARGS, struct stream *l)
{
	union record r;

	*l = listener_open();
	ASSERT_LE(0, l->fd);
	while (next(l, &r) == DEVRING_RECORD_CHANGE) {
		EXPECT_EQ(DEVRING_CHANGED_ADDED, r.change.changed & DEVRING_CHANGED_ADDED);
	}
	EXPECT_EQ(0, ready(l->fd, POLLIN));
}

/* The one change that is due, and nothing after it. */
static __u32 changed(ARGS, struct stream *l, struct devring_change *c)
{
	union record r;

	EXPECT_EQ(POLLIN, wait_ready(l->fd, POLLIN));
	EXPECT_EQ(DEVRING_RECORD_CHANGE, next(l, &r));
	*c = r.change;
	EXPECT_EQ(sizeof(*c), c->rec.size);
	EXPECT_EQ(0, c->rec.flags);
	EXPECT_EQ(0, c->reserved);
	EXPECT_EQ(-EAGAIN, next(l, &r));
	EXPECT_EQ(0, ready(l->fd, POLLIN));
	return c->changed;
}

/* All of @bits, and nothing else, in one record or, since news of a device come with pauses, in some. */
static void expect_changed(ARGS, struct stream *l, struct devring_change *c, __u32 bits)
{
	__u32 seen = 0;

	while (bits & ~seen) {
		seen |= changed(_metadata, l, c);
		ASSERT_EQ(0, seen & ~bits);
	}
}

/* Until there is nothing more to come. */
static void calm_down(struct stream *l)
{
	union record r;

	while (ready_within(l->fd, POLLIN, 500) & POLLIN)
		next(l, &r);
}

TEST(table_of_a_new_listener)
{
	struct source s[3];
	struct stream l;
	union record r;
	uint64_t last = 0;
	char name[16];
	int seen = 0, kind;

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "table%d", i);
		ASSERT_EQ(0, source_register(&s[i], name, 0));
	}
	l = listener_open();
	EXPECT_EQ(POLLIN, ready(l.fd, POLLIN));
	while ((kind = next(&l, &r)) == DEVRING_RECORD_CHANGE) {
		struct devring_device d;

		EXPECT_EQ(DEVRING_CHANGED_ADDED, r.change.changed & DEVRING_CHANGED_ADDED);
		EXPECT_LT(last, r.change.change);
		last = r.change.change;
		ASSERT_EQ(0, query(l.fd, r.change.device.id, &d));
		EXPECT_EQ(0, memcmp(&d, &r.change.device, sizeof(d)));
		for (int i = 0; i < 3; i++)
			seen |= (d.id == s[i].id) << i;
	}
	EXPECT_EQ(-EAGAIN, kind);
	EXPECT_EQ(7, seen);
	EXPECT_EQ(info_now(_metadata).change, last);
	EXPECT_EQ(0, ready(l.fd, POLLIN));
}

TEST(each_change_has_its_bit)
{
	struct stream l, reader;
	struct devring_change c;
	struct source s;
	uint64_t last;
	int fd;

	listener_up(_metadata, &l);
	ASSERT_EQ(0, source_register(&s, "bits", DEVRING_REG_PERSIST));
	EXPECT_EQ(DEVRING_CHANGED_ADDED, changed(_metadata, &l, &c) & DEVRING_CHANGED_ADDED);
	EXPECT_EQ(s.id, c.device.id);
	EXPECT_STREQ("bits", c.device.name);
	last = c.change;
#define EXPECT_BITS(bits) do {					\
	EXPECT_EQ(bits, changed(_metadata, &l, &c));		\
	EXPECT_EQ(s.id, c.device.id);				\
	EXPECT_LT(last, c.change);				\
	last = c.change;					\
} while (0)
	ASSERT_EQ(0, source_ring(&s, 4, 4096, 0));
	EXPECT_BITS(DEVRING_CHANGED_GENERATION);
	EXPECT_EQ(s.g.generation, c.device.geometry.generation);
	ASSERT_EQ(1, set_format(s.fd, 1));
	EXPECT_BITS(DEVRING_CHANGED_FORMAT);
	EXPECT_EQ(1, c.device.format.generation);
	ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_BITS(DEVRING_CHANGED_STATE);
	EXPECT_EQ(DEVRING_STATE_ERROR, c.device.state);
	EXPECT_EQ(EIO, c.device.error);
	ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_AVAILABLE, 0));
	EXPECT_BITS(DEVRING_CHANGED_STATE);
	/* An open reader is no reader yet. */
	reader = reader_open(&s, O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(0, ready(l.fd, POLLIN));
	skip_news(&reader);
	EXPECT_BITS(DEVRING_CHANGED_IN_USE);
	EXPECT_EQ(1, c.device.readers);
	EXPECT_EQ(1, c.device.opens);
	/* Frames are no changes. */
	ASSERT_EQ(0, produce(&s, 3));
	EXPECT_EQ(0, ready(l.fd, POLLIN));
	close(reader.fd);
	EXPECT_BITS(DEVRING_CHANGED_IN_USE);
	EXPECT_EQ(0, c.device.readers);
	munmap(s.map, area_bytes(&s.g));
	close(s.fd);
	/* Nobody reads: the ring goes too. */
	expect_changed(_metadata, &l, &c,
		       DEVRING_CHANGED_STATE | DEVRING_CHANGED_PRODUCER | DEVRING_CHANGED_GENERATION);
	EXPECT_EQ(DEVRING_STATE_OFFLINE, c.device.state);
	EXPECT_EQ(0, c.device.producer_pid);
	EXPECT_EQ(65534, c.device.producer_uid);
	fd = attach(s.id, 0);
	ASSERT_LE(0, fd);
	expect_changed(_metadata, &l, &c,
		       DEVRING_CHANGED_STATE | DEVRING_CHANGED_PRODUCER | DEVRING_CHANGED_GENERATION);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, c.device.state);
	EXPECT_EQ(getpid(), c.device.producer_pid);
	EXPECT_EQ(0, unregister(s.id));
}

TEST(changes_coalesce)
{
	struct devring_change c;
	struct source s, other;
	struct stream l, late;
	union record r;

	ASSERT_EQ(0, source_register(&s, "many", 0));
	ASSERT_EQ(0, source_register(&other, "other", 0));
	listener_up(_metadata, &l);
	listener_up(_metadata, &late);
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(i + 1, set_format(s.fd, i));
		ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, 1 + i));
		ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_AVAILABLE, 0));
		if (i == 49) {
			expect_changed(_metadata, &l, &c, DEVRING_CHANGED_FORMAT | DEVRING_CHANGED_STATE);
			EXPECT_EQ(50, c.device.format.generation);
		}
	}
	expect_changed(_metadata, &l, &c, DEVRING_CHANGED_FORMAT | DEVRING_CHANGED_STATE);
	EXPECT_EQ(100, c.device.format.generation);
	calm_down(&l);
	/* One that is slow loses nothing that lasts, and is told in order of last change. */
	ASSERT_EQ(1, set_format(other.fd, 1));
	ASSERT_EQ(DEVRING_RECORD_CHANGE, next(&late, &r));
	EXPECT_EQ(s.id, r.change.device.id);
	EXPECT_EQ(DEVRING_CHANGED_FORMAT | DEVRING_CHANGED_STATE, r.change.changed);
	EXPECT_EQ(100, r.change.device.format.generation);
	expect_changed(_metadata, &late, &c, DEVRING_CHANGED_FORMAT);
	EXPECT_EQ(other.id, c.device.id);
}

TEST(removal)
{
	struct devring_device *d;
	struct source s, brief;
	struct stream l;
	union record r;
	uint64_t before;

	source_up(_metadata, &s, "removed", 0, 4, 4096, 0);
	ASSERT_LT(0, set_format(s.fd, 7));
	listener_up(_metadata, &l);
	before = info_now(_metadata).change;
	munmap(s.map, area_bytes(&s.g));
	close(s.fd);
	EXPECT_EQ(POLLIN, ready(l.fd, POLLIN));
	ASSERT_EQ(DEVRING_RECORD_REMOVED, next(&l, &r));
	EXPECT_EQ(sizeof(r.change), r.rec.size);
	EXPECT_LT(before, r.change.change);
	d = &r.change.device;
	EXPECT_EQ(s.id, d->id);
	EXPECT_EQ(DEVRING_TYPE_CAMERA, d->type);
	EXPECT_EQ(0, d->flags);
	EXPECT_EQ(DEVRING_STATE_REMOVED, d->state);
	EXPECT_EQ(s.minor, d->minor);
	EXPECT_STREQ("removed", d->name);
	EXPECT_STREQ("removed", d->link);
	EXPECT_TRUE(all_bytes(&d->geometry, sizeof(d->geometry), 0));
	EXPECT_TRUE(all_bytes(&d->format, sizeof(d->format), 0));
	EXPECT_TRUE(all_bytes(d->label, sizeof(d->label), 0));
	EXPECT_EQ(0, d->registered_ns);
	EXPECT_EQ(0, d->error);
	EXPECT_EQ(-EAGAIN, next(&l, &r));
	/* What was never told to be there is at most told to be gone. */
	ASSERT_EQ(0, source_register(&brief, "brief", 0));
	close(brief.fd);
	while (next(&l, &r) > 0) {
		EXPECT_EQ(DEVRING_RECORD_REMOVED, r.rec.kind);
		EXPECT_EQ(brief.id, r.change.device.id);
	}
}

static void come_and_go(ARGS, int times)
{
	struct source s;

	while (times--) {
		ASSERT_EQ(0, source_register(&s, "fleeting", 0));
		close(s.fd);
	}
}

TEST(removals_are_remembered)
{
	struct source stays, goes;
	struct stream l;
	union record r;
	int kind, gone = 0;

	ASSERT_EQ(0, source_register(&stays, "stays", 0));
	ASSERT_EQ(0, source_register(&goes, "goes", 0));
	listener_up(_metadata, &l);
	close(goes.fd);
	come_and_go(_metadata, DEVRING_REMOVALS_MAX - 1);
	while ((kind = next(&l, &r)) > 0) {
		ASSERT_EQ(DEVRING_RECORD_REMOVED, kind);
		gone += r.change.device.id == goes.id;
	}
	EXPECT_EQ(-EAGAIN, kind);
	EXPECT_EQ(1, gone);
}

TEST(resync_after_too_many)
{
	struct source stays, goes;
	struct stream l;
	union record r;
	int kind, seen = 0, all = 0;

	ASSERT_EQ(0, source_register(&stays, "stays", 0));
	ASSERT_EQ(0, source_register(&goes, "goes", 0));
	listener_up(_metadata, &l);
	close(goes.fd);
	come_and_go(_metadata, DEVRING_REMOVALS_MAX);
	EXPECT_EQ(POLLIN, ready(l.fd, POLLIN));
	ASSERT_EQ(DEVRING_RECORD_RESYNC, next(&l, &r));
	EXPECT_EQ(NEWS_BYTES, r.rec.size);
	EXPECT_EQ(0, r.change.changed);
	EXPECT_EQ(0, r.change.reserved);
	while ((kind = next(&l, &r)) > 0) {
		ASSERT_EQ(DEVRING_RECORD_CHANGE, kind);
		EXPECT_EQ(DEVRING_CHANGED_ADDED, r.change.changed & DEVRING_CHANGED_ADDED);
		seen += r.change.device.id == stays.id;
		all++;
	}
	EXPECT_EQ(-EAGAIN, kind);
	EXPECT_EQ(1, seen);
	EXPECT_EQ(info_now(_metadata).devices, all);
	/* And it goes on as before. */
	close(stays.fd);
	ASSERT_EQ(DEVRING_RECORD_REMOVED, next(&l, &r));
	EXPECT_EQ(stays.id, r.change.device.id);
}

TEST(buffers)
{
	struct stream l = listener_open();
	unsigned char small[2 * sizeof(struct devring_change)];
	struct source a, b;

	ASSERT_EQ(0, source_register(&a, "room1", 0));
	ASSERT_EQ(0, source_register(&b, "room2", 0));
	EXPECT_EQ(-EINVAL, rc(read(l.fd, small, sizeof(struct devring_change) - 1)));
	EXPECT_EQ(-EINVAL, rc(read(l.fd, small, 1)));
	EXPECT_EQ(-EFAULT, rc(read(l.fd, bad_address(), 2048)));
	/* Nothing was lost by that, whole records come, as many as fit. */
	EXPECT_EQ(sizeof(small), rc(read(l.fd, small, sizeof(small))));
	EXPECT_EQ(-EAGAIN, rc(read(l.fd, small, sizeof(small))));
	ASSERT_EQ(1, set_format(a.fd, 1));
	EXPECT_EQ(POLLIN, wait_ready(l.fd, POLLIN));
	EXPECT_EQ(sizeof(struct devring_change), rc(read(l.fd, small, sizeof(small))));
}

static void on_signal(int number)
{
	(void)number;
}

TEST(waiting)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct source s = { 0 };
	struct stream l;
	pid_t pid;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	listener_up(_metadata, &l);
	ASSERT_EQ(0, fcntl(l.fd, F_SETFL, O_RDONLY));
	CHILD(pid) {
		union record r;

		EXPECT_EQ(-EINTR, next(&l, &r));
		EXPECT_EQ(DEVRING_RECORD_CHANGE, next(&l, &r));
		EXPECT_STREQ("awaited", r.change.device.name);
		EXPECT_EQ(POLLIN, wait_ready(l.fd, POLLIN));
	}
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	nap();
	WAIT_ASLEEP(pid);
	ASSERT_EQ(0, source_register(&s, "awaited", 0));
	nap();
	WAIT_ASLEEP(pid);
	ASSERT_EQ(1, set_format(s.fd, 1));
	wait_child(_metadata, pid);
}

TEST(what_the_control_node_is_not)
{
	int control = control_open(O_RDWR);
	char page[64] = { 0 };

	EXPECT_GT(0, rc(write(control, page, sizeof(page))));
	EXPECT_EQ(-ESPIPE, rc(lseek(control, 0, SEEK_SET)));
	EXPECT_EQ(-ENODEV, map_errno(control, 0, PAGE, PROT_READ, MAP_SHARED));
}

TEST_HARNESS_MAIN

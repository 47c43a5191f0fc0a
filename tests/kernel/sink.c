// SPDX-License-Identifier: GPL-2.0-only
/* Sinks (speakers): the registrant reads, and one at a time who opens the node for writing produces. */
#include "lib.h"

FIXTURE(sink) {
	struct source s;	/* the registrant: a reader that sets the ring up */
	struct stream r;
	struct devring_frame f;
	struct source p;	/* who plays */
};

FIXTURE_SETUP(sink)
{
	ASSERT_EQ(0, source_register(&self->s, "speaker", DEVRING_REG_SINK | DEVRING_REG_PERSIST));
	ASSERT_EQ(0, fcntl(self->s.fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 4096, 64, &self->s.g));
	self->r = stream_of(self->s.fd, DEVRING_RECORD_MAX);
	self->p = self->s;
	self->p.fd = -1;
}

FIXTURE_TEARDOWN(sink)
{
	unregister(self->s.id);
}

/* Opens the node to play, with the ring that the kernel made for it. */
static void play(ARGS, FIXTURE_DATA(sink) *self)
{
	struct devring_device d;

	self->p.fd = node_open(&self->s, O_RDWR);
	ASSERT_LE(0, self->p.fd);
	ASSERT_EQ(0, query(self->p.fd, 0, &d));
	self->p.g = d.geometry;
	self->p.head = d.head;
	if (d.geometry.generation) {
		ASSERT_EQ(0, source_map(&self->p));
	}
}

TEST_F(sink, one_player)
{
	int fd;

	EXPECT_EQ(-EACCES, node_open(&self->s, O_RDONLY));
	fd = node_open(&self->s, O_WRONLY);
	EXPECT_LE(0, fd);
	EXPECT_EQ(-EBUSY, node_open(&self->s, O_RDWR));
	EXPECT_EQ(-EBUSY, node_open(&self->s, O_WRONLY));
	EXPECT_EQ(-EACCES, node_open(&self->s, O_RDONLY));
	close(fd);
	fd = node_open(&self->s, O_RDWR);
	EXPECT_LE(0, fd);
	/* Set-up is the registrant's, reading too. */
	EXPECT_EQ(-EACCES, set_ring(fd, 4, 4096, 0, NULL));
	EXPECT_EQ(-EACCES, set_format(fd, 1));
	EXPECT_EQ(-EACCES, set_state(fd, DEVRING_STATE_AVAILABLE, 0));
	EXPECT_EQ(-EACCES, set_reader(fd, 0, 0, 1));
	EXPECT_EQ(0, set_reader(self->s.fd, 0, 0, 2));
	EXPECT_EQ(1, set_format(self->s.fd, 1));
	EXPECT_EQ(0, set_state(self->s.fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_EQ(0, set_state(self->s.fd, DEVRING_STATE_AVAILABLE, 0));
	EXPECT_EQ(-EBADF, rc(write(self->s.fd, "12345678", 8)));
}

TEST_F(sink, frames)
{
	unsigned char *map;

	EXPECT_EQ(-EAGAIN, skip_news(&self->r));
	play(_metadata, self);
	EXPECT_EQ(self->s.g.generation + 1, self->p.g.generation);
	EXPECT_EQ(self->s.g.slots, self->p.g.slots);
	for (unsigned int i = 0; i < 10; i++) {
		ASSERT_EQ(0, produce(&self->p, 1));
		ASSERT_EQ(0, next_frame(&self->r, &self->f));
		EXPECT_EQ(i, self->f.sequence);
		EXPECT_EQ(self->p.g.generation, self->f.generation);
		map = map_of(self->s.fd, self->f.offset, 4096, PROT_READ);
		ASSERT_NE(MAP_FAILED, map);
		EXPECT_TRUE(is_frame(map, 4096, i));
		munmap(map, 4096);
	}
	EXPECT_EQ(-EACCES, map_errno(self->s.fd, self->f.offset, 4096, RW, MAP_SHARED));
}

/* Each player has pages of its own: what the one before played is not there. */
TEST_F(sink, players_in_a_row)
{
	union record u;
	unsigned char *old;
	int kind, told = 0;

	EXPECT_EQ(-EAGAIN, skip_news(&self->r));
	play(_metadata, self);
	ASSERT_EQ(0, produce(&self->p, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	old = self->p.map;
	munmap(old, area_bytes(&self->p.g));
	close(self->p.fd);
	while ((kind = next(&self->r, &u)) > 0) {
		told += kind == DEVRING_RECORD_STATE &&
			u.state.changed & DEVRING_CHANGED_PRODUCER;
	}
	EXPECT_EQ(-EAGAIN, kind);
	EXPECT_EQ(1, told);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, device_of(_metadata, &self->s).state);
	EXPECT_EQ(0, device_of(_metadata, &self->s).producer_pid);
	play(_metadata, self);
	EXPECT_EQ(getpid(), device_of(_metadata, &self->s).producer_pid);
	EXPECT_TRUE(all_bytes(self->p.map, area_bytes(&self->p.g), 0));
	EXPECT_EQ(1, self->p.head);
	ASSERT_EQ(0, produce(&self->p, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(1, self->f.sequence);
	EXPECT_EQ(0, self->f.lost);
}

TEST_F(sink, player_that_dies)
{
	struct devring_slot slot;
	pid_t pid;
	int ears[2];

	ASSERT_EQ(0, pipe(ears));
	EXPECT_EQ(-EAGAIN, skip_news(&self->r));
	CHILD(pid) {
		play(_metadata, self);
		ASSERT_EQ(0, produce(&self->p, 2));
		ASSERT_EQ(0, take(self->p.fd, &slot));
		ASSERT_EQ(0, commit(self->p.fd, &slot, 8, DEVRING_FRAME_PARTIAL));
		tell(ears[1]);
		pause();
	}
	hear(_metadata, ears[0]);
	EXPECT_EQ(-EBUSY, node_open(&self->s, O_RDWR));
	kill_child(_metadata, pid);
	/* What it had played comes out, what it had begun does not. */
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(1, self->f.sequence);
	EXPECT_EQ(-EAGAIN, next_frame(&self->r, &self->f));
	EXPECT_EQ(0, device_of(_metadata, &self->s).queued);
	play(_metadata, self);
	ASSERT_EQ(0, produce(&self->p, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_EQ(3, self->f.sequence);
	EXPECT_EQ(1, self->f.lost);
}

TEST_F(sink, who_listens)
{
	struct devring_readers news;
	struct devring_device d;

	play(_metadata, self);
	d = device_of(_metadata, &self->s);
	EXPECT_EQ(0, d.readers);
	EXPECT_EQ(POLLOUT, ready(self->p.fd, POLLIN | POLLOUT));
	EXPECT_EQ(-EAGAIN, skip_news(&self->r));
	EXPECT_EQ(POLLIN | POLLOUT, ready(self->p.fd, POLLIN | POLLOUT));
	ASSERT_EQ(sizeof(news), rc(read(self->p.fd, &news, sizeof(news))));
	EXPECT_EQ(DEVRING_RECORD_READERS, news.rec.kind);
	EXPECT_EQ(1, news.readers);
	EXPECT_EQ(1, myself(_metadata, self->s.fd).flags & DEVRING_READER_IS_ACTIVE ? 1 : 0);
}

TEST_F(sink, without_a_ring_or_a_registrant)
{
	struct devring_slot slot = { 0 };
	struct source s;
	int fd;

	ASSERT_EQ(0, source_register(&s, "bare", DEVRING_REG_SINK));
	fd = node_open(&s, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENXIO, take(fd, &slot));
	ASSERT_EQ(0, set_ring(s.fd, 3, 100, 0, NULL));
	EXPECT_EQ(POLLOUT, ready(fd, POLLOUT));
	EXPECT_EQ(0, take(fd, &slot));
	/* The registrant goes, and with it the device. */
	close(s.fd);
	EXPECT_EQ(-ENODEV, commit(fd, &slot, 1, 0));
	EXPECT_EQ(POLLHUP | POLLERR, ready(fd, 0));
	close(self->s.fd);
	EXPECT_EQ(-ENXIO, node_open(&self->s, O_RDWR));
	fd = attach(self->s.id, 0);
	EXPECT_LE(0, fd);
	fd = node_open(&self->s, O_RDWR);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, take(fd, &slot));
}

TEST_HARNESS_MAIN

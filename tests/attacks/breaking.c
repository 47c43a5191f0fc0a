// SPDX-License-Identifier: GPL-2.0-only
/* A user who holds as much as he can, to have other users' holds broken. */
#include "lib.h"

enum { SLOTS = 16 };

FIXTURE(breaking) {
	struct source s;
	struct stream honest;
	unsigned char *map;
	struct devring_frame f;		/* that the honest reader holds */
};

static int open_as(uid_t uid, const struct source *s)
{
	struct devring_open o = INIT(devring_open, .flags = O_NONBLOCK, .id = s->id);
	int control = control_open(O_RDONLY), fd;

	if (seteuid(uid))
		return -errno;
	fd = call(control, DEVRING_IOC_OPEN, &o);
	if (seteuid(0))
		return -errno;
	close(control);
	return fd;
}

/* User A reads the oldest frame there is, and holds it from then on. */
FIXTURE_SETUP(breaking)
{
	source_up(_metadata, &self->s, "breaking", DEVRING_REG_PUBLIC, SLOTS, 4096, 64);
	self->honest = stream_of(open_as(USER_A, &self->s), DEVRING_RECORD_MAX);
	ASSERT_LE(0, self->honest.fd);
	self->map = map_of(self->honest.fd, self->s.g.ring_offset, self->s.g.ring_bytes, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->honest, &self->f));
}

FIXTURE_TEARDOWN(breaking)
{
}

#define STANDS(self) (is_frame((self)->map + ((self)->f.offset - (self)->s.g.ring_offset),	\
			       (self)->f.bytes, (self)->f.sequence) &&				\
		      is_frame((self)->map + ((self)->f.metadata_offset - (self)->s.g.ring_offset), \
			       (self)->s.g.metadata_size, (self)->f.sequence))

/* Commits frames, @queued slots being out, and has each of @n hostile readers take each. */
static void hostile_laps(ARGS, FIXTURE_DATA(breaking) *self, struct stream *hostile, int n, int queued)
{
	struct devring_frame f;
	struct devring_slot slot[SLOTS];

	for (int lap = 0; lap < 4 * SLOTS; lap++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		for (int i = 0; i < n; i++) {
			ASSERT_EQ(0, next_frame(&hostile[i], &f));
		}
		for (int i = 0; i < queued; i++) {
			ASSERT_EQ(0, take(self->s.fd, &slot[i]));
			fill(slot_at(&self->s, slot[i].offset), 4096, ~0ULL);
		}
		ASSERT_TRUE(STANDS(self)) TH_LOG("in lap %d of %d readers", lap, n);
		for (int i = 0; i < queued; i++) {
			ASSERT_EQ(0, give_back(self->s.fd, &slot[i]));
		}
	}
}

/* As many files as a user can have of the device, with all the holds that he may have. */
TEST_F(breaking, from_many_files)
{
	struct stream hostile[DEVRING_READERS_MAX];
	uint64_t held = 0;
	int n = 0, fd;

	while ((fd = open_as(USER_B, &self->s)) >= 0) {
		uint32_t holds = DEVRING_HOLDS_MAX;

		hostile[n] = stream_of(fd, DEVRING_RECORD_MAX);
		ASSERT_EQ(0, seteuid(USER_B));
		while (set_reader(fd, 0, DEVRING_START_NEXT, holds) == -EDQUOT)
			holds--;
		ASSERT_EQ(0, seteuid(0));
		ASSERT_EQ(-EAGAIN, skip_news(&hostile[n]));
		held += holds;
		n++;
	}
	EXPECT_EQ(-EUSERS, fd);
	/* Far more than there are slots. */
	EXPECT_LT(4 * SLOTS, held);
	hostile_laps(_metadata, self, hostile, n, SLOTS - 4);
	EXPECT_LT(SLOTS, device_of(_metadata, &self->s).holds_broken);
	EXPECT_EQ(1, myself(_metadata, self->honest.fd).held);
	EXPECT_EQ(0, release(self->honest.fd, self->f.sequence));
}

/*
 * Twenty programs of one user look at one frame, which costs one slot; another user's single file, with fewer holds
 * than that, has all the rest.  Who has the slots pays.
 */
TEST_F(breaking, of_a_user_with_many_readers)
{
	struct devring_frame f, theirs[20];
	struct stream viewers[20], hostile;
	struct devring_slot slot;

	for (int i = 0; i < 20; i++) {
		viewers[i] = stream_of(open_as(USER_A, &self->s), DEVRING_RECORD_MAX);
		ASSERT_EQ(0, set_reader(viewers[i].fd, 0, DEVRING_START_OLDEST, 1));
		ASSERT_EQ(0, next_frame(&viewers[i], &theirs[i]));
		ASSERT_EQ(self->f.sequence, theirs[i].sequence);
	}
	hostile = stream_of(open_as(USER_B, &self->s), DEVRING_RECORD_MAX);
	ASSERT_EQ(0, set_reader(hostile.fd, 0, DEVRING_START_NEXT, SLOTS - 3));
	ASSERT_EQ(-EAGAIN, skip_news(&hostile));
	for (int i = 0; i < SLOTS - 3; i++) {
		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_EQ(0, next_frame(&hostile, &f));
	}
	EXPECT_EQ(0, device_of(_metadata, &self->s).holds_broken);
	ASSERT_EQ(SLOTS - 2, device_of(_metadata, &self->s).held);
	for (int i = 0; i < SLOTS - 4; i++) {
		ASSERT_EQ(0, take(self->s.fd, &slot));
		/* One broken hold is one slot. */
		ASSERT_EQ(i, device_of(_metadata, &self->s).holds_broken);
		ASSERT_EQ(SLOTS - 3 - i, myself(_metadata, hostile.fd).held);
	}
	EXPECT_TRUE(STANDS(self));
	EXPECT_EQ(0, release(self->honest.fd, self->f.sequence));
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(0, release(viewers[i].fd, self->f.sequence));
	}
}

/* Files that were passed on and processes that were forked count for who opened them. */
TEST_F(breaking, with_forks)
{
	struct stream hostile[2];
	pid_t pid[8];
	int go[2];

	ASSERT_EQ(0, pipe(go));
	for (int i = 0; i < 2; i++) {
		hostile[i] = stream_of(open_as(USER_B, &self->s), DEVRING_RECORD_MAX);
		ASSERT_EQ(0, set_reader(hostile[i].fd, 0, DEVRING_START_NEXT, DEVRING_HOLDS_MAX));
		ASSERT_EQ(-EAGAIN, skip_news(&hostile[i]));
	}
	/* Each child has descriptors of its own, and sits on them. */
	for (int i = 0; i < 8; i++) {
		CHILD(pid[i]) {
			struct devring_frame f;

			become(USER_A);
			while (rc(read(go[0], &f, 1)) != 1 || next_frame(&hostile[i % 2], &f) != -ENODEV)
				;
		}
	}
	hostile_laps(_metadata, self, hostile, 2, 4);
	EXPECT_EQ(1, myself(_metadata, self->honest.fd).held);
	for (int i = 0; i < 8; i++) {
		kill_child(_metadata, pid[i]);
	}
}

TEST_HARNESS_MAIN

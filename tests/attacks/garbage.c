// SPDX-License-Identifier: GPL-2.0-only
/* A producer that writes garbage wherever it can, hangs, or never comes to an end. */
#include "lib.h"

#include <sys/time.h>

enum { SLOTS = 6, SLOT_BYTES = 5000, METADATA = 100 };

FIXTURE(garbage) {
	struct source s;
	struct stream r;		/* takes partial frames, too */
	struct devring_geometry g;	/* of the ring that it was told of */
	uint64_t last;			/* sequence that it was given last, and one */
	bool partial;			/* that was partial, and had so many bytes */
	uint32_t grown;
	unsigned int frames;
};

static void read_all(ARGS, FIXTURE_DATA(garbage) *self);

FIXTURE_SETUP(garbage)
{
	source_up(_metadata, &self->s, "garbage", DEVRING_REG_PERSIST | DEVRING_REG_PUBLIC, SLOTS, SLOT_BYTES,
		  METADATA);
	self->r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, set_reader(self->r.fd, DEVRING_READER_PARTIAL, DEVRING_START_OLDEST, 2));
	read_all(_metadata, self);
	ASSERT_EQ(self->s.g.generation, self->g.generation);
}

FIXTURE_TEARDOWN(garbage)
{
	unregister(self->s.id);
}

/* Numbers that are the same in each run. */
static uint64_t dice(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void expect_well_formed(ARGS, FIXTURE_DATA(garbage) *self, const struct devring_frame *f)
{
	const struct devring_geometry *g = &self->g;
	bool again = self->partial && f->sequence + 1 == self->last;

	ASSERT_EQ(g->generation, f->generation);
	ASSERT_GT(g->slots, f->slot);
	ASSERT_GE(g->slot_size, f->bytes);
	ASSERT_EQ(g->slots_offset + (uint64_t)f->slot * g->slot_stride, f->offset);
	ASSERT_EQ(g->metadata_offset + (uint64_t)f->slot * g->metadata_stride, f->metadata_offset);
	ASSERT_EQ(0, f->flags & ~DEVRING_FRAME_FLAGS);
	if (again) {
		ASSERT_LE(self->grown, f->bytes);
		ASSERT_EQ(0, f->lost);
	} else {
		ASSERT_LE(self->last, f->sequence);
	}
	ASSERT_TRUE(all_bytes(f->reserved, sizeof(f->reserved), 0));
	self->last = f->sequence + 1;
	self->partial = f->flags & DEVRING_FRAME_PARTIAL;
	self->grown = f->bytes;
	self->frames++;
}

/* Reads all that is due; each record must make sense. */
static void read_all(ARGS, FIXTURE_DATA(garbage) *self)
{
	union record r;
	int kind;

	while ((kind = next(&self->r, &r)) != -EAGAIN) {
		switch (kind) {
		case DEVRING_RECORD_FRAME:
			expect_well_formed(_metadata, self, &r.frame);
			break;
		case DEVRING_RECORD_GENERATION:
			ASSERT_LT(self->g.generation, r.generation.geometry.generation);
			self->g = r.generation.geometry;
			self->partial = false;
			break;
		default:
			ASSERT_EQ(DEVRING_RECORD_STATE, kind);
			ASSERT_LE(DEVRING_STATE_OFFLINE, r.state.state);
			ASSERT_GE(DEVRING_STATE_ERROR, r.state.state);
		}
	}
}

/* A value that is likely to be near what is right, or far off. */
static uint32_t about(uint64_t *seed, uint32_t right)
{
	switch (dice(seed) % 40) {
	case 0:
		return dice(seed);
	case 1:
		return right + 1;
	case 2:
		return right - 1;
	case 3:
		return 1U << dice(seed) % 32;
	default:
		return right;
	}
}

/* One record, with any of its members wrong: what write() says. */
static long write_garbage(ARGS, FIXTURE_DATA(garbage) *self, uint64_t *seed)
{
	union {
		struct devring_commit commit;
		uint64_t words[9];
	} u = { 0 };
	struct devring_commit *c = &u.commit;

	c->rec.size = about(seed, sizeof(*c));
	c->rec.kind = about(seed, DEVRING_RECORD_COMMIT + dice(seed) % 2);
	if (c->rec.kind == DEVRING_RECORD_RETURN && dice(seed) % 8)
		c->rec.size = sizeof(struct devring_return);
	c->rec.flags = dice(seed) % 40 ? 0 : dice(seed);
	c->generation = about(seed, self->s.g.generation);
	c->slot = about(seed, dice(seed) % SLOTS);
	c->bytes = about(seed, dice(seed) % 4 ? SLOT_BYTES : dice(seed) % SLOT_BYTES);
	c->flags = dice(seed) % 40 ? dice(seed) & DEVRING_FRAME_FLAGS : dice(seed);
	if (dice(seed) % 4)
		c->flags &= ~DEVRING_FRAME_PARTIAL;
	c->capture_ns = dice(seed);
	c->media_time = dice(seed);
	c->trace_id = dice(seed);
	c->lost_before = dice(seed);
	c->reserved0 = dice(seed) % 40 ? 0 : dice(seed);
	c->reserved1 = dice(seed) % 40 ? 0 : dice(seed);
	return rc(write(self->s.fd, &u, c->rec.size < sizeof(u) ? c->rec.size : sizeof(u)));
}

/* Everything that a producer can write is garbage: slots and metadata always, records mostly. */
TEST_F(garbage, in_everything)
{
	uint64_t seed = 0x5eed, refused = 0;
	struct devring_slot slot;

	for (int i = 0; i < 20000; i++) {
		unsigned int at = dice(&seed) % (area_bytes(&self->s.g) / 8);
		long n = write_garbage(_metadata, self, &seed);

		((uint64_t *)self->s.map)[at] = dice(&seed);
		ASSERT_NE(0, n);
		refused += n < 0;
		if (n < 0) {
			ASSERT_TRUE(n == -EINVAL || n == -ESTALE || n == -EBUSY) TH_LOG("write: %ld", n);
		}
		if (dice(&seed) % 2)
			take(self->s.fd, &slot);
		if (dice(&seed) % 8 == 0)
			read_all(_metadata, self);
		if (dice(&seed) % 1024 == 0) {
			munmap(self->s.map, area_bytes(&self->s.g));
			ASSERT_EQ(0, source_ring(&self->s, SLOTS, SLOT_BYTES, METADATA));
		}
	}
	/* The dice fall the same each time: much was refused, and much was not. */
	EXPECT_LT(1000, self->frames);
	EXPECT_LT(1000, refused);
	EXPECT_LT(1000, device_of(_metadata, &self->s).head);
}

/* What the producer maps, and the index in it, stay apart, whatever it tries. */
TEST_F(garbage, in_the_index)
{
	size_t bytes = self->s.g.metadata_offset - self->s.g.ring_offset;
	unsigned char *index = map_of(self->s.fd, self->s.g.ring_offset, bytes, PROT_READ);
	int memory = open("/proc/self/mem", O_RDWR);
	uint64_t word = ~0ULL;

	ASSERT_NE(MAP_FAILED, index);
	EXPECT_EQ(-EACCES, map_errno(self->s.fd, self->s.g.ring_offset, bytes, RW, MAP_SHARED));
	EXPECT_EQ(-EACCES, map_errno(self->s.fd, self->s.g.ring_offset, self->s.g.ring_bytes, RW, MAP_SHARED));
	EXPECT_EQ(-EACCES, map_errno(self->s.fd, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EACCES, rc(mprotect(index, bytes, RW)));
	/* Through the debugger's door. */
	EXPECT_EQ(-EIO, rc(pwrite(memory, &word, sizeof(word), (uintptr_t)index)));
	EXPECT_EQ(-ESPIPE, rc(pwrite(self->s.fd, &word, sizeof(word), self->s.g.ring_offset)));
	/* A map that begins in the metadata does not reach back over its beginning. */
	EXPECT_EQ(MAP_FAILED, mremap(self->s.map, PAGE, bytes + PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, produce(&self->s, 3));
	EXPECT_TRUE(all_bytes(index + 3 * self->s.g.entry_stride, self->s.g.entry_stride, 0));
	read_all(_metadata, self);
	EXPECT_EQ(3, self->frames);
}

/* Each slot once, and only while it is out. */
TEST_F(garbage, slots_again_and_again)
{
	struct devring_slot slot[SLOTS];
	uint32_t n = 0;

	while (take(self->s.fd, &slot[n]) == 0)
		n++;
	EXPECT_EQ(SLOTS - 2, n);
	EXPECT_EQ(-ENOBUFS, take(self->s.fd, &slot[n]));
	for (uint32_t i = 0; i < n; i++) {
		ASSERT_EQ(0, i % 2 ? commit(self->s.fd, &slot[i], 1, 0) : give_back(self->s.fd, &slot[i]));
		ASSERT_EQ(-EINVAL, commit(self->s.fd, &slot[i], 1, 0));
		ASSERT_EQ(-EINVAL, commit(self->s.fd, &slot[i], 1, DEVRING_FRAME_PARTIAL));
		ASSERT_EQ(-EINVAL, give_back(self->s.fd, &slot[i]));
	}
	EXPECT_EQ(n / 2, device_of(_metadata, &self->s).head);
	EXPECT_EQ(0, device_of(_metadata, &self->s).queued);
	read_all(_metadata, self);
	EXPECT_EQ(n / 2, self->frames);
}

/* A frame that grows, and grows, and shrinks; another one beside it; one that is given back while it is read. */
TEST_F(garbage, partial_frames_that_shrink)
{
	struct devring_slot a, b;

	ASSERT_EQ(0, take(self->s.fd, &a));
	ASSERT_EQ(0, take(self->s.fd, &b));
	ASSERT_EQ(0, commit(self->s.fd, &a, 100, DEVRING_FRAME_PARTIAL));
	read_all(_metadata, self);
	EXPECT_EQ(1, self->frames);
	EXPECT_EQ(-EINVAL, commit(self->s.fd, &a, 99, DEVRING_FRAME_PARTIAL));
	EXPECT_EQ(-EINVAL, commit(self->s.fd, &a, 0, 0));
	EXPECT_EQ(-EINVAL, commit(self->s.fd, &a, SLOT_BYTES + 1, DEVRING_FRAME_PARTIAL));
	EXPECT_EQ(-EBUSY, commit(self->s.fd, &b, 100, 0));
	EXPECT_EQ(-EBUSY, commit(self->s.fd, &b, 100, DEVRING_FRAME_PARTIAL));
	EXPECT_EQ(0, commit(self->s.fd, &a, 100, DEVRING_FRAME_PARTIAL));
	read_all(_metadata, self);
	EXPECT_EQ(1, self->frames);
	EXPECT_EQ(0, commit(self->s.fd, &a, SLOT_BYTES, DEVRING_FRAME_PARTIAL));
	read_all(_metadata, self);
	EXPECT_EQ(2, self->frames);
	EXPECT_EQ(0, give_back(self->s.fd, &a));
	EXPECT_EQ(0, commit(self->s.fd, &b, 1, 0));
	read_all(_metadata, self);
	EXPECT_EQ(3, self->frames);
	EXPECT_EQ(2, self->last);
}

/* A stopped producer that has all slots, and a frame half done, delays nobody, and is replaced. */
TEST_F(garbage, producer_that_hangs)
{
	int out[2], in[2], fd;
	struct source next;
	pid_t pid;

	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, produce(&self->s, 2));
	CHILD(pid) {
		struct devring_slot slot;

		ASSERT_EQ(0, source_map(&self->s));
		ASSERT_EQ(0, take(self->s.fd, &slot));
		ASSERT_EQ(0, commit(self->s.fd, &slot, 10, DEVRING_FRAME_PARTIAL));
		while (take(self->s.fd, &slot) == 0)
			;
		tell(out[1]);
		hear(_metadata, in[0]);
		/* Awake again: it is not the producer any more, and what it writes goes nowhere. */
		memset(self->s.map, 0xee, area_bytes(&self->s.g));
		EXPECT_EQ(-ENODEV, commit(self->s.fd, &slot, 1, 0));
		EXPECT_EQ(-ENODEV, take(self->s.fd, &slot));
		EXPECT_EQ(-ENODEV, set_ring(self->s.fd, 4, 4096, 0, NULL));
	}
	hear(_metadata, out[0]);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	WAIT_FOR(task_state(pid) == 'T');
	read_all(_metadata, self);
	EXPECT_LE(1, self->frames);
	EXPECT_EQ(SLOTS - 2, device_of(_metadata, &self->s).queued);
	fd = node_open(&self->s, O_RDONLY | O_NONBLOCK);
	EXPECT_LE(0, fd);
	EXPECT_EQ(-EBUSY, attach(self->s.id, 0));
	next = self->s;
	next.fd = attach(self->s.id, DEVRING_ATTACH_TAKEOVER);
	ASSERT_LE(0, next.fd);
	next.g = device_of(_metadata, &next).geometry;
	EXPECT_EQ(self->s.g.generation + 1, next.g.generation);
	ASSERT_EQ(0, source_map(&next));
	next.head = device_of(_metadata, &next).head;
	ASSERT_EQ(0, produce(&next, 1));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	tell(in[1]);
	wait_child(_metadata, pid);
	self->frames = 0;
	read_all(_metadata, self);
	EXPECT_EQ(1, self->frames);
	EXPECT_TRUE(is_frame(next.map + (next.g.slots_offset - next.g.metadata_offset), SLOT_BYTES, next.head - 1) ||
		    !all_bytes(next.map + (next.g.slots_offset - next.g.metadata_offset), SLOT_BYTES, 0xee));
}

/* One write() of half a million records can be killed. */
TEST_F(garbage, writes_without_end)
{
	const uint32_t count = 1 << 19;
	struct devring_commit *records = mmap(NULL, count * sizeof(*records), RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct itimerval soon = { .it_value.tv_usec = 10000 };
	struct devring_slot slot;
	struct devring_frame f;
	int status;
	pid_t pid;

	munmap(self->s.map, area_bytes(&self->s.g));
	ASSERT_EQ(0, source_ring(&self->s, 4, count, 0));
	ASSERT_EQ(0, take(self->s.fd, &slot));
	for (uint32_t i = 0; i < count; i++)
		records[i] = committing(&slot, i + 1, DEVRING_FRAME_PARTIAL);
	CHILD(pid) {
		signal(SIGALRM, SIG_DFL);
		setitimer(ITIMER_REAL, &soon, NULL);
		EXPECT_LT(0, write(self->s.fd, records, count * sizeof(*records)));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGALRM, WTERMSIG(status));
	ASSERT_EQ(0, next_frame(&self->r, &f));
	EXPECT_LT(0, f.bytes);
	EXPECT_GT(count, f.bytes);
}

TEST_HARNESS_MAIN

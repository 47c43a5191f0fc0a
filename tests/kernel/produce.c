// SPDX-License-Identifier: GPL-2.0-only
/* The producer: slots taken, committed, returned and refused, and what readers see in the index. */
#include "lib.h"

FIXTURE(producer) {
	struct source s;
	struct devring_slot slot;
};

/* A ring of 6 slots, one of them out. */
FIXTURE_SETUP(producer)
{
	source_up(_metadata, &self->s, "produce", DEVRING_REG_KEEP_HISTORY, 6, 8192, 200);
	ASSERT_EQ(0, take(self->s.fd, &self->slot));
}

FIXTURE_TEARDOWN(producer)
{
}

static struct devring_entry entry_of(ARGS, const struct source *s, uint64_t sequence)
{
	struct devring_entry e;
	uint64_t at = s->g.ring_offset + sequence % s->g.entries * s->g.entry_stride;

	memset(&e, POISON, sizeof(e));
	ASSERT_EQ(sizeof(e), rc(pread(s->fd, &e, sizeof(e), at)));
	return e;
}

#define EXPECT_QUEUED(n)	EXPECT_EQ(n, device_of(_metadata, &self->s).queued)
#define EXPECT_HEAD(n)		EXPECT_EQ(n, device_of(_metadata, &self->s).head)

TEST_F(producer, slots_that_are_out)
{
	struct devring_slot slots[8], *slot = slots;
	__u32 seen = 1U << self->slot.slot;
	int fd = self->s.fd;
	long n;

	slots[7] = self->slot;
	EXPECT_EQ(sizeof(*slot), self->slot.rec.size);
	EXPECT_EQ(0, self->slot.rec.flags);
	EXPECT_EQ(self->s.g.generation, self->slot.generation);
	/* As many as fit, at most slots - 2. */
	memset(slots, POISON, 7 * sizeof(*slots));
	n = rc(read(fd, slots, 2 * sizeof(*slots) + 8));
	ASSERT_EQ(2 * sizeof(*slots), n);
	EXPECT_EQ(POLLOUT, ready(fd, POLLOUT));
	n = rc(read(fd, slots + 2, 3 * sizeof(*slots)));
	ASSERT_EQ(sizeof(*slots), n);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(DEVRING_RECORD_SLOT, slots[i].rec.kind);
		EXPECT_LT(slots[i].slot, 6);
		EXPECT_EQ(0, seen & 1U << slots[i].slot);
		seen |= 1U << slots[i].slot;
		EXPECT_EQ(self->s.g.slots_offset + slots[i].slot * self->s.g.slot_stride,
			  slots[i].offset);
		EXPECT_EQ(self->s.g.metadata_offset + slots[i].slot * self->s.g.metadata_stride,
			  slots[i].metadata_offset);
	}
	EXPECT_QUEUED(4);
	EXPECT_EQ(0, ready(fd, POLLOUT));
	EXPECT_EQ(-ENOBUFS, take(fd, slots + 3));
	EXPECT_QUEUED(4);
	EXPECT_EQ(0, commit(fd, slots, 1, 0));
	EXPECT_EQ(POLLOUT, ready(fd, POLLOUT));
	EXPECT_EQ(0, take(fd, slots));
	EXPECT_EQ(-ENOBUFS, take(fd, slots + 3));
}

TEST_F(producer, small_buffers)
{
	unsigned char buffer[64];
	int fd = self->s.fd;
	struct stream r;

	EXPECT_EQ(-EINVAL, rc(read(fd, buffer, sizeof(struct devring_slot) - 1)));
	EXPECT_EQ(-EINVAL, rc(read(fd, buffer, 1)));
	EXPECT_EQ(-EFAULT, rc(read(fd, bad_address(), 64)));
	/* No slot was lost on the way. */
	EXPECT_QUEUED(1);
	EXPECT_EQ(sizeof(struct devring_slot), rc(read(fd, buffer, sizeof(struct devring_slot))));
	EXPECT_QUEUED(2);
	/* Nor are news. */
	r = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	skip_news(&r);
	EXPECT_EQ(-EFAULT, rc(read(fd, bad_address(), 64)));
	EXPECT_EQ(POLLIN | POLLOUT, ready(fd, POLLIN | POLLOUT));
	EXPECT_EQ(sizeof(struct devring_readers), rc(read(fd, buffer, sizeof(struct devring_readers))));
	EXPECT_EQ(DEVRING_RECORD_READERS, ((struct devring_record *)buffer)->kind);
}

TEST_F(producer, one_commit)
{
	struct devring_commit c = committing(&self->slot, 5000, DEVRING_FRAME_KEY);
	struct devring_frame frame;
	struct devring_entry e;
	struct stream reader;
	uint64_t before = now_ns(CLOCK_MONOTONIC), after;

	c.capture_ns = 12345;
	c.media_time = ~0ULL;
	c.trace_id = 0x0123456789abcdefULL;
	c.lost_before = 9;
	ASSERT_EQ(0, put(self->s.fd, &c, sizeof(c)));
	after = now_ns(CLOCK_MONOTONIC);
	EXPECT_QUEUED(0);
	EXPECT_HEAD(1);
	e = entry_of(_metadata, &self->s, 0);
	EXPECT_EQ(DEVRING_WORD(0ULL), e.word);
	EXPECT_EQ(self->slot.slot, e.slot);
	EXPECT_EQ(5000, e.bytes);
	EXPECT_EQ(DEVRING_FRAME_KEY, e.flags);
	EXPECT_EQ(9, e.lost_before);
	EXPECT_EQ(12345, e.capture_ns);
	EXPECT_LE(before, e.commit_ns);
	EXPECT_GE(after, e.commit_ns);
	EXPECT_EQ(~0ULL, e.media_time);
	EXPECT_EQ(c.trace_id, e.trace_id);
	EXPECT_EQ(0, e.format_generation);
	EXPECT_EQ(0, e.reserved);
	reader = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, next_frame(&reader, &frame));
	EXPECT_EQ(sizeof(frame), frame.rec.size);
	EXPECT_EQ(0, frame.rec.flags);
	EXPECT_EQ(0, frame.sequence);
	EXPECT_EQ(self->slot.offset, frame.offset);
	EXPECT_EQ(self->slot.metadata_offset, frame.metadata_offset);
	EXPECT_EQ(0, frame.lost);
	EXPECT_EQ(self->s.g.generation, frame.generation);
	EXPECT_EQ(self->slot.slot, frame.slot);
	EXPECT_EQ(5000, frame.bytes);
	EXPECT_EQ(DEVRING_FRAME_KEY, frame.flags);
	EXPECT_EQ(12345, frame.capture_ns);
	EXPECT_EQ(e.commit_ns, frame.commit_ns);
	EXPECT_EQ(~0ULL, frame.media_time);
	EXPECT_EQ(c.trace_id, frame.trace_id);
	EXPECT_EQ(9, frame.lost_before);
	EXPECT_TRUE(all_bytes(frame.reserved, sizeof(frame.reserved), 0));
	/* No capture time: now. */
	ASSERT_EQ(0, take(self->s.fd, &self->slot));
	before = now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, commit(self->s.fd, &self->slot, 0, 0));
	e = entry_of(_metadata, &self->s, 1);
	EXPECT_LE(before, e.capture_ns);
	EXPECT_GE(e.commit_ns, e.capture_ns);
	EXPECT_EQ(0, e.bytes);
}

TEST_F(producer, refused_commits)
{
	const struct devring_commit good = committing(&self->slot, 8192, 0);
	const struct { struct devring_commit c; int result; size_t bytes; } cases[] = {
#define BAD(result, ...) { ({ struct devring_commit c = good; __VA_ARGS__; c; }), result, sizeof(good) }
		BAD(-EINVAL, c.bytes = 8193),
		BAD(-EINVAL, c.bytes = ~0U),
		BAD(-EINVAL, c.slot = 6),
		BAD(-EINVAL, c.slot = ~0U),
		BAD(-EINVAL, c.slot = (good.slot + 1) % 6),
		BAD(-EINVAL, c.flags = DEVRING_FRAME_FLAGS + 1),
		BAD(-EINVAL, c.flags = 1U << 31),
		BAD(-EINVAL, c.reserved0 = 1),
		BAD(-EINVAL, c.reserved1 = 1),
		BAD(-EINVAL, c.rec.flags = 1),
		BAD(-EINVAL, c.rec.flags = 1U << 31),
		BAD(-EINVAL, c.rec.size = 0),
		BAD(-EINVAL, c.rec.size = 8),
		BAD(-EINVAL, c.rec.size = 56),
		BAD(-EINVAL, c.rec.size = 63),
		BAD(-EINVAL, c.rec.size = 65),
		BAD(-EINVAL, c.rec.size = 72),
		BAD(-EINVAL, c.rec.size = 0xffff),
		BAD(-EINVAL, c.rec.kind = 0),
		BAD(-EINVAL, c.rec.kind = DEVRING_RECORD_FRAME),
		BAD(-EINVAL, c.rec.kind = DEVRING_RECORD_SLOT),
		BAD(-EINVAL, c.rec.kind = DEVRING_RECORD_RETURN),
		BAD(-EINVAL, c.rec.kind = 0xffff),
		BAD(-ESTALE, c.generation = good.generation + 1),
		BAD(-ESTALE, c.generation = good.generation - 1),
		BAD(-ESTALE, c.generation = good.generation + 1024),
		{ good, -EINVAL, 63 }, { good, -EINVAL, 8 }, { good, -EINVAL, 7 }, { good, -EINVAL, 1 },
	};
	int fd = self->s.fd;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].result, put(fd, &cases[i].c, cases[i].bytes))
			TH_LOG("case %u", i);
	}
	EXPECT_EQ(-EFAULT, put(fd, bad_address(), sizeof(good)));
	EXPECT_QUEUED(1);
	EXPECT_HEAD(0);
	EXPECT_EQ(0, put(fd, &good, sizeof(good)));
	/* Once is enough. */
	EXPECT_EQ(-EINVAL, put(fd, &good, sizeof(good)));
	EXPECT_HEAD(1);
}

TEST_F(producer, records_at_any_address)
{
	unsigned char buffer[128];
	struct devring_commit c = committing(&self->slot, 1, 0);

	memcpy(buffer + 3, &c, sizeof(c));
	EXPECT_EQ(0, put(self->s.fd, buffer + 3, sizeof(c)));
	EXPECT_EQ(sizeof(struct devring_slot),
		  rc(read(self->s.fd, buffer + 5, sizeof(struct devring_slot))));
}

TEST_F(producer, records_in_pieces)
{
	struct devring_commit c = committing(&self->slot, 1, 0);
	struct iovec iov[3] = {
		{ &c, 3 }, { (char *)&c + 3, 40 }, { (char *)&c + 43, sizeof(c) - 43 },
	};

	EXPECT_EQ(-EINVAL, rc(writev(self->s.fd, iov, 2)));
	EXPECT_EQ(sizeof(c), rc(writev(self->s.fd, iov, 3)));
	EXPECT_HEAD(1);
}

TEST_F(producer, slots_in_pieces)
{
	struct devring_slot slot;
	struct iovec iov[2] = { { &slot, 5 }, { (char *)&slot + 5, sizeof(slot) - 5 } };
	struct iovec torn[2] = { { &slot, 5 }, { bad_address(), sizeof(slot) - 5 } };

	EXPECT_EQ(-EFAULT, rc(readv(self->s.fd, torn, 2)));
	EXPECT_QUEUED(1);
	memset(&slot, POISON, sizeof(slot));
	EXPECT_EQ(sizeof(slot), rc(readv(self->s.fd, iov, 2)));
	EXPECT_EQ(DEVRING_RECORD_SLOT, slot.rec.kind);
	EXPECT_EQ(sizeof(slot), slot.rec.size);
	EXPECT_NE(self->slot.slot, slot.slot);
	EXPECT_QUEUED(2);
}

TEST_F(producer, many_records_in_one_write)
{
	struct devring_slot slots[4] = { self->slot };
	struct devring_commit c[4];
	struct { struct devring_return r; struct devring_commit c; } mixed;
	int fd = self->s.fd;

	for (int i = 1; i < 4; i++) {
		ASSERT_EQ(0, take(fd, slots + i));
	}
	for (int i = 0; i < 4; i++) {
		c[i] = committing(slots + i, 100 + i, 0);
	}
	/* Up to the one that is wrong; its error comes with the next write. */
	c[2].bytes = 8193;
	EXPECT_EQ(2 * sizeof(*c), put(fd, c, sizeof(c)));
	EXPECT_EQ(-EINVAL, put(fd, c + 2, 2 * sizeof(*c)));
	EXPECT_HEAD(2);
	EXPECT_QUEUED(2);
	c[2].bytes = 102;
	EXPECT_EQ(sizeof(*c), put(fd, c + 2, sizeof(*c) + 8));
	EXPECT_HEAD(3);
	mixed.c = c[3];
	ASSERT_EQ(0, take(fd, slots));
	mixed.r = returning(slots);
	EXPECT_EQ(0, put(fd, &mixed, sizeof(mixed)));
	EXPECT_HEAD(4);
	EXPECT_QUEUED(0);
	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_EQ(100 + i, entry_of(_metadata, &self->s, i).bytes);
	}
}

/* Sequences follow the commits, not the order in which slots were taken. */
TEST_F(producer, order)
{
	struct devring_slot a = self->slot, b, c;
	int fd = self->s.fd;

	ASSERT_EQ(0, take(fd, &b));
	ASSERT_EQ(0, take(fd, &c));
	ASSERT_EQ(0, commit(fd, &c, 3, 0));
	ASSERT_EQ(0, commit(fd, &a, 1, 0));
	ASSERT_EQ(0, commit(fd, &b, 2, 0));
	EXPECT_EQ(c.slot, entry_of(_metadata, &self->s, 0).slot);
	EXPECT_EQ(a.slot, entry_of(_metadata, &self->s, 1).slot);
	EXPECT_EQ(b.slot, entry_of(_metadata, &self->s, 2).slot);
}

TEST_F(producer, takes_the_oldest)
{
	struct devring_slot slot;
	int fd = self->s.fd;

	ASSERT_EQ(0, give_back(fd, &self->slot));
	for (uint64_t n = 0; n < 50; n++) {
		struct devring_entry oldest = n < 6 ? (struct devring_entry){ 0 } :
					      entry_of(_metadata, &self->s, n - 6);

		ASSERT_EQ(0, take(fd, &slot));
		if (n >= 6) {
			EXPECT_EQ(oldest.slot, slot.slot);
			EXPECT_NE(DEVRING_WORD(n - 6), entry_of(_metadata, &self->s, n - 6).word);
			EXPECT_EQ(DEVRING_WORD(n - 5), entry_of(_metadata, &self->s, n - 5).word);
		}
		ASSERT_EQ(0, commit(fd, &slot, n, 0));
	}
	EXPECT_HEAD(50);
}

TEST_F(producer, returned_slots)
{
	struct devring_return r = returning(&self->slot);
	const struct { struct devring_return r; int result; } cases[] = {
#define BAD_RETURN(result, ...) { ({ struct devring_return x = r; __VA_ARGS__; x; }), result }
		BAD_RETURN(-EINVAL, x.rec.size = 8),
		BAD_RETURN(-EINVAL, x.rec.size = 24),
		BAD_RETURN(-EINVAL, x.rec.flags = 1),
		BAD_RETURN(-EINVAL, x.slot = 6),
		BAD_RETURN(-EINVAL, x.slot = (r.slot + 1) % 6),
		BAD_RETURN(-ESTALE, x.generation++),
		BAD_RETURN(-ESTALE, x.generation--),
	};
	int fd = self->s.fd;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].result, put(fd, &cases[i].r, sizeof(cases[i].r)))
			TH_LOG("case %u", i);
	}
	EXPECT_EQ(-EINVAL, put(fd, &r, sizeof(r) - 1));
	EXPECT_QUEUED(1);
	EXPECT_EQ(0, put(fd, &r, sizeof(r)));
	EXPECT_QUEUED(0);
	EXPECT_HEAD(0);
	EXPECT_EQ(-EINVAL, put(fd, &r, sizeof(r)));
	EXPECT_EQ(-EINVAL, commit(fd, &self->slot, 1, 0));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, take(fd, &self->slot));
	}
	EXPECT_EQ(-ENOBUFS, take(fd, &self->slot));
}

TEST_F(producer, partial_frames)
{
	struct devring_slot other;
	struct devring_frame frame;
	struct stream whole, parts;
	int fd = self->s.fd;

	ASSERT_EQ(0, take(fd, &other));
	reader_up(_metadata, &self->s, &whole);
	reader_up(_metadata, &self->s, &parts);
	ASSERT_EQ(0, set_reader(parts.fd, DEVRING_READER_PARTIAL, 0, 1));
	ASSERT_EQ(0, commit(fd, &self->slot, 100, DEVRING_FRAME_PARTIAL));
	EXPECT_QUEUED(2);
	EXPECT_EQ(0, ready(whole.fd, POLLIN));
	EXPECT_EQ(-EAGAIN, next_frame(&whole, &frame));
	EXPECT_EQ(POLLIN, ready(parts.fd, POLLIN));
	ASSERT_EQ(0, next_frame(&parts, &frame));
	EXPECT_EQ(0, frame.sequence);
	EXPECT_EQ(100, frame.bytes);
	EXPECT_EQ(DEVRING_FRAME_PARTIAL, frame.flags);
	EXPECT_EQ(100, entry_of(_metadata, &self->s, 0).bytes);
	EXPECT_EQ(-EAGAIN, next_frame(&parts, &frame));
	/* It only grows, and nothing overtakes it. */
	EXPECT_EQ(-EINVAL, commit(fd, &self->slot, 99, DEVRING_FRAME_PARTIAL));
	EXPECT_EQ(-EINVAL, commit(fd, &self->slot, 99, 0));
	EXPECT_EQ(-EBUSY, commit(fd, &other, 1, 0));
	EXPECT_EQ(-EBUSY, commit(fd, &other, 1, DEVRING_FRAME_PARTIAL));
	EXPECT_EQ(-EAGAIN, next_frame(&parts, &frame));
	ASSERT_EQ(0, commit(fd, &self->slot, 200, DEVRING_FRAME_PARTIAL));
	ASSERT_EQ(0, commit(fd, &self->slot, 300, DEVRING_FRAME_PARTIAL));
	ASSERT_EQ(0, next_frame(&parts, &frame));
	EXPECT_EQ(0, frame.sequence);
	EXPECT_EQ(300, frame.bytes);
	EXPECT_EQ(0, frame.lost);
	EXPECT_EQ(-EAGAIN, next_frame(&whole, &frame));
	ASSERT_EQ(0, commit(fd, &self->slot, 300, DEVRING_FRAME_KEY));
	EXPECT_QUEUED(1);
	EXPECT_HEAD(1);
	ASSERT_EQ(0, next_frame(&whole, &frame));
	EXPECT_EQ(300, frame.bytes);
	EXPECT_EQ(DEVRING_FRAME_KEY, frame.flags);
	ASSERT_EQ(0, next_frame(&parts, &frame));
	EXPECT_EQ(0, frame.sequence);
	EXPECT_EQ(DEVRING_FRAME_KEY, frame.flags);
	EXPECT_EQ(1, myself(_metadata, parts.fd).delivered);
	EXPECT_EQ(1, myself(_metadata, whole.fd).delivered);
	ASSERT_EQ(0, commit(fd, &other, 1, 0));
	EXPECT_HEAD(2);
}

TEST_F(producer, partial_frame_given_back)
{
	struct devring_frame frame;
	struct stream reader;
	int fd = self->s.fd;

	reader_up(_metadata, &self->s, &reader);
	ASSERT_EQ(0, commit(fd, &self->slot, 100, DEVRING_FRAME_PARTIAL));
	ASSERT_EQ(0, give_back(fd, &self->slot));
	EXPECT_EQ(-EINVAL, commit(fd, &self->slot, 100, 0));
	EXPECT_NE(DEVRING_WORD(0ULL), entry_of(_metadata, &self->s, 0).word);
	ASSERT_EQ(0, take(fd, &self->slot));
	ASSERT_EQ(0, commit(fd, &self->slot, 100, 0));
	ASSERT_EQ(0, next_frame(&reader, &frame));
	EXPECT_EQ(1, frame.sequence);
	EXPECT_EQ(1, frame.lost);
}

TEST_F(producer, readers_come_first)
{
	union record r[2];
	unsigned char buffer[3 * sizeof(struct devring_slot)];
	struct devring_readers *news = (void *)buffer;
	struct stream a, b;
	int fd = self->s.fd;

	EXPECT_EQ(POLLOUT, ready(fd, POLLIN | POLLOUT));
	a = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(POLLOUT, ready(fd, POLLIN | POLLOUT));
	skip_news(&a);
	EXPECT_EQ(POLLIN | POLLOUT, ready(fd, POLLIN | POLLOUT));
	/* Room for one record never takes a slot now. */
	memset(r, POISON, sizeof(r));
	ASSERT_EQ(sizeof(struct devring_readers), rc(read(fd, r, sizeof(struct devring_readers))));
	EXPECT_EQ(DEVRING_RECORD_READERS, r->rec.kind);
	EXPECT_EQ(sizeof(struct devring_readers), r->rec.size);
	EXPECT_EQ(0, r->rec.flags);
	EXPECT_EQ(1, r->readers.readers);
	EXPECT_TRUE(all_bytes(r->readers.reserved, sizeof(r->readers.reserved), 0));
	EXPECT_QUEUED(1);
	EXPECT_EQ(POLLOUT, ready(fd, POLLIN | POLLOUT));
	/* It coalesces, and slots follow in the same read. */
	b = reader_open(&self->s, O_RDONLY | O_NONBLOCK);
	skip_news(&b);
	close(a.fd);
	close(b.fd);
	memset(buffer, POISON, sizeof(buffer));
	ASSERT_EQ(sizeof(buffer), rc(read(fd, buffer, sizeof(buffer))));
	EXPECT_EQ(DEVRING_RECORD_READERS, news->rec.kind);
	EXPECT_EQ(0, news->readers);
	EXPECT_EQ(DEVRING_RECORD_SLOT, news[1].rec.kind);
	EXPECT_EQ(DEVRING_RECORD_SLOT, news[2].rec.kind);
	EXPECT_QUEUED(3);
}

/* One for another: as many as before, but the producer may ask who they are. */
TEST_F(producer, news_of_others)
{
	struct devring_readers news;
	struct stream a, b;
	int fd = self->s.fd;

	reader_up(_metadata, &self->s, &a);
	ASSERT_EQ(sizeof(news), rc(read(fd, &news, sizeof(news))));
	EXPECT_EQ(1, news.readers);
	reader_up(_metadata, &self->s, &b);
	close(a.fd);
	EXPECT_EQ(POLLIN | POLLOUT, ready(fd, POLLIN | POLLOUT));
	memset(&news, POISON, sizeof(news));
	ASSERT_EQ(sizeof(news), rc(read(fd, &news, sizeof(news))));
	EXPECT_EQ(DEVRING_RECORD_READERS, news.rec.kind);
	EXPECT_EQ(1, news.readers);
	EXPECT_EQ(POLLOUT, ready(fd, POLLIN | POLLOUT));
}

TEST_F(producer, news_without_slots)
{
	struct devring_slot slot;
	struct devring_readers news[2];
	struct stream reader;
	int fd = self->s.fd;

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, take(fd, &slot));
	}
	reader_up(_metadata, &self->s, &reader);
	EXPECT_EQ(POLLIN, ready(fd, POLLIN | POLLOUT));
	/* The news alone, and no error for the slots that did not follow. */
	ASSERT_EQ(sizeof(news[0]), rc(read(fd, news, sizeof(news))));
	EXPECT_EQ(1, news[0].readers);
	EXPECT_EQ(-ENOBUFS, rc(read(fd, news, sizeof(news))));
}

TEST_F(producer, one_producer)
{
	int reader = node_open(&self->s, O_RDWR), twin = dup(self->s.fd);
	struct devring_commit c = committing(&self->slot, 1, 0);
	unsigned char record[DEVRING_RECORD_MAX];

	/* The node's write bit makes no producer. */
	EXPECT_LE(0, reader);
	EXPECT_GT(0, rc(write(reader, &c, sizeof(c))));
	EXPECT_EQ(-EACCES, set_ring(reader, 4, 4096, 0, NULL));
	EXPECT_LT(0, rc(read(reader, record, sizeof(record))));
	EXPECT_EQ(DEVRING_RECORD_GENERATION, ((struct devring_record *)record)->kind);
	EXPECT_EQ(-EBADF, rc(write(node_open(&self->s, O_RDONLY), &c, sizeof(c))));
	EXPECT_HEAD(0);
	EXPECT_EQ(0, put(twin, &c, sizeof(c)));
	EXPECT_HEAD(1);
	close(self->s.fd);
	self->s.fd = twin;
	EXPECT_EQ(0, take(twin, &self->slot));
}

TEST_F(producer, files_have_no_position)
{
	EXPECT_EQ(-ESPIPE, rc(lseek(self->s.fd, 0, SEEK_SET)));
	EXPECT_EQ(-ESPIPE, rc(lseek(self->s.fd, 0, SEEK_CUR)));
	EXPECT_GT(0, rc(pwrite(self->s.fd, "12345678", 8, 0)));
}

/* The index can hold no word that a reader would take for a frame that was never committed. */
TEST_F(producer, nothing_there_before_the_first_frame)
{
	for (unsigned int i = 0; i < self->s.g.entries; i++) {
		EXPECT_NE(DEVRING_WORD((uint64_t)i), entry_of(_metadata, &self->s, i).word);
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Maps: what each side may do with each region, and what shows through them over time. */
#include "lib.h"

enum region { HEADER, INDEX, METADATA, SLOTS, WHOLE_RING, REGIONS };

static const char *const region_names[] = { "header", "index", "metadata", "slots", "ring" };

FIXTURE(maps) {
	struct source s;
	struct stream r;
	struct devring_frame f;
	int rw;				/* a reader that may write the node */
	uint64_t at[REGIONS];
	size_t bytes[REGIONS];
};

/* Frame 0 is there, and the reader holds it. */
FIXTURE_SETUP(maps)
{
	const struct devring_geometry *g = &self->s.g;

	source_up(_metadata, &self->s, "map", 0, 4, 3 * 4096 + 100, 4096);
	reader_up(_metadata, &self->s, &self->r);
	self->rw = node_open(&self->s, O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, self->rw);
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	self->bytes[HEADER] = PAGE;
	self->at[INDEX] = self->at[WHOLE_RING] = g->ring_offset;
	self->bytes[INDEX] = g->metadata_offset - g->ring_offset;
	self->at[METADATA] = g->metadata_offset;
	self->bytes[METADATA] = g->slots_offset - g->metadata_offset;
	self->at[SLOTS] = g->slots_offset;
	self->bytes[SLOTS] = g->ring_offset + g->ring_bytes - g->slots_offset;
	self->bytes[WHOLE_RING] = g->ring_bytes;
}

FIXTURE_TEARDOWN(maps)
{
}

#define MAP(fd, region, prot)	map_of(fd, self->at[region], self->bytes[region], prot)
#define REFUSED(errno_)		((errno_) == -EACCES || (errno_) == -EPERM)

/* A file that may only read: no writable map, none that can become writable or executable. */
static void expect_read_only(ARGS, FIXTURE_DATA(maps) *self, int fd, int region)
{
	void *p = MAP(fd, region, PROT_READ);

	ASSERT_NE(MAP_FAILED, p) TH_LOG("%s: %s", region_names[region], strerror(errno));
	EXPECT_TRUE(REFUSED(map_errno(fd, self->at[region], self->bytes[region], RW, MAP_SHARED)))
		TH_LOG("%s", region_names[region]);
	EXPECT_TRUE(REFUSED(map_errno(fd, self->at[region], PAGE, PROT_WRITE, MAP_SHARED)))
		TH_LOG("%s", region_names[region]);
	EXPECT_EQ(-EACCES, rc(mprotect(p, PAGE, RW))) TH_LOG("%s", region_names[region]);
	EXPECT_EQ(-EACCES, rc(mprotect(p, self->bytes[region], PROT_WRITE)))
		TH_LOG("%s", region_names[region]);
	EXPECT_EQ(-EACCES, rc(mprotect(p, PAGE, PROT_READ | PROT_EXEC)))
		TH_LOG("%s", region_names[region]);
	EXPECT_EQ(0, rc(mprotect(p, PAGE, PROT_NONE)));
	EXPECT_EQ(0, rc(mprotect(p, PAGE, PROT_READ)));
	munmap(p, self->bytes[region]);
}

static void expect_no_private_or_code(ARGS, FIXTURE_DATA(maps) *self, int fd, int region)
{
	static const int prots[] = { PROT_READ, RW, PROT_NONE };

	for (unsigned int i = 0; i < ARRAY_SIZE(prots); i++) {
		EXPECT_GT(0, map_errno(fd, self->at[region], PAGE, prots[i], MAP_PRIVATE))
			TH_LOG("%s private %d", region_names[region], prots[i]);
	}
	EXPECT_TRUE(REFUSED(map_errno(fd, self->at[region], PAGE, PROT_READ | PROT_EXEC, MAP_SHARED)))
		TH_LOG("%s", region_names[region]);
}

TEST_F(maps, readers_only_read)
{
	int files[] = { self->r.fd, self->rw };

	for (int region = HEADER; region < REGIONS; region++) {
		for (int i = 0; i < 2; i++) {
			expect_read_only(_metadata, self, files[i], region);
			expect_no_private_or_code(_metadata, self, files[i], region);
		}
	}
}

TEST_F(maps, the_producer_writes_metadata_and_slots)
{
	static const int writable[] = { METADATA, SLOTS };
	int fd = self->s.fd;

	expect_read_only(_metadata, self, fd, HEADER);
	expect_read_only(_metadata, self, fd, INDEX);
	/* What begins in the index is read-only to its end. */
	expect_read_only(_metadata, self, fd, WHOLE_RING);
	for (int region = HEADER; region < REGIONS; region++) {
		expect_no_private_or_code(_metadata, self, fd, region);
	}
	for (int i = 0; i < 2; i++) {
		unsigned char *p = MAP(fd, writable[i], RW);

		ASSERT_NE(MAP_FAILED, p);
		memset(p, i + 1, self->bytes[writable[i]]);
		EXPECT_EQ(-EACCES, rc(mprotect(p, PAGE, PROT_READ | PROT_EXEC)));
		EXPECT_EQ(0, rc(mprotect(p, PAGE, PROT_READ)));
		EXPECT_EQ(0, rc(mprotect(p, PAGE, RW)));
		p[0] = 9;
		munmap(p, self->bytes[writable[i]]);
		p = MAP(fd, writable[i], PROT_READ);
		ASSERT_NE(MAP_FAILED, p);
		EXPECT_EQ(9, p[0]);
		EXPECT_TRUE(all_bytes(p + 1, self->bytes[writable[i]] - 1, i + 1));
	}
}

TEST_F(maps, parts_and_ends)
{
	const uint64_t end = self->at[WHOLE_RING] + self->bytes[WHOLE_RING], page = PAGE;
	const struct { uint64_t at; size_t bytes; int result; } cases[] = {
		{ 0, page, 0 },
		{ 0, 2 * page, -EINVAL },
		{ self->at[INDEX] - page, page, -EINVAL },
		{ self->at[INDEX] - page, 2 * page, -EINVAL },
		{ self->at[INDEX], page, 0 },
		{ self->at[METADATA] + page, page, 0 },
		{ self->at[SLOTS] + self->s.g.slot_stride, self->s.g.slot_stride, 0 },
		{ self->at[METADATA] - page, 3 * page, 0 },
		{ end - page, page, 0 },
		{ end - page, 2 * page, -EINVAL },
		{ end, page, -EINVAL },
		{ self->at[WHOLE_RING], self->bytes[WHOLE_RING] + page, -EINVAL },
		{ self->at[WHOLE_RING] + (1ULL << 34), page, -ESTALE },
		{ self->at[WHOLE_RING] + (5ULL << 34), page, -ESTALE },
	};
	int files[] = { self->s.fd, self->r.fd, self->rw };

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int n = 0; n < 3; n++) {
			EXPECT_EQ(cases[i].result, map_errno(files[n], cases[i].at, cases[i].bytes,
							     PROT_READ, MAP_SHARED))
				TH_LOG("case %u, file %d", i, n);
		}
	}
	/* Between the header and the rings, and far beyond what a file can have. */
	EXPECT_GT(0, map_errno(self->r.fd, page, page, PROT_READ, MAP_SHARED));
	EXPECT_GT(0, map_errno(self->r.fd, 1ULL << 50, page, PROT_READ, MAP_SHARED));
	EXPECT_GT(0, map_errno(self->r.fd, 1ULL << 62, page, PROT_READ, MAP_SHARED));
}

TEST_F(maps, split_moved_and_grown)
{
	unsigned char *p = MAP(self->r.fd, SLOTS, PROT_READ), *moved, *gap;
	size_t bytes = self->bytes[SLOTS];

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(is_frame(p + (self->f.offset - self->at[SLOTS]), self->f.bytes, 0));
	EXPECT_EQ(MAP_FAILED, mremap(p, bytes, bytes + PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(p, bytes, 2 * bytes, 0));
	gap = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(p, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, gap);
	ASSERT_EQ(gap, moved);
	p = moved + (self->f.offset - self->at[SLOTS]);
	EXPECT_TRUE(is_frame(p, self->f.bytes, 0));
	/* A hole in the middle: what is beside it stays. */
	ASSERT_EQ(0, munmap(p + PAGE, PAGE));
	EXPECT_TRUE(is_frame(p, PAGE, 0));
	EXPECT_EQ(pattern(0, 2 * PAGE / 8), *(uint64_t *)(p + 2 * PAGE));
	EXPECT_EQ(p, mremap(p, PAGE, PAGE, 0));
	/* The old size 0 makes a second view of the same. */
	moved = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
	if (moved != MAP_FAILED) {
		EXPECT_TRUE(is_frame(moved, PAGE, 0));
	}
}

TEST_F(maps, pages_come_back)
{
	unsigned char *p = MAP(self->r.fd, SLOTS, PROT_READ);
	unsigned char *q = MAP(self->s.fd, SLOTS, RW);
	size_t at = self->f.offset - self->at[SLOTS];

	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(is_frame(p + at, self->f.bytes, 0));
		EXPECT_TRUE(is_frame(q + at, self->f.bytes, 0));
		/* The kernel lets nobody drop what was not inserted as pages: the readers' cannot go. */
		EXPECT_EQ(-EINVAL, rc(madvise(p, self->bytes[SLOTS], MADV_DONTNEED)));
		ASSERT_EQ(0, madvise(q, self->bytes[SLOTS], MADV_DONTNEED));
		EXPECT_TRUE(is_frame(p + at, self->f.bytes, 0));
		EXPECT_TRUE(is_frame(q + at, self->f.bytes, 0));
		/* One page out of the middle of others. */
		ASSERT_EQ(0, madvise(q + at + PAGE, PAGE, MADV_DONTNEED));
	}
}

TEST_F(maps, fork)
{
	unsigned char *p = MAP(self->r.fd, SLOTS, PROT_READ);
	size_t at = self->f.offset - self->at[SLOTS];
	long refused;
	pid_t pid;

	EXPECT_TRUE(is_frame(p + at, self->f.bytes, 0));
	CHILD(pid) {
		EXPECT_TRUE(is_frame(p + at, self->f.bytes, 0));
		/* The producer's maps stay with it. */
		EXPECT_EQ(-ENOMEM, rc(mprotect(self->s.map, PAGE, PROT_READ)));
	}
	wait_child(_metadata, pid);
	/* Until told otherwise, which the newest kernels refuse for drivers' maps. */
	refused = rc(madvise(self->s.map, area_bytes(&self->s.g), MADV_DOFORK));
	if (refused) {
		ASSERT_EQ(-EINVAL, refused);
	}
	CHILD(pid) {
		if (refused) {
			ASSERT_EQ(0, source_map(&self->s));
		}
		EXPECT_TRUE(is_frame(slot_at(&self->s, self->f.offset), self->f.bytes, 0));
		fill(slot_at(&self->s, self->f.offset), self->f.bytes, 7);
	}
	wait_child(_metadata, pid);
	EXPECT_TRUE(is_frame(p + at, self->f.bytes, 7));
}

/* Nothing may keep a page that can be taken away. */
TEST_F(maps, readers_cannot_pin)
{
	unsigned char *p = MAP(self->r.fd, SLOTS, PROT_READ), *source, copy[4096];
	size_t at = self->f.offset - self->at[SLOTS];
	struct iovec to = { copy, sizeof(copy) }, from = { p + at, sizeof(copy) };
	int ends[2], file;

	EXPECT_TRUE(is_frame(p + at, self->f.bytes, 0));
	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-EFAULT, rc(vmsplice(ends[1], &from, 1, 0)));
	EXPECT_EQ(-EFAULT, rc(process_vm_readv(getpid(), &to, 1, &from, 1, 0)));
	/* Copies can be made. */
	file = memfd_create("copy", MFD_CLOEXEC);
	ASSERT_LE(0, file);
	EXPECT_EQ(sizeof(copy), rc(write(file, p + at, sizeof(copy))));
	EXPECT_EQ(sizeof(copy), rc(pread(file, copy, sizeof(copy), 0)));
	EXPECT_TRUE(is_frame(copy, sizeof(copy), 0));
	memset(copy, POISON, sizeof(copy));
	EXPECT_EQ(sizeof(copy), rc(write(ends[1], p + at, sizeof(copy))));
	EXPECT_EQ(sizeof(copy), rc(read(ends[0], copy, sizeof(copy))));
	EXPECT_TRUE(is_frame(copy, sizeof(copy), 0));
	/* The producer's can be pinned: drivers do. */
	source = slot_at(&self->s, self->f.offset);
	from.iov_base = source;
	memset(copy, POISON, sizeof(copy));
	EXPECT_EQ(sizeof(copy), rc(process_vm_readv(getpid(), &to, 1, &from, 1, 0)));
	EXPECT_TRUE(is_frame(copy, sizeof(copy), 0));
}

TEST_F(maps, pinnable)
{
	struct iovec from, to;
	struct devring_frame f;
	unsigned char *p, copy[4096];
	struct source s;
	struct stream r;

	source_up(_metadata, &s, "pin", DEVRING_REG_PINNABLE, 4, 4096, 0);
	reader_up(_metadata, &s, &r);
	ASSERT_EQ(0, produce(&s, 1));
	ASSERT_EQ(0, next_frame(&r, &f));
	p = map_of(r.fd, f.offset, 4096, PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	from = (struct iovec){ p, sizeof(copy) };
	to = (struct iovec){ copy, sizeof(copy) };
	EXPECT_EQ(sizeof(copy), rc(process_vm_readv(getpid(), &to, 1, &from, 1, 0)));
	EXPECT_TRUE(is_frame(copy, sizeof(copy), 0));
	EXPECT_EQ(-EACCES, rc(mprotect(p, PAGE, RW)));
}

TEST_F(maps, pread_is_the_map)
{
	int files[] = { self->s.fd, self->r.fd, self->rw };
	uint64_t end = self->at[WHOLE_RING] + self->bytes[WHOLE_RING];
	unsigned char copy[20000];

	for (int n = 0; n < 3; n++) {
		int fd = files[n];

		for (int region = HEADER; region <= SLOTS; region++) {
			unsigned char *p = MAP(fd, region, PROT_READ);

			for (size_t at = 0; at < self->bytes[region]; at += 7777) {
				size_t left = self->bytes[region] - at;
				size_t want = left < sizeof(copy) ? left : sizeof(copy);

				ASSERT_EQ(want, rc(pread(fd, copy, want, self->at[region] + at)));
				EXPECT_EQ(0, memcmp(p + at, copy, want));
			}
		}
		/* Reads stop at the end of what there is. */
		EXPECT_EQ(PAGE, rc(pread(fd, copy, sizeof(copy), 0)));
		EXPECT_EQ(100, rc(pread(fd, copy, sizeof(copy), end - 100)));
		EXPECT_GE(0, rc(pread(fd, copy, 1, end)));
		EXPECT_GE(0, rc(pread(fd, copy, 1, PAGE)));
		EXPECT_EQ(-ESTALE, rc(pread(fd, copy, 1, end + (1ULL << 34))));
		EXPECT_EQ(-EFAULT, rc(pread(fd, bad_address(), 1, self->at[SLOTS])));
		EXPECT_EQ(-EINVAL, rc(pread(fd, copy, 1, -2)));
	}
}

TEST_F(maps, zeros_after_the_generation)
{
	unsigned char *p = MAP(self->r.fd, WHOLE_RING, PROT_READ), *q, *untouched;
	const struct devring_header *h = MAP(self->r.fd, HEADER, PROT_READ);
	struct devring_geometry old = self->s.g;
	pid_t pid;

	untouched = MAP(self->r.fd, SLOTS, PROT_READ);
	q = MAP(self->s.fd, SLOTS, RW);
	EXPECT_FALSE(all_bytes(p, self->bytes[WHOLE_RING], 0));
	EXPECT_FALSE(all_bytes(q, self->bytes[SLOTS], 0));
	ASSERT_EQ(0, release(self->r.fd, 0));
	ASSERT_EQ(0, set_ring(self->s.fd, 4, 3 * 4096 + 100, 4096, &self->s.g));
	EXPECT_TRUE(all_bytes(p, self->bytes[WHOLE_RING], 0));
	EXPECT_TRUE(all_bytes(untouched, self->bytes[SLOTS], 0));
	CHILD(pid) {
		EXPECT_TRUE(all_bytes(p, self->bytes[WHOLE_RING], 0));
	}
	wait_child(_metadata, pid);
	/* The producer's old map is harmless: what it writes, nobody sees. */
	memset(q, 0xee, self->bytes[SLOTS]);
	EXPECT_TRUE(all_bytes(p, self->bytes[WHOLE_RING], 0));
	EXPECT_TRUE(all_bytes(untouched, self->bytes[SLOTS], 0));
	/* The header goes on. */
	EXPECT_EQ(old.generation + 1, h->geometry.generation);
	EXPECT_EQ(self->s.g.ring_offset, h->geometry.ring_offset);
	EXPECT_EQ(1, h->head);
	p = map_of(self->r.fd, self->s.g.ring_offset, self->s.g.ring_bytes, PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	q = map_of(self->s.fd, self->s.g.metadata_offset, area_bytes(&self->s.g), RW);
	ASSERT_NE(MAP_FAILED, q);
	self->s.map = q;
	ASSERT_EQ(0, produce(&self->s, 1));
	ASSERT_EQ(0, next_frame(&self->r, &self->f));
	EXPECT_TRUE(is_frame(p + (self->f.offset - self->s.g.ring_offset), self->f.bytes, 1));
}

/* The way that needs no system call at all, as the header file describes it. */
TEST_F(maps, sampling)
{
	const struct devring_header *h = MAP(self->r.fd, HEADER, PROT_READ);
	const unsigned char *index = MAP(self->r.fd, INDEX, PROT_READ);
	const struct devring_geometry *g = &self->s.g;

	for (uint64_t n = 1; n < 30; n++) {
		const struct devring_entry *e;

		ASSERT_EQ(0, produce(&self->s, 1));
		ASSERT_EQ(n + 1, __atomic_load_n(&h->head, __ATOMIC_ACQUIRE));
		e = (const void *)(index + n % g->entries * g->entry_stride);
		ASSERT_EQ(DEVRING_WORD(n), __atomic_load_n(&e->word, __ATOMIC_ACQUIRE));
		ASSERT_GT(g->slots, e->slot);
		EXPECT_EQ(g->slot_size, e->bytes);
		EXPECT_TRUE(is_frame(self->s.map + (g->slots_offset - g->metadata_offset) +
				     (size_t)e->slot * g->slot_stride, e->bytes, n));
	}
}

/* Maps keep a file's inode, not its access: they outlive the descriptor, and the device. */
TEST_F(maps, without_their_descriptor)
{
	unsigned char *p = MAP(self->r.fd, SLOTS, PROT_READ);
	const struct devring_header *h = MAP(self->r.fd, HEADER, PROT_READ);
	size_t at = self->f.offset - self->at[SLOTS];

	close(self->r.fd);
	EXPECT_TRUE(is_frame(p + at, self->f.bytes, 0));
	EXPECT_EQ(DEVRING_MAGIC, h->magic);
	munmap(self->s.map, area_bytes(&self->s.g));
	close(self->s.fd);
	EXPECT_EQ(DEVRING_STATE_REMOVED, h->state);
	/* And nothing is there for ever. */
	WAIT_FOR(all_bytes(p, self->bytes[SLOTS], 0));
}

TEST_HARNESS_MAIN

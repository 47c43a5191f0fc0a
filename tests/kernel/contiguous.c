// SPDX-License-Identifier: GPL-2.0-only
/* How much of a slot is in one piece of physical memory, as the map of its producer shows: drivers like few pieces. */
#include "lib.h"

#define SLOTS		4
#define PIECE_MAX	(4 << 20)	/* what the kernel has in one piece at most */
#define PFN(entry)	((entry) & ((1ULL << 55) - 1))
#define PRESENT		(1ULL << 63)

/* The pieces that @pages pages at @memory are of; 0 if one is not there. */
static unsigned int pieces_of(ARGS, int pagemap, const volatile char *memory, size_t pages)
{
	uint64_t *entries = calloc(pages, sizeof(*entries));
	unsigned int pieces = 1;

	ASSERT_NE(NULL, entries);
	ASSERT_EQ(pages * sizeof(*entries), rc(pread(pagemap, entries, pages * sizeof(*entries),
						     (uintptr_t)memory / PAGE * sizeof(*entries))));
	for (size_t i = 0; i < pages; i++) {
		if (!(entries[i] & PRESENT) || !PFN(entries[i])) {
			pieces = 0;
			break;
		}
		pieces += i && PFN(entries[i]) != PFN(entries[i - 1]) + 1;
	}
	free(entries);
	return pieces;
}

FIXTURE(slots) {
	struct source s;
	int pagemap;
};

FIXTURE_VARIANT(slots) {
	const char *what;
	__u32 bytes;
};

FIXTURE_VARIANT_ADD(slots, page) { "one page", 4096 };
FIXTURE_VARIANT_ADD(slots, vga) { "640x480 YUYV", 640 * 480 * 2 };
FIXTURE_VARIANT_ADD(slots, full_hd) { "1920x1080 YUYV", 1920 * 1080 * 2 };
FIXTURE_VARIANT_ADD(slots, one_piece) { "as much as is in one piece", PIECE_MAX };
FIXTURE_VARIANT_ADD(slots, more) { "a page more", PIECE_MAX + 4096 };
FIXTURE_VARIANT_ADD(slots, ultra_hd) { "3840x2160 NV12", 3840 * 2160 * 3 / 2 };

FIXTURE_SETUP(slots)
{
	ASSERT_EQ(0, source_register(&self->s, "contiguous", 0));
	ASSERT_EQ(0, source_ring(&self->s, SLOTS, variant->bytes, 0));
	self->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->pagemap);
}

FIXTURE_TEARDOWN(slots)
{
	close(self->pagemap);
	close(self->s.fd);
}

/* Memory that was used for long may have no large pieces left, but not none at all. */
TEST_F(slots, are_of_few_pieces)
{
	const struct devring_geometry *g = &self->s.g;
	unsigned int least = (variant->bytes + PIECE_MAX - 1) / PIECE_MAX, pieces, whole = 0, all = 0;
	volatile char *slots = map_of(self->s.fd, g->slots_offset, (size_t)SLOTS * g->slot_stride, RW);

	ASSERT_NE(MAP_FAILED, slots);
	for (size_t at = 0; at < (size_t)SLOTS * g->slot_stride; at += PAGE)
		slots[at] = 1;
	for (unsigned int i = 0; i < SLOTS; i++) {
		pieces = pieces_of(_metadata, self->pagemap, slots + (size_t)i * g->slot_stride, g->slot_stride / PAGE);
		ASSERT_NE(0, pieces);
		whole += pieces <= least;
		all += pieces;
	}
	TH_LOG("%s: %u of %u slots of the fewest pieces there can be, %u; %u pieces in all", variant->what, whole,
	       SLOTS, least, all);
	EXPECT_GT(whole, 0);
}

TEST_HARNESS_MAIN

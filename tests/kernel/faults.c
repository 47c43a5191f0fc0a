// SPDX-License-Identifier: GPL-2.0-only
/* lane: guest */
/*
 * Page faults, as a kernel on real page tables has them: the user-mode kernel shows such maps to no debugger, and
 * takes faults of its own when its host's maps lag behind.
 */
#include "lib.h"

/* A debugger sees what the program sees. */
TEST(debuggers_read_and_do_not_write)
{
	struct devring_frame f;
	struct source s;
	struct stream r;
	unsigned char *p, copy[4096];
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	source_up(_metadata, &s, "debug", 0, 4, 4096, 0);
	reader_up(_metadata, &s, &r);
	ASSERT_EQ(0, produce(&s, 1));
	ASSERT_EQ(0, next_frame(&r, &f));
	p = map_of(r.fd, f.offset, 4096, PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_LE(0, memory);
	EXPECT_EQ(sizeof(copy), rc(pread(memory, copy, sizeof(copy), (uintptr_t)p)));
	EXPECT_TRUE(is_frame(copy, sizeof(copy), 0));
	EXPECT_GT(0, rc(pwrite(memory, "changed", 7, (uintptr_t)p)));
	EXPECT_TRUE(is_frame(p, 4096, 0));
	/* After revocation, zeros. */
	ASSERT_EQ(0, take_away(r.fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	EXPECT_EQ(sizeof(copy), rc(pread(memory, copy, sizeof(copy), (uintptr_t)p)));
	EXPECT_TRUE(all_bytes(copy, sizeof(copy), 0));
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static void touch(const volatile unsigned char *p, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += PAGE)
		(void)p[at];
}

/* To revoke one reader takes no page from another: not even a fault. */
TEST(others_take_no_fault_at_revocation)
{
	unsigned char *maps[4];
	struct stream r[4];
	struct source s;
	long faults;

	source_up(_metadata, &s, "unharmed", 0, 16, 65536, 64);
	for (int i = 0; i < 4; i++) {
		reader_up(_metadata, &s, &r[i]);
		maps[i] = map_of(r[i].fd, s.g.ring_offset, s.g.ring_bytes, PROT_READ);
		ASSERT_NE(MAP_FAILED, maps[i]);
		touch(maps[i], s.g.ring_bytes);
	}
	faults = minor_faults();
	for (int i = 1; i < 4; i++) {
		touch(maps[i], s.g.ring_bytes);
	}
	ASSERT_EQ(faults, minor_faults());
	ASSERT_EQ(0, take_away(r[0].fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	faults = minor_faults();
	for (int i = 1; i < 4; i++) {
		touch(maps[i], s.g.ring_bytes);
	}
	EXPECT_EQ(faults, minor_faults());
	/* The one whose pages went does fault: the count counts. */
	touch(maps[0], s.g.ring_bytes);
	EXPECT_LT(faults, minor_faults());
}

TEST_HARNESS_MAIN

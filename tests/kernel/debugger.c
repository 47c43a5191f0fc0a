// SPDX-License-Identifier: GPL-2.0-only
/* lane: guest */
/* A debugger sees what the program sees (the user-mode kernel has no access to such maps for anybody). */
#include "lib.h"

TEST(reads_and_does_not_write)
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

TEST_HARNESS_MAIN

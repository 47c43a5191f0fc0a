// SPDX-License-Identifier: GPL-2.0-only
/* lane: guest */
/* A 32-bit program on the 64-bit kernel: the same structs, the same calls. */
#define _FILE_OFFSET_BITS 64
#include "lib.h"

TEST(is_32_bit)
{
	ASSERT_EQ(4, sizeof(void *));
	ASSERT_EQ(4, sizeof(long));
	ASSERT_EQ(8, sizeof(off_t));
}

/* The header asserts all sizes; these are what it asserts, seen from here. */
TEST(sizes)
{
	EXPECT_EQ(128, sizeof(struct devring_frame));
	EXPECT_EQ(80, sizeof(struct devring_generation));
	EXPECT_EQ(64, sizeof(struct devring_commit));
	EXPECT_EQ(512, sizeof(struct devring_header));
	EXPECT_EQ(856, sizeof(struct devring_change));
	EXPECT_EQ(120, sizeof(struct devring_reader));
	EXPECT_EQ(480, sizeof(struct devring_register));
	EXPECT_EQ(24, offsetof(struct devring_change, device));
	EXPECT_EQ(24, offsetof(struct devring_set_ring, geometry));
}

TEST(cycle)
{
	struct devring_frame f;
	struct devring_device d;
	struct source s;
	struct stream r;
	unsigned char *map, copy[4096];
	const struct devring_header *h;

	source_up(_metadata, &s, "abi32", DEVRING_REG_PERSIST, 4, 4096, 64);
	reader_up(_metadata, &s, &r);
	h = map_of(r.fd, 0, PAGE, PROT_READ);
	ASSERT_TRUE(h != MAP_FAILED);
	map = map_of(r.fd, s.g.ring_offset, s.g.ring_bytes, PROT_READ);
	ASSERT_TRUE(map != MAP_FAILED);
	for (unsigned int n = 0; n < 10; n++) {
		ASSERT_EQ(0, produce(&s, 1));
		EXPECT_EQ(POLLIN, ready(r.fd, POLLIN));
		ASSERT_EQ(0, next_frame(&r, &f));
		EXPECT_EQ(n, f.sequence);
		EXPECT_TRUE(is_frame(map + (f.offset - s.g.ring_offset), 4096, n));
		ASSERT_EQ(4096, pread(r.fd, copy, 4096, f.offset));
		EXPECT_TRUE(is_frame(copy, 4096, n));
		EXPECT_EQ(n + 1, h->head);
	}
	EXPECT_EQ(0, set_reader(r.fd, 0, DEVRING_START_OLDEST, 3));
	EXPECT_EQ(0, next_frame(&r, &f));
	EXPECT_EQ(0, release(r.fd, f.sequence));
	EXPECT_EQ(1, set_format(s.fd, 1));
	EXPECT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, EIO));
	d = device_of(_metadata, &s);
	EXPECT_EQ(10, d.head);
	EXPECT_EQ(EIO, d.error);
	EXPECT_EQ(getpid(), myself(_metadata, r.fd).open_pid);
	EXPECT_EQ(0, take_away(s.fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
	EXPECT_TRUE(all_bytes(map, s.g.ring_bytes, 0));
	EXPECT_EQ(-EBUSY, attach(s.id, 0));
	EXPECT_LE(0, attach(s.id, DEVRING_ATTACH_TAKEOVER));
	EXPECT_EQ(0, unregister(s.id));
}

TEST(listener)
{
	struct stream l = stream_of(control_open(O_RDONLY | O_NONBLOCK), DEVRING_CHANGE_MAX);
	struct source s;
	union record u;
	int seen = 0;

	ASSERT_EQ(0, source_register(&s, "heard", DEVRING_REG_PUBLIC));
	while (next(&l, &u) == DEVRING_RECORD_CHANGE) {
		seen += u.change.device.id == s.id && !strcmp("heard", u.change.device.name);
	}
	EXPECT_EQ(1, seen);
	EXPECT_LE(0, by_id(DEVRING_IOC_OPEN, O_NONBLOCK, s.id));
	EXPECT_LE(1, info_now(_metadata).devices);
}

TEST_HARNESS_MAIN

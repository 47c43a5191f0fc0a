// SPDX-License-Identifier: GPL-2.0-only
/* Rings: their limits and memory, generations, formats and states, and the header that shows it all. */
#include "lib.h"

static struct devring_header header_of(ARGS, int fd)
{
	struct devring_header h;

	memset(&h, POISON, sizeof(h));
	ASSERT_EQ(sizeof(h), rc(pread(fd, &h, sizeof(h), 0)));
	EXPECT_EQ(0, h.seqcount % 2);
	return h;
}

TEST(header)
{
	struct devring_header h;
	struct source s;

	ASSERT_EQ(0, source_register(&s, "header", DEVRING_REG_KEEP_HISTORY));
	h = header_of(_metadata, s.fd);
	EXPECT_EQ(DEVRING_MAGIC, h.magic);
	EXPECT_EQ(DEVRING_ABI_VERSION, h.abi_version);
	EXPECT_EQ(sizeof(struct devring_header), h.header_size);
	EXPECT_EQ(sizeof(struct devring_geometry), h.geometry_size);
	EXPECT_EQ(sizeof(struct devring_format), h.format_size);
	EXPECT_EQ(sizeof(struct devring_entry), h.entry_size);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, h.state);
	EXPECT_EQ(0, h.error);
	EXPECT_EQ(DEVRING_TYPE_CAMERA, h.type);
	EXPECT_EQ(DEVRING_REG_KEEP_HISTORY, h.flags);
	EXPECT_EQ(s.id, h.id);
	EXPECT_EQ(0, h.head);
	EXPECT_STREQ("header", h.name);
	EXPECT_TRUE(all_bytes(&h.geometry, sizeof(h.geometry), 0));
	EXPECT_TRUE(all_bytes(&h.format, sizeof(h.format), 0));
	EXPECT_TRUE(all_bytes(h.reserved2, sizeof(h.reserved2), 0));
	EXPECT_TRUE(all_bytes(h.reserved3, sizeof(h.reserved3), 0));
	ASSERT_EQ(0, source_ring(&s, 5, 1000, 10));
	ASSERT_EQ(1, set_format(s.fd, 1));
	ASSERT_EQ(0, produce(&s, 7));
	ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, ENOSPC));
	h = header_of(_metadata, s.fd);
	EXPECT_EQ(0, memcmp(&s.g, &h.geometry, sizeof(s.g)));
	EXPECT_EQ(DEVRING_FORMAT_BYTES, h.format.kind);
	EXPECT_EQ(1, h.format.generation);
	EXPECT_STREQ("test/1", h.format.bytes.media_type);
	EXPECT_EQ(7, h.head);
	EXPECT_EQ(DEVRING_STATE_ERROR, h.state);
	EXPECT_EQ(ENOSPC, h.error);
}

TEST(without_a_ring)
{
	struct devring_slot slot;
	struct source s;
	char c;

	ASSERT_EQ(0, source_register(&s, "ringless", 0));
	EXPECT_EQ(-ENXIO, take(s.fd, &slot));
	EXPECT_EQ(0, ready(s.fd, POLLIN | POLLOUT));
	slot = (struct devring_slot){ .generation = 1 };
	EXPECT_EQ(-ESTALE, commit(s.fd, &slot, 0, 0));
	EXPECT_EQ(-ESTALE, map_errno(s.fd, (1ULL << 34) + 65536, PAGE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(-ESTALE, rc(pread(s.fd, &c, 1, (1ULL << 34) + 65536)));
	EXPECT_EQ(0, map_errno(s.fd, 0, PAGE, PROT_READ, MAP_SHARED));
}

static void expect_geometry(ARGS, const struct devring_geometry *g, __u32 slots, __u32 slot_size,
			    __u32 metadata_size)
{
	uint64_t end = g->ring_offset + g->ring_bytes;

	EXPECT_EQ(slots, g->slots);
	EXPECT_EQ(slot_size, g->slot_size);
	EXPECT_EQ(metadata_size, g->metadata_size);
	EXPECT_LE(slots, g->entries);
	EXPECT_EQ(0, g->entries & (g->entries - 1));
	EXPECT_LE(sizeof(struct devring_entry), g->entry_stride);
	EXPECT_EQ(0, g->entry_stride % 64);
	EXPECT_EQ(((uint64_t)(g->generation % 1024) << 34) + 65536, g->ring_offset);
	EXPECT_EQ(0, g->metadata_offset % PAGE);
	EXPECT_EQ(0, g->slots_offset % PAGE);
	EXPECT_EQ(0, g->slot_stride % PAGE);
	EXPECT_LE(slot_size, g->slot_stride);
	EXPECT_EQ(0, g->metadata_stride % 64);
	EXPECT_LE(metadata_size, g->metadata_stride);
	EXPECT_LE(g->ring_offset + (uint64_t)g->entries * g->entry_stride, g->metadata_offset);
	EXPECT_LE(g->metadata_offset + (uint64_t)slots * g->metadata_stride, g->slots_offset);
	EXPECT_EQ(g->slots_offset + (uint64_t)slots * g->slot_stride, end);
	EXPECT_LE(end, (uint64_t)(g->generation % 1024 + 1) << 34);
}

TEST(limits_of_the_format)
{
	static const struct { __u32 slots, slot_size, metadata_size; int result; } cases[] = {
		{ 0, 4096, 0, -EINVAL },
		{ DEVRING_SLOTS_MIN - 1, 4096, 0, -EINVAL },
		{ DEVRING_SLOTS_MIN, 4096, 0, 0 },
		{ DEVRING_SLOTS_MIN + 1, 4096, 0, 0 },
		{ DEVRING_SLOTS_MAX - 1, 1, 0, 0 },
		{ DEVRING_SLOTS_MAX, 1, 0, 0 },
		{ DEVRING_SLOTS_MAX + 1, 1, 0, -EINVAL },
		{ ~0U, 1, 0, -EINVAL },
		{ 3, 0, 0, -EINVAL },
		{ 3, 1, 0, 0 },
		{ 3, 4095, 0, 0 },
		{ 3, 4097, 0, 0 },
		{ 3, DEVRING_SLOT_SIZE_MAX + 1, 0, -EINVAL },
		{ 3, ~0U, 0, -EINVAL },
		{ 3, 1, 1, 0 },
		{ 3, 1, 63, 0 },
		{ 3, 1, 64, 0 },
		{ 3, 1, 65, 0 },
		{ 3, 1, DEVRING_METADATA_MAX - 1, 0 },
		{ 3, 1, DEVRING_METADATA_MAX, 0 },
		{ 3, 1, DEVRING_METADATA_MAX + 1, -EINVAL },
		{ 3, 1, ~0U, -EINVAL },
		{ 4096, DEVRING_SLOT_SIZE_MAX, 0, -EOVERFLOW },
		{ 4096, DEVRING_SLOT_SIZE_MAX, DEVRING_METADATA_MAX, -EOVERFLOW },
		{ 16, DEVRING_SLOT_SIZE_MAX, 0, -EOVERFLOW },
		{ 4, 0xfffff001, 0, -EINVAL },
		{ 4096, 1 << 22, 0, -EOVERFLOW },
	};
	struct devring_geometry g = { 0 };
	struct devring_device d;
	struct source s;
	__u32 generation = 0;

	ASSERT_EQ(0, source_register(&s, "limits", 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].result, set_ring(s.fd, cases[i].slots, cases[i].slot_size,
						    cases[i].metadata_size, &g))
			TH_LOG("case %u", i);
		generation += cases[i].result == 0;
		if (cases[i].result == 0)
			expect_geometry(_metadata, &g, cases[i].slots, cases[i].slot_size,
					cases[i].metadata_size);
		/* What failed changed nothing. */
		d = device_of(_metadata, &s);
		EXPECT_EQ(0, memcmp(&g, &d.geometry, sizeof(g)));
		EXPECT_EQ(generation, g.generation);
	}
}

TEST(memory_is_counted_and_freed)
{
	struct devring_info before = info_now(_metadata), with;
	struct devring_geometry g = { 0 };
	struct source s;

	ASSERT_EQ(0, source_register(&s, "memory", 0));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, set_ring(s.fd, 8, 65536, 256, &g));
	}
	WAIT_FOR(device_of(_metadata, &s).bytes < 2 * g.ring_bytes);
	with = info_now(_metadata);
	EXPECT_LE(before.total_bytes + g.ring_bytes, with.total_bytes);
	EXPECT_GT(before.total_bytes + 2 * g.ring_bytes, with.total_bytes);
	EXPECT_EQ(with.total_bytes - before.total_bytes, with.user_bytes - before.user_bytes);
	close(s.fd);
	WAIT_FOR(info_now(_metadata).total_bytes == before.total_bytes);
	EXPECT_EQ(before.user_bytes, info_now(_metadata).user_bytes);
}

/* All offsets are used once round, and nothing adds up on the way. */
TEST(many_generations)
{
	struct devring_geometry g = { 0 }, old = { 0 };
	struct source s;
	char c;

	ASSERT_EQ(0, source_register(&s, "generations", 0));
	for (unsigned int i = 1; i <= 1030; i++) {
		ASSERT_EQ(0, set_ring(s.fd, 3, 1, 0, &g));
		ASSERT_EQ(i, g.generation);
		ASSERT_EQ(((uint64_t)(i % 1024) << 34) + 65536, g.ring_offset);
		if (i > 1) {
			ASSERT_EQ(-ESTALE, rc(pread(s.fd, &c, 1, old.ring_offset)));
		}
		ASSERT_EQ(1, pread(s.fd, &c, 1, g.ring_offset));
		old = g;
	}
}

TEST(stale_generation)
{
	struct devring_slot slot, fresh;
	struct devring_geometry old;
	struct source s;
	int reader;
	char c;

	source_up(_metadata, &s, "stale", 0, 4, 4096, 64);
	old = s.g;
	reader = node_open(&s, O_RDONLY);
	ASSERT_EQ(0, take(s.fd, &slot));
	fill(slot_at(&s, slot.offset), 4096, 1);
	ASSERT_EQ(0, set_ring(s.fd, 4, 4096, 64, &s.g));
	EXPECT_EQ(old.generation + 1, s.g.generation);
	EXPECT_EQ(-ESTALE, commit(s.fd, &slot, 1, 0));
	EXPECT_EQ(-ESTALE, give_back(s.fd, &slot));
	for (int fd = s.fd; ; fd = reader) {
		EXPECT_EQ(-ESTALE, map_errno(fd, old.ring_offset, PAGE, PROT_READ, MAP_SHARED));
		EXPECT_EQ(-ESTALE, map_errno(fd, old.slots_offset, PAGE, PROT_READ, MAP_SHARED));
		EXPECT_EQ(-ESTALE, rc(pread(fd, &c, 1, old.slots_offset)));
		EXPECT_EQ(1, pread(fd, &c, 1, s.g.slots_offset));
		if (fd == reader)
			break;
	}
	/* What the producer still writes goes nowhere. */
	fill(s.map, 64, 2);
	ASSERT_EQ(0, take(s.fd, &fresh));
	EXPECT_EQ(s.g.generation, fresh.generation);
	EXPECT_EQ(0, device_of(_metadata, &s).head);
	EXPECT_EQ(1, device_of(_metadata, &s).queued);
	ASSERT_EQ(0, commit(s.fd, &fresh, 1, 0));
	EXPECT_EQ(1, device_of(_metadata, &s).head);
}

TEST(fresh_pages_are_zero)
{
	unsigned char *p;
	struct source s;

	source_up(_metadata, &s, "zero", 0, 4, 8192, 100);
	memset(s.map, 0xff, area_bytes(&s.g));
	ASSERT_EQ(0, set_ring(s.fd, 4, 8192, 100, &s.g));
	p = map_of(s.fd, s.g.ring_offset, s.g.ring_bytes, PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(all_bytes(p, s.g.metadata_offset - s.g.ring_offset, 0) ||
		    *(volatile uint64_t *)p != DEVRING_WORD(0));
	EXPECT_TRUE(all_bytes(p + (s.g.metadata_offset - s.g.ring_offset), area_bytes(&s.g), 0));
}

/* The number of slots of a page, in rings of 129 to 256 slots, which take so many pages in all. */
static __u32 slots_for(ARGS, int fd, uint64_t pages)
{
	struct devring_geometry g = { 0 };
	uint64_t bytes;

	ASSERT_EQ(0, set_ring(fd, 200, PAGE, 0, &g));
	bytes = info_now(_metadata).user_bytes;
	EXPECT_EQ(0, bytes % PAGE);
	return pages - (bytes / PAGE - 200);
}

TEST_F(settings, quota_of_a_user)
{
	pid_t pid;

	ASSERT_EQ(0, set_limit("user_mb", 1));
	ASSERT_EQ(1 << 20, info_now(_metadata).user_bytes_max);
	ASSERT_EQ(0, open_control_to_all());
	CHILD(pid) {
		struct source s, t;
		__u32 slots;

		become(USER_A);
		ASSERT_EQ(0, source_register(&s, "quota", 0));
		slots = slots_for(_metadata, s.fd, (1 << 20) / PAGE);
		ASSERT_GE(256, slots);
		ASSERT_LT(129, slots);
		close(s.fd);
		WAIT_FOR(info_now(_metadata).user_bytes == 0);
		ASSERT_EQ(0, source_register(&s, "quota", 0));
		ASSERT_EQ(0, source_register(&t, "other", 0));
		EXPECT_EQ(-EDQUOT, set_ring(s.fd, slots + 1, PAGE, 0, NULL));
		EXPECT_EQ(0, device_of(_metadata, &s).geometry.generation);
		EXPECT_EQ(0, info_now(_metadata).user_bytes);
		ASSERT_EQ(0, set_ring(s.fd, slots, PAGE, 0, NULL));
		EXPECT_EQ(1 << 20, info_now(_metadata).user_bytes);
		EXPECT_EQ(-EDQUOT, set_ring(t.fd, 3, 1, 0, NULL));
		close(s.fd);
		WAIT_FOR(info_now(_metadata).user_bytes == 0);
		EXPECT_EQ(0, set_ring(t.fd, slots - 1, PAGE, 0, NULL));
	}
	wait_child(_metadata, pid);
}

TEST_F(settings, limit_of_all_bytes)
{
	uint64_t total = info_now(_metadata).total_bytes;
	struct source s;
	__u32 slots;

	ASSERT_EQ(0, total) TH_LOG("other rings exist");
	ASSERT_EQ(0, set_limit("total_mb", 1));
	ASSERT_EQ(1 << 20, info_now(_metadata).total_bytes_max);
	/* Who has CAP_SYS_RESOURCE has no quota, but stops here too. */
	ASSERT_EQ(0, set_limit("user_mb", 0));
	ASSERT_EQ(0, source_register(&s, "total", 0));
	slots = slots_for(_metadata, s.fd, (1 << 20) / PAGE);
	close(s.fd);
	WAIT_FOR(info_now(_metadata).total_bytes == 0);
	ASSERT_EQ(0, source_register(&s, "total", 0));
	EXPECT_EQ(-EDQUOT, set_ring(s.fd, slots + 1, PAGE, 0, NULL));
	EXPECT_EQ(0, device_of(_metadata, &s).geometry.generation);
	EXPECT_EQ(0, set_ring(s.fd, slots, PAGE, 0, NULL));
	EXPECT_EQ(1 << 20, info_now(_metadata).total_bytes);
}

TEST(format)
{
	struct devring_set_format f = INIT(devring_set_format);
	struct devring_frame frame;
	struct devring_device d;
	struct stream reader;
	struct source s;

	source_up(_metadata, &s, "format", DEVRING_REG_KEEP_HISTORY, 4, 4096, 0);
	ASSERT_EQ(0, produce(&s, 1));
	/* The content is the producer's business. */
	f.format.kind = DEVRING_FORMAT_TENSOR;
	fill(f.format.raw, sizeof(f.format.raw), 3);
	ASSERT_EQ(0, call(s.fd, DEVRING_IOC_SET_FORMAT, &f));
	EXPECT_EQ(1, f.format.generation);
	EXPECT_TRUE(is_frame(f.format.raw, sizeof(f.format.raw), 3));
	d = device_of(_metadata, &s);
	EXPECT_EQ(0, memcmp(&f.format, &d.format, sizeof(d.format)));
	f.format.generation = 1;
	EXPECT_EQ(-EINVAL, call(s.fd, DEVRING_IOC_SET_FORMAT, &f));
	f.format.generation = 0;
	f.format.kind = DEVRING_FORMAT_BYTES + 1;
	EXPECT_EQ(-EINVAL, call(s.fd, DEVRING_IOC_SET_FORMAT, &f));
	EXPECT_EQ(1, device_of(_metadata, &s).format.generation);
	ASSERT_EQ(0, produce(&s, 1));
	EXPECT_EQ(2, set_format(s.fd, 2));
	ASSERT_EQ(0, produce(&s, 1));
	/* Each frame knows its own. */
	reader = reader_open(&s, O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, set_reader(reader.fd, 0, DEVRING_START_OLDEST, 1));
	for (unsigned int i = 0; i < 3; i++) {
		ASSERT_EQ(0, next_frame(&reader, &frame));
		EXPECT_EQ(i, frame.sequence);
		EXPECT_EQ(i, frame.format_generation);
	}
	/* A new ring keeps the format. */
	ASSERT_EQ(0, set_ring(s.fd, 3, 1, 0, NULL));
	EXPECT_EQ(2, device_of(_metadata, &s).format.generation);
}

TEST(state)
{
	static const struct { __u32 state; int error, result; } cases[] = {
		{ DEVRING_STATE_ERROR, EIO, 0 },
		{ DEVRING_STATE_ERROR, 1, 0 },
		{ DEVRING_STATE_ERROR, 4095, 0 },
		{ DEVRING_STATE_ERROR, 0, -EINVAL },
		{ DEVRING_STATE_ERROR, -EIO, -EINVAL },
		{ DEVRING_STATE_ERROR, 4096, -EINVAL },
		{ DEVRING_STATE_AVAILABLE, 0, 0 },
		{ DEVRING_STATE_AVAILABLE, EIO, -EINVAL },
		{ DEVRING_STATE_OFFLINE, 0, -EINVAL },
		{ DEVRING_STATE_REMOVED, 0, -EINVAL },
		{ 0, 0, -EINVAL },
		{ 5, 0, -EINVAL },
	};
	struct source s;
	__u32 state = DEVRING_STATE_AVAILABLE;
	int error = 0;

	ASSERT_EQ(0, source_register(&s, "state", 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct devring_device d;

		EXPECT_EQ(cases[i].result, set_state(s.fd, cases[i].state, cases[i].error))
			TH_LOG("case %u", i);
		if (cases[i].result == 0) {
			state = cases[i].state;
			error = cases[i].error;
		}
		d = device_of(_metadata, &s);
		EXPECT_EQ(state, d.state);
		EXPECT_EQ(error, d.error);
	}
}

TEST_HARNESS_MAIN

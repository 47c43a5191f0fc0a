// SPDX-License-Identifier: GPL-2.0-only
/* The control node: what it says of itself, and devices made, found, opened and ended through it. */
#include "lib.h"

TEST(info)
{
	struct devring_info info = info_now(_metadata);

	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(DEVRING_ABI_VERSION, info.abi_version);
	EXPECT_EQ(DEVRING_FEATURE_HOLDS | DEVRING_FEATURE_GRANT | DEVRING_FEATURE_RECHECK |
		  DEVRING_FEATURE_WAKE_FILTERS | DEVRING_FEATURE_LOSSLESS,
		  info.features & ~(DEVRING_FEATURE_MEMCG | DEVRING_FEATURE_EXPORT));
	EXPECT_EQ(DEVRING_SLOTS_MAX, info.slots_max);
	EXPECT_EQ(DEVRING_SLOT_SIZE_MAX, info.slot_size_max);
	EXPECT_EQ(DEVRING_METADATA_MAX, info.metadata_max);
	EXPECT_EQ(DEVRING_HOLDS_MAX, info.holds_max);
	EXPECT_EQ(DEVRING_READERS_MAX, info.readers_max);
	EXPECT_LT(0, info.user_devices_max);
	EXPECT_LT(0, info.user_readers_max);
	EXPECT_LT(0, info.user_holds_max);
	EXPECT_LT(0, info.user_bytes_max);
	EXPECT_LE(info.user_bytes_max, info.total_bytes_max);
	EXPECT_TRUE(all_bytes(info.reserved, sizeof(info.reserved), 0));
}

TEST(info_counts)
{
	struct devring_info before = info_now(_metadata), with, after;
	struct devring_device d;
	struct source s;

	source_up(_metadata, &s, "counts", 0, 4, 5000, 100);
	d = device_of(_metadata, &s);
	with = info_now(_metadata);
	EXPECT_EQ(before.devices + 1, with.devices);
	EXPECT_EQ(before.devices_available + 1, with.devices_available);
	EXPECT_LT(before.change, with.change);
	EXPECT_EQ(before.user_bytes + d.bytes, with.user_bytes);
	EXPECT_EQ(before.total_bytes + d.bytes, with.total_bytes);
	EXPECT_LE(s.g.ring_bytes, d.bytes);
	ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_EQ(before.devices_available, info_now(_metadata).devices_available);
	munmap(s.map, area_bytes(&s.g));
	close(s.fd);
	after = info_now(_metadata);
	EXPECT_EQ(before.devices, after.devices);
	EXPECT_EQ(before.devices_available, after.devices_available);
	EXPECT_LT(with.change, after.change);
	WAIT_FOR(info_now(_metadata).total_bytes == before.total_bytes);
	EXPECT_EQ(before.user_bytes, info_now(_metadata).user_bytes);
}

/* ---- what holds for every ioctl: size, tail, flags, reserved members ---- */

enum role { ON_CONTROL, ON_PRODUCER, ON_READER };

static const struct ioctl_case {
	const char *name;
	unsigned long command;
	size_t size;
	enum role role;
	int flags;		/* at offset 4 there are flags */
	int good;		/* what a valid call says */
	unsigned int reserved[10];	/* offsets of members that must be zero */
} ioctls[] = {
#define IOCTL(name, type, ...) { #name, DEVRING_IOC_##name, sizeof(struct type), __VA_ARGS__ }
#define AT(type, member) offsetof(struct type, member)
	IOCTL(INFO, devring_info, ON_CONTROL, 0, 0),
	IOCTL(REGISTER, devring_register, ON_CONTROL, 1, -EINVAL,
	      { AT(devring_register, reserved0), AT(devring_register, reserved[0]),
		AT(devring_register, reserved[7]) }),
	IOCTL(UNREGISTER, devring_unregister, ON_CONTROL, 1, -ENODEV),
	IOCTL(ATTACH, devring_attach, ON_CONTROL, 1, -ENODEV),
	IOCTL(OPEN, devring_open, ON_CONTROL, 1, -ENODEV),
	IOCTL(QUERY, devring_query, ON_CONTROL, 1, -ENODEV),
	IOCTL(QUERY, devring_query, ON_PRODUCER, 1, 0),
	IOCTL(QUERY, devring_query, ON_READER, 1, 0),
	IOCTL(READERS, devring_list_readers, ON_PRODUCER, 1, 0),
	IOCTL(READERS, devring_list_readers, ON_READER, 1, 0),
	IOCTL(REVOKE, devring_revoke, ON_PRODUCER, 1, -ENOENT,
	      { AT(devring_revoke, uid), AT(devring_revoke, reserved) }),
	IOCTL(SET_RING, devring_set_ring, ON_PRODUCER, 1, 0, { AT(devring_set_ring, reserved) }),
	IOCTL(SET_FORMAT, devring_set_format, ON_PRODUCER, 1, 0),
	IOCTL(SET_STATE, devring_set_state, ON_PRODUCER, 1, 0),
	IOCTL(SET_READER, devring_set_reader, ON_READER, 1, 0,
	      { AT(devring_set_reader, reserved[0]), AT(devring_set_reader, reserved[1]),
		AT(devring_set_reader, reserved[2]), AT(devring_set_reader, sequence) }),
	IOCTL(RELEASE, devring_release, ON_READER, 1, -ENOENT),
};

union argument {
	__u32 size;
	__u32 words[512];
	unsigned char bytes[2048];
	struct devring_query query;
	struct devring_list_readers readers;
	struct devring_revoke revoke;
	struct devring_set_ring ring;
	struct devring_set_format format;
	struct devring_set_state state;
	struct devring_set_reader reader;
	struct devring_release release;
};

static void valid_argument(const struct ioctl_case *c, union argument *a)
{
	static struct devring_reader readers[4];

	memset(a, 0, sizeof(*a));
	a->size = c->size;
	switch (c->command) {
	case DEVRING_IOC_READERS:
		a->readers.readers = (uintptr_t)readers;
		a->readers.reader_size = sizeof(readers[0]);
		a->readers.count = 4;
		break;
	case DEVRING_IOC_REVOKE:
		a->revoke.what = DEVRING_REVOKE_READER;
		a->revoke.reader = ~0ULL;
		break;
	case DEVRING_IOC_SET_RING:
		a->ring.slots = 3;
		a->ring.slot_size = 1;
		break;
	case DEVRING_IOC_SET_STATE:
		a->state.state = DEVRING_STATE_AVAILABLE;
		break;
	case DEVRING_IOC_RELEASE:
		a->release.sequence = 12345;
		break;
	}
}

FIXTURE(every_ioctl) {
	struct source s;
	int fd[3];
};

FIXTURE_SETUP(every_ioctl)
{
	source_up(_metadata, &self->s, "sizes", 0, 3, 4096, 0);
	self->fd[ON_CONTROL] = control_open(O_RDWR);
	self->fd[ON_PRODUCER] = self->s.fd;
	self->fd[ON_READER] = node_open(&self->s, O_RDONLY);
	ASSERT_LE(0, self->fd[ON_READER]);
}

FIXTURE_TEARDOWN(every_ioctl)
{
}

#define FOR_EACH_IOCTL(c) \
	for (const struct ioctl_case *c = ioctls; c < ioctls + ARRAY_SIZE(ioctls); c++)

/* An EXPECT that says which ioctl it is about. */
#define EXPECT_CALL(expected, c, argument) do {						\
	long seen_ = call(self->fd[(c)->role], (c)->command, argument);			\
	EXPECT_EQ(expected, seen_) TH_LOG("in %s", (c)->name);				\
} while (0)

TEST_F(every_ioctl, sizes)
{
	static const unsigned int small[] = { 0, 4, 7 };
	union argument a;

	FOR_EACH_IOCTL(c) {
		for (unsigned int i = 0; i < ARRAY_SIZE(small); i++) {
			valid_argument(c, &a);
			a.size = small[i];
			EXPECT_CALL(-EINVAL, c, &a);
		}
		valid_argument(c, &a);
		a.size = c->size - 1;
		EXPECT_CALL(-EINVAL, c, &a);
		valid_argument(c, &a);
		EXPECT_CALL(c->good, c, &a);
	}
}

TEST_F(every_ioctl, longer_callers)
{
	union argument a;

	FOR_EACH_IOCTL(c) {
		valid_argument(c, &a);
		a.size = c->size + 8;
		EXPECT_CALL(c->good, c, &a);
		EXPECT_TRUE(all_bytes(a.bytes + c->size, 8, 0)) TH_LOG("in %s", c->name);
		for (int i = 0; i < 8; i += 7) {
			valid_argument(c, &a);
			a.size = c->size + 8;
			a.bytes[c->size + i] = 1;
			EXPECT_CALL(-E2BIG, c, &a);
		}
	}
}

TEST_F(every_ioctl, unknown_flags)
{
	union argument a;

	FOR_EACH_IOCTL(c) {
		if (!c->flags)
			continue;
		valid_argument(c, &a);
		a.words[1] = 1U << 31;
		EXPECT_CALL(-EINVAL, c, &a);
	}
}

TEST_F(every_ioctl, reserved_members)
{
	union argument a;

	FOR_EACH_IOCTL(c) {
		for (unsigned int i = 0; i < ARRAY_SIZE(c->reserved) && c->reserved[i]; i++) {
			valid_argument(c, &a);
			a.bytes[c->reserved[i]] = 1;
			EXPECT_CALL(-EINVAL, c, &a);
		}
	}
}

TEST_F(every_ioctl, bad_addresses)
{
	unsigned char *edge = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union argument a;

	ASSERT_EQ(0, mprotect(edge + PAGE, PAGE, PROT_NONE));
	FOR_EACH_IOCTL(c) {
		EXPECT_CALL(-EFAULT, c, NULL);
		valid_argument(c, &a);
		/* The size can be read, the last byte cannot. */
		memcpy(edge + PAGE + 1 - c->size, &a, c->size - 1);
		EXPECT_CALL(-EFAULT, c, edge + PAGE + 1 - c->size);
	}
}

/* The number is what counts: a program with another version's struct has another encoded size. */
TEST_F(every_ioctl, encoded_size_is_ignored)
{
	union argument a;

	FOR_EACH_IOCTL(c) {
		struct ioctl_case other = *c;

		other.command = _IOC(_IOC_READ | _IOC_WRITE, DEVRING_IOC_MAGIC, _IOC_NR(c->command),
				     c->size + 16);
		valid_argument(c, &a);
		EXPECT_CALL(c->good, &other, &a);
	}
}

TEST_F(every_ioctl, unknown_and_elsewhere)
{
	static const unsigned long unknown[] = {
		_IOWR(DEVRING_IOC_MAGIC, 0x7f, struct devring_open), _IO(DEVRING_IOC_MAGIC, 0xff),
		_IOWR('D', 0x00, struct devring_info),
	};
	union argument a = { 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++)
		for (int role = ON_CONTROL; role <= ON_READER; role++) {
			EXPECT_EQ(-ENOTTY, call(self->fd[role], unknown[i], &a));
		}
	a.size = 16;
	EXPECT_EQ(-ENOTTY, call(self->fd[ON_CONTROL], DEVRING_IOC_RELEASE, &a));
	EXPECT_EQ(-ENOTTY, call(self->fd[ON_CONTROL], DEVRING_IOC_READERS, &a));
	EXPECT_EQ(-ENOTTY, call(self->fd[ON_PRODUCER], DEVRING_IOC_ATTACH, &a));
	EXPECT_EQ(-ENOTTY, call(self->fd[ON_READER], DEVRING_IOC_UNREGISTER, &a));
	/* The other side's. */
	EXPECT_EQ(-EACCES, set_ring(self->fd[ON_READER], 4, 4096, 0, NULL));
	EXPECT_EQ(-EACCES, set_format(self->fd[ON_READER], 1));
	EXPECT_EQ(-EACCES, set_state(self->fd[ON_READER], DEVRING_STATE_AVAILABLE, 0));
	EXPECT_EQ(-EACCES, set_reader(self->fd[ON_PRODUCER], 0, 0, 1));
	EXPECT_EQ(-EACCES, release(self->fd[ON_PRODUCER], 0));
}

/* ---- REGISTER ---- */

static int register_named(const char *name, size_t bytes)
{
	struct devring_register r = registration("", 0);
	int fd;

	memcpy((char *)&r + offsetof(struct devring_register, name), name, bytes);
	fd = registered(&r);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

TEST(names)
{
	static const char *const good[] = {
		"a", "camera0", "0", "A-b.c:d=e@f_g+h#i", "...", ".a", "-", "u", "u1", "u1000", "ux-1",
		"usb-1", "by", "by_id", "byx-id", "U1-a", "BY-id",
	};
	static const char *const bad[] = {
		"", ".", "..", "/", "a/b", "../a", "a b", "a\nb", "\t", "a\x7f", "\x1b[31m", "a\x80",
		"caf\xc3\xa9", "by-", "by-id", "by-path", "by-x", "u0-", "u1-a", "u1000-camera", "a!b",
		"a*b", "a\\b", "a\"b", "a%b", "a,b", "a~b",
	};
	char name[256];

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, register_named(good[i], strlen(good[i]))) TH_LOG("'%s'", good[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, register_named(bad[i], strlen(bad[i]))) TH_LOG("'%s'", bad[i]);
	}
	for (int c = 1; c < 256; c++) {
		int ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			 (c >= 'A' && c <= 'Z') || strchr("#+-.:=@_", c);

		name[0] = 'x';
		name[1] = c;
		EXPECT_EQ(ok ? 0 : -EINVAL, register_named(name, 2)) TH_LOG("character %d", c);
	}
	/* 63 fit with their NUL; 64 do not; 256 run on through the label and beyond. */
	memset(name, 'n', sizeof(name));
	EXPECT_EQ(0, register_named(name, 63));
	EXPECT_EQ(-EINVAL, register_named(name, 64));
	EXPECT_EQ(-EINVAL, register_named(name, 65));
	EXPECT_EQ(-EINVAL, register_named(name, 256));
	EXPECT_EQ(-EINVAL, register_named("text\0behind", 11));
}

TEST(other_texts)
{
	/* A label is for people: it is meant as UTF-8, but only what drives terminals is refused. */
	static const struct { const char *text; int result; } labels[] = {
		{ "", 0 }, { "HD Webcam (left)", 0 },
		{ "Kamera f\xc3\xbcr \xe6\x97\xa5\xe6\x9c\xac", 0 },
		{ "\xf0\x9f\x93\xb7", 0 }, { "a\nb", -EINVAL }, { "a\x7f", -EINVAL },
		{ "\x1f", -EINVAL },
		{ "\x1b[31mred", -EINVAL }, { "a\tb", -EINVAL }, { " ", 0 }, { "~", 0 }, { "\x80", 0 },
	};
	static const struct { const char *text; int result; } ids[] = {
		{ ".", -EINVAL }, { "..", -EINVAL }, { "", 0 }, { "usb-046d:0825_A1B2", 0 },
		{ "pci-0000:00:14.0-usb-0:1:1.0", 0 },
		{ "a/b", -EINVAL }, { "a b", -EINVAL }, { "a\n", -EINVAL }, { "\xc3\xa4", -EINVAL },
	};
	struct devring_register r;

#define TRY(member, text_, expected) do {						\
	int fd_;									\
											\
	r = registration("texts", 0);							\
	memset(r.member, 0, sizeof(r.member));						\
	memcpy(r.member, text_, strlen(text_));						\
	fd_ = registered(&r);								\
	EXPECT_EQ(expected, fd_ < 0 ? fd_ : 0) TH_LOG("%s '%s'", #member, text_);	\
	if (fd_ >= 0)									\
		close(fd_);								\
} while (0)

	for (unsigned int i = 0; i < ARRAY_SIZE(labels); i++) {
		TRY(label, labels[i].text, labels[i].result);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		TRY(stable_id, ids[i].text, ids[i].result);
		TRY(path_id, ids[i].text, ids[i].result);
	}
	r = registration("texts", 0);
	memset(r.label, 'l', sizeof(r.label));
	EXPECT_EQ(-EINVAL, registered(&r));
	r = registration("texts", 0);
	memset(r.stable_id, 'l', sizeof(r.stable_id));
	EXPECT_EQ(-EINVAL, registered(&r));
	r = registration("texts", 0);
	memset(r.path_id, 'l', sizeof(r.path_id));
	EXPECT_EQ(-EINVAL, registered(&r));
}

TEST(types_and_flags)
{
	static const __u32 flags = DEVRING_REG_SINK | DEVRING_REG_PUBLIC | DEVRING_REG_KEEP_HISTORY |
				   DEVRING_REG_PINNABLE;

	for (__u32 type = 0; type <= DEVRING_TYPE_OTHER + 1; type++) {
		struct devring_register r = registration("types", 0);
		int good = type >= DEVRING_TYPE_CAMERA && type <= DEVRING_TYPE_OTHER, fd;

		r.type = type;
		fd = registered(&r);
		EXPECT_EQ(good ? 0 : -EINVAL, fd < 0 ? fd : 0) TH_LOG("type %u", type);
		close(fd);
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		struct devring_register r = registration("flags", 1U << bit);
		int fd = registered(&r);

		if (1U << bit & flags) {
			EXPECT_LE(0, fd) TH_LOG("flag %u", bit);
		} else if (bit > 5) {
			EXPECT_EQ(-EINVAL, fd) TH_LOG("flag %u", bit);
		}
		if (1U << bit == DEVRING_REG_PERSIST) {
			EXPECT_EQ(0, unregister(r.id));
		}
		close(fd);
	}
}

TEST(ids_minors_and_nodes)
{
	struct source first, second, s;
	struct stat st;

	ASSERT_EQ(0, source_register(&first, "first", 0));
	EXPECT_EQ(FD_CLOEXEC, fcntl(first.fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(first.fd, F_GETFL) & O_ACCMODE);
	ASSERT_EQ(0, stat(first.node, &st));
	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(first.minor, minor(st.st_rdev));
	EXPECT_EQ(-EEXIST, source_register(&s, "first", 0));
	ASSERT_EQ(0, source_register(&second, "second", 0));
	EXPECT_LT(first.id, second.id);
	EXPECT_NE(first.minor, second.minor);
	close(first.fd);
	EXPECT_EQ(-ENOENT, rc(open(first.node, O_RDONLY)));
	/* The name is free again; the minor is not handed out at once, the id never. */
	ASSERT_EQ(0, source_register(&s, "first", 0));
	EXPECT_LT(second.id, s.id);
	EXPECT_NE(first.minor, s.minor);
	EXPECT_NE(second.minor, s.minor);
}

TEST(minor_without_device)
{
	struct source s;
	struct stat st;
	long result;

	ASSERT_EQ(0, source_register(&s, "gone", 0));
	ASSERT_EQ(0, stat(s.node, &st));
	ASSERT_EQ(0, mknod("/dev/devring-twin", S_IFCHR | 0600, st.st_rdev));
	EXPECT_LE(0, rc(open("/dev/devring-twin", O_RDONLY)));
	close(s.fd);
	result = rc(open("/dev/devring-twin", O_RDONLY));
	EXPECT_TRUE(result == -ENXIO || result == -ENODEV) TH_LOG("open: %ld", result);
	unlink("/dev/devring-twin");
}

TEST(read_only_control)
{
	struct devring_register r = registration("readonly", 0);
	struct devring_unregister u = INIT(devring_unregister);
	struct devring_device d;
	struct source s;
	int control = control_open(O_RDONLY);

	ASSERT_EQ(0, source_register(&s, "readable", DEVRING_REG_PERSIST));
	u.id = s.id;
	EXPECT_EQ(-EACCES, call(control, DEVRING_IOC_REGISTER, &r));
	EXPECT_EQ(-EACCES, call(control, DEVRING_IOC_UNREGISTER, &u));
	EXPECT_EQ(0, query(control, s.id, &d));
	EXPECT_EQ(0, unregister(s.id));
	EXPECT_EQ(-ENODEV, unregister(s.id));
}

TEST_F(settings, unprivileged)
{
	struct source s;
	pid_t pid;

	ASSERT_EQ(0, source_register(&s, "rooted", DEVRING_REG_PERSIST));
	CHILD(pid) {
		become(USER_A);
		EXPECT_EQ(-EACCES, control_open(O_RDWR));
		EXPECT_EQ(-EACCES, node_open(&s, O_RDONLY));
	}
	wait_child(_metadata, pid);
	ASSERT_EQ(0, open_control_to_all());
	CHILD(pid) {
		become(USER_A);
		EXPECT_EQ(-EPERM, unregister(s.id));
		EXPECT_EQ(-EPERM, attach(s.id, DEVRING_ATTACH_TAKEOVER));
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(0, unregister(s.id));
}

/* Who has no right to the plain names has names of its own, and cannot keep others from theirs. */
TEST_F(settings, names_of_users)
{
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);
	int control = control_open(O_RDONLY), seen = 0;
	struct devring_device d;
	struct source s;
	char link[DEVRING_LINK_SIZE];
	int ears[2], mouth[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(ears));
	ASSERT_EQ(0, pipe(mouth));
	ASSERT_EQ(0, open_control_to_all());
	CHILD(pid) {
		become(USER_A);
		ASSERT_EQ(0, source_register(&s, "camera", 0));
		EXPECT_EQ(-EEXIST, source_register(&s, "camera", 0));
		tell(ears[1]);
		hear(_metadata, mouth[0]);
	}
	hear(_metadata, ears[0]);
	ASSERT_EQ(0, source_register(&s, "camera", 0));
	d = device_of(_metadata, &s);
	EXPECT_STREQ("camera", d.name);
	EXPECT_STREQ("camera", d.link);
	EXPECT_EQ(-EEXIST, source_register(&(struct source){ 0 }, "camera", 0));
	snprintf(link, sizeof(link), "u%d-camera", USER_A);
	while (call(control, DEVRING_IOC_QUERY, &q) == 0) {
		seen += q.device.registrant_uid == USER_A && !strcmp(link, q.device.link) &&
			!strcmp("camera", q.device.name);
		q.id = q.device.id;
	}
	EXPECT_EQ(1, seen);
	tell(mouth[1]);
	wait_child(_metadata, pid);
}

TEST_F(settings, limit_of_devices)
{
	__u32 devices = info_now(_metadata).devices;
	pid_t pid;

	ASSERT_EQ(0, set_limit("user_devices", 3));
	ASSERT_EQ(3, info_now(_metadata).user_devices_max);
	ASSERT_EQ(0, open_control_to_all());
	CHILD(pid) {
		struct source s, last;

		become(USER_A);
		ASSERT_EQ(0, source_register(&s, "limit1", 0));
		ASSERT_EQ(0, source_register(&s, "limit2", 0));
		ASSERT_EQ(0, source_register(&last, "limit3", 0));
		EXPECT_EQ(-EDQUOT, source_register(&s, "limit4", 0));
		close(last.fd);
		EXPECT_EQ(0, source_register(&s, "limit4", 0));
		EXPECT_EQ(-EDQUOT, source_register(&s, "limit5", 0));
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(devices, info_now(_metadata).devices);
	for (int i = 0; i < 5; i++) {
		char name[16];

		/* CAP_SYS_RESOURCE has no limit. */
		snprintf(name, sizeof(name), "root%d", i);
		EXPECT_EQ(0, source_register(&(struct source){ 0 }, name, 0));
	}
}

TEST(failed_register_leaves_nothing)
{
	struct devring_info before = info_now(_metadata), after;
	struct rlimit old, none = { 0 };
	struct devring_register r = registration("nofile", 0), *readonly;
	int control = control_open(O_RDWR);

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none.rlim_max = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, call(control, DEVRING_IOC_REGISTER, &r));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	after = info_now(_metadata);
	EXPECT_EQ(before.devices, after.devices);
	/* Its answer cannot be written: the file would be lost. */
	readonly = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*readonly = registration("readonly", 0);
	ASSERT_EQ(0, mprotect(readonly, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, call(control, DEVRING_IOC_REGISTER, readonly));
	EXPECT_EQ(before.devices, info_now(_metadata).devices);
	EXPECT_LE(0, registered(&r));
}

/* ---- QUERY ---- */

TEST(query_tells_all)
{
	struct devring_register r = registration("whole", DEVRING_REG_KEEP_HISTORY);
	uint64_t boot = now_ns(CLOCK_BOOTTIME), real = now_ns(CLOCK_REALTIME);
	struct devring_device d;
	int fd;

	strcpy(r.label, "A whole device");
	strcpy(r.stable_id, "stable:1");
	strcpy(r.path_id, "path:2");
	r.type = DEVRING_TYPE_TENSOR;
	fd = registered(&r);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, query(fd, 0, &d));
	EXPECT_EQ(r.id, d.id);
	EXPECT_EQ(DEVRING_TYPE_TENSOR, d.type);
	EXPECT_EQ(DEVRING_REG_KEEP_HISTORY, d.flags);
	EXPECT_EQ(DEVRING_STATE_AVAILABLE, d.state);
	EXPECT_EQ(0, d.error);
	EXPECT_EQ(r.minor, d.minor);
	EXPECT_EQ(0, d.readers + d.opens + d.queued + d.held);
	EXPECT_EQ(0, d.registrant_uid);
	EXPECT_EQ(getpid(), d.registrant_pid);
	EXPECT_EQ(0, d.producer_uid);
	EXPECT_EQ(getpid(), d.producer_pid);
	EXPECT_LE(boot, d.registered_ns);
	EXPECT_GE(now_ns(CLOCK_BOOTTIME), d.registered_ns);
	EXPECT_LE(real, d.registered_real_ns);
	EXPECT_GE(now_ns(CLOCK_REALTIME), d.registered_real_ns);
	EXPECT_EQ(0, d.used_ns);
	EXPECT_EQ(0, d.head);
	EXPECT_EQ(0, d.holds_broken);
	EXPECT_TRUE(all_bytes(&d.geometry, sizeof(d.geometry), 0));
	EXPECT_TRUE(all_bytes(&d.format, sizeof(d.format), 0));
	EXPECT_STREQ("whole", d.name);
	EXPECT_STREQ("whole", d.link);
	EXPECT_STREQ("A whole device", d.label);
	EXPECT_STREQ("stable:1", d.stable_id);
	EXPECT_STREQ("path:2", d.path_id);
	EXPECT_TRUE(all_bytes(d.name + 5, sizeof(d.name) - 5, 0));
	EXPECT_TRUE(all_bytes(d.reserved, sizeof(d.reserved), 0));
}

TEST(query_next)
{
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);
	struct source s[3];
	int control = control_open(O_RDONLY), seen = 0;
	uint64_t last = 0;
	char name[16];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "next%d", i);
		ASSERT_EQ(0, source_register(&s[i], name, 0));
	}
	while (call(control, DEVRING_IOC_QUERY, &q) == 0) {
		EXPECT_LT(last, q.device.id);
		last = q.id = q.device.id;
		for (int i = 0; i < 3; i++)
			seen |= (q.device.id == s[i].id) << i;
	}
	EXPECT_EQ(7, seen);
	EXPECT_EQ(-ENODEV, call(control, DEVRING_IOC_QUERY, &q));
	q.flags = 0;
	q.id = last + 1;
	EXPECT_EQ(-ENODEV, call(control, DEVRING_IOC_QUERY, &q));
}

TEST(query_on_devices)
{
	struct devring_device by_number, d;
	struct source s, other;
	int control = control_open(O_RDONLY), reader;

	ASSERT_EQ(0, source_register(&s, "asked", 0));
	ASSERT_EQ(0, source_register(&other, "other", 0));
	reader = node_open(&s, O_RDONLY);
	ASSERT_EQ(0, query(control, s.id, &by_number));
	ASSERT_EQ(0, query(s.fd, 0, &d));
	EXPECT_EQ(0, memcmp(&d, &by_number, sizeof(d)));
	ASSERT_EQ(0, query(reader, s.id, &d));
	EXPECT_EQ(0, memcmp(&d, &by_number, sizeof(d)));
	EXPECT_EQ(-EINVAL, query(reader, other.id, &d));
}

/* ---- OPEN ---- */

static int open_by_id(int control, uint64_t id, __u32 flags)
{
	struct devring_open o = INIT(devring_open, .flags = flags, .id = id);

	return call(control, DEVRING_IOC_OPEN, &o);
}

TEST_F(settings, open_public)
{
	struct source open_to_all, closed;
	pid_t pid;

	source_up(_metadata, &open_to_all, "public", DEVRING_REG_PUBLIC, 4, 4096, 0);
	ASSERT_EQ(0, source_register(&closed, "private", 0));
	ASSERT_EQ(0, open_control_to_all());
	CHILD(pid) {
		struct devring_frame frame;
		struct stream reader;
		int control;

		become(USER_A);
		control = control_open(O_RDONLY);
		ASSERT_LE(0, control);
		EXPECT_EQ(-EACCES, open_by_id(control, closed.id, 0));
		EXPECT_EQ(-ENODEV, open_by_id(control, closed.id + 1000, 0));
		EXPECT_EQ(-EINVAL, open_by_id(control, open_to_all.id, O_APPEND));
		reader = stream_of(open_by_id(control, open_to_all.id, O_NONBLOCK),
				   DEVRING_RECORD_MAX);
		ASSERT_LE(0, reader.fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(reader.fd, F_GETFD));
		EXPECT_EQ(O_RDONLY | O_NONBLOCK,
			  fcntl(reader.fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
		EXPECT_EQ(-EAGAIN, next_frame(&reader, &frame));
		EXPECT_EQ(USER_A, myself(_metadata, reader.fd).uid);
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(0, device_of(_metadata, &open_to_all).opens);
}

TEST(limit_of_readers_of_a_device)
{
	__u32 limit = info_now(_metadata).readers_max;
	int control = control_open(O_RDONLY), fd = -1;
	struct source s;

	ASSERT_EQ(0, source_register(&s, "popular", DEVRING_REG_PUBLIC));
	for (__u32 i = 0; i < limit; i++) {
		fd = i % 2 ? node_open(&s, O_RDONLY) : open_by_id(control, s.id, 0);
		ASSERT_LE(0, fd) TH_LOG("reader %u", i);
	}
	EXPECT_EQ(limit, device_of(_metadata, &s).opens);
	EXPECT_EQ(-EUSERS, node_open(&s, O_RDONLY));
	EXPECT_EQ(-EUSERS, open_by_id(control, s.id, 0));
	close(fd);
	EXPECT_LE(0, node_open(&s, O_RDONLY));
	EXPECT_EQ(-EUSERS, node_open(&s, O_RDONLY));
}

TEST_F(settings, limit_of_readers_of_a_user)
{
	struct source s;
	pid_t pid;

	ASSERT_EQ(0, set_limit("user_readers", 4));
	ASSERT_EQ(4, info_now(_metadata).user_readers_max);
	ASSERT_EQ(0, open_control_to_all());
	ASSERT_EQ(0, source_register(&s, "many", DEVRING_REG_PUBLIC));
	CHILD(pid) {
		int control, fd[4];

		become(USER_B);
		control = control_open(O_RDONLY);
		for (int i = 0; i < 4; i++) {
			fd[i] = open_by_id(control, s.id, 0);
			ASSERT_LE(0, fd[i]) TH_LOG("reader %d", i);
		}
		EXPECT_EQ(-EDQUOT, open_by_id(control, s.id, 0));
		close(fd[3]);
		EXPECT_LE(0, open_by_id(control, s.id, 0));
		EXPECT_EQ(-EDQUOT, open_by_id(control, s.id, 0));
	}
	wait_child(_metadata, pid);
	for (int i = 0; i < 6; i++) {
		EXPECT_LE(0, node_open(&s, O_RDONLY));
	}
}

TEST_HARNESS_MAIN

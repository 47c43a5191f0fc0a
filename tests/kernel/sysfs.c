// SPDX-License-Identifier: GPL-2.0-only
/* What /sys and /proc show, and what udev is told. */
#include "lib.h"

#include <linux/netlink.h>

static int file_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), n;

	if (fd < 0)
		return -errno;
	n = rc(read(fd, text, size - 1));
	text[n < 0 ? 0 : n] = 0;
	close(fd);
	return n;
}

#define EXPECT_TEXT(expected, path) do {					\
	char seen_[512];							\
	int result_ = file_text(path, seen_, sizeof(seen_));			\
										\
	EXPECT_LT(0, result_) TH_LOG("%s", path);				\
	EXPECT_STREQ(expected, seen_) TH_LOG("%s", path);			\
} while (0)

TEST(attributes_of_a_device)
{
	struct devring_register r = registration("sys", DEVRING_REG_KEEP_HISTORY);
	char path[128], number[32];
	struct devring_geometry g = { 0 };
	struct stat st;
	struct stream reader;
	struct source s = { 0 };

	strcpy(r.stable_id, "stable:id");
	strcpy(r.path_id, "path-id");
	r.type = DEVRING_TYPE_MICROPHONE;
	s.fd = registered(&r);
	ASSERT_LE(0, s.fd);
	snprintf(s.node, sizeof(s.node), "/dev/devring%u", r.minor);
#define EXPECT_ATTRIBUTE(name, expected) do {						\
	snprintf(path, sizeof(path), "/sys/class/devring/devring%u/%s", r.minor, name);	\
	EXPECT_TEXT(expected "\n", path);						\
	EXPECT_EQ(0, stat(path, &st));							\
	EXPECT_EQ(0444, st.st_mode & 0777) TH_LOG("%s", path);				\
} while (0)
#define EXPECT_NUMBER(name, value) do {							\
	snprintf(path, sizeof(path), "/sys/class/devring/devring%u/%s", r.minor, name);	\
	snprintf(number, sizeof(number), "%llu\n", (unsigned long long)(value));	\
	EXPECT_TEXT(number, path);							\
} while (0)
	EXPECT_NUMBER("id", r.id);
	EXPECT_ATTRIBUTE("type", "microphone");
	EXPECT_ATTRIBUTE("name", "sys");
	EXPECT_ATTRIBUTE("link", "sys");
	EXPECT_ATTRIBUTE("label", "Test sys");
	EXPECT_ATTRIBUTE("stable_id", "stable:id");
	EXPECT_ATTRIBUTE("path_id", "path-id");
	EXPECT_ATTRIBUTE("flags", "0x8");
	EXPECT_ATTRIBUTE("state", "available");
	EXPECT_ATTRIBUTE("error", "0");
	EXPECT_ATTRIBUTE("readers", "0");
	EXPECT_ATTRIBUTE("head", "0");
	EXPECT_ATTRIBUTE("holds_broken", "0");
	EXPECT_ATTRIBUTE("generation", "0");
	EXPECT_ATTRIBUTE("slots", "0");
	EXPECT_ATTRIBUTE("slot_size", "0");
	ASSERT_EQ(0, source_ring(&s, 5, 1234, 0));
	g = s.g;
	ASSERT_EQ(0, produce(&s, 3));
	reader_up(_metadata, &s, &reader);
	ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, ENOSPC));
	EXPECT_ATTRIBUTE("state", "error");
	EXPECT_NUMBER("error", ENOSPC);
	EXPECT_ATTRIBUTE("readers", "1");
	EXPECT_ATTRIBUTE("head", "3");
	EXPECT_NUMBER("generation", g.generation);
	EXPECT_ATTRIBUTE("slots", "5");
	EXPECT_ATTRIBUTE("slot_size", "1234");
	ASSERT_EQ(0, stat(s.node, &st));
	snprintf(path, sizeof(path), "/sys/class/devring/devring%u/dev", r.minor);
	snprintf(number, sizeof(number), "%u:%u\n", major(st.st_rdev), minor(st.st_rdev));
	EXPECT_TEXT(number, path);
	munmap(s.map, area_bytes(&s.g));
	close(s.fd);
	snprintf(path, sizeof(path), "/sys/class/devring/devring%u", r.minor);
	EXPECT_EQ(-ENOENT, rc(stat(path, &st)));
}

TEST(attributes_of_the_control_node)
{
	struct devring_info info = info_now(_metadata);
	struct source s[2];
	char number[32];

	ASSERT_EQ(0, source_register(&s[0], "one", 0));
	ASSERT_EQ(0, source_register(&s[1], "two", 0));
	ASSERT_EQ(0, set_state(s[1].fd, DEVRING_STATE_ERROR, EIO));
	snprintf(number, sizeof(number), "%u\n", info.devices + 2);
	EXPECT_TEXT(number, "/sys/class/misc/devring/devices_total");
	snprintf(number, sizeof(number), "%u\n", info.devices_available + 1);
	EXPECT_TEXT(number, "/sys/class/misc/devring/devices_available");
}

TEST(fdinfo)
{
	struct stream reader, quick;
	struct devring_frame f;
	struct source s;
	char path[64], text[1024], line[64];

	source_up(_metadata, &s, "fdinfo", 0, 4, 4096, 0);
	reader_up(_metadata, &s, &reader);
	reader_up(_metadata, &s, &quick);
	ASSERT_EQ(0, set_reader(quick.fd, DEVRING_READER_LATEST, 0, 1));
	ASSERT_EQ(0, produce(&s, 3));
	ASSERT_EQ(0, next_frame(&quick, &f));
#define EXPECT_INFO(fd, key, value) do {						\
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);			\
	EXPECT_LT(0, file_text(path, text, sizeof(text)));				\
	snprintf(line, sizeof(line), "\n" key ":\t%llu\n", (unsigned long long)(value));\
	EXPECT_NE(NULL, strstr(text, line)) TH_LOG("%s in %s", line + 1, text);		\
} while (0)
	EXPECT_INFO(quick.fd, "devring-device", s.id);
	EXPECT_INFO(quick.fd, "devring-id", myself(_metadata, quick.fd).id);
	EXPECT_INFO(quick.fd, "devring-revoked", 0);
	EXPECT_INFO(quick.fd, "devring-sequence", 3);
	EXPECT_INFO(quick.fd, "devring-delivered", 1);
	EXPECT_INFO(quick.fd, "devring-lost", 2);
	EXPECT_INFO(quick.fd, "devring-holds", 1);
	EXPECT_NE(NULL, strstr(text, "\ndevring-role:\treader\n"));
	EXPECT_INFO(reader.fd, "devring-sequence", 0);
	EXPECT_INFO(reader.fd, "devring-holds", 0);
	EXPECT_INFO(s.fd, "devring-device", s.id);
	EXPECT_INFO(s.fd, "devring-sequence", 3);
	EXPECT_NE(NULL, strstr(text, "\ndevring-role:\tproducer\n"));
	ASSERT_EQ(0, take_away(quick.fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	EXPECT_INFO(quick.fd, "devring-revoked", 1);
	EXPECT_INFO(quick.fd, "devring-holds", 0);
}

/* ---- uevents, as the kernel sends them ---- */

struct uevent {
	char text[4096];
	size_t length;
};

static int uevents_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int room = 1 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : fd;
}

/* The value of a property of the event, or NULL. */
static const char *property(const struct uevent *e, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = e->text; p < e->text + e->length; p += strlen(p) + 1)
		if (!strncmp(p, key, n) && p[n] == '=')
			return p + n + 1;
	return NULL;
}

/* The next event of the device @id within @ms. */
static int next_uevent(int fd, uint64_t id, struct uevent *e, int ms)
{
	uint64_t until = now_ns(CLOCK_MONOTONIC) + ms * 1000000ULL;
	char number[32];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
	for (;;) {
		uint64_t now = now_ns(CLOCK_MONOTONIC);
		const char *value;
		long n;

		if (now >= until ||
		    !ready_within(fd, POLLIN, (until - now) / 1000000 + 1))
			return -ETIME;
		n = rc(recv(fd, e->text, sizeof(e->text) - 1, 0));
		if (n < 0)
			return n;
		e->text[n] = 0;
		e->length = n;
		value = property(e, "DEVRING_ID");
		if (value && !strcmp(value, number))
			return 0;
	}
}

#define EXPECT_PROPERTY(key, value) do {						\
	const char *seen_ = property(&e, key);						\
											\
	ASSERT_NE(NULL, seen_) TH_LOG("%s", key);					\
	EXPECT_STREQ(value, seen_) TH_LOG("%s", key);					\
} while (0)

TEST(uevents)
{
	struct devring_register r = registration("event", DEVRING_REG_PERSIST);
	int events = uevents_open(), fd;
	struct uevent e;

	ASSERT_LE(0, events);
	strcpy(r.stable_id, "s:1");
	strcpy(r.path_id, "p:1");
	fd = registered(&r);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next_uevent(events, r.id, &e, WAIT_MS));
	EXPECT_PROPERTY("ACTION", "add");
	EXPECT_PROPERTY("SUBSYSTEM", "devring");
	EXPECT_PROPERTY("DEVRING_TYPE", "camera");
	EXPECT_PROPERTY("DEVRING_NAME", "event");
	EXPECT_PROPERTY("DEVRING_LINK", "event");
	EXPECT_PROPERTY("DEVRING_STABLE_ID", "s:1");
	EXPECT_PROPERTY("DEVRING_PATH_ID", "p:1");
	EXPECT_PROPERTY("DEVRING_FLAGS", "0x1");
	EXPECT_PROPERTY("DEVRING_STATE", "available");
	EXPECT_PROPERTY("DEVRING_GENERATION", "0");
	ASSERT_NE(NULL, property(&e, "DEVNAME"));
#define EXPECT_EVENT(name, state) do {							\
	do {										\
		ASSERT_EQ(0, next_uevent(events, r.id, &e, WAIT_MS));			\
		EXPECT_PROPERTY("ACTION", "change");					\
	} while (strcmp(property(&e, "DEVRING_EVENT") ?: "", name) &&			\
		 !strcmp(property(&e, "DEVRING_EVENT") ?: "", "online"));		\
	EXPECT_PROPERTY("DEVRING_EVENT", name);						\
	EXPECT_PROPERTY("DEVRING_STATE", state);					\
} while (0)
	ASSERT_EQ(0, set_state(fd, DEVRING_STATE_ERROR, EIO));
	EXPECT_EVENT("error", "error");
	ASSERT_EQ(0, set_state(fd, DEVRING_STATE_AVAILABLE, 0));
	EXPECT_EVENT("online", "available");
	ASSERT_EQ(1, set_format(fd, 1));
	EXPECT_EVENT("format", "available");
	close(fd);
	EXPECT_EVENT("offline", "offline");
	fd = attach(r.id, 0);
	ASSERT_LE(0, fd);
	EXPECT_EVENT("online", "available");
	ASSERT_EQ(0, unregister(r.id));
	ASSERT_EQ(0, next_uevent(events, r.id, &e, WAIT_MS));
	EXPECT_PROPERTY("ACTION", "remove");
	EXPECT_EQ(-ETIME, next_uevent(events, r.id, &e, 300));
}

TEST(uevents_do_not_flood)
{
	int events = uevents_open(), count = 0, last = 0;
	uint64_t start, elapsed;
	struct uevent e;
	struct source s;

	ASSERT_LE(0, events);
	ASSERT_EQ(0, source_register(&s, "flood", 0));
	ASSERT_EQ(0, next_uevent(events, s.id, &e, WAIT_MS));
	start = now_ns(CLOCK_MONOTONIC);
	/* For more than a second, much oftener than may be told. */
	do {
		ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, EIO));
		ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_AVAILABLE, 0));
		nap();
		elapsed = now_ns(CLOCK_MONOTONIC) - start;
	} while (elapsed < 1200000000ULL);
	ASSERT_EQ(0, set_state(s.fd, DEVRING_STATE_ERROR, ENOSPC));
	while (next_uevent(events, s.id, &e, 1000) == 0) {
		count++;
		last = !strcmp(property(&e, "DEVRING_EVENT") ?: "", "error");
	}
	elapsed = now_ns(CLOCK_MONOTONIC) - start;
	EXPECT_LT(3, count);
	EXPECT_GE(elapsed / 100000000ULL + 2, count);
	EXPECT_EQ(1, last);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* lane: debug */
/* Loading the module, with each allocation of its own failing: it is not there, or it is; and nothing else is left. */
#include "failnth.h"

#include <sys/syscall.h>

static int copy_of_module(const char *path)
{
	char buffer[65536], copy[] = "/tmp/devring-failnth.ko";
	int from = open(path, O_RDONLY | O_CLOEXEC), to = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	long n;

	if (from < 0 || to < 0)
		return -1;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, n) != n)
			return -1;
	close(from);
	close(to);
	from = open(copy, O_RDONLY | O_CLOEXEC);
	unlink(copy);
	return from;
}

/* Nothing that a module which was not loaded could have left. */
static int is_clean(void)
{
	static const char *const files[] = { "/proc/devices", "/proc/misc", "/proc/modules" };
	static char text[65536];

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		long n = read(fd, text, sizeof(text) - 1);

		close(fd);
		if (n < 0)
			return 0;
		text[n] = 0;
		if (strstr(text, "devring"))
			return 0;
	}
	return access(CONTROL_NODE, F_OK) && access("/sys/class/devring", F_OK) && access("/sys/module/devring", F_OK);
}

static long unload(void)
{
	return rc(syscall(SYS_delete_module, "devring", O_NONBLOCK));
}

static long load(int module)
{
	return rc(syscall(SYS_finit_module, module, "", 0));
}

#define TRACING		"/sys/kernel/tracing/"
#define MANY_POINTS	1000000
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	long n = write(fd, text, strlen(text));

	close(fd);
	return n == (long)strlen(text) ? 0 : -EIO;
}

/* Did the module's own code run since the trace was emptied? */
static int was_started(void)
{
	static char text[65536];
	int fd = open(TRACING "trace", O_RDONLY | O_CLOEXEC);
	long n, filled = 0;

	while ((n = read(fd, text + filled, sizeof(text) - 1 - filled)) > 0)
		filled += n;
	close(fd);
	text[filled] = 0;
	return strstr(text, "initcall_start:") != NULL;
}

/* How many points a load that goes well has. */
static unsigned int points_of_load(int fail, int module)
{
	char text[16] = "";

	fail_at(fail, MANY_POINTS);
	if (load(module))
		return 0;
	(void)!pread(fail, text, sizeof(text) - 1, 0);
	fail_at(fail, 0);
	return MANY_POINTS - strtoul(text, NULL, 10);
}

/*
 * The kernel's own class_register() leaks the name of a class when it fails (6.1): that is all that may have leaked
 * up to now, and is struck off for whoever looks for leaks later.
 */
static int only_class_names_leaked(void)
{
	static const char name[] = "64 65 76 72 69 6e 67 00 ";
	static char text[65536];
	unsigned int objects = 0, names = 0;
	long n, filled = 0;
	int fd;

	/* The kernel that looks for data races has no kmemleak. */
	if (access(KMEMLEAK, F_OK))
		return access("/sys/kernel/debug/kcsan", F_OK) == 0;
	for (int i = 0; i < 3; i++) {
		sleep(6);
		if (write_file(KMEMLEAK, "scan"))
			return 0;
	}
	fd = open(KMEMLEAK, O_RDONLY | O_CLOEXEC);
	while ((n = read(fd, text + filled, sizeof(text) - 1 - filled)) > 0)
		filled += n;
	close(fd);
	for (char *at = text; (at = strstr(at, "(size ")); at++)
		objects++;
	for (char *at = text; (at = strstr(at, "(size 8)")); at++)
		names += strstr(at, name) != NULL;
	return objects == names && !write_file(KMEMLEAK, "clear");
}

/*
 * From the last point of a load backwards to where the module's own code begins: what the kernel does before, and
 * not always well, is not the module's.
 */
TEST(load_module)
{
	unsigned int n, points = 0, failed = 0;
	const char *path = getenv("DEVRING_MODULE");
	int fail, module, faulted, started;
	long result;

	ASSERT_NE(NULL, path);
	module = copy_of_module(path);
	ASSERT_LE(0, module);
	fail = faults_on();
	ASSERT_LE(0, fail);
	ASSERT_EQ(0, write_file(TRACING "events/initcall/initcall_start/enable", "1"));
	ASSERT_EQ(0, unload());
	/* A few more: it is not the same number each time. */
	n = points_of_load(fail, module) + 16;
	ASSERT_LT(16, n);
	do {
		ASSERT_EQ(0, unload());
		ASSERT_TRUE(is_clean());
		ASSERT_EQ(0, write_file(TRACING "trace", "\n"));
		fail_at(fail, n--);
		result = load(module);
		faulted = happened(fail);
		started = was_started();
		points += faulted;
		if (!result)
			continue;
		failed++;
		ASSERT_TRUE(faulted && result == -ENOMEM) {
			TH_LOG("point %u: %s", n + 1, strerror(-result));
		}
		ASSERT_TRUE(is_clean()) {
			TH_LOG("point %u: something is left", n + 1);
		}
		ASSERT_EQ(0, load(module));
	} while (n && started);
	write_file(TRACING "events/initcall/initcall_start/enable", "0");
	printf("# load_module: %u points, %u of them did not matter, %u ENOMEM\n", points, points - failed, failed);
	EXPECT_TRUE(only_class_names_leaked());
	/* The last one was outside. */
	EXPECT_LT(10, failed);
	EXPECT_EQ(0, access(CONTROL_NODE, F_OK));
}

/* Nobody has it open, but there are devices: they go with the module. */
TEST(unload_with_devices)
{
	int module = copy_of_module(getenv("DEVRING_MODULE"));
	struct source s[3];

	ASSERT_LE(0, module);
	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++) {
		char name[] = { 'a' + i, 0 };

		ASSERT_EQ(0, source_register(&s[i], name, DEVRING_REG_PERSIST | DEVRING_REG_PUBLIC));
		ASSERT_EQ(-EWOULDBLOCK, unload());
		close(s[i].fd);
	}
	ASSERT_EQ(0, unload());
	ASSERT_TRUE(is_clean());
	ASSERT_EQ(0, load(module));
}

TEST_HARNESS_MAIN

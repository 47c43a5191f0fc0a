/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults in allocations and user copies of the calling thread, one at a time. */
#ifndef DEVRING_TESTS_FAILNTH_H
#define DEVRING_TESTS_FAILNTH_H

#include "lib.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	1800

/* Each line as it is printed: what kills the kernel is to be seen. */
__attribute__((constructor)) static void print_lines(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static inline int fault_set(const char *setting, const char *value)
{
	char path[96];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : write(fd, value, strlen(value));
	close(fd);
	return n == (int)strlen(value) ? 0 : -EIO;
}

/* All allocations and all copies can fail, and nothing is said of it. */
static inline int faults_on(void)
{
	static const char *const off[] = {
		"failslab/ignore-gfp-wait", "failslab/verbose", "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/ignore-gfp-highmem", "fail_page_alloc/min-order", "fail_page_alloc/verbose",
		"fail_usercopy/verbose",
	};
	int ret = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(off); i++)
		ret |= fault_set(off[i], "0");
	return ret ? -EIO : open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

/* To write a number is a copy too, which the number before may have fail. */
static inline void fail_at(int fail, unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(fail, text, length, 0) != length)
		;
}

/* Did the fault happen?  To read the number is a copy too; and what fails that did not happen before. */
static inline int happened(int fail)
{
	char text[16] = "";
	int n = pread(fail, text, sizeof(text) - 1, 0);

	fail_at(fail, 0);
	return n > 0 && !strtoul(text, NULL, 10);
}

#endif

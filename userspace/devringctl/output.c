// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing out, and small things about time. */

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/*
 * write(), also from a reader's map to a file system that pins what it writes (9p, NFS): that map cannot be pinned,
 * since it may be taken away, so it goes through a buffer.
 */
static ssize_t write_mapped(int fd, const void *data, size_t size)
{
	ssize_t n = write(fd, data, size);
	char buffer[16384];

	if (n >= 0 || errno != EFAULT)
		return n;
	if (size > sizeof(buffer))
		size = sizeof(buffer);
	memcpy(buffer, data, size);
	return write(fd, buffer, size);
}

int write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write_mapped(fd, p, size);

		if (n < 0 && errno == EINTR && !was_signalled())
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static uint64_t boottime_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t since_ns(uint64_t boottime_ns)
{
	uint64_t now = boottime_now();

	return now > boottime_ns ? now - boottime_ns : 0;
}

uint64_t until_ns(uint64_t boottime_ns)
{
	uint64_t now = boottime_now();

	return boottime_ns > now ? boottime_ns - now : 0;
}

int flush_stdout(struct cli *cli)
{
	if (!fflush(stdout) && !ferror(stdout))
		return STATUS_OK;
	return fail_errno(cli, -errno, "Cannot write to standard output");
}

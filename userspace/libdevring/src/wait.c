// SPDX-License-Identifier: LGPL-2.1-or-later
/* Time-outs that hold over several system calls. */

#include <poll.h>
#include <stdint.h>
#include <limits.h>
#include <time.h>

#include "internal.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t deadline_of(int timeout_ms)
{
	/* No time-out needs no clock, and none at all needs it only to be in the past. */
	if (timeout_ms < 0)
		return -1;
	return timeout_ms ? now_ms() + timeout_ms + 1 : 0;
}

int remaining_of(int64_t deadline)
{
	int64_t left;

	if (deadline <= 0)
		return (int)deadline;
	left = deadline - now_ms();
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret = result(poll(&pfd, 1, remaining_of(deadline)));

	return ret > 0 ? pfd.revents : ret;
}

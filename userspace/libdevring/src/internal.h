/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the library share. */
#ifndef DEVRING_INTERNAL_H
#define DEVRING_INTERNAL_H

#include <devring/client.h>

#include <errno.h>
#include <string.h>

#define API		__attribute__((visibility("default")))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* A system call's result as the library returns it. */
static inline int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

/* Monotonic milliseconds at which a time-out ends; -1 for never. */
int64_t deadline_of(int timeout_ms);
/* What is left of it for poll(), rounded up. */
int remaining_of(int64_t deadline);
/* Wait for @events: revents, 0 when the time is over, or a negative errno. */
int wait_for(int fd, short events, int64_t deadline);

#endif /* DEVRING_INTERNAL_H */

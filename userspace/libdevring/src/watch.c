// SPDX-License-Identifier: LGPL-2.1-or-later
/* A listener on the control node. */

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

#define BATCH	8	/* records a system call */

struct devring_watch {
	int fd;
	size_t at;
	size_t filled;
	uint64_t buf[BATCH * DEVRING_CHANGE_MAX / sizeof(uint64_t)];
};

API int devring_watch_open(struct devring_watch **out)
{
	struct devring_watch *watch = malloc(sizeof(*watch));
	int fd;

	if (!watch)
		return -ENOMEM;
	fd = devring_control_open(O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		free(watch);
		return fd;
	}
	watch->fd = fd;
	watch->at = 0;
	watch->filled = 0;
	*out = watch;
	return 0;
}

API void devring_watch_close(struct devring_watch *watch)
{
	if (!watch)
		return;
	close(watch->fd);
	free(watch);
}

API int devring_watch_fd(const struct devring_watch *watch)
{
	return watch->fd;
}

/* The next record of the buffer: its kind, or 0 when there is none that is known. */
static int next_buffered(struct devring_watch *watch, struct devring_change *change)
{
	while (watch->filled - watch->at >= sizeof(struct devring_record)) {
		const char *p = (const char *)watch->buf + watch->at;
		struct devring_record rec;

		memcpy(&rec, p, sizeof(rec));
		if (rec.size < sizeof(rec) || rec.size > watch->filled - watch->at)
			break;
		watch->at += rec.size;
		if (rec.kind < DEVRING_RECORD_CHANGE || rec.kind > DEVRING_RECORD_RESYNC)
			continue;
		memset(change, 0, sizeof(*change));
		memcpy(change, p, rec.size < sizeof(*change) ? rec.size : sizeof(*change));
		return rec.kind;
	}
	return 0;
}

API int devring_watch_next(struct devring_watch *watch, struct devring_change *change,
			   int timeout_ms)
{
	int64_t deadline = deadline_of(timeout_ms);

	for (;;) {
		int kind = next_buffered(watch, change);
		ssize_t n;
		int ret;

		if (kind)
			return kind;
		watch->at = 0;
		watch->filled = 0;
		n = read(watch->fd, watch->buf, sizeof(watch->buf));
		if (n > 0) {
			watch->filled = (size_t)n;
			continue;
		}
		if (!n)
			return -ENODEV;
		if (errno != EAGAIN)
			return -errno;
		ret = timeout_ms ? wait_for(watch->fd, POLLIN, deadline) : 0;
		if (ret <= 0)
			return ret ? ret : -EAGAIN;
	}
}

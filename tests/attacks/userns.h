/* SPDX-License-Identifier: GPL-2.0-only */
/* What attacks from inside a user namespace share. */
#ifndef DEVRING_TESTS_USERNS_H
#define DEVRING_TESTS_USERNS_H

#include "lib.h"

static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long n = rc(fd < 0 ? fd : write(fd, text, strlen(text)));

	close(fd);
	return n < 0 ? n : 0;
}

/* Become root of a user namespace of one's own, as any user may. */
static inline int enter_userns(uid_t uid)
{
	char map[32];
	int result;

	if (unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	result = write_text("/proc/self/uid_map", map) ?: write_text("/proc/self/setgroups", "deny");
	return result ?: write_text("/proc/self/gid_map", map);
}

/* From here on the caller has every capability, there. */
static inline void become_userns_root(ARGS, uid_t uid)
{
	become(uid);
	ASSERT_EQ(0, enter_userns(uid));
	ASSERT_EQ(0, geteuid());
}

#endif

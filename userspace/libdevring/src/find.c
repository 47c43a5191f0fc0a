// SPDX-License-Identifier: LGPL-2.1-or-later
/* From what people call a device to the device, and to an open file of it. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

#define FIRST_PREFIX	"@first-"
#define OPEN_TRIES	3

/* How good a device answers a spec: lower is better, 0 not at all. */
typedef int (*rank_fn)(const struct devring_device *device, const void *wanted);

static bool is_plain(const struct devring_device *device)
{
	return !strcmp(device->link, device->name);
}

/* Claims of the privileged first, then the caller's own, then those of strangers. */
static int claim_rank(const struct devring_device *device)
{
	if (is_plain(device))
		return 1;
	return device->registrant_uid == geteuid() ? 2 : 3;
}

static int rank_minor(const struct devring_device *device, const void *wanted)
{
	return device->minor == *(const uint32_t *)wanted;
}

static int rank_link(const struct devring_device *device, const void *wanted)
{
	return !strcmp(device->link, wanted);
}

static int rank_stable_id(const struct devring_device *device, const void *wanted)
{
	return strcmp(device->stable_id, wanted) ? 0 : claim_rank(device);
}

static int rank_path_id(const struct devring_device *device, const void *wanted)
{
	return strcmp(device->path_id, wanted) ? 0 : claim_rank(device);
}

static int rank_type(const struct devring_device *device, const void *wanted)
{
	if (device->type != *(const uint32_t *)wanted)
		return 0;
	return 2 * claim_rank(device) + (device->state != DEVRING_STATE_AVAILABLE);
}

static int rank_any(const struct devring_device *device, const void *wanted)
{
	const char *spec = wanted;
	char *end;

	if (!strcmp(device->link, spec))
		return 1;
	if (!strcmp(device->name, spec) && device->registrant_uid == geteuid())
		return 2;
	if (!strcmp(device->stable_id, spec))
		return 2 + claim_rank(device);
	if (!strcmp(device->path_id, spec))
		return 5 + claim_rank(device);
	if (spec[0] >= '0' && spec[0] <= '9' && strtoull(spec, &end, 10) == device->id && !*end)
		return 9;
	return 0;
}

static int find_best(int control, rank_fn rank, const void *wanted, struct devring_device *best)
{
	struct devring_device device = { 0 };
	int best_rank = 0;
	int ret;

	while ((ret = devring_next_device(control, &device)) > 0) {
		int r = rank(&device, wanted);

		if (r && (!best_rank || r < best_rank)) {
			best_rank = r;
			*best = device;
		}
	}
	if (ret < 0)
		return ret;
	return best_rank ? 0 : -ENODEV;
}

/* The minor of "/dev/devringN". */
static bool minor_of_path(const char *spec, uint32_t *minor)
{
	const char *digits = spec + strlen(DEVRING_CONTROL_PATH);
	unsigned long n;
	char *end;

	if (strncmp(spec, DEVRING_CONTROL_PATH, strlen(DEVRING_CONTROL_PATH)) ||
	    *digits < '0' || *digits > '9')
		return false;
	n = strtoul(digits, &end, 10);
	*minor = (uint32_t)n;
	return !*end && n <= 0xfffff;
}

static int find_by_link(int control, const char *link, struct devring_device *device)
{
	if (!strncmp(link, "by-id/", 6))
		return find_best(control, rank_stable_id, link + 6, device);
	if (!strncmp(link, "by-path/", 8))
		return find_best(control, rank_path_id, link + 8, device);
	return find_best(control, rank_link, link, device);
}

API int devring_find(int control, const char *spec, struct devring_device *device)
{
	uint32_t number;
	int type;

	if (!*spec)
		return -EINVAL;
	if (minor_of_path(spec, &number))
		return find_best(control, rank_minor, &number, device);
	if (!strncmp(spec, DEVRING_LINKS_PATH "/", strlen(DEVRING_LINKS_PATH) + 1))
		return find_by_link(control, spec + strlen(DEVRING_LINKS_PATH) + 1, device);
	if (!strncmp(spec, FIRST_PREFIX, strlen(FIRST_PREFIX))) {
		type = devring_type_from_name(spec + strlen(FIRST_PREFIX));
		if (type < 0)
			return type;
		number = (uint32_t)type;
		return find_best(control, rank_type, &number, device);
	}
	return find_best(control, rank_any, spec, device);
}

API char *devring_node(uint32_t minor, char *buf, size_t size)
{
	snprintf(buf, size, "%s%u", DEVRING_CONTROL_PATH, minor);
	return buf;
}

static int open_public(int control, const struct devring_device *device, int flags)
{
	struct devring_open o = {
		.size = sizeof(o),
		.flags = (uint32_t)flags & O_NONBLOCK,
		.id = device->id,
	};

	return result(ioctl(control, DEVRING_IOC_OPEN, &o));
}

/* Open what was found; -EAGAIN if its minor belongs to another device by now. */
static int open_found(int control, const struct devring_device *device, int flags)
{
	bool may_open = device->flags & DEVRING_REG_PUBLIC && (flags & O_ACCMODE) == O_RDONLY;
	char node[DEVRING_NODE_SIZE];
	struct devring_device now;
	int fd, ret;

	devring_node(device->minor, node, sizeof(node));
	fd = result(open(node, flags | O_CLOEXEC));
	if (fd < 0)
		return may_open ? open_public(control, device, flags) : fd;
	ret = devring_query_fd(fd, &now);
	if (!ret && now.id == device->id)
		return fd;
	close(fd);
	return -EAGAIN;
}

static int find_and_open(int control, const char *spec, int flags)
{
	struct devring_device device;
	int ret = -EAGAIN;

	for (int i = 0; i < OPEN_TRIES && ret == -EAGAIN; i++) {
		ret = devring_find(control, spec, &device);
		if (!ret)
			ret = open_found(control, &device, flags);
	}
	return ret == -EAGAIN ? -ENODEV : ret;
}

API int devring_open_device(int control, const char *spec, int flags)
{
	int own = -1;
	int fd, ret;

	if (spec[0] == '/') {
		fd = result(open(spec, flags | O_CLOEXEC));
		if (fd >= 0 || strncmp(spec, DEVRING_CONTROL_PATH, strlen(DEVRING_CONTROL_PATH)))
			return fd;
		/* Not there, or not ours: the control node still opens a PUBLIC device. */
		if (fd != -EACCES && fd != -EPERM && fd != -ENOENT)
			return fd;
	} else {
		fd = 0;
	}
	if (control < 0) {
		own = devring_control_open(O_RDONLY);
		if (own < 0)
			return fd < 0 ? fd : own;
		control = own;
	}
	ret = find_and_open(control, spec, flags);
	if (own >= 0)
		close(own);
	return ret;
}

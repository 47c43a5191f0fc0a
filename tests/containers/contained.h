/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs do that have /dev/devring and no other node. */
#ifndef DEVRING_TESTS_CONTAINED_H
#define DEVRING_TESTS_CONTAINED_H

/* Not every program here is a list of tests. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "../kernel/lib.h"

/* What devices there are is asked of the control node: 0, or -ENODEV when there is none of that name. */
static inline int find_device(int control, const char *name, struct devring_device *d)
{
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);

	while (call(control, DEVRING_IOC_QUERY, &q) == 0) {
		*d = q.device;
		if (!strcmp(d->link, name))
			return 0;
		q.id = d->id;
	}
	return -ENODEV;
}

/* A reader without a node: the fd, or a negative errno. */
static inline int open_public(int control, const char *name)
{
	struct devring_open o = INIT(devring_open);
	struct devring_device d;
	int result = find_device(control, name, &d);

	o.id = d.id;
	return result ?: call(control, DEVRING_IOC_OPEN, &o);
}

#endif

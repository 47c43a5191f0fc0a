/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Discovery: what there is, and word when that may have changed. */
#ifndef DEVRINGD_UDEV_H
#define DEVRINGD_UDEV_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "hardware.h"

struct discovery;

struct discovery_calls {
	/* Something came or changed: list again soon. */
	void (*doubt)(void *user);
	/* The class device at this path is gone. */
	void (*gone)(void *user, const char *syspath);
	/* udevd has set the permissions of a devring node anew. */
	void (*permissions)(void *user);
	void *user;
};

/* Uses udevd's events where it runs, else the kernel's. NULL with errno set. */
struct discovery *discovery_open(sd_event *event, const struct discovery_calls *calls);
void discovery_close(struct discovery *discovery);
/* All hardware that is ready for use, in a stable order. */
int discovery_list(struct discovery *discovery, struct hardware_list *list);
bool discovery_has_udevd(const struct discovery *discovery);

#endif

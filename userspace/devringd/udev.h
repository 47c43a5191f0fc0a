/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source udev: what udevd passes on when it has set names and permissions. */
#ifndef DEVRINGD_UDEV_H
#define DEVRINGD_UDEV_H

#include <systemd/sd-event.h>

struct source_calls;
struct udev;
struct udev_source;

/* NULL with errno set. */
struct udev_source *udev_source_open(sd_event *event, struct udev *udev, unsigned int buffer,
				     const struct source_calls *calls);
void udev_source_close(struct udev_source *source);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source libusb: stands by for when udev's events cannot be had. It tells that, not what. */
#ifndef DEVRINGD_USBWATCH_H
#define DEVRINGD_USBWATCH_H

#include <systemd/sd-event.h>

struct source_calls;
struct usbwatch;

/* Calls overflow() for each device that comes or goes. NULL with errno set. */
struct usbwatch *usbwatch_open(sd_event *event, const struct source_calls *calls);
void usbwatch_close(struct usbwatch *watch);

#endif

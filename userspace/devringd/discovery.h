/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Discovery: what there is, and word when that may have changed, from whichever source works. */
#ifndef DEVRINGD_DISCOVERY_H
#define DEVRINGD_DISCOVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "hardware.h"

struct config;
struct discovery;
struct udev;
struct udev_device;
struct usbdev;

/* What one source says. Sources and subsystems that are not ours do not get here. */
struct discovery_event {
	const char *source;		/* "udev" or "kernel" */
	const char *action;		/* "add", "remove", "change", ... */
	const char *subsystem;
	const char *syspath;
	uint64_t seqnum;		/* the kernel's number; both sources have the same */
	struct udev_device *dev;	/* NULL: look for it, it may be gone */
	const char *product;		/* of a USB device, as the event itself tells it */
	unsigned int bus, address;
};

/* What a source tells discovery. */
struct source_calls {
	void (*event)(void *user, const struct discovery_event *event);
	/* Some may have been lost. */
	void (*overflow)(void *user);
	/* It is of no use any more: close it. */
	void (*failed)(void *user, int error);
	void *user;
};

struct discovery_calls {
	void (*event)(void *user, const struct discovery_event *event);
	/* The kernel told of it, and udevd is at work on it: its event follows, or a doubt. */
	void (*coming)(void *user, const struct discovery_event *event);
	/* Something may have changed: list again soon. */
	void (*doubt)(void *user);
	/* udevd has set the permissions of a devring node anew. */
	void (*permissions)(void *user);
	/* Events of a source were lost: counted. */
	void (*overflow)(void *user);
	/* How a source does; reason NULL: well. */
	void (*health)(void *user, const char *source, const char *reason);
	void *user;
};

/* All USB devices, in a stable order. */
struct usb_list {
	struct usbdev *items;
	unsigned int count, size;
};

/* Opens the sources that the config names, and goes on without those that fail. NULL with errno. */
struct discovery *discovery_open(sd_event *event, const struct discovery_calls *calls,
				 const struct config *config);
void discovery_close(struct discovery *discovery);
/* The config changed, and so may the sources. */
void discovery_configure(struct discovery *discovery, const struct config *config);
/* All hardware, in a stable order: what is ready, and how much is not yet. */
int discovery_list(struct discovery *discovery, struct hardware_list *list);
int discovery_list_usb(struct discovery *discovery, struct usb_list *list);
/* The device at this path as it is now; NULL: gone. To be unreferenced. */
struct udev_device *discovery_device(struct discovery *discovery, const char *syspath);
/* Whether a device is only ready when udevd says so. */
bool discovery_trusts_udevd(const struct discovery *discovery);
/* What events come from now: "udev", "kernel", "libusb" or "poll". */
const char *discovery_source(const struct discovery *discovery);

#endif

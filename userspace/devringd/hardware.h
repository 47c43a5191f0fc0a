/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A piece of hardware as discovery sees it: what it is, and how it is known again. */
#ifndef DEVRINGD_HARDWARE_H
#define DEVRINGD_HARDWARE_H

#include <linux/devring.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct udev_device;

struct hardware {
	enum devring_type type;		/* camera, microphone or speaker */
	char syspath[256];		/* of the class device that data comes from */
	char node[64];			/* /dev/video0; hw:0,0 */
	char stable_id[DEVRING_ID_SIZE];
	char path_id[DEVRING_ID_SIZE];
	char label[DEVRING_LABEL_SIZE];
	char driver[32];
	dev_t number;
	ino_t inode;			/* of syspath: another each time it is plugged in */
	bool known;			/* its stable_id is what it had before */
	uint64_t instance;		/* never used before, nor after; 0: not provided yet */
	uint64_t plug;			/* of the USB device, else its own: what belongs together */
	bool loopback;			/* an end of snd-aloop's cable */
	bool usb;
	char usb_syspath[256];
	char vendor_id[5], product_id[5], usb_port[32];
	unsigned int usb_bus, usb_address;
};

enum hardware_kind {
	HARDWARE_OTHER,			/* nothing that devringd provides */
	HARDWARE_UNREADY,		/* it will be, when permissions and names are set */
	HARDWARE_READY,
};

struct hardware_list {
	struct hardware *items;
	unsigned int count, size;
	unsigned int unready;
};

/* Fills hw from a class device. */
enum hardware_kind hardware_from_udev(struct hardware *hw, struct udev_device *dev, bool udevd_runs);
/* Whether both are the same thing at the same place, plugged in once. */
bool hardware_same(const struct hardware *a, const struct hardware *b);
int hardware_add(struct hardware_list *list, const struct hardware *hw);
void hardware_sort(struct hardware_list *list);
/* Whether both are one plugging in, whatever their ids are. */
bool hardware_stayed(const struct hardware *a, const struct hardware *b);
/* Gives another id to what has the same as another one that is known, or comes before it. */
void hardware_disambiguate(struct hardware_list *list);
void hardware_free(struct hardware_list *list);

#endif

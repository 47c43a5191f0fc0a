/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A USB device as the kernel shows it: read without opening it, so also without any right to it. */
#ifndef DEVRINGD_USBDEV_H
#define DEVRINGD_USBDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct udev_device;

#define USBDEV_INTERFACES	32
#define USBDEV_SIGNATURE	17
#define USBDEV_TEXT		128

struct usbdev {
	char syspath[256];
	ino_t inode;			/* of syspath: another each time it is plugged in */
	char port[32];			/* "1-2.3": bus, and the ports on the way */
	char vendor_id[5], product_id[5];
	char manufacturer[USBDEV_TEXT], product[USBDEV_TEXT];
	char serial[USBDEV_TEXT];	/* for who may open the device alone */
	char speed[16];			/* Mbit/s */
	unsigned int bus, address;
	char signature[USBDEV_SIGNATURE];
	/* The device descriptor; bLength 0: it could not be read. */
	uint8_t descriptor[18];
	/* Class, subclass, protocol of each interface in all configurations, each once. */
	uint8_t interfaces[USBDEV_INTERFACES][3];
	unsigned int interfaces_count;
};

/* Fills it from a device of the subsystem usb; false: it is none, or is gone. */
bool usbdev_from_udev(struct usbdev *usb, struct udev_device *dev);
/*
 * What an event itself tells of a device that is gone already: PRODUCT=46d/825/10 and the numbers
 * of bus and device.
 */
void usbdev_from_event(struct usbdev *usb, const char *syspath, const char *product, unsigned int bus,
		       unsigned int address);
/* Whether both are the same device, plugged in once. */
bool usbdev_same(const struct usbdev *a, const struct usbdev *b);
/* "video", "hub", ...; "class-xx" for what has no name here. buf has 16 bytes. */
const char *usbdev_class_name(uint8_t class, char *buf);
/* The class with this name, or of two hexadecimal digits; -1: there is none. */
int usbdev_class_from_name(const char *name);
/* Whether it has an interface of a class, or is of it itself. */
bool usbdev_has_class(const struct usbdev *usb, uint8_t class);
/* The n-th of its different classes, as a name in buf of 16 bytes; NULL: there are no more. */
const char *usbdev_class(const struct usbdev *usb, unsigned int n, char *buf);
/* The directory of a device in /sys, if it is there and not being taken away; else 0. */
ino_t usbdev_inode(const char *syspath);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing USB descriptors: byte tables with little-endian helpers, put one after another. */
#ifndef USBEMU_DESCRIPTOR_H
#define USBEMU_DESCRIPTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LE16(x)	(uint8_t)((x) & 0xff), (uint8_t)((x) >> 8 & 0xff)
#define LE24(x)	LE16(x), (uint8_t)((x) >> 16 & 0xff)
#define LE32(x)	LE24(x), (uint8_t)((x) >> 24 & 0xff)

/* Standard requests and descriptor types. */
enum {
	USB_GET_STATUS = 0,
	USB_CLEAR_FEATURE = 1,
	USB_SET_FEATURE = 3,
	USB_GET_DESCRIPTOR = 6,
	USB_GET_CONFIGURATION = 8,
	USB_SET_CONFIGURATION = 9,
	USB_GET_INTERFACE = 10,
	USB_SET_INTERFACE = 11,
};

enum {
	USB_DEVICE = 1,
	USB_CONFIGURATION = 2,
	USB_STRING = 3,
	USB_INTERFACE = 4,
	USB_ENDPOINT = 5,
	USB_QUALIFIER = 6,
	USB_ASSOCIATION = 11,
	USB_CS_INTERFACE = 0x24,
	USB_CS_ENDPOINT = 0x25,
};

/* Requests of the audio and video classes, and the parts of a request type. */
enum {
	CLASS_SET_CUR = 0x01,
	CLASS_GET_CUR = 0x81,
	CLASS_GET_MIN = 0x82,
	CLASS_GET_MAX = 0x83,
	CLASS_GET_RES = 0x84,
	CLASS_GET_LEN = 0x85,
	CLASS_GET_INFO = 0x86,
	CLASS_GET_DEF = 0x87,
};

#define TYPE_IN		0x80
#define TYPE_MASK	0x60
#define TYPE_CLASS	0x20
#define TYPE_TARGET	0x1f	/* 0 device, 1 interface, 2 endpoint */

struct descriptors {
	uint8_t *data;
	size_t used;
	size_t max;
};

static inline void descriptors_put(struct descriptors *d, const uint8_t *bytes, size_t size)
{
	if (d->max - d->used < size)
		return;
	memcpy(d->data + d->used, bytes, size);
	d->used += size;
}

#define PUT(d, ...) \
	descriptors_put(d, (const uint8_t[]){ __VA_ARGS__ }, \
			sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Lengths that are known only at the end. */
static inline void descriptors_patch16(struct descriptors *d, size_t at, size_t value)
{
	const uint8_t bytes[] = { LE16(value) };

	memcpy(d->data + at, bytes, sizeof(bytes));
}

#define STRING_MANUFACTURER	1
#define STRING_PRODUCT		2
#define STRING_SERIAL		3

#define PUT_CONFIGURATION(d, interfaces) \
	PUT(d, 9, USB_CONFIGURATION, LE16(0), interfaces, 1, 0, 0x80, 250)
#define PUT_INTERFACE(d, number, alternate, endpoints, class, subclass) \
	PUT(d, 9, USB_INTERFACE, number, alternate, endpoints, class, subclass, 0, 0)

#endif

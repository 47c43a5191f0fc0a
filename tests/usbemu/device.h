/* SPDX-License-Identifier: GPL-2.0-only */
/* One emulated USB device: its wire to the kernel, its transfers and its control endpoint. */
#ifndef USBEMU_DEVICE_H
#define USBEMU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "loop.h"
#include "uac.h"
#include "usbip.h"
#include "uvc.h"

#define DEVICE_TEXT	64
#define URB_MAX		64	/* transfers that a driver keeps in flight; uvcvideo 5, audio 12 */
#define URB_PACKETS	64	/* isochronous packets in one transfer; uvcvideo 32 */
#define URB_DATA	(256 << 10)
#define WIRE_IN		(16 << 10)
#define WIRE_OUT	(URB_DATA + (64 << 10))
#define STREAM_ENDPOINT	1

struct device;

struct urb {
	struct urb *next;
	uint32_t seqnum;
	uint32_t length;
	uint32_t start_frame;
	uint32_t packets;
	uint64_t due;
	uint32_t interval;
	struct usbip_packet packet[URB_PACKETS];
};

/* Data that an answer may have: what was asked for, within our buffer. */
static inline uint32_t urb_room(const struct urb *urb)
{
	return urb->length < URB_DATA ? urb->length : URB_DATA;
}

enum fill {
	FILL_DONE,
	FILL_STALL,
	FILL_VANISH,		/* the device is unplugged by a fault */
};

/* What a kind of device does beyond the standard requests. */
struct function {
	const char *kind;
	const char *product;
	uint16_t product_id;
	uint8_t class[3];
	void (*configuration)(const struct device *d, struct descriptors *out);
	/* A class request: the length of the answer in data, or -1 for a stall. */
	int (*control)(struct device *d, const struct usb_setup *setup, uint8_t *data);
	void (*alternate)(struct device *d, unsigned int interface, unsigned int setting);
	/* These two may be NULL. */
	void (*clear_halt)(struct device *d);
	void (*submitted)(struct device *d);
	/* Answer the transfer: put its data, set *length and the packets' lengths. */
	enum fill (*fill)(struct device *d, struct urb *urb, uint8_t *data, uint32_t *length);
	/* When the transfer at the head can be answered; UINT64_MAX: not by time. */
	uint64_t (*ready_at)(const struct device *d, const struct urb *urb);
	void (*unplugged)(struct device *d);
};

extern const struct function camera_function;
extern const struct function bulk_camera_function;
extern const struct function microphone_function;

enum device_state {
	DEVICE_UNPLUGGED,
	DEVICE_PLUGGING,	/* waits for its port to become free */
	DEVICE_PLUGGED,
	DEVICE_STREAMING,
};

struct device_stats {
	uint64_t plugs;
	uint64_t streams;
	uint64_t frames;	/* sent; for a microphone packets */
	uint64_t dropped;	/* frames of which nothing was sent */
	uint64_t bytes;
	uint64_t urbs;
};

struct device {
	struct source source;
	struct loop *loop;
	const struct function *function;
	char name[DEVICE_TEXT];
	char serial[DEVICE_TEXT];
	char product[DEVICE_TEXT];
	char manufacturer[DEVICE_TEXT];
	uint16_t vendor_id;
	uint16_t product_id;
	int port;		/* -1: the first free one; kept over a replug */
	bool start_unplugged;
	bool failed;		/* could not be plugged in */
	bool vanishing;		/* a fault unplugs it as soon as the request is answered */
	uint64_t frames_to_live;	/* unplug itself after so many frames, 0: never */
	enum device_state state;
	uint64_t retry_at;
	uint64_t retry_until;
	unsigned int flaps;	/* unplug and plug pairs still to do */
	uint64_t flap_ns;
	uint64_t flap_at;
	struct fault fault;
	union {
		struct camera camera;
		struct microphone microphone;
	};
	uint8_t setting[4];	/* alternate setting of each interface */
	uint8_t configured;
	uint64_t clock;		/* end of the last isochronous transfer accepted */
	uint64_t answered;	/* when the last transfer of a stream was completed without a fault */
	uint64_t frames_at_plug;
	uint64_t frames_at_stream;
	struct device_stats stats;

	struct urb *free;
	struct urb *head;
	struct urb **tail;
	struct urb urb[URB_MAX];
	size_t in_used;
	size_t out_used;
	size_t out_sent;
	uint8_t in[WIRE_IN];
	uint8_t out[WIRE_OUT];
};

void device_init(struct device *d, struct loop *loop, const struct function *function);
/* 0, or -errno when the port cannot be had now or later; a taken port is waited for. */
int device_plug(struct device *d);
void device_unplug(struct device *d, const char *reason);
/* As device_unplug() by a fault, within a control request. */
void device_vanish(struct device *d);
void device_flap(struct device *d, unsigned int count, uint64_t half_ns);
/* Answer what is due; returns when to come back, UINT64_MAX: when the wire says so. */
uint64_t device_run(struct device *d, uint64_t now);
void device_stream(struct device *d, bool on);
/* Frames sent since the stream began: what a fault's start is counted in. */
uint64_t device_stream_frames(const struct device *d);
const char *device_state_name(const struct device *d);

/* A request to endpoint 0: the length of the answer in data, or -1 for a stall. */
int control_request(struct device *d, const struct usb_setup *setup, uint8_t *data);

#endif

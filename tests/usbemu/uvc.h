/* SPDX-License-Identifier: GPL-2.0-only */
/* A USB Video Class 1.1 camera with an isochronous or a bulk endpoint. */
#ifndef USBEMU_UVC_H
#define USBEMU_UVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAMERA_SIZES	8
#define CAMERA_RATES	4

enum camera_format {
	CAMERA_YUYV,
	CAMERA_MJPEG,
	CAMERA_FORMATS,
};

struct camera_size {
	uint16_t width;
	uint16_t height;
};

/* What a probe or commit block says, in the order of the descriptors (counted from 0). */
struct camera_choice {
	unsigned int format;
	unsigned int size;
	uint32_t interval;	/* of frames, in units of 100 ns */
};

struct camera {
	/* what it offers, the default first */
	enum camera_format formats[CAMERA_FORMATS];
	unsigned int format_count;
	struct camera_size sizes[CAMERA_SIZES];
	unsigned int size_count;
	unsigned int rates[CAMERA_RATES];
	unsigned int rate_count;
	/* what was negotiated */
	struct camera_choice probe;
	struct camera_choice commit;
	uint8_t error;		/* why the last request was stalled */
	/* the frame that is being sent */
	uint8_t *frame;
	size_t frame_room;
	size_t frame_size;
	size_t position;
	size_t end;		/* frame_size, less if it is cut short */
	bool sending;
	uint8_t toggle;
	uint64_t start;
	uint64_t interval_ns;
	uint64_t slot;		/* frame times passed since the start */
	uint32_t sequence;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* JPEG frames with room for a stamp (pattern.h). */
#ifndef USBEMU_JPEG_H
#define USBEMU_JPEG_H

#include <stddef.h>
#include <stdint.h>

/* The picture that stands for this sequence; its size, at most room. */
size_t jpeg_frame(unsigned int width, unsigned int height, uint32_t sequence, uint8_t *frame,
		  size_t room);

#endif

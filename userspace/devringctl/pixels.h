/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the pixels of cameras to those of files. */
#ifndef DEVRINGCTL_PIXELS_H
#define DEVRINGCTL_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/devring.h>

/* How chroma is sampled when pixels are taken apart into planes without losing any. */
enum pixels_planar {
	PIXELS_NONE,		/* not known here */
	PIXELS_MONO,
	PIXELS_420,
	PIXELS_422,
	PIXELS_444,
};

/* RGB becomes 4:4:4, by BT.601 in limited range. */
enum pixels_planar pixels_planar_of(uint32_t fourcc);
/* Does luma run from 0 to 255 in what pixels_to_planar() makes? */
bool pixels_full_range(const struct devring_video_format *video);

/* Bytes of a picture as planes, 0 if the format is not known or too large. */
size_t pixels_planar_size(const struct devring_video_format *video);
/* Bytes of a picture as RGB, likewise. */
size_t pixels_rgb_size(const struct devring_video_format *video);

/*
 * Convert a picture of @bytes into planes Y, U, V without padding, or into RGB, three bytes a
 * pixel.
 * Returns 0, -EOPNOTSUPP for a fourcc that is not known, -EMSGSIZE if @bytes are too few.
 */
int pixels_to_planar(const struct devring_video_format *video, const uint8_t *pixels, size_t bytes,
		     uint8_t *planar);
int pixels_to_rgb(const struct devring_video_format *video, const uint8_t *pixels, size_t bytes,
		  uint8_t *rgb);

#endif /* DEVRINGCTL_PIXELS_H */

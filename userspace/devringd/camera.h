/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a camera can deliver, and which of it is wanted. */
#ifndef DEVRINGD_CAMERA_H
#define DEVRINGD_CAMERA_H

#include <linux/videodev2.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

#define CAMERA_MODES	256

struct camera_mode {
	uint32_t fourcc;
	uint32_t width, height;
	uint32_t fps_numerator, fps_denominator;	/* frames in seconds; 0: unknown */
	unsigned int rank;		/* of the fourcc among those preferred */
};

/*
 * Asks the driver for its modes, best first: those fast enough, then larger ones up to the size
 * asked for, then preferred formats. How many, or a negative errno.
 */
int camera_modes(int fd, const struct config_device *config, unsigned int min_fps,
		 struct camera_mode *modes, unsigned int room);

/* ioctl(), again if a signal came; a negative errno. */
int camera_call(int fd, unsigned long request, void *argument);

#endif

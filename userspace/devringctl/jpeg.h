/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JPEG pictures, one after the other, as in MJPEG streams. */
#ifndef DEVRINGCTL_JPEG_H
#define DEVRINGCTL_JPEG_H

#include "input.h"

/*
 * Read one whole picture.  Returns its length, -ENODATA if there is none any more, -EPIPE if the
 * input ends within it, -EPROTO if it is no JPEG, -EMSGSIZE if it is larger than @size, or another
 * errno.
 */
ssize_t jpeg_read(struct input *input, uint8_t *data, size_t size);

#endif /* DEVRINGCTL_JPEG_H */

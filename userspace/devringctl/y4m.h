/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header lines of YUV4MPEG2 streams. */
#ifndef DEVRINGCTL_Y4M_H
#define DEVRINGCTL_Y4M_H

#include <stddef.h>
#include <stdint.h>

#include <linux/devring.h>

#define Y4M_MAGIC	"YUV4MPEG2 "
#define Y4M_FRAME	"FRAME"
#define Y4M_HEADER_MAX	256

/*
 * The stream header, with its newline, for pictures of this format once they are converted by
 * pixels_to_planar().  Returns its length, or -EOPNOTSUPP.
 */
int y4m_build(char *header, size_t size, const struct devring_video_format *video);

/*
 * Understand a stream header (without newline): fills fourcc, width, height, rate, field and
 * quantization.  Returns 0, -EINVAL if it is none, -EOPNOTSUPP for a kind of pixels with no fourcc.
 */
int y4m_parse(const char *header, struct devring_video_format *video);

#endif /* DEVRINGCTL_Y4M_H */

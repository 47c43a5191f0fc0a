/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buffers that a V4L2 driver fills: slots of the ring themselves, or the driver's own, which are
 * copied.
 */
#ifndef DEVRINGD_BUFFERS_H
#define DEVRINGD_BUFFERS_H

#include <devring/client.h>
#include <linux/videodev2.h>
#include <stdbool.h>

#include "config.h"

#define BUFFERS_MAX	VIDEO_MAX_FRAME

struct buffers {
	int fd;					/* the camera */
	struct devring_producer *producer;
	enum v4l2_memory memory;
	unsigned int count;			/* buffers that the driver knows */
	unsigned int wanted;			/* that it shall have */
	unsigned int queued;			/* that it has */
	bool starved;				/* it has fewer, since lossless readers keep the slots */
	struct devring_fill fill[BUFFERS_MAX];	/* slots: what buffer number i fills, while lent */
	bool lent[BUFFERS_MAX];
	uint32_t slots;				/* of the ring */
	int *dmabuf;				/* DMABUF: one for each slot, -1: not exported yet */
	uint32_t generation;			/* that they are of */
	void *map[BUFFERS_MAX];			/* MMAP: the driver's own */
	size_t map_size[BUFFERS_MAX];
};

/*
 * Has the driver get @wanted buffers, of the kind that @memory says, or the best that it takes. With
 * @reads the frames are looked at here, and so the ring is mapped whatever the kind. A negative errno.
 */
int buffers_open(struct buffers *b, enum config_memory memory, unsigned int wanted, bool reads);
/* After streaming has ended and the camera is closed: what was lent is returned. */
void buffers_close(struct buffers *b);
/*
 * The slot that a filled buffer is in, or was copied into; its bytes are cut to what fits. 0 or a
 * negative errno: EAGAIN if lossless readers keep all slots, and the frame is lost.
 */
int buffers_filled(struct buffers *b, const struct v4l2_buffer *filled, struct devring_fill *fill, uint32_t *bytes);
/* The driver may have buffer number @index again, which has no frame. */
int buffers_requeue(struct buffers *b, unsigned int index);
/* The driver gets as many slots as it shall have, as far as there are any. */
int buffers_refill(struct buffers *b);
/* For people. */
const char *buffers_kind(const struct buffers *b);

#endif

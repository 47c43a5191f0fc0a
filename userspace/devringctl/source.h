/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What standard input is, for write. */
#ifndef DEVRINGCTL_SOURCE_H
#define DEVRINGCTL_SOURCE_H

#include "cli.h"
#include "input.h"

enum source_kind {
	SOURCE_BLOCKS,		/* frames of frame_bytes; the last may be shorter if @partial */
	SOURCE_Y4M,		/* the same, each after a line */
	SOURCE_JPEG,		/* from one start of image to its end */
	SOURCE_LINES,
	SOURCE_CHUNKS,		/* what each read(2) gives */
};

struct source {
	struct input input;
	enum source_kind kind;
	struct devring_format format;
	uint32_t frame_bytes;
	uint32_t slots;
	uint64_t data_left;	/* bytes until the end that a header told */
	bool partial;
};

/* Find out by the options and the first bytes: 0, or the status after fail(). */
int source_open(struct cli *cli, struct source *source, int fd);
/*
 * Read one frame of at most @size bytes.  Returns its length, -ENODATA at the end, -EPIPE if the
 * end comes within a frame, -EPROTO if what comes is no y4m or JPEG, -EMSGSIZE if a picture does
 * not fit, or another negative errno.
 */
ssize_t source_read(struct source *source, void *data, size_t size);
/* How long a frame of @bytes lasts, 0 if that is not known. */
uint64_t source_duration_ns(const struct devring_format *format, size_t bytes);

#endif /* DEVRINGCTL_SOURCE_H */

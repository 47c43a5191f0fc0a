/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording: FILE has the frames' bytes, one after the other, and FILE.index tells what they are. Each
 * line of the index is a JSON object: a header first, a format where it changes, and each frame with its
 * place. A frame's line is written after its bytes, so what the index names is there.
 */
#ifndef DEVRINGCTL_RECORDING_H
#define DEVRINGCTL_RECORDING_H

#include <stdio.h>

#include <devring/client.h>

struct recording {
	int data;
	FILE *index;
	uint64_t at;			/* bytes written */
	unsigned long line;		/* of the index, read or written last */
};

/* What a line of the index says; format only with RECORDING_FORMAT. */
enum recording_line { RECORDING_END, RECORDING_FORMAT, RECORDING_FRAME };

struct recorded {
	struct devring_frame frame;	/* offset: in the file */
	struct devring_format format;
};

/* All return 0 or more, or a negative errno: EPROTO for a line of an index that is none. */

/* Make both files anew. */
int recording_create(struct recording *recording, const char *path, const struct devring_device *device);
int recording_put_format(struct recording *recording, const struct devring_format *format);
int recording_put_frame(struct recording *recording, const struct devring_view *view);
/* Open both; the header is read. */
int recording_open(struct recording *recording, const char *path);
/* The next line: enum recording_line. */
int recording_next(struct recording *recording, struct recorded *recorded);
/* Begin anew, behind the header. */
int recording_rewind(struct recording *recording);
/* What was written is on the disk, or why not. NULL and what was never opened are allowed. */
int recording_close(struct recording *recording);

#endif /* DEVRINGCTL_RECORDING_H */

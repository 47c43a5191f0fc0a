/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From frames to a stream or file. */
#ifndef DEVRINGCTL_ENCODER_H
#define DEVRINGCTL_ENCODER_H

#include <stdbool.h>

#include <devring/client.h>

#include "wav.h"

enum encoding {
	ENCODING_AUTO,
	ENCODING_RAW,
	ENCODING_Y4M,
	ENCODING_WAV,
	ENCODING_MJPEG,
};

struct encoder {
	int fd;
	enum encoding encoding;
	struct devring_format format;	/* that the stream was begun with */
	uint8_t *planar;		/* a picture taken apart */
	size_t planar_size;
	uint64_t data_bytes;		/* of sound so far */
	uint8_t header[WAV_HEADER_MAX];
	int header_bytes;
	bool header_is_due;		/* it is written along with the first sound */
};

/* "raw", "y4m", ...: -EINVAL for others. */
int encoding_from_name(const char *name);
const char *encoding_name(enum encoding encoding);

/*
 * Begin a stream of this format, with its header.  ENCODING_AUTO becomes what suits the format.
 * @sound_bytes is how much sound there will be, or WAV_UNKNOWN.
 * Returns 0, -EOPNOTSUPP if the encoding cannot hold the format, or an error of write(2).
 */
int encoder_begin(struct encoder *encoder, int fd, enum encoding encoding,
		  const struct devring_format *format, uint64_t sound_bytes);
/* -EMSGSIZE: the frame is too short for its format. */
int encoder_frame(struct encoder *encoder, const void *data, size_t bytes);
/* Write into the header how long it became, if the file can be written there. */
void encoder_end(struct encoder *encoder);

#endif /* DEVRINGCTL_ENCODER_H */

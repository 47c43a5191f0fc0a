// SPDX-License-Identifier: GPL-2.0-or-later
/* From frames to a stream or file. */

#include <errno.h>
#include <linux/videodev2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "encoder.h"
#include "pixels.h"
#include "wav.h"
#include "y4m.h"

static const char *const names[] = { "auto", "raw", "y4m", "wav", "mjpeg" };

int encoding_from_name(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

const char *encoding_name(enum encoding encoding)
{
	return names[encoding];
}

static bool is_jpeg(const struct devring_format *format)
{
	return format->kind == DEVRING_FORMAT_VIDEO &&
	       (format->video.fourcc == V4L2_PIX_FMT_MJPEG ||
		format->video.fourcc == V4L2_PIX_FMT_JPEG);
}

static enum encoding suitable(const struct devring_format *format)
{
	uint8_t header[WAV_HEADER_MAX];

	if (is_jpeg(format))
		return ENCODING_MJPEG;
	if (format->kind == DEVRING_FORMAT_VIDEO && pixels_planar_size(&format->video))
		return ENCODING_Y4M;
	if (format->kind == DEVRING_FORMAT_AUDIO &&
	    wav_build(header, &format->audio, WAV_UNKNOWN) > 0)
		return ENCODING_WAV;
	return ENCODING_RAW;
}

static int begin_y4m(struct encoder *encoder)
{
	char header[Y4M_HEADER_MAX];
	int length;

	if (encoder->format.kind != DEVRING_FORMAT_VIDEO)
		return -EOPNOTSUPP;
	length = y4m_build(header, sizeof(header), &encoder->format.video);
	encoder->planar_size = pixels_planar_size(&encoder->format.video);
	if (length < 0 || !encoder->planar_size)
		return -EOPNOTSUPP;
	encoder->planar = malloc(encoder->planar_size);
	if (!encoder->planar)
		return -ENOMEM;
	return write_all(encoder->fd, header, (size_t)length);
}

static int begin_wav(struct encoder *encoder, uint64_t sound_bytes)
{
	if (encoder->format.kind != DEVRING_FORMAT_AUDIO)
		return -EOPNOTSUPP;
	encoder->header_bytes = wav_build(encoder->header, &encoder->format.audio, sound_bytes);
	encoder->header_is_due = encoder->header_bytes > 0;
	return encoder->header_bytes < 0 ? encoder->header_bytes : 0;
}

/* In one piece: sox judges what a pipe gives first, and cannot do with a header alone. */
static int write_header_and(struct encoder *encoder, const uint8_t *data, size_t bytes)
{
	size_t header_bytes = (size_t)encoder->header_bytes;
	uint8_t piece[4096];
	size_t first = bytes < sizeof(piece) - header_bytes ? bytes : sizeof(piece) - header_bytes;
	int ret;

	encoder->header_is_due = false;
	memcpy(piece, encoder->header, header_bytes);
	if (first)
		memcpy(piece + header_bytes, data, first);
	ret = write_all(encoder->fd, piece, header_bytes + first);
	return ret || first == bytes ? ret : write_all(encoder->fd, data + first, bytes - first);
}

int encoder_begin(struct encoder *encoder, int fd, enum encoding encoding,
		  const struct devring_format *format, uint64_t sound_bytes)
{
	memset(encoder, 0, sizeof(*encoder));
	encoder->fd = fd;
	encoder->format = *format;
	encoder->encoding = encoding == ENCODING_AUTO ? suitable(format) : encoding;
	switch (encoder->encoding) {
	case ENCODING_Y4M:
		return begin_y4m(encoder);
	case ENCODING_WAV:
		return begin_wav(encoder, sound_bytes);
	case ENCODING_MJPEG:
		return is_jpeg(format) ? 0 : -EOPNOTSUPP;
	default:
		return 0;
	}
}

int encoder_frame(struct encoder *encoder, const void *data, size_t bytes)
{
	int ret;

	if (encoder->encoding != ENCODING_Y4M) {
		encoder->data_bytes += bytes;
		if (encoder->header_is_due)
			return write_header_and(encoder, data, bytes);
		return write_all(encoder->fd, data, bytes);
	}
	ret = pixels_to_planar(&encoder->format.video, data, bytes, encoder->planar);
	if (!ret)
		ret = write_all(encoder->fd, Y4M_FRAME "\n", strlen(Y4M_FRAME) + 1);
	if (!ret)
		ret = write_all(encoder->fd, encoder->planar, encoder->planar_size);
	return ret;
}

void encoder_end(struct encoder *encoder)
{
	uint8_t header[WAV_HEADER_MAX];
	off_t end;

	free(encoder->planar);
	encoder->planar = NULL;
	if (encoder->encoding != ENCODING_WAV || encoder->header_bytes <= 0)
		return;
	if (encoder->header_is_due)
		write_header_and(encoder, NULL, 0);
	end = lseek(encoder->fd, 0, SEEK_CUR);
	/* Only if the header still is where this file began. */
	if (end < 0 || (uint64_t)end != (uint64_t)encoder->header_bytes + encoder->data_bytes)
		return;
	if (wav_build(header, &encoder->format.audio, encoder->data_bytes) !=
	    encoder->header_bytes)
		return;
	if (pwrite(encoder->fd, header, (size_t)encoder->header_bytes, 0) < 0)
		remark("The length in the header of the file could not be set.");
}

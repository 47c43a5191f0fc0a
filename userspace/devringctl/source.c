// SPDX-License-Identifier: GPL-2.0-or-later
/* What standard input is, for write. */

#include <errno.h>
#include <linux/videodev2.h>
#include <sound/asound.h>
#include <string.h>

#include "jpeg.h"
#include "source.h"
#include "wav.h"
#include "y4m.h"

#define PERIODS_A_SECOND	50
#define CHUNK_BYTES		65536

static int use_audio(struct cli *cli, struct source *source)
{
	struct devring_audio_format *audio = &source->format.audio;

	source->format.kind = DEVRING_FORMAT_AUDIO;
	source->kind = SOURCE_BLOCKS;
	source->partial = true;
	source->slots = 32;
	audio->period_frames = (audio->rate + PERIODS_A_SECOND - 1) / PERIODS_A_SECOND;
	if (opt(cli, OPT_FRAME_BYTES)) {
		int ret = opt_number32(cli, OPT_FRAME_BYTES, audio->frame_bytes,
				       DEVRING_SLOT_SIZE_MAX, &source->frame_bytes);

		if (ret)
			return ret;
		audio->period_frames = source->frame_bytes / audio->frame_bytes;
	}
	source->frame_bytes = audio->period_frames * audio->frame_bytes;
	return STATUS_OK;
}

static int use_wav(struct cli *cli, struct source *source)
{
	const uint8_t *data;
	size_t wanted = 64;

	for (;;) {
		ssize_t n = input_peek(&source->input, wanted, &data);
		int header;

		if (n < 0)
			return fail_errno(cli, (int)n, "Cannot read standard input");
		header = wav_parse(data, (size_t)n, &source->format.audio, &source->data_left);
		if (header > 0) {
			input_skip(&source->input, (size_t)header);
			return use_audio(cli, source);
		}
		if (header == -EOPNOTSUPP)
			return fail(cli, STATUS_FAILURE, "The wav on standard input has samples of "
				    "a kind that devringctl does not know: convert it, as with "
				    "\"sox - -t wav -e signed -b 16 -\".");
		if (header < 0 || (size_t)n < wanted || wanted >= INPUT_AHEAD)
			return fail(cli, STATUS_FAILURE, "The wav on standard input has a broken "
				    "header.");
		wanted *= 2;
	}
}

static int use_raw_audio(struct cli *cli, struct source *source)
{
	struct devring_audio_format *audio = &source->format.audio;
	const char *name = opt(cli, OPT_SAMPLE) ? opt(cli, OPT_SAMPLE) : "S16_LE";
	int sample = devring_sample_from_name(name);
	int ret;

	if (sample < 0)
		return fail(cli, STATUS_USAGE, "--sample-format is \"%s\": it has to be S16_LE, "
			    "S32_LE, FLOAT_LE or another of ALSA's names.", name);
	audio->sample_format = (uint32_t)sample;
	audio->rate = 48000;
	audio->channels = 1;
	ret = opt_number32(cli, OPT_RATE, 1, 10000000, &audio->rate);
	if (!ret)
		ret = opt_number32(cli, OPT_CHANNELS, 1, 1024, &audio->channels);
	if (ret)
		return ret;
	audio->frame_bytes = devring_sample_bytes(audio->sample_format) * audio->channels;
	return use_audio(cli, source);
}

static bool is_jpeg(const struct devring_video_format *video)
{
	/* Sizes are checked here, since there is no layout that would. */
	return (video->fourcc == V4L2_PIX_FMT_MJPEG || video->fourcc == V4L2_PIX_FMT_JPEG) &&
	       video->width <= 16384 && video->height <= 16384;
}

static int use_video(struct cli *cli, struct source *source)
{
	struct devring_video_format *video = &source->format.video;
	char fourcc[5];
	int size = devring_video_layout(video);

	devring_fourcc_to_text(video->fourcc, fourcc);
	source->slots = 8;
	if (is_jpeg(video)) {
		/* A byte a pixel: even fine compression stays below. */
		source->kind = SOURCE_JPEG;
		source->format.kind = DEVRING_FORMAT_VIDEO;
		source->frame_bytes = 65536 + video->width * video->height;
		return opt_number32(cli, OPT_FRAME_BYTES, 1, DEVRING_SLOT_SIZE_MAX,
				    &source->frame_bytes);
	}
	if (size == 0)
		return fail(cli, STATUS_USAGE, "Standard input is said to be %s: devringctl cannot "
			    "see where its pictures end; give uncompressed ones.", fourcc);
	if (size < 0)
		return fail(cli, STATUS_USAGE, "Pictures \"%s\" of %ux%u are not possible; "
			    "--fourcc takes YUYV, UYVY, NV12, YU12, RGB3, BGR3, GREY and the "
			    "like.", fourcc,
			    video->width, video->height);
	source->format.kind = DEVRING_FORMAT_VIDEO;
	source->frame_bytes = (uint32_t)size;
	return STATUS_OK;
}

static int use_y4m(struct cli *cli, struct source *source)
{
	char header[Y4M_HEADER_MAX];
	ssize_t length = input_read_line(&source->input, header, sizeof(header) - 1);
	int ret;

	if (length < 0)
		return fail_errno(cli, (int)length, "Cannot read standard input");
	header[length] = '\0';
	ret = y4m_parse(header, &source->format.video);
	if (ret)
		return fail(cli, STATUS_FAILURE, "The y4m on standard input begins with \"%s\", %s",
			    header, ret == -EOPNOTSUPP ? "pixels that devringctl does not know: "
			    "use \"ffmpeg -pix_fmt yuv420p\"." : "which is broken.");
	source->kind = SOURCE_Y4M;
	return use_video(cli, source);
}

static int use_raw_video(struct cli *cli, struct source *source)
{
	struct devring_video_format *video = &source->format.video;

	video->fourcc = devring_fourcc_from_text(opt(cli, OPT_FOURCC));
	if (!video->fourcc)
		return fail(cli, STATUS_USAGE, "--fourcc is \"%s\": it has to be four characters, "
			    "such as YUYV.", opt(cli, OPT_FOURCC));
	if (!opt(cli, OPT_SIZE) || !parse_size(opt(cli, OPT_SIZE), &video->width, &video->height))
		return fail(cli, STATUS_USAGE, "--fourcc needs --size, such as --size=640x480.");
	if (opt(cli, OPT_FPS) && !parse_fraction(opt(cli, OPT_FPS), &video->fps_numerator,
						 &video->fps_denominator))
		return fail(cli, STATUS_USAGE, "--fps is \"%s\": it has to be a number, or two as "
			    "in 30000/1001.", opt(cli, OPT_FPS));
	source->kind = SOURCE_BLOCKS;
	return use_video(cli, source);
}

static int use_bytes(struct cli *cli, struct source *source)
{
	const char *type = opt(cli, OPT_MEDIA_TYPE);
	struct devring_bytes_format *bytes = &source->format.bytes;

	if (!type)
		type = "application/octet-stream";
	if (strlen(type) >= sizeof(bytes->media_type))
		return fail(cli, STATUS_USAGE, "--media-type is \"%s\": it may have %zu "
			    "characters.",
			    type, sizeof(bytes->media_type) - 1);
	strcpy(bytes->media_type, type);
	source->format.kind = DEVRING_FORMAT_BYTES;
	source->frame_bytes = CHUNK_BYTES;
	source->slots = 16;
	source->partial = true;
	source->kind = opt(cli, OPT_LINES) ? SOURCE_LINES :
		       opt(cli, OPT_FRAME_BYTES) ? SOURCE_BLOCKS : SOURCE_CHUNKS;
	return opt_number32(cli, OPT_FRAME_BYTES, 1, DEVRING_SLOT_SIZE_MAX, &source->frame_bytes);
}

static bool is_audio(struct cli *cli)
{
	const char *type = opt(cli, OPT_TYPE);

	return opt(cli, OPT_RATE) || opt(cli, OPT_CHANNELS) || opt(cli, OPT_SAMPLE) ||
	       (type && (!strcmp(type, "microphone") || !strcmp(type, "speaker")));
}

int source_open(struct cli *cli, struct source *source, int fd)
{
	const uint8_t *data;
	ssize_t n;
	int ret;

	memset(source, 0, sizeof(*source));
	source->input.fd = fd;
	source->data_left = UINT64_MAX;
	if (opt(cli, OPT_LINES) || opt(cli, OPT_MEDIA_TYPE)) {
		ret = use_bytes(cli, source);
	} else if (opt(cli, OPT_FOURCC)) {
		ret = use_raw_video(cli, source);
	} else {
		n = input_peek(&source->input, 12, &data);
		if (n < 0)
			return fail_errno(cli, (int)n, "Cannot read standard input");
		if (n >= 12 && !memcmp(data, "RIFF", 4) && !memcmp(data + 8, "WAVE", 4))
			ret = use_wav(cli, source);
		else if (n >= 10 && !memcmp(data, Y4M_MAGIC, 10))
			ret = use_y4m(cli, source);
		else if (is_audio(cli))
			ret = use_raw_audio(cli, source);
		else
			ret = use_bytes(cli, source);
	}
	return ret ? ret : opt_number32(cli, OPT_SLOTS, DEVRING_SLOTS_MIN, DEVRING_SLOTS_MAX,
					&source->slots);
}

static ssize_t read_block(struct source *source, void *data, size_t size)
{
	size_t wanted = source->frame_bytes < size ? source->frame_bytes : size;
	ssize_t n;

	if (wanted > source->data_left)
		wanted = source->data_left;
	if (!wanted)
		return -ENODATA;
	n = input_read(&source->input, data, wanted);
	if (n < 0)
		return n;
	source->data_left -= (size_t)n;
	if (!n)
		return -ENODATA;
	return (size_t)n < source->frame_bytes && !source->partial ? -EPIPE : n;
}

static ssize_t read_y4m(struct source *source, void *data, size_t size)
{
	char line[Y4M_HEADER_MAX];
	ssize_t n = input_read_line(&source->input, line, sizeof(line));

	if (n < 0)
		return n;
	if (n < 5 || memcmp(line, Y4M_FRAME, 5))
		return -EPROTO;
	n = read_block(source, data, size);
	return n == -ENODATA ? -EPIPE : n;
}

ssize_t source_read(struct source *source, void *data, size_t size)
{
	ssize_t n;

	switch (source->kind) {
	case SOURCE_BLOCKS:
		return read_block(source, data, size);
	case SOURCE_Y4M:
		return read_y4m(source, data, size);
	case SOURCE_JPEG:
		return jpeg_read(&source->input, data, size);
	case SOURCE_LINES:
		/* With its newline, so that what comes out is what went in. */
		n = input_read_line(&source->input, data, size - 1);
		if (n >= 0)
			((char *)data)[n++] = '\n';
		return n;
	default:
		n = input_read_some(&source->input, data, size);
		return n ? n : -ENODATA;
	}
}

uint64_t source_duration_ns(const struct devring_format *format, size_t bytes)
{
	const struct devring_audio_format *a = &format->audio;
	const struct devring_video_format *v = &format->video;

	if (format->kind == DEVRING_FORMAT_AUDIO && a->rate && a->frame_bytes)
		return bytes / a->frame_bytes * 1000000000ULL / a->rate;
	if (format->kind == DEVRING_FORMAT_VIDEO && v->fps_numerator)
		return 1000000000ULL * v->fps_denominator / v->fps_numerator;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The header lines of YUV4MPEG2 streams. */

#include <errno.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pixels.h"
#include "y4m.h"

int y4m_build(char *header, size_t size, const struct devring_video_format *video)
{
	static const char *const colours[] = {
		[PIXELS_MONO] = "mono",
		[PIXELS_420] = "420jpeg",
		[PIXELS_422] = "422",
		[PIXELS_444] = "444",
	};
	enum pixels_planar planar = pixels_planar_of(video->fourcc);
	uint32_t n = video->fps_numerator, d = video->fps_denominator;
	int length;

	if (planar == PIXELS_NONE)
		return -EOPNOTSUPP;
	if (!n || !d) {
		/* A rate has to be given; players believe it. */
		n = 30;
		d = 1;
	}
	length = snprintf(header, size, Y4M_MAGIC "W%u H%u F%u:%u I%c A0:0 C%s XCOLORRANGE=%s\n",
			  video->width, video->height, n, d,
			  video->field == V4L2_FIELD_INTERLACED_TB ? 't' :
			  video->field == V4L2_FIELD_INTERLACED_BT ? 'b' : 'p',
			  colours[planar], pixels_full_range(video) ? "FULL" : "LIMITED");
	return length < (int)size ? length : -EOPNOTSUPP;
}

static uint32_t fourcc_of(const char *colour, size_t length)
{
	static const struct {
		const char *name;
		uint32_t fourcc;
	} colours[] = {
		{ "420jpeg", V4L2_PIX_FMT_YUV420 },
		{ "420mpeg2", V4L2_PIX_FMT_YUV420 },
		{ "420paldv", V4L2_PIX_FMT_YUV420 },
		{ "420", V4L2_PIX_FMT_YUV420 },
		{ "422", V4L2_PIX_FMT_YUV422P },
		{ "444", V4L2_PIX_FMT_YUV444M },
		{ "mono", V4L2_PIX_FMT_GREY },
	};

	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strlen(colours[i].name) == length && !memcmp(colours[i].name, colour, length))
			return colours[i].fourcc;
	return 0;
}

static int parse_word(const char *word, size_t length, struct devring_video_format *video)
{
	char *end;

	switch (word[0]) {
	case 'W':
		video->width = (uint32_t)strtoul(word + 1, NULL, 10);
		return 0;
	case 'H':
		video->height = (uint32_t)strtoul(word + 1, NULL, 10);
		return 0;
	case 'F':
		video->fps_numerator = (uint32_t)strtoul(word + 1, &end, 10);
		if (*end != ':')
			return -EINVAL;
		video->fps_denominator = (uint32_t)strtoul(end + 1, NULL, 10);
		return 0;
	case 'I':
		video->field = word[1] == 't' ? V4L2_FIELD_INTERLACED_TB :
			       word[1] == 'b' ? V4L2_FIELD_INTERLACED_BT : V4L2_FIELD_NONE;
		return 0;
	case 'C':
		video->fourcc = fourcc_of(word + 1, length - 1);
		return video->fourcc ? 0 : -EOPNOTSUPP;
	case 'X':
		if (length == 16 && !memcmp(word, "XCOLORRANGE=FULL", 16))
			video->quantization = V4L2_QUANTIZATION_FULL_RANGE;
		return 0;
	default:
		return 0;
	}
}

int y4m_parse(const char *header, struct devring_video_format *video)
{
	const char *word = header + strlen(Y4M_MAGIC);
	int ret;

	if (strncmp(header, Y4M_MAGIC, strlen(Y4M_MAGIC)))
		return -EINVAL;
	memset(video, 0, sizeof(*video));
	video->fourcc = V4L2_PIX_FMT_YUV420;
	video->field = V4L2_FIELD_NONE;
	video->quantization = V4L2_QUANTIZATION_LIM_RANGE;
	while (*word) {
		size_t length = strcspn(word, " ");

		ret = length ? parse_word(word, length, video) : 0;
		if (ret)
			return ret;
		word += length + (word[length] == ' ');
	}
	/* Sizes beyond these are no pictures. */
	if (!video->width || !video->height || video->width > 65535 || video->height > 65535)
		return -EINVAL;
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Formats: names, sizes, layouts. */

#include <linux/videodev2.h>
#include <sound/asound.h>
#include <stdio.h>

#include "internal.h"

API char *devring_fourcc_to_text(uint32_t fourcc, char *buf)
{
	int length = 0;

	for (int i = 0; i < 4; i++) {
		/* Bit 31 marks big-endian variants. */
		unsigned int c = (i == 3 ? fourcc & 0x7fffffff : fourcc) >> (8 * i) & 0xff;

		buf[i] = c > 0x20 && c < 0x7f ? (char)c : c == ' ' ? ' ' : '?';
		if (buf[i] != ' ')
			length = i + 1;
	}
	buf[length] = '\0';
	return buf;
}

API uint32_t devring_fourcc_from_text(const char *text)
{
	size_t length = strlen(text);
	uint32_t fourcc = 0;

	if (length < 1 || length > 4)
		return 0;
	for (size_t i = 0; i < 4; i++) {
		unsigned char c = i < length ? (unsigned char)text[i] : ' ';

		if (c < 0x20 || c > 0x7e)
			return 0;
		fourcc |= (uint32_t)c << (8 * i);
	}
	return fourcc;
}

#define SAMPLE(format, size)	{ (uint32_t)SNDRV_PCM_FORMAT_ ## format, size, #format }

static const struct {
	uint32_t format;
	unsigned int bytes;
	const char *name;
} samples[] = {
	SAMPLE(S8, 1), SAMPLE(U8, 1), SAMPLE(S16_LE, 2), SAMPLE(S16_BE, 2), SAMPLE(U16_LE, 2),
	SAMPLE(U16_BE, 2), SAMPLE(S24_LE, 4), SAMPLE(S24_BE, 4), SAMPLE(S32_LE, 4),
	SAMPLE(S32_BE, 4), SAMPLE(S24_3LE, 3), SAMPLE(S24_3BE, 3), SAMPLE(FLOAT_LE, 4),
	SAMPLE(FLOAT_BE, 4), SAMPLE(FLOAT64_LE, 8), SAMPLE(MU_LAW, 1), SAMPLE(A_LAW, 1),
};

API const char *devring_sample_name(uint32_t sample_format)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (samples[i].format == sample_format)
			return samples[i].name;
	return NULL;
}

API int devring_sample_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (!strcmp(samples[i].name, name))
			return (int)samples[i].format;
	return -EINVAL;
}

API unsigned int devring_sample_bytes(uint32_t sample_format)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (samples[i].format == sample_format)
			return samples[i].bytes;
	return 0;
}

static void video_to_text(const struct devring_video_format *v, char *buf, size_t size)
{
	char fourcc[5];
	int at = snprintf(buf, size, "%s %ux%u", devring_fourcc_to_text(v->fourcc, fourcc),
			  v->width, v->height);

	if (!v->fps_numerator || !v->fps_denominator || at < 0 || (size_t)at >= size)
		return;
	if (v->fps_numerator % v->fps_denominator == 0)
		snprintf(buf + at, size - (size_t)at, " %u fps",
			 v->fps_numerator / v->fps_denominator);
	else
		snprintf(buf + at, size - (size_t)at, " %.2f fps",
			 (double)v->fps_numerator / v->fps_denominator);
}

static void audio_to_text(const struct devring_audio_format *a, char *buf, size_t size)
{
	const char *name = devring_sample_name(a->sample_format);

	if (name)
		snprintf(buf, size, "%s %u Hz %u ch", name, a->rate, a->channels);
	else
		snprintf(buf, size, "pcm%u %u Hz %u ch", a->sample_format, a->rate, a->channels);
}

static void tensor_to_text(const struct devring_tensor_format *t, char *buf, size_t size)
{
	static const char *const codes[] = { "int", "uint", "float", "code3-", "bfloat" };
	size_t at;

	if (t->dtype_code < ARRAY_SIZE(codes))
		at = (size_t)snprintf(buf, size, "%s%u", codes[t->dtype_code], t->dtype_bits);
	else
		at = (size_t)snprintf(buf, size, "code%u-%u", t->dtype_code, t->dtype_bits);
	if (t->dtype_lanes > 1 && at < size)
		at += (size_t)snprintf(buf + at, size - at, "x%u", t->dtype_lanes);
	for (uint32_t i = 0; i < t->ndim && i < ARRAY_SIZE(t->shape) && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%llu", i ? "x" : " ",
				       (unsigned long long)t->shape[i]);
}

API char *devring_format_to_text(const struct devring_format *format, char *buf, size_t size)
{
	switch (format->kind) {
	case DEVRING_FORMAT_NONE:
		snprintf(buf, size, "-");
		break;
	case DEVRING_FORMAT_VIDEO:
		video_to_text(&format->video, buf, size);
		break;
	case DEVRING_FORMAT_AUDIO:
		audio_to_text(&format->audio, buf, size);
		break;
	case DEVRING_FORMAT_TENSOR:
		tensor_to_text(&format->tensor, buf, size);
		break;
	case DEVRING_FORMAT_BYTES:
		snprintf(buf, size, "%.*s", (int)sizeof(format->bytes.media_type),
			 format->bytes.media_type);
		break;
	default:
		snprintf(buf, size, "kind%u", format->kind);
	}
	for (size_t i = 0; i < size && buf[i]; i++)
		if (buf[i] < 0x20 || buf[i] > 0x7e)
			buf[i] = '?';
	return buf;
}

/* One plane: bits of a pixel, and by how much the plane is smaller than the picture. */
struct plane_layout {
	uint8_t bits;
	uint8_t h_shift;
	uint8_t v_shift;
};

static const struct layout {
	uint32_t fourcc;
	uint32_t planes;
	struct plane_layout plane[3];
} layouts[] = {
	{ V4L2_PIX_FMT_YUYV, 1, { { 16, 0, 0 } } },
	{ V4L2_PIX_FMT_UYVY, 1, { { 16, 0, 0 } } },
	{ V4L2_PIX_FMT_YVYU, 1, { { 16, 0, 0 } } },
	{ V4L2_PIX_FMT_VYUY, 1, { { 16, 0, 0 } } },
	{ V4L2_PIX_FMT_GREY, 1, { { 8, 0, 0 } } },
	{ V4L2_PIX_FMT_Y16, 1, { { 16, 0, 0 } } },
	{ V4L2_PIX_FMT_Z16, 1, { { 16, 0, 0 } } },
	{ V4L2_PIX_FMT_RGB565, 1, { { 16, 0, 0 } } },
	{ V4L2_PIX_FMT_RGB24, 1, { { 24, 0, 0 } } },
	{ V4L2_PIX_FMT_BGR24, 1, { { 24, 0, 0 } } },
	{ V4L2_PIX_FMT_XRGB32, 1, { { 32, 0, 0 } } },
	{ V4L2_PIX_FMT_ARGB32, 1, { { 32, 0, 0 } } },
	{ V4L2_PIX_FMT_XBGR32, 1, { { 32, 0, 0 } } },
	{ V4L2_PIX_FMT_ABGR32, 1, { { 32, 0, 0 } } },
	{ V4L2_PIX_FMT_NV12, 2, { { 8, 0, 0 }, { 16, 1, 1 } } },
	{ V4L2_PIX_FMT_NV21, 2, { { 8, 0, 0 }, { 16, 1, 1 } } },
	{ V4L2_PIX_FMT_NV16, 2, { { 8, 0, 0 }, { 16, 1, 0 } } },
	{ V4L2_PIX_FMT_YUV420, 3, { { 8, 0, 0 }, { 8, 1, 1 }, { 8, 1, 1 } } },
	{ V4L2_PIX_FMT_YVU420, 3, { { 8, 0, 0 }, { 8, 1, 1 }, { 8, 1, 1 } } },
	{ V4L2_PIX_FMT_YUV422P, 3, { { 8, 0, 0 }, { 8, 1, 0 }, { 8, 1, 0 } } },
	{ V4L2_PIX_FMT_YUV444M, 3, { { 8, 0, 0 }, { 8, 0, 0 }, { 8, 0, 0 } } },
};

static bool is_compressed(uint32_t fourcc)
{
	switch (fourcc) {
	case V4L2_PIX_FMT_MJPEG:
	case V4L2_PIX_FMT_JPEG:
	case V4L2_PIX_FMT_H264:
	case V4L2_PIX_FMT_HEVC:
	case V4L2_PIX_FMT_VP8:
	case V4L2_PIX_FMT_VP9:
		return true;
	default:
		return false;
	}
}

static uint64_t shifted(uint32_t size, uint8_t shift)
{
	return ((uint64_t)size + (1U << shift) - 1) >> shift;
}

API int devring_video_layout(struct devring_video_format *video)
{
	const struct layout *l = layouts;
	uint64_t total = 0;

	if (is_compressed(video->fourcc)) {
		video->planes = 1;
		memset(video->stride, 0, sizeof(video->stride));
		memset(video->plane_offset, 0, sizeof(video->plane_offset));
		return 0;
	}
	while (l < layouts + ARRAY_SIZE(layouts) && l->fourcc != video->fourcc)
		l++;
	if (l == layouts + ARRAY_SIZE(layouts) || !video->width || !video->height)
		return -EINVAL;
	video->planes = l->planes;
	for (uint32_t i = 0; i < 4; i++) {
		const struct plane_layout *p = &l->plane[i < l->planes ? i : 0];
		uint64_t least = shifted(video->width, p->h_shift) * p->bits / 8;

		video->plane_offset[i] = i < l->planes ? (uint32_t)total : 0;
		if (i >= l->planes) {
			video->stride[i] = 0;
			continue;
		}
		if (least > DEVRING_SLOT_SIZE_MAX || video->stride[i] > DEVRING_SLOT_SIZE_MAX)
			return -EOVERFLOW;
		if (video->stride[i] < least)
			video->stride[i] = (uint32_t)least;
		total += video->stride[i] * shifted(video->height, p->v_shift);
		if (total > DEVRING_SLOT_SIZE_MAX)
			return -EOVERFLOW;
	}
	return (int)total;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* From the pixels of cameras to those of files. */

#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>

#include "pixels.h"

/* Where one component of the pixels lies: plane, first byte, distance from one to the next. */
struct component {
	uint8_t plane;
	uint8_t first;
	uint8_t step;
};

static const struct pixels {
	uint32_t fourcc;
	enum pixels_planar planar;
	bool rgb;
	struct component c[3];		/* Y, U, V or R, G, B */
} known[] = {
	{ V4L2_PIX_FMT_GREY, PIXELS_MONO, false, { { 0, 0, 1 } } },
	{ V4L2_PIX_FMT_YUYV, PIXELS_422, false, { { 0, 0, 2 }, { 0, 1, 4 }, { 0, 3, 4 } } },
	{ V4L2_PIX_FMT_YVYU, PIXELS_422, false, { { 0, 0, 2 }, { 0, 3, 4 }, { 0, 1, 4 } } },
	{ V4L2_PIX_FMT_UYVY, PIXELS_422, false, { { 0, 1, 2 }, { 0, 0, 4 }, { 0, 2, 4 } } },
	{ V4L2_PIX_FMT_VYUY, PIXELS_422, false, { { 0, 1, 2 }, { 0, 2, 4 }, { 0, 0, 4 } } },
	{ V4L2_PIX_FMT_NV12, PIXELS_420, false, { { 0, 0, 1 }, { 1, 0, 2 }, { 1, 1, 2 } } },
	{ V4L2_PIX_FMT_NV21, PIXELS_420, false, { { 0, 0, 1 }, { 1, 1, 2 }, { 1, 0, 2 } } },
	{ V4L2_PIX_FMT_NV16, PIXELS_422, false, { { 0, 0, 1 }, { 1, 0, 2 }, { 1, 1, 2 } } },
	{ V4L2_PIX_FMT_YUV420, PIXELS_420, false, { { 0, 0, 1 }, { 1, 0, 1 }, { 2, 0, 1 } } },
	{ V4L2_PIX_FMT_YVU420, PIXELS_420, false, { { 0, 0, 1 }, { 2, 0, 1 }, { 1, 0, 1 } } },
	{ V4L2_PIX_FMT_YUV422P, PIXELS_422, false, { { 0, 0, 1 }, { 1, 0, 1 }, { 2, 0, 1 } } },
	{ V4L2_PIX_FMT_YUV444M, PIXELS_444, false, { { 0, 0, 1 }, { 1, 0, 1 }, { 2, 0, 1 } } },
	{ V4L2_PIX_FMT_RGB24, PIXELS_444, true, { { 0, 0, 3 }, { 0, 1, 3 }, { 0, 2, 3 } } },
	{ V4L2_PIX_FMT_BGR24, PIXELS_444, true, { { 0, 2, 3 }, { 0, 1, 3 }, { 0, 0, 3 } } },
	{ V4L2_PIX_FMT_XRGB32, PIXELS_444, true, { { 0, 1, 4 }, { 0, 2, 4 }, { 0, 3, 4 } } },
	{ V4L2_PIX_FMT_ARGB32, PIXELS_444, true, { { 0, 1, 4 }, { 0, 2, 4 }, { 0, 3, 4 } } },
	{ V4L2_PIX_FMT_XBGR32, PIXELS_444, true, { { 0, 2, 4 }, { 0, 1, 4 }, { 0, 0, 4 } } },
	{ V4L2_PIX_FMT_ABGR32, PIXELS_444, true, { { 0, 2, 4 }, { 0, 1, 4 }, { 0, 0, 4 } } },
};

static const struct pixels *find(uint32_t fourcc)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].fourcc == fourcc)
			return &known[i];
	return NULL;
}

static unsigned int h_shift(const struct pixels *k, int component)
{
	return component && (k->planar == PIXELS_420 || k->planar == PIXELS_422);
}

static unsigned int v_shift(const struct pixels *k, int component)
{
	return component && k->planar == PIXELS_420;
}

static uint32_t columns(const struct devring_video_format *v, const struct pixels *k, int component)
{
	unsigned int shift = h_shift(k, component);

	return (v->width + (1U << shift) - 1) >> shift;
}

static uint32_t lines(const struct devring_video_format *v, const struct pixels *k, int component)
{
	unsigned int shift = v_shift(k, component);

	return (v->height + (1U << shift) - 1) >> shift;
}

static int components(const struct pixels *k)
{
	return k->planar == PIXELS_MONO ? 1 : 3;
}

enum pixels_planar pixels_planar_of(uint32_t fourcc)
{
	const struct pixels *k = find(fourcc);

	return k ? k->planar : PIXELS_NONE;
}

bool pixels_full_range(const struct devring_video_format *video)
{
	const struct pixels *k = find(video->fourcc);

	if (k && k->rgb)
		return false;
	if (video->quantization == V4L2_QUANTIZATION_DEFAULT)
		return video->colorspace == V4L2_COLORSPACE_JPEG;
	return video->quantization == V4L2_QUANTIZATION_FULL_RANGE;
}

static bool is_sane(const struct devring_video_format *v)
{
	return v->width && v->height && v->width <= 65536 && v->height <= 65536;
}

size_t pixels_planar_size(const struct devring_video_format *video)
{
	const struct pixels *k = find(video->fourcc);
	size_t size = 0;

	if (!k || !is_sane(video))
		return 0;
	for (int i = 0; i < components(k); i++)
		size += (size_t)columns(video, k, i) * lines(video, k, i);
	return size;
}

size_t pixels_rgb_size(const struct devring_video_format *video)
{
	if (!find(video->fourcc) || !is_sane(video))
		return 0;
	return (size_t)video->width * video->height * 3;
}

/* Every byte that a component reads lies within the picture. */
static int check(const struct devring_video_format *v, const struct pixels *k, size_t bytes)
{
	if (!k || !is_sane(v))
		return -EOPNOTSUPP;
	for (int i = 0; i < components(k); i++) {
		const struct component *c = &k->c[i];
		uint64_t last = v->plane_offset[c->plane] +
				(uint64_t)v->stride[c->plane] * (lines(v, k, i) - 1) + c->first +
				(uint64_t)c->step * (columns(v, k, i) - 1);

		if (last >= bytes)
			return -EMSGSIZE;
	}
	return 0;
}

static const uint8_t *line_of(const struct devring_video_format *v, const struct component *c,
			      const uint8_t *pixels, uint32_t line)
{
	return pixels + v->plane_offset[c->plane] + (size_t)line * v->stride[c->plane] + c->first;
}

/* Weights of red and blue in luma. */
static void weights(const struct devring_video_format *v, double *kr, double *kb)
{
	uint32_t encoding = v->ycbcr_enc;

	if (encoding == V4L2_YCBCR_ENC_DEFAULT)
		encoding = v->colorspace == V4L2_COLORSPACE_REC709 ? V4L2_YCBCR_ENC_709 :
			   v->colorspace == V4L2_COLORSPACE_BT2020 ? V4L2_YCBCR_ENC_BT2020 :
			   V4L2_YCBCR_ENC_601;
	*kr = encoding == V4L2_YCBCR_ENC_709 ? 0.2126 :
	      encoding == V4L2_YCBCR_ENC_BT2020 ? 0.2627 : 0.299;
	*kb = encoding == V4L2_YCBCR_ENC_709 ? 0.0722 :
	      encoding == V4L2_YCBCR_ENC_BT2020 ? 0.0593 : 0.114;
}

/* Fixed point with this many bits behind the point. */
#define POINT	16

static int fixed(double value)
{
	return (int)(value * (1 << POINT) + (value < 0 ? -0.5 : 0.5));
}

static uint8_t clamp(int value)
{
	value = (value + (1 << (POINT - 1))) >> POINT;
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

struct to_rgb {
	int black, y, rv, gu, gv, bu;
};

static struct to_rgb rgb_matrix(const struct devring_video_format *v)
{
	bool full = pixels_full_range(v);
	double chroma = full ? 1 : 255.0 / 224;
	double kr, kb, kg;

	weights(v, &kr, &kb);
	kg = 1 - kr - kb;
	return (struct to_rgb) {
		.black = full ? 0 : 16,
		.y = fixed(full ? 1 : 255.0 / 219),
		.rv = fixed(2 * (1 - kr) * chroma),
		.gu = fixed(-2 * kb * (1 - kb) / kg * chroma),
		.gv = fixed(-2 * kr * (1 - kr) / kg * chroma),
		.bu = fixed(2 * (1 - kb) * chroma),
	};
}

static void yuv_line_to_rgb(const struct devring_video_format *v, const struct pixels *k,
			    const uint8_t *pixels, uint32_t line, const struct to_rgb *m,
			    uint8_t *out)
{
	const uint8_t *y = line_of(v, &k->c[0], pixels, line);
	const uint8_t *cb = NULL, *cr = NULL;
	unsigned int shift = h_shift(k, 1);

	if (components(k) == 3) {
		cb = line_of(v, &k->c[1], pixels, line >> v_shift(k, 1));
		cr = line_of(v, &k->c[2], pixels, line >> v_shift(k, 1));
	}
	for (uint32_t x = 0; x < v->width; x++, out += 3) {
		int luma = (y[(size_t)x * k->c[0].step] - m->black) * m->y;
		int b = cb ? cb[(size_t)(x >> shift) * k->c[1].step] - 128 : 0;
		int r = cr ? cr[(size_t)(x >> shift) * k->c[2].step] - 128 : 0;

		out[0] = clamp(luma + m->rv * r);
		out[1] = clamp(luma + m->gu * b + m->gv * r);
		out[2] = clamp(luma + m->bu * b);
	}
}

int pixels_to_rgb(const struct devring_video_format *video, const uint8_t *pixels, size_t bytes,
		  uint8_t *rgb)
{
	const struct pixels *k = find(video->fourcc);
	struct to_rgb m = rgb_matrix(video);
	int ret = check(video, k, bytes);

	if (ret)
		return ret;
	for (uint32_t line = 0; line < video->height; line++) {
		uint8_t *out = rgb + (size_t)line * video->width * 3;

		if (!k->rgb) {
			yuv_line_to_rgb(video, k, pixels, line, &m, out);
			continue;
		}
		for (int c = 0; c < 3; c++) {
			const uint8_t *in = line_of(video, &k->c[c], pixels, line);

			for (uint32_t x = 0; x < video->width; x++)
				out[(size_t)x * 3 + c] = in[(size_t)x * k->c[c].step];
		}
	}
	return 0;
}

static void rgb_to_planar(const struct devring_video_format *v, const struct pixels *k,
			  const uint8_t *pixels, uint8_t *out)
{
	const double kr = 0.299, kb = 0.114, kg = 1 - kr - kb;
	const int yr = fixed(kr * 219 / 255), yg = fixed(kg * 219 / 255);
	const int yb = fixed(kb * 219 / 255), half = fixed(112.0 / 255);
	const int ur = fixed(-kr / (1 - kb) * 112 / 255), ug = fixed(-kg / (1 - kb) * 112 / 255);
	const int vg = fixed(-kg / (1 - kr) * 112 / 255), vb = fixed(-kb / (1 - kr) * 112 / 255);
	size_t plane = (size_t)v->width * v->height;

	for (uint32_t line = 0; line < v->height; line++) {
		const uint8_t *r = line_of(v, &k->c[0], pixels, line);
		const uint8_t *g = line_of(v, &k->c[1], pixels, line);
		const uint8_t *b = line_of(v, &k->c[2], pixels, line);
		size_t step = k->c[0].step;

		for (uint32_t x = 0; x < v->width; x++, r += step, g += step, b += step, out++) {
			out[0] = clamp((16 << POINT) + yr * *r + yg * *g + yb * *b);
			out[plane] = clamp((128 << POINT) + ur * *r + ug * *g + half * *b);
			out[2 * plane] = clamp((128 << POINT) + half * *r + vg * *g + vb * *b);
		}
	}
}

int pixels_to_planar(const struct devring_video_format *video, const uint8_t *pixels, size_t bytes,
		     uint8_t *planar)
{
	const struct pixels *k = find(video->fourcc);
	int ret = check(video, k, bytes);

	if (ret)
		return ret;
	if (k->rgb) {
		rgb_to_planar(video, k, pixels, planar);
		return 0;
	}
	for (int i = 0; i < components(k); i++) {
		const struct component *c = &k->c[i];
		uint32_t width = columns(video, k, i);

		for (uint32_t line = 0; line < lines(video, k, i); line++, planar += width) {
			const uint8_t *in = line_of(video, c, pixels, line);

			if (c->step == 1) {
				memcpy(planar, in, width);
				continue;
			}
			for (uint32_t x = 0; x < width; x++)
				planar[x] = in[(size_t)x * c->step];
		}
	}
	return 0;
}

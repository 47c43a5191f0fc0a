// SPDX-License-Identifier: GPL-2.0-only
/* From the pixels of cameras to those of files. */

#include <errno.h>
#include <linux/videodev2.h>
#include <stdlib.h>

#include <devring/client.h>

#include "pixels.h"
#include "tap.h"

static struct devring_video_format picture(uint32_t fourcc, uint32_t width, uint32_t height)
{
	struct devring_video_format v = { .fourcc = fourcc, .width = width, .height = height };

	if (devring_video_layout(&v) <= 0)
		printf("# fourcc %08x has no layout\n", fourcc);
	return v;
}

static int is_near(const uint8_t *got, int r, int g, int b)
{
	if (abs(got[0] - r) <= 1 && abs(got[1] - g) <= 1 && abs(got[2] - b) <= 1)
		return 1;
	printf("# wanted %d %d %d, got %d %d %d\n", r, g, b, got[0], got[1], got[2]);
	return 0;
}

/* One pair of pixels of the colours that the standards give numbers for. */
static void yuyv(const uint8_t *pair, uint32_t encoding, uint32_t quantization, int r, int g, int b,
		 const char *name)
{
	struct devring_video_format v = picture(V4L2_PIX_FMT_YUYV, 2, 1);
	uint8_t rgb[6];

	v.ycbcr_enc = encoding;
	v.quantization = quantization;
	OK(!pixels_to_rgb(&v, pair, 4, rgb) && is_near(rgb, r, g, b) && is_near(rgb + 3, r, g, b),
	   name);
}

static void test_colours(void)
{
	const uint32_t sd = V4L2_YCBCR_ENC_601, hd = V4L2_YCBCR_ENC_709;
	const uint32_t limited = V4L2_QUANTIZATION_LIM_RANGE, full = V4L2_QUANTIZATION_FULL_RANGE;

	yuyv((uint8_t[]) { 16, 128, 16, 128 }, sd, limited, 0, 0, 0, "black");
	yuyv((uint8_t[]) { 235, 128, 235, 128 }, sd, limited, 255, 255, 255, "white");
	yuyv((uint8_t[]) { 81, 90, 81, 240 }, sd, limited, 254, 0, 0, "red of BT.601");
	yuyv((uint8_t[]) { 145, 54, 145, 34 }, sd, limited, 0, 255, 1, "green of BT.601");
	yuyv((uint8_t[]) { 41, 240, 41, 110 }, sd, limited, 0, 0, 255, "blue of BT.601");
	yuyv((uint8_t[]) { 63, 102, 63, 240 }, hd, limited, 255, 1, 0, "red of BT.709");
	yuyv((uint8_t[]) { 76, 85, 76, 255 }, sd, full, 254, 0, 0, "red in full range");
	yuyv((uint8_t[]) { 0, 128, 0, 128 }, sd, limited, 0, 0, 0, "below black is black");
}

static void test_orders(void)
{
	static const uint8_t rgb3[] = { 1, 2, 3, 4, 5, 6 }, bgr3[] = { 3, 2, 1, 6, 5, 4 };
	static const uint8_t bgrx[] = { 3, 2, 1, 0, 6, 5, 4, 0 };
	static const uint8_t xrgb[] = { 0, 1, 2, 3, 0, 4, 5, 6 };
	struct devring_video_format v = picture(V4L2_PIX_FMT_RGB24, 2, 1);
	uint8_t rgb[6];

	OK(!pixels_to_rgb(&v, rgb3, 6, rgb) && !memcmp(rgb, rgb3, 6), "RGB24");
	v.fourcc = V4L2_PIX_FMT_BGR24;
	OK(!pixels_to_rgb(&v, bgr3, 6, rgb) && !memcmp(rgb, rgb3, 6), "BGR24");
	v = picture(V4L2_PIX_FMT_XBGR32, 2, 1);
	OK(!pixels_to_rgb(&v, bgrx, 8, rgb) && !memcmp(rgb, rgb3, 6), "XBGR32");
	v.fourcc = V4L2_PIX_FMT_XRGB32;
	OK(!pixels_to_rgb(&v, xrgb, 8, rgb) && !memcmp(rgb, rgb3, 6), "XRGB32");
}

/* The same 4x2 picture in each layout comes apart into the same planes. */
static void test_planes(void)
{
	static const uint8_t planes422[] = {
		1, 2, 3, 4, 5, 6, 7, 8,		/* Y */
		11, 12, 13, 14,			/* U */
		21, 22, 23, 24,			/* V */
	};
	static const uint8_t as_yuyv[] = { 1, 11, 2, 21, 3, 12, 4, 22, 5, 13, 6, 23, 7, 14, 8, 24 };
	static const uint8_t as_uyvy[] = { 11, 1, 21, 2, 12, 3, 22, 4, 13, 5, 23, 6, 14, 7, 24, 8 };
	static const uint8_t planes420[] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 21, 22 };
	static const uint8_t as_nv12[] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 21, 12, 22 };
	static const uint8_t as_nv21[] = { 1, 2, 3, 4, 5, 6, 7, 8, 21, 11, 22, 12 };
	static const uint8_t as_yv12[] = { 1, 2, 3, 4, 5, 6, 7, 8, 21, 22, 11, 12 };
	struct devring_video_format v = picture(V4L2_PIX_FMT_YUYV, 4, 2);
	uint8_t out[16];

	OK(pixels_planar_size(&v) == 16 && !pixels_to_planar(&v, as_yuyv, 16, out) &&
	   !memcmp(out, planes422, 16), "YUYV");
	v.fourcc = V4L2_PIX_FMT_UYVY;
	OK(!pixels_to_planar(&v, as_uyvy, 16, out) && !memcmp(out, planes422, 16), "UYVY");
	v = picture(V4L2_PIX_FMT_YUV422P, 4, 2);
	OK(!pixels_to_planar(&v, planes422, 16, out) && !memcmp(out, planes422, 16), "YUV422P");
	v = picture(V4L2_PIX_FMT_NV12, 4, 2);
	OK(pixels_planar_size(&v) == 12 && !pixels_to_planar(&v, as_nv12, 12, out) &&
	   !memcmp(out, planes420, 12), "NV12");
	v.fourcc = V4L2_PIX_FMT_NV21;
	OK(!pixels_to_planar(&v, as_nv21, 12, out) && !memcmp(out, planes420, 12), "NV21");
	v = picture(V4L2_PIX_FMT_YUV420, 4, 2);
	OK(!pixels_to_planar(&v, planes420, 12, out) && !memcmp(out, planes420, 12), "YUV420");
	v.fourcc = V4L2_PIX_FMT_YVU420;
	OK(!pixels_to_planar(&v, as_yv12, 12, out) && !memcmp(out, planes420, 12), "YVU420");
}

static void test_rgb_to_planes(void)
{
	static const uint8_t rgb[] = { 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255 };
	static const uint8_t wanted[] = {
		235, 16, 81, 41,	/* Y of white, black, red, blue */
		128, 128, 90, 240,
		128, 128, 240, 110,
	};
	struct devring_video_format v = picture(V4L2_PIX_FMT_RGB24, 2, 2);
	uint8_t out[12];
	int worst = 0;

	OK(pixels_planar_size(&v) == 12 && !pixels_to_planar(&v, rgb, 12, out),
	   "RGB has as many values in planes");
	for (int i = 0; i < 12; i++)
		if (abs(out[i] - wanted[i]) > worst)
			worst = abs(out[i] - wanted[i]);
	OK(worst <= 1, "RGB becomes the known values of BT.601");
}

static void test_strides(void)
{
	static const uint8_t padded[] = { 1, 2, 3, 99, 4, 5, 6, 99 };
	struct devring_video_format v = { .fourcc = V4L2_PIX_FMT_GREY, .width = 3, .height = 2 };
	uint8_t out[6];

	v.stride[0] = 4;
	OK(devring_video_layout(&v) == 8 && v.stride[0] == 4, "a longer stride is kept");
	OK(!pixels_to_planar(&v, padded, 8, out) && !memcmp(out, "\1\2\3\4\5\6", 6),
	   "padding is left out");
	OK(!pixels_to_planar(&v, padded, 7, out), "padding may be missing in the last line");
	OK(pixels_to_planar(&v, padded, 6, out) == -EMSGSIZE, "a pixel may not");
	v.plane_offset[0] = 2;
	OK(pixels_to_planar(&v, padded, 8, out) == -EMSGSIZE, "planes beyond the end are refused");
	v.plane_offset[0] = UINT32_MAX;
	v.stride[0] = UINT32_MAX;
	OK(pixels_to_rgb(&v, padded, 8, out) == -EMSGSIZE, "so are offsets that would overflow");
	v.fourcc = V4L2_PIX_FMT_MJPEG;
	OK(pixels_to_rgb(&v, padded, 8, out) == -EOPNOTSUPP && !pixels_rgb_size(&v) &&
	   !pixels_planar_size(&v), "compressed pictures are refused");
}

static void test_odd_sizes(void)
{
	struct devring_video_format v = picture(V4L2_PIX_FMT_NV12, 3, 3);
	uint8_t pixels[9 + 2 * 4], out[9 + 4 + 4], rgb[27];

	memset(pixels, 128, sizeof(pixels));
	OK(devring_video_layout(&v) == 17 && pixels_planar_size(&v) == 17 &&
	   !pixels_to_planar(&v, pixels, sizeof(pixels), out) &&
	   !pixels_to_rgb(&v, pixels, sizeof(pixels), rgb), "an odd size has a rounded chroma");
}

int main(void)
{
	test_colours();
	test_orders();
	test_planes();
	test_rgb_to_planes();
	test_strides();
	test_odd_sizes();
	return tap_end();
}

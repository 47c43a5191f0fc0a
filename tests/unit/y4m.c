// SPDX-License-Identifier: GPL-2.0-only
/* The header lines of YUV4MPEG2 streams. */

#include <errno.h>
#include <linux/videodev2.h>

#include "tap.h"
#include "y4m.h"

static struct devring_video_format camera(uint32_t fourcc)
{
	return (struct devring_video_format) {
		.fourcc = fourcc,
		.width = 640,
		.height = 480,
		.fps_numerator = 30000,
		.fps_denominator = 1001,
		.field = V4L2_FIELD_NONE,
	};
}

static void test_build(void)
{
	struct devring_video_format v = camera(V4L2_PIX_FMT_YUYV);
	char line[Y4M_HEADER_MAX] = "";

	OK(y4m_build(line, sizeof(line), &v) == (int)strlen(line), "the length is returned");
	same_text(line, "YUV4MPEG2 W640 H480 F30000:1001 Ip A0:0 C422 XCOLORRANGE=LIMITED\n",
		  "YUYV becomes 4:2:2");
	v = camera(V4L2_PIX_FMT_NV12);
	v.quantization = V4L2_QUANTIZATION_FULL_RANGE;
	y4m_build(line, sizeof(line), &v);
	OK(strstr(line, " C420jpeg ") && strstr(line, "=FULL\n"), "NV12 becomes 4:2:0, full range");
	v = camera(V4L2_PIX_FMT_GREY);
	y4m_build(line, sizeof(line), &v);
	OK(strstr(line, " Cmono "), "GREY becomes mono");
	v = camera(V4L2_PIX_FMT_RGB24);
	v.fps_numerator = 0;
	y4m_build(line, sizeof(line), &v);
	OK(strstr(line, " C444 ") && strstr(line, " F30:1 "), "RGB becomes 4:4:4; a rate there is");
	v = camera(V4L2_PIX_FMT_MJPEG);
	OK(y4m_build(line, sizeof(line), &v) == -EOPNOTSUPP, "MJPEG is refused");
}

static void test_parse(void)
{
	struct devring_video_format v;

	OK(!y4m_parse("YUV4MPEG2 W320 H240 F25:1 It A1:1 C422 XCOLORRANGE=FULL", &v) &&
	   v.width == 320 && v.height == 240 && v.fps_numerator == 25 && v.fps_denominator == 1 &&
	   v.field == V4L2_FIELD_INTERLACED_TB && v.fourcc == V4L2_PIX_FMT_YUV422P &&
	   v.quantization == V4L2_QUANTIZATION_FULL_RANGE, "every part is understood");
	OK(!y4m_parse("YUV4MPEG2 W2 H2", &v) && v.fourcc == V4L2_PIX_FMT_YUV420,
	   "4:2:0 is meant if nothing is said");
	OK(!y4m_parse("YUV4MPEG2 W2 H2 C420paldv XYSCSS=420PALDV", &v) &&
	   v.fourcc == V4L2_PIX_FMT_YUV420, "the kinds of 4:2:0 are one");
	OK(y4m_parse("YUV4MPEG2 W2 H2 C420p10", &v) == -EOPNOTSUPP, "ten bits are refused");
	OK(y4m_parse("YUV4MPEG2 W2", &v) == -EINVAL &&
	   y4m_parse("YUV4MPEG2 W0 H2", &v) == -EINVAL &&
	   y4m_parse("YUV4MPEG2 W99999 H2", &v) == -EINVAL, "sizes that cannot be are refused");
	OK(y4m_parse("YUV4MPEG W2 H2", &v) == -EINVAL, "another magic is refused");
	OK(y4m_parse("YUV4MPEG2 W2 H2 F25", &v) == -EINVAL, "half a rate is refused");
}

int main(void)
{
	test_build();
	test_parse();
	return tap_end();
}

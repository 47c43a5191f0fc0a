// SPDX-License-Identifier: GPL-2.0-only
/* What libdevring calls numbers, and the layouts of pictures. */

#include <errno.h>
#include <linux/videodev2.h>
#include <sound/asound.h>

#include <devring/client.h>

#include "tap.h"

static void test_names(void)
{
	int all = 1;

	for (uint32_t type = DEVRING_TYPE_CAMERA; type <= DEVRING_TYPE_OTHER; type++)
		all &= devring_type_name(type) &&
		       devring_type_from_name(devring_type_name(type)) == (int)type;
	OK(all, "every type has a name that leads back");
	all = 1;
	for (uint32_t state = DEVRING_STATE_OFFLINE; state <= DEVRING_STATE_REMOVED; state++)
		all &= devring_state_name(state) &&
		       devring_state_from_name(devring_state_name(state)) == (int)state;
	OK(all, "every state has a name that leads back");
	OK(!devring_type_name(0) && !devring_type_name(99) && !devring_state_name(0) &&
	   !devring_state_name(5), "other numbers have none");
	OK(devring_type_from_name("toaster") == -EINVAL && devring_state_from_name("") == -EINVAL,
	   "other names have no number");
}

static void test_flags(void)
{
	char text[DEVRING_TEXT_SIZE];
	uint32_t flags = 7;

	same_text(devring_flags_to_text(0, text, sizeof(text)), "", "no flags");
	same_text(devring_flags_to_text(DEVRING_REG_PERSIST | DEVRING_REG_PUBLIC, text,
					sizeof(text)), "persist,public", "two flags");
	same_text(devring_flags_to_text(1U << 31, text, sizeof(text)), "bit31", "an unknown flag");
	same_text(devring_flags_to_text(~0U, text, 10), "persist,s", "texts are cut");
	OK(!devring_flags_from_text("sink,keep-history", &flags) &&
	   flags == (DEVRING_REG_SINK | DEVRING_REG_KEEP_HISTORY), "names become flags");
	OK(!devring_flags_from_text("", &flags) && !flags, "no names are no flags");
	flags = 7;
	OK(devring_flags_from_text("sink,sin", &flags) == -EINVAL &&
	   devring_flags_from_text("sink,", &flags) == -EINVAL &&
	   devring_flags_from_text(",", &flags) == -EINVAL && flags == 7,
	   "what is wrong changes nothing");
	same_text(devring_frame_flags_to_text(DEVRING_FRAME_FLAGS, text, sizeof(text)),
		  "key,discontinuity,corrupt,partial,end", "flags of frames");
	same_text(devring_changed_to_text(0x3f, text, sizeof(text)),
		  "added,state,format,generation,in-use,producer", "what changed");
}

static void test_formats(void)
{
	struct devring_format f = { .kind = DEVRING_FORMAT_VIDEO };
	char text[DEVRING_TEXT_SIZE], fourcc[5];

	f.video.fourcc = V4L2_PIX_FMT_YUYV;
	f.video.width = 640;
	f.video.height = 480;
	f.video.fps_numerator = 30000;
	f.video.fps_denominator = 1001;
	same_text(devring_format_to_text(&f, text, sizeof(text)), "YUYV 640x480 29.97 fps",
		  "a camera's format");
	f = (struct devring_format) { .kind = DEVRING_FORMAT_AUDIO };
	f.audio.sample_format = (uint32_t)SNDRV_PCM_FORMAT_S16_LE;
	f.audio.rate = 48000;
	f.audio.channels = 2;
	same_text(devring_format_to_text(&f, text, sizeof(text)), "S16_LE 48000 Hz 2 ch",
		  "a microphone's format");
	f = (struct devring_format) { .kind = DEVRING_FORMAT_TENSOR };
	f.tensor.dtype_code = 2;
	f.tensor.dtype_bits = 32;
	f.tensor.ndim = 2;
	f.tensor.shape[0] = 3;
	f.tensor.shape[1] = 224;
	same_text(devring_format_to_text(&f, text, sizeof(text)), "float32 3x224", "a tensor's");
	f.tensor.ndim = UINT32_MAX;
	OK(strlen(devring_format_to_text(&f, text, sizeof(text))) < sizeof(text),
	   "more dimensions than there are do no harm");
	f = (struct devring_format) { .kind = DEVRING_FORMAT_BYTES };
	memset(f.bytes.media_type, 'x', sizeof(f.bytes.media_type));
	f.bytes.media_type[1] = '\033';
	OK(!strncmp(devring_format_to_text(&f, text, sizeof(text)), "x?x", 3) &&
	   strlen(text) == sizeof(f.bytes.media_type), "a text without end, with an escape in it");
	f.kind = DEVRING_FORMAT_NONE;
	same_text(devring_format_to_text(&f, text, sizeof(text)), "-", "no format");
	same_text(devring_fourcc_to_text(V4L2_PIX_FMT_Y16, fourcc), "Y16", "a code with a blank");
	same_text(devring_fourcc_to_text(0x1b5b1b5b, fourcc), "[?[?", "a code that is no text");
	OK(devring_fourcc_from_text("Y16") == V4L2_PIX_FMT_Y16 &&
	   devring_fourcc_from_text("YUYV") == V4L2_PIX_FMT_YUYV &&
	   !devring_fourcc_from_text("") && !devring_fourcc_from_text("YUYVX"),
	   "codes from texts");
}

static void test_samples(void)
{
	OK(devring_sample_from_name("S16_LE") == SNDRV_PCM_FORMAT_S16_LE &&
	   devring_sample_from_name("S99") == -EINVAL, "sample formats from names");
	same_text(devring_sample_name((uint32_t)SNDRV_PCM_FORMAT_S24_3LE), "S24_3LE",
		  "sample formats to names");
	OK(devring_sample_bytes((uint32_t)SNDRV_PCM_FORMAT_S24_3LE) == 3 &&
	   devring_sample_bytes((uint32_t)SNDRV_PCM_FORMAT_S24_LE) == 4 &&
	   devring_sample_bytes(9999) == 0, "bytes of a sample");
}

static struct devring_video_format layout(uint32_t fourcc, uint32_t width, uint32_t height,
					  int *size)
{
	struct devring_video_format v = { .fourcc = fourcc, .width = width, .height = height };

	*size = devring_video_layout(&v);
	return v;
}

static void test_layouts(void)
{
	struct devring_video_format v;
	int size;

	v = layout(V4L2_PIX_FMT_YUYV, 640, 480, &size);
	OK(size == 614400 && v.planes == 1 && v.stride[0] == 1280, "YUYV");
	v = layout(V4L2_PIX_FMT_NV12, 640, 480, &size);
	OK(size == 460800 && v.planes == 2 && v.stride[1] == 640 && v.plane_offset[1] == 307200,
	   "NV12");
	v = layout(V4L2_PIX_FMT_YUV420, 640, 480, &size);
	OK(size == 460800 && v.planes == 3 && v.stride[2] == 320 && v.plane_offset[2] == 384000,
	   "YUV420");
	v = layout(V4L2_PIX_FMT_MJPEG, 640, 480, &size);
	OK(size == 0 && v.planes == 1 && !v.stride[0], "MJPEG has no size");
	layout(V4L2_PIX_FMT_RGB24, 0, 480, &size);
	OK(size == -EINVAL, "no width");
	layout(0x12345678, 640, 480, &size);
	OK(size == -EINVAL, "a code that is not known");
	layout(V4L2_PIX_FMT_RGB24, 0xffffffff, 0xffffffff, &size);
	OK(size == -EOVERFLOW, "a picture larger than a slot");
	layout(V4L2_PIX_FMT_XRGB32, 16384, 16384, &size);
	OK(size == 1 << 30, "a picture just as large as a slot");
	layout(V4L2_PIX_FMT_XRGB32, 16384, 16385, &size);
	OK(size == -EOVERFLOW, "one line more");
}

int main(void)
{
	test_names();
	test_flags();
	test_formats();
	test_samples();
	test_layouts();
	return tap_end();
}

// SPDX-License-Identifier: GPL-2.0-only
/* What devringctl write makes of standard input. */

#include <errno.h>
#include <linux/videodev2.h>
#include <stdlib.h>
#include <unistd.h>

#include "source.h"
#include "tap.h"

/* A pipe that has @text to read, and then its end. */
static int input_of(const void *text, size_t size)
{
	int fds[2];

	if (pipe(fds) || write(fds[1], text, size) != (ssize_t)size)
		exit(2);
	close(fds[1]);
	return fds[0];
}

static int open_source(struct source *source, const void *text, size_t size, enum option option,
		       const char *value)
{
	struct cli cli = { .control = -1, .json = false };
	int fd = input_of(text, size);

	cli.options.value[option] = value;
	return source_open(&cli, source, fd);
}

static void test_y4m(void)
{
	static const char stream[] =
		"YUV4MPEG2 W2 H2 F25:1 Cmono\nFRAME\nabcdFRAME Ip\nefghFRAME\nij";
	struct source s;
	char frame[8];

	OK(!open_source(&s, stream, sizeof(stream) - 1, OPT_HELP, NULL) &&
	   s.format.kind == DEVRING_FORMAT_VIDEO && s.format.video.fourcc == V4L2_PIX_FMT_GREY &&
	   s.frame_bytes == 4, "y4m is recognised");
	OK(source_read(&s, frame, sizeof(frame)) == 4 && !memcmp(frame, "abcd", 4), "a picture");
	OK(source_read(&s, frame, sizeof(frame)) == 4 && !memcmp(frame, "efgh", 4), "the next one");
	OK(source_read(&s, frame, sizeof(frame)) == -EPIPE, "half a picture is an error");
	OK(!open_source(&s, "YUV4MPEG2 W2 H2 Cmono\nFRAMO\nabcd", 32, OPT_HELP, NULL) &&
	   source_read(&s, frame, sizeof(frame)) == -EPROTO, "a line that is no frame's");
	OK(source_duration_ns(&s.format, 4) == 0, "pictures without a rate have no pace");
	close(s.input.fd);
}

static void test_sound(void)
{
	static const char wav[] =
		"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x32\0\0\0\x64\0\0\0\2\0\x10\0data\6\0\0\0"
		"abcdefTRAILER";
	struct source s;
	char frame[8];

	OK(!open_source(&s, wav, sizeof(wav) - 1, OPT_HELP, NULL) &&
	   s.format.kind == DEVRING_FORMAT_AUDIO && s.format.audio.rate == 50 &&
	   s.frame_bytes == 2, "wav is recognised");
	OK(source_duration_ns(&s.format, 2) == 20000000, "a period lasts as long as its samples");
	OK(source_read(&s, frame, 8) == 2 && source_read(&s, frame, 8) == 2 &&
	   source_read(&s, frame, 8) == 2 && !memcmp(frame, "ef", 2), "its samples");
	OK(source_read(&s, frame, 8) == -ENODATA, "what follows the samples is no sound");
	close(s.input.fd);
	OK(!open_source(&s, "abc", 3, OPT_RATE, "100") && s.format.audio.rate == 100 &&
	   s.frame_bytes == 4, "raw samples at a rate");
	OK(source_read(&s, frame, 8) == 3 && source_read(&s, frame, 8) == -ENODATA,
	   "a shorter last period is delivered");
	close(s.input.fd);
}

static void test_bytes(void)
{
	struct source s;
	char frame[8];

	OK(!open_source(&s, "one\ntwo", 7, OPT_LINES, "") &&
	   s.format.kind == DEVRING_FORMAT_BYTES, "lines");
	OK(source_read(&s, frame, 8) == 4 && !memcmp(frame, "one\n", 4) &&
	   source_read(&s, frame, 8) == 4 && !memcmp(frame, "two\n", 4) &&
	   source_read(&s, frame, 8) == -ENODATA, "each line is a frame, the last one too");
	close(s.input.fd);
	OK(!open_source(&s, "toolongline\nx\n", 14, OPT_LINES, "") &&
	   source_read(&s, frame, 4) == 4 && !memcmp(frame, "too\n", 4) &&
	   source_read(&s, frame, 4) == 2 && !memcmp(frame, "x\n", 2), "a long line is cut");
	close(s.input.fd);
	OK(!open_source(&s, "abcde", 5, OPT_FRAME_BYTES, "2") && source_read(&s, frame, 8) == 2 &&
	   source_read(&s, frame, 8) == 2 && source_read(&s, frame, 8) == 1,
	   "frames of a size, and what is left");
	close(s.input.fd);
	OK(!open_source(&s, "", 0, OPT_HELP, NULL) && source_read(&s, frame, 8) == -ENODATA,
	   "nothing at all");
	close(s.input.fd);
}

static void open_jpeg(struct source *s, const void *stream, size_t size)
{
	struct cli cli = { .control = -1 };

	cli.options.value[OPT_FOURCC] = "MJPG";
	cli.options.value[OPT_SIZE] = "16x16";
	if (source_open(&cli, s, input_of(stream, size)))
		exit(2);
}

static void test_jpeg(void)
{
	/* A segment with an end marker in it, a scan with a stuffed byte and a restart, padding. */
	static const uint8_t picture[] = {
		0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 3, 1,
		7, 0xff, 0x00, 8, 0xff, 0xd3, 9, 0xff, 0xff, 0xd9,
	};
	uint8_t two[2 * sizeof(picture)], frame[64];
	bool broken = true;
	struct source s;

	memcpy(two, picture, sizeof(picture));
	memcpy(two + sizeof(picture), picture, sizeof(picture));
	open_jpeg(&s, two, sizeof(two));
	OK(s.format.video.fourcc == V4L2_PIX_FMT_MJPEG && s.format.video.width == 16,
	   "JPEG pictures");
	OK(source_read(&s, frame, sizeof(frame)) == sizeof(picture) &&
	   !memcmp(frame, picture, sizeof(picture)), "the first one, whole");
	OK(source_read(&s, frame, sizeof(picture)) == sizeof(picture) &&
	   source_read(&s, frame, sizeof(frame)) == -ENODATA, "the second, which just fits");
	close(s.input.fd);
	open_jpeg(&s, two, sizeof(two) - 1);
	OK(source_read(&s, frame, sizeof(picture) - 1) == -EMSGSIZE, "a picture that does not fit");
	close(s.input.fd);
	for (size_t size = 1; size < sizeof(picture); size++) {
		open_jpeg(&s, picture, size);
		broken &= source_read(&s, frame, sizeof(frame)) == -EPIPE;
		close(s.input.fd);
	}
	OK(broken, "a picture that ends too early, anywhere");
	open_jpeg(&s, "GIF89a", 6);
	OK(source_read(&s, frame, sizeof(frame)) == -EPROTO, "what is no picture");
	close(s.input.fd);
}

int main(void)
{
	test_y4m();
	test_sound();
	test_bytes();
	test_jpeg();
	return tap_end();
}

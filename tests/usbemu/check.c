// SPDX-License-Identifier: GPL-2.0-only
/*
 * usbemu-check: judges what came out of an emulated device (pattern.h).
 *
 * Frames: a file of YUYV or JPEG frames one after another; each stamp says how long its frame is.
 * Samples: S16_LE, raw or in a WAV file. One line of result on standard output.
 * Exit status: 0 good, 1 not good, 2 wrong use.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"

struct limits {
	unsigned long least;		/* frames or samples */
	unsigned long gaps;
	unsigned int channels;
};

static int check_frames(const uint8_t *data, size_t size, const struct limits *limits)
{
	unsigned long frames = 0, wrong = 0, missing = 0, backwards = 0;
	uint32_t first = 0, last = 0, device = 0;
	struct pattern_stamp stamp;
	size_t at = 0;

	while (at < size) {
		enum pattern_verdict verdict = pattern_read(data + at, size - at, &stamp);

		if (verdict == PATTERN_GOOD && stamp.size <= size - at)
			verdict = pattern_check(data + at, stamp.size, &stamp);
		else if (verdict == PATTERN_GOOD)
			verdict = PATTERN_WRONG_SIZE;
		if (verdict != PATTERN_GOOD) {
			fprintf(stderr, "usbemu-check: frame %lu at byte %zu: %s\n", frames, at,
				pattern_verdict_name(verdict));
			wrong++;
		}
		if (verdict == PATTERN_NO_STAMP || verdict == PATTERN_WRONG_SIZE)
			break;	/* where the next one begins is not known */
		if (!frames) {
			first = stamp.sequence;
			device = stamp.device;
		} else if ((int32_t)(stamp.sequence - last) <= 0 || stamp.device != device) {
			backwards++;
		} else {
			missing += stamp.sequence - last - 1;
		}
		last = stamp.sequence;
		frames++;
		at += stamp.size;
	}
	printf("frames=%lu first=%" PRIu32 " last=%" PRIu32 " missing=%lu backwards=%lu wrong=%lu "
	       "device=%08" PRIx32 "\n", frames, first, last, missing, backwards, wrong, device);
	return wrong || backwards || frames < limits->least || missing > limits->gaps;
}

/* The samples of a WAV file lie in its data chunk. */
static const uint8_t *skip_wav(const uint8_t *data, size_t *size)
{
	size_t at = 12;
	uint32_t length;

	if (*size < 12 || memcmp(data, "RIFF", 4))
		return data;
	while (at + 8 <= *size) {
		memcpy(&length, data + at + 4, 4);
		length = le32toh(length);
		at += 8;
		if (!memcmp(data + at - 8, "data", 4)) {
			*size = length < *size - at ? length : *size - at;
			return data + at;
		}
		at += length;
	}
	*size = 0;
	return data;
}

static int check_samples(const uint8_t *data, size_t size, const struct limits *limits)
{
	unsigned long samples, i, breaks = 0, wrong = 0;
	unsigned int c;
	uint16_t value, first, last = 0;

	data = skip_wav(data, &size);
	samples = size / 2 / limits->channels;
	for (i = 0; i < samples; i++) {
		memcpy(&first, data + i * 2 * limits->channels, 2);
		first = le16toh(first);
		if (i && first != (uint16_t)(last + 1)) {
			if (!breaks++)
				fprintf(stderr, "usbemu-check: sample %lu is %u after %u\n", i,
					first, last);
		}
		for (c = 1; c < limits->channels; c++) {
			memcpy(&value, data + (i * limits->channels + c) * 2, 2);
			wrong += (int16_t)le16toh(value) != pattern_sample(first, c);
		}
		last = first;
	}
	printf("samples=%lu breaks=%lu wrong=%lu\n", samples, breaks, wrong);
	return wrong || samples < limits->least || breaks > limits->gaps;
}

static uint8_t *load(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	size_t room = 0, n;
	uint8_t *data = NULL;

	*size = 0;
	do {
		room = room ? room * 2 : 1 << 20;
		data = realloc(data, room);
		n = file && data ? fread(data + *size, 1, room - *size, file) : 0;
		*size += n;
	} while (n && *size == room);
	if (!file || !data || ferror(file)) {
		fprintf(stderr, "usbemu-check: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	fclose(file);
	return data;
}

static int wrong_use(void)
{
	fputs("usage: usbemu-check frames FILE [LEAST [MISSING-AT-MOST]]\n"
	      "       usbemu-check samples FILE [LEAST [BREAKS-AT-MOST [CHANNELS]]]\n"
	      "FILE is YUYV or JPEG frames, or S16_LE samples (raw or WAV), of a usbemu device.\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct limits limits = { .least = 1, .gaps = ULONG_MAX, .channels = 1 };
	uint8_t *data;
	size_t size;
	int status;

	if (argc < 3 || argc > 6 || (strcmp(argv[1], "frames") && strcmp(argv[1], "samples")))
		return wrong_use();
	if (argv[1][0] == 's')
		limits.gaps = 0;
	if (argc > 3)
		limits.least = strtoul(argv[3], NULL, 10);
	if (argc > 4)
		limits.gaps = strtoul(argv[4], NULL, 10);
	if (argc > 5)
		limits.channels = (unsigned int)strtoul(argv[5], NULL, 10);
	if (!limits.channels)
		return wrong_use();
	data = load(argv[2], &size);
	status = argv[1][0] == 'f' ? check_frames(data, size, &limits) :
				     check_samples(data, size, &limits);
	free(data);
	return status;
}

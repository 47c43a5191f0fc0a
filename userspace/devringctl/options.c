// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

const struct option_text option_texts[OPT_COUNT] = {
	[OPT_JSON] = { "json", 0, NULL, "print JSON for programs" },
	[OPT_NO_LEGEND] = { "no-legend", 0, NULL, "print tables without their header" },
	[OPT_HELP] = { "help", 'h', NULL, "tell about the command" },
	[OPT_TYPE] = { "type", 't', "TYPE", "camera, microphone, screen, speaker, keyboard, "
		       "mouse, usb, tensor, event or other" },
	[OPT_NAMES] = { "names", 0, NULL, "print names alone, one a line" },
	[OPT_NAME] = { "name", 0, "NAME", "name of the new device" },
	[OPT_LABEL] = { "label", 0, "TEXT", "what people call it" },
	[OPT_STABLE_ID] = { "stable-id", 0, "ID", "same for this piece of hardware at any time" },
	[OPT_PATH_ID] = { "path-id", 0, "ID", "same for this port at any time" },
	[OPT_PERSIST] = { "persist", 0, NULL, "the device stays until it is unregistered" },
	[OPT_SINK] = { "sink", 0, NULL, "data flows to the device" },
	[OPT_PUBLIC] = { "public", 0, NULL, "who can open /dev/devring may read it" },
	[OPT_KEEP_HISTORY] = { "keep-history", 0, NULL, "frames stay when nobody reads" },
	[OPT_PINNABLE] = { "pinnable", 0, NULL, "readers may pin pages" },
	[OPT_LOSSLESS] = { "lossless", 0, "TIME", "readers may have the device wait for them so long: 0.5s, 2s" },
	[OPT_TAKEOVER] = { "takeover", 0, NULL, "replace the producer that it has" },
	[OPT_SLOTS] = { "slots", 0, "N", "slots of the ring" },
	[OPT_FRAME_BYTES] = { "frame-bytes", 0, "N", "bytes of a frame" },
	[OPT_FOURCC] = { "fourcc", 0, "CODE", "pixels on standard input: YUYV, NV12, RGB3, ..." },
	[OPT_SIZE] = { "size", 0, "WxH", "size of the pictures on standard input" },
	[OPT_FPS] = { "fps", 0, "N[/D]", "pictures a second" },
	[OPT_RATE] = { "rate", 0, "HZ", "samples a second (48000)" },
	[OPT_CHANNELS] = { "channels", 0, "N", "channels of sound (1)" },
	[OPT_SAMPLE] = { "sample-format", 0, "NAME", "S16_LE (without this option), S32_LE, ..." },
	[OPT_MEDIA_TYPE] = { "media-type", 0, "TYPE", "of bytes on standard input: "
			     "application/octet-stream without this option" },
	[OPT_LINES] = { "lines", 0, NULL, "each line of standard input is a frame" },
	[OPT_WAIT] = { "wait", 0, NULL, "wait for a reader before the first frame, and until readers "
		       "have all after the last" },
	[OPT_REALTIME] = { "realtime", 0, NULL, "commit at the pace of the rate or --fps" },
	[OPT_CHECKSUM] = { "checksum", 0, NULL, "put a checksum into each frame's metadata" },
	[OPT_FORMAT] = { "format", 'f', "FORMAT", "auto, raw, y4m, wav or mjpeg" },
	[OPT_FRAMES] = { "frames", 'n', "N", "end after this many" },
	[OPT_SECONDS] = { "seconds", 0, "S", "end after so much of the recording" },
	[OPT_LATEST] = { "latest", 0, NULL, "skip to the newest frame each time" },
	[OPT_START] = { "start", 0, "WHERE", "newest, oldest, next or a sequence number" },
	[OPT_HOLDS] = { "holds", 0, "N", "frames that stand still at once" },
	[OPT_VERIFY] = { "verify", 0, NULL, "check the checksum in each frame's metadata" },
	[OPT_TIMEOUT] = { "timeout", 0, "SECONDS", "end with status 124 when it lasts longer" },
	[OPT_OUTPUT] = { "output", 'o', "FILE", "write there; \"-\" is standard output" },
	[OPT_FD] = { "fd", 0, "N", "read this open descriptor of a device (see grant)" },
	[OPT_FOR] = { "for", 0, "TIME", "access ends after this time: 60s, 10m, 1h" },
	[OPT_USER] = { "user", 0, "USER", "run the program as this user (name or number)" },
	[OPT_READER] = { "reader", 0, "ID", "the reader with this number (see who)" },
	[OPT_UID] = { "uid", 0, "USER", "all readers of this user (name or number)" },
	[OPT_ALL] = { "all", 0, NULL, "all readers" },
	[OPT_RECHECK] = { "recheck", 0, NULL, "all readers who could not open the device now" },
	[OPT_DRY_RUN] = { "dry-run", 0, NULL, "change nothing, but tell what would be" },
	[OPT_CHANGES_ONLY] = { "changes-only", 0, NULL, "do not begin with what exists" },
	[OPT_WATCH] = { "watch", 'w', "SECONDS", "print again each time so much time has passed" },
	[OPT_TOPIC] = { "topic", 0, "PATTERN", "events of such topics: camera.*, usb.attach, ..." },
	[OPT_DEVICE] = { "device", 0, "PATTERN", "of devices with such names, or at such USB ports" },
	[OPT_VENDOR] = { "vendor", 0, "ID", "of USB devices with this vendor's number" },
	[OPT_CLASS] = { "class", 0, "CLASS", "of USB devices of a class: video, audio, hid, hub, storage, "
			"..." },
	[OPT_RECENT] = { "recent", 0, "N", "the newest N alone" },
	[OPT_FOLLOW] = { "follow", 0, NULL, "go on with what comes" },
	[OPT_BATCH] = { "batch", 'b', NULL, "do not clear the screen" },
};

static int find_long(const char *name, size_t length)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (strlen(option_texts[i].name) == length &&
		    !memcmp(option_texts[i].name, name, length))
			return i;
	return -1;
}

static int find_letter(char letter)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (option_texts[i].letter == letter)
			return i;
	return -1;
}

/* The option that @word is, and where its argument is if it is in the same word. */
static int match(const char *word, const char **argument)
{
	size_t length;

	*argument = NULL;
	if (word[1] != '-') {
		if (word[2])
			*argument = word + 2;
		return find_letter(word[1]);
	}
	length = strcspn(word + 2, "=");
	if (word[2 + length])
		*argument = word + 2 + length + 1;
	return find_long(word + 2, length);
}

static int take_option(uint64_t allowed, char **argv, int left, struct options *options,
		       char *error, size_t error_size)
{
	const char *argument;
	int option = match(argv[0], &argument);
	const struct option_text *text;

	if (option < 0 || !(allowed >> option & 1)) {
		snprintf(error, error_size, "The option \"%s\" is not known here; see --help.",
			 argv[0]);
		return -1;
	}
	text = &option_texts[option];
	if (!text->argument) {
		if (argument) {
			snprintf(error, error_size, "The option \"%s\" takes no argument: leave "
				 "\"%s\" out.", argv[0], argument);
			return -1;
		}
		options->value[option] = "";
		return 1;
	}
	if (argument) {
		options->value[option] = argument;
		return 1;
	}
	if (left < 2) {
		snprintf(error, error_size, "The option \"%s\" needs an argument: %s.", argv[0],
			 text->argument);
		return -1;
	}
	options->value[option] = argv[1];
	return 2;
}

int options_parse(uint64_t allowed, int argc, char **argv, struct options *options,
		  char *error, size_t error_size)
{
	bool ended = false;

	memset(options, 0, sizeof(*options));
	options->args = argv;
	for (int i = 0; i < argc;) {
		char *word = argv[i];
		int used;

		if (!ended && !strcmp(word, "--")) {
			ended = true;
			i++;
		} else if (ended || word[0] != '-' || !word[1]) {
			argv[options->nargs++] = word;
			i++;
		} else {
			used = take_option(allowed, argv + i, argc - i, options, error,
					   error_size);
			if (used < 0)
				return -1;
			i += used;
		}
	}
	if (options->nargs < argc)
		argv[options->nargs] = NULL;
	return 0;
}

bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*number = n;
	return true;
}

/* How many seconds a unit has; *@text moves behind it. */
static uint64_t take_unit(const char **text)
{
	switch (**text) {
	case 'h':
		++*text;
		return 3600;
	case 'm':
		++*text;
		return 60;
	case 's':
		++*text;
		return 1;
	default:
		return 1;
	}
}

bool parse_seconds(const char *text, int *milliseconds)
{
	uint64_t ms = 0;
	unsigned int scale = 100;
	bool digits = false;

	for (; *text >= '0' && *text <= '9'; text++, digits = true) {
		ms = ms * 10 + (unsigned int)(*text - '0');
		if (ms > 2000000)
			return false;
	}
	ms *= 1000;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10, digits = true)
			ms += (unsigned int)(*text - '0') * scale;
	if (!digits)
		return false;
	ms *= take_unit(&text);
	if (*text || ms > 2000000000)
		return false;
	*milliseconds = (int)ms;
	return true;
}

static bool parse_pair(const char *text, char between, uint32_t *first, uint32_t *second)
{
	const char *mark = strchr(text, between);
	char left[12];
	uint64_t a, b;

	if (!mark || mark - text >= (ptrdiff_t)sizeof(left))
		return false;
	memcpy(left, text, (size_t)(mark - text));
	left[mark - text] = '\0';
	if (!parse_number(left, 1, UINT32_MAX, &a) || !parse_number(mark + 1, 1, UINT32_MAX, &b))
		return false;
	*first = (uint32_t)a;
	*second = (uint32_t)b;
	return true;
}

bool parse_size(const char *text, uint32_t *width, uint32_t *height)
{
	return parse_pair(text, 'x', width, height);
}

bool parse_fraction(const char *text, uint32_t *numerator, uint32_t *denominator)
{
	uint64_t n;

	if (strchr(text, '/'))
		return parse_pair(text, '/', numerator, denominator);
	if (!parse_number(text, 1, UINT32_MAX, &n))
		return false;
	*numerator = (uint32_t)n;
	*denominator = 1;
	return true;
}

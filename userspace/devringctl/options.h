/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: one table of options, of which each verb takes some. */
#ifndef DEVRINGCTL_OPTIONS_H
#define DEVRINGCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option {
	OPT_JSON, OPT_NO_LEGEND, OPT_HELP,
	OPT_TYPE, OPT_NAMES, OPT_NAME, OPT_LABEL, OPT_STABLE_ID, OPT_PATH_ID,
	OPT_PERSIST, OPT_SINK, OPT_PUBLIC, OPT_KEEP_HISTORY, OPT_PINNABLE, OPT_LOSSLESS,
	OPT_TAKEOVER,
	OPT_SLOTS, OPT_FRAME_BYTES, OPT_FOURCC, OPT_SIZE, OPT_FPS, OPT_RATE, OPT_CHANNELS,
	OPT_SAMPLE, OPT_MEDIA_TYPE, OPT_LINES, OPT_WAIT, OPT_REALTIME, OPT_CHECKSUM,
	OPT_FORMAT, OPT_FRAMES, OPT_SECONDS, OPT_LATEST, OPT_START, OPT_HOLDS, OPT_VERIFY,
	OPT_TIMEOUT, OPT_OUTPUT,
	OPT_FD, OPT_FOR, OPT_USER,
	OPT_READER, OPT_UID, OPT_ALL, OPT_RECHECK, OPT_DRY_RUN,
	OPT_CHANGES_ONLY, OPT_WATCH,
	OPT_TOPIC, OPT_DEVICE, OPT_VENDOR, OPT_CLASS, OPT_RECENT, OPT_FOLLOW, OPT_BATCH,
	OPT_COUNT,
};

#define OPT(name)	(1ULL << OPT_ ## name)
#define OPT_GLOBAL	(OPT(JSON) | OPT(NO_LEGEND) | OPT(HELP))

struct option_text {
	const char *name;
	char letter;		/* 0: none */
	const char *argument;	/* NULL: takes none */
	const char *help;
};

extern const struct option_text option_texts[OPT_COUNT];

struct options {
	const char *value[OPT_COUNT];	/* NULL: not given; "" for one without argument */
	char **args;			/* what is not an option; points into argv */
	int nargs;
};

/*
 * Parse argv[0..argc): options of the set @allowed anywhere, until "--".  argv is reordered so that
 * the arguments come first, and a NULL ends them.  Returns 0, or -1 with a sentence in @error.
 */
int options_parse(uint64_t allowed, int argc, char **argv, struct options *options,
		  char *error, size_t error_size);

/* A whole decimal number from @min to @max. */
bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);
/* A time such as "2", "0.5s", "10m" or "1h", as milliseconds; up to 24 days. */
bool parse_seconds(const char *text, int *milliseconds);
/* "640x480" */
bool parse_size(const char *text, uint32_t *width, uint32_t *height);
/* "30" or "30000/1001" */
bool parse_fraction(const char *text, uint32_t *numerator, uint32_t *denominator);

#endif /* DEVRINGCTL_OPTIONS_H */

// SPDX-License-Identifier: GPL-2.0-only
/* Ways in which an emulated device misbehaves on request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

static const struct {
	const char *name;
	const char *help;
} kinds[FAULT_KINDS] = {
	[FAULT_NONE] = { "none", "works as it should" },
	[FAULT_STALL] = { "stall", ":N the streaming endpoint stalls from frame N of a stream on" },
	[FAULT_SHORT] = { "short", ":N only half of each frame is sent from frame N on" },
	[FAULT_SILENCE] = { "silence", ":N the endpoint answers nothing from frame N on" },
	[FAULT_CORRUPT] = { "corrupt", ":N wrong bytes in each frame from frame N on" },
	[FAULT_DROP] = { "drop", ":N every Nth frame is not sent (5), its number is used up" },
	[FAULT_REFUSE] = { "refuse", "stalls when a format or a rate is to be put in force" },
	[FAULT_NO_FORMAT] = { "no-format", "its descriptors offer no format (from the next plug)" },
	[FAULT_MALFORMED] = { "malformed-descriptor",
			      ":SEED a format descriptor too short, or with a seed random bytes"
			      " anywhere (from the next plug)" },
	[FAULT_VANISH] = { "vanish", ":STAGE unplugs itself at descriptor, configuration, probe, "
			   "commit, start or frame (in its middle)" },
};

static const char *const stages[STAGES] = {
	"descriptor", "configuration", "probe", "commit", "start", "frame",
};

static bool parse_stage(const char *text, struct fault *fault)
{
	unsigned int i;

	for (i = 0; i < STAGES; i++) {
		if (!strcmp(text, stages[i])) {
			fault->stage = (enum fault_stage)i;
			return true;
		}
	}
	return false;
}

bool fault_parse(const char *text, struct fault *fault)
{
	const char *colon = strchrnul(text, ':');
	struct fault parsed = { 0 };
	char *end;

	while (parsed.kind < FAULT_KINDS &&
	       (strncmp(kinds[parsed.kind].name, text, (size_t)(colon - text)) ||
		kinds[parsed.kind].name[colon - text]))
		parsed.kind++;
	if (parsed.kind == FAULT_KINDS)
		return false;
	if (parsed.kind == FAULT_VANISH) {
		if (!*colon || !parse_stage(colon + 1, &parsed))
			return false;
	} else if (*colon) {
		parsed.number = strtoull(colon + 1, &end, 10);
		if (!colon[1] || *end)
			return false;
	} else if (parsed.kind == FAULT_DROP) {
		parsed.number = 5;
	}
	if (parsed.kind == FAULT_DROP && !parsed.number)
		return false;
	*fault = parsed;
	return true;
}

const char *fault_name(const struct fault *fault)
{
	return kinds[fault->kind].name;
}

void fault_help(char *buffer, size_t size)
{
	size_t used = 0;
	unsigned int i;

	*buffer = 0;
	for (i = 0; i < FAULT_KINDS && used < size; i++)
		used += (size_t)snprintf(buffer + used, size - used, "    %-21s %s\n",
					 kinds[i].name, kinds[i].help);
}

bool fault_at(const struct fault *fault, enum fault_kind kind, uint64_t frame)
{
	return fault->kind == kind && frame >= fault->number;
}

bool fault_vanish(const struct fault *fault, enum fault_stage stage)
{
	return fault->kind == FAULT_VANISH && fault->stage == stage;
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/*
 * Cut the first format of a streaming interface to three bytes and leave out all that belongs to
 * it: drivers measure what is left of the interface, so that more after it would hide the cut.
 */
static void malform_known(struct descriptors *d)
{
	bool streaming = false;
	size_t at, after;

	for (at = 0; at + 2 < d->used && d->data[at] > 2; at += d->data[at]) {
		if (d->data[at + 1] == USB_INTERFACE)
			streaming = d->data[at + 6] == 2;
		if (streaming && d->data[at + 1] == USB_CS_INTERFACE && d->data[at + 2] != 1)
			break;
	}
	if (at + 2 >= d->used)
		return;
	for (after = at; after < d->used && d->data[after + 1] == USB_CS_INTERFACE;)
		after += d->data[after];
	d->data[at] = 3;
	memmove(d->data + at + 3, d->data + after, d->used - after);
	d->used -= after - at - 3;
}

void fault_malform(const struct fault *fault, struct descriptors *d)
{
	uint64_t state = fault->number * 0x9e3779b97f4a7c15ull;
	unsigned int i, count;

	if (!fault->number) {
		malform_known(d);
		return;
	}
	random_next(&state);
	count = 1 + random_next(&state) % 8;
	/* the first 9 bytes are left: the kernel reads them alone to know how much there is */
	for (i = 0; i < count; i++) {
		size_t at = 9 + random_next(&state) % (d->used - 9);

		d->data[at] = (uint8_t)random_next(&state);
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of numbers. */

#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

static const char *const types[] = {
	[DEVRING_TYPE_CAMERA] = "camera",
	[DEVRING_TYPE_MICROPHONE] = "microphone",
	[DEVRING_TYPE_SCREEN] = "screen",
	[DEVRING_TYPE_SPEAKER] = "speaker",
	[DEVRING_TYPE_KEYBOARD] = "keyboard",
	[DEVRING_TYPE_MOUSE] = "mouse",
	[DEVRING_TYPE_USB] = "usb",
	[DEVRING_TYPE_TENSOR] = "tensor",
	[DEVRING_TYPE_EVENT] = "event",
	[DEVRING_TYPE_OTHER] = "other",
};

static const char *const states[] = {
	[DEVRING_STATE_OFFLINE] = "offline",
	[DEVRING_STATE_AVAILABLE] = "available",
	[DEVRING_STATE_ERROR] = "error",
	[DEVRING_STATE_REMOVED] = "removed",
};

/* Names of bits, from bit 0 on. */
static const char *const flags[] = {
	"persist", "sink", "public", "keep-history", "pinnable", "lossless",
};

static const char *const frame_flags[] = {
	"key", "discontinuity", "corrupt", "partial", "end",
};

static const char *const changed[] = {
	"added", "state", "format", "generation", "in-use", "producer",
};

static const char *name_of(const char *const *names, size_t count, uint32_t number)
{
	return number < count ? names[number] : NULL;
}

static int number_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && !strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

static char *bits_to_text(const char *const *names, size_t count, uint32_t bits, char *buf,
			  size_t size)
{
	size_t at = 0;

	if (size)
		buf[0] = '\0';
	for (unsigned int bit = 0; bit < 32 && at < size; bit++) {
		const char *comma = at ? "," : "";

		if (!(bits >> bit & 1))
			continue;
		if (bit < count)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", comma, names[bit]);
		else
			at += (size_t)snprintf(buf + at, size - at, "%sbit%u", comma, bit);
	}
	return buf;
}

API const char *devring_type_name(uint32_t type)
{
	return name_of(types, ARRAY_SIZE(types), type);
}

API int devring_type_from_name(const char *name)
{
	return number_of(types, ARRAY_SIZE(types), name);
}

API const char *devring_state_name(uint32_t state)
{
	return name_of(states, ARRAY_SIZE(states), state);
}

API int devring_state_from_name(const char *name)
{
	return number_of(states, ARRAY_SIZE(states), name);
}

API char *devring_flags_to_text(uint32_t bits, char *buf, size_t size)
{
	return bits_to_text(flags, ARRAY_SIZE(flags), bits, buf, size);
}

API int devring_flags_from_text(const char *text, uint32_t *bits)
{
	uint32_t found = 0;

	while (*text) {
		size_t length = strcspn(text, ",");
		size_t i = 0;

		while (i < ARRAY_SIZE(flags) &&
		       (strlen(flags[i]) != length || memcmp(flags[i], text, length)))
			i++;
		if (i == ARRAY_SIZE(flags))
			return -EINVAL;
		found |= 1U << i;
		text += length;
		if (*text == ',' && !*++text)
			return -EINVAL;
	}
	*bits = found;
	return 0;
}

API char *devring_frame_flags_to_text(uint32_t bits, char *buf, size_t size)
{
	return bits_to_text(frame_flags, ARRAY_SIZE(frame_flags), bits, buf, size);
}

API char *devring_changed_to_text(uint32_t bits, char *buf, size_t size)
{
	return bits_to_text(changed, ARRAY_SIZE(changed), bits, buf, size);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts of others, made fit to print. */

#include <stdio.h>
#include <string.h>

#include "text.h"

/* Decode one character: its length in bytes, 0 if there is no valid one. */
static size_t decode(const unsigned char *p, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
			p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (!length)
		return 0;
	*code = length == 1 ? p[0] : p[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return length;
}

static bool is_harmless(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	/* Zero width, reordering, line and paragraph separators, and the byte order mark. */
	if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0x061c)
		return false;
	/* Private use, and tags that show nothing. */
	return !(code >= 0xe000 && code < 0xf900) && code < 0xe0000;
}

char *text_escape(const char *text, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t at = 0;

	while (*p) {
		uint32_t code = 0;
		size_t length = decode(p, &code);
		char piece[20];
		size_t n;

		if (length && code == '\\') {
			n = (size_t)sprintf(piece, "\\\\");
		} else if (length && is_harmless(code)) {
			memcpy(piece, p, length);
			n = length;
		} else {
			n = 0;
			for (size_t i = 0; i < (length ? length : 1); i++)
				n += (size_t)sprintf(piece + n, "\\x%02x", p[i]);
		}
		if (at + n + 1 > size)
			break;
		memcpy(buf + at, piece, n);
		at += n;
		p += length ? length : 1;
	}
	buf[at] = '\0';
	return buf;
}

bool text_is_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		uint32_t code;
		size_t length = decode(p, &code);

		if (!length)
			return false;
		p += length;
	}
	return true;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

char *text_bytes(uint64_t bytes, char *buf, size_t size)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, size, "%llu", (unsigned long long)bytes);
	else
		snprintf(buf, size, "%.1f%c", value, units[unit]);
	return buf;
}

char *text_age(uint64_t ns, char *buf, size_t size)
{
	unsigned long long seconds = ns / 1000000000;

	if (seconds < 120)
		snprintf(buf, size, "%llus", seconds);
	else if (seconds < 120 * 60)
		snprintf(buf, size, "%llumin", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(buf, size, "%lluh", seconds / 3600);
	else
		snprintf(buf, size, "%llud", seconds / 86400);
	return buf;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool text_copy(char *to, size_t size, const char *from)
{
	size_t length = strlen(from);
	bool fits = length < size;

	if (!fits)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
	return fits;
}

/* Bytes of the well-formed, printable character at s; 0 if there is none. */
static size_t printable(const unsigned char *s)
{
	uint32_t c;
	size_t n, i;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		n = 2, c = s[0] & 0x1f;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3, c = s[0] & 0x0f;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		n = 4, c = s[0] & 0x07;
	else
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	/* C1 controls, surrogates, and what turns the direction of writing or hides. */
	if (c < 0xa0 || (c >= 0xd800 && c < 0xe000) || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
		return 0;
	return n;
}

void text_label(char *to, size_t size, const char *from)
{
	const unsigned char *s = (const unsigned char *)from;
	size_t at = 0;

	while (*s == ' ')
		s++;
	while (*s) {
		size_t n = printable(s);

		if (at + (n ? n : 1) >= size)
			break;
		if (n)
			memcpy(to + at, s, n);
		else
			to[at] = '?';
		at += n ? n : 1;
		s += n ? n : 1;
	}
	while (at && to[at - 1] == ' ')
		at--;
	to[at] = '\0';
}

static uint32_t sum(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

void text_id(char *to, size_t size, const char *from)
{
	size_t i;
	bool fits = text_copy(to, size, from);

	for (i = 0; to[i]; i++)
		if (!isalnum((unsigned char)to[i]) && !strchr("#+-.:=@_", to[i]))
			to[i] = '_';
	/* Two that differ behind the cut stay different. */
	if (!fits && size > 9)
		snprintf(to + size - 10, 10, "-%08x", sum(from));
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits that turn one word into the other. */
static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int row[33];
	size_t i, j;

	if (a_length > 32 || b_length > 32)
		return 100;
	for (j = 0; j <= b_length; j++)
		row[j] = j;
	for (i = 1; i <= a_length; i++) {
		unsigned int corner = row[0];

		row[0] = i;
		for (j = 1; j <= b_length; j++) {
			unsigned int above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1,
				      corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[b_length];
}

bool text_nearest(char *to, size_t size, const char *words, const char *like)
{
	unsigned int best = 3;
	const char *word = words, *end;

	to[0] = '\0';
	for (; *word; word = *end ? end + 1 : end) {
		unsigned int d;

		end = strchrnul(word, ' ');
		d = distance(word, end - word, like, strlen(like));
		if (d < best && (size_t)(end - word) < size) {
			best = d;
			memcpy(to, word, end - word);
			to[end - word] = '\0';
		}
	}
	return to[0];
}

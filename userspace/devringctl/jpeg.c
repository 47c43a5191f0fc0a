// SPDX-License-Identifier: GPL-2.0-or-later
/* JPEG pictures, one after the other. */

#include <errno.h>

#include "jpeg.h"

enum { START_OF_IMAGE = 0xd8, END_OF_IMAGE = 0xd9, START_OF_SCAN = 0xda, TEMPORARY = 0x01 };

struct picture {
	struct input *input;
	uint8_t *data;
	size_t size;
	size_t length;
};

/* Copy one byte and return it. */
static int copy_byte(struct picture *p)
{
	const uint8_t *ahead;
	int byte;

	if (p->input->at == p->input->filled) {
		ssize_t n = input_peek(p->input, 1, &ahead);

		if (n <= 0)
			return n ? (int)n : p->length ? -EPIPE : -ENODATA;
	}
	if (p->length == p->size)
		return -EMSGSIZE;
	byte = p->input->buf[p->input->at++];
	p->data[p->length++] = (uint8_t)byte;
	return byte;
}

static int is_restart(int code)
{
	return code >= 0xd0 && code <= 0xd7;
}

/* The rest of a marker, which may begin with any number of 0xff. */
static int copy_code(struct picture *p)
{
	int code;

	do
		code = copy_byte(p);
	while (code == 0xff);
	return code;
}

static int copy_marker(struct picture *p)
{
	int byte = copy_byte(p);

	if (byte < 0)
		return byte;
	return byte == 0xff ? copy_code(p) : -EPROTO;
}

static int copy_segment(struct picture *p)
{
	int high = copy_byte(p);
	int low = high < 0 ? high : copy_byte(p);
	int left;

	if (low < 0)
		return low;
	left = high << 8 | low;
	if (left < 2)
		return -EPROTO;
	for (left -= 2; left; left--) {
		int byte = copy_byte(p);

		if (byte < 0)
			return byte;
	}
	return 0;
}

/* Compressed data up to the marker behind it, of which the code is returned. */
static int copy_scan(struct picture *p)
{
	for (;;) {
		int byte = copy_byte(p);

		if (byte < 0)
			return byte;
		if (byte != 0xff)
			continue;
		byte = copy_code(p);
		if (byte && !is_restart(byte))
			return byte;
	}
}

ssize_t jpeg_read(struct input *input, uint8_t *data, size_t size)
{
	struct picture p = { .input = input, .data = data, .size = size };
	int code = copy_marker(&p);

	if (code >= 0 && code != START_OF_IMAGE)
		return -EPROTO;
	if (code >= 0)
		code = copy_marker(&p);
	while (code >= 0 && code != END_OF_IMAGE) {
		int ret = code == TEMPORARY || is_restart(code) ? 0 : copy_segment(&p);

		if (ret < 0)
			return ret;
		code = code == START_OF_SCAN ? copy_scan(&p) : copy_marker(&p);
	}
	return code < 0 ? code : (ssize_t)p.length;
}

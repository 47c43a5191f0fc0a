// SPDX-License-Identifier: GPL-2.0-or-later
/* Standard input, read ahead. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "input.h"

static ssize_t read_fd(int fd, void *data, size_t size)
{
	for (;;) {
		ssize_t n = read(fd, data, size);

		if (n >= 0)
			return n;
		if (errno != EINTR || was_signalled())
			return -errno;
	}
}

ssize_t input_peek(struct input *input, size_t size, const uint8_t **data)
{
	if (size > sizeof(input->buf))
		size = sizeof(input->buf);
	if (input->at) {
		memmove(input->buf, input->buf + input->at, input->filled - input->at);
		input->filled -= input->at;
		input->at = 0;
	}
	while (input->filled < size) {
		ssize_t n = read_fd(input->fd, input->buf + input->filled,
				    sizeof(input->buf) - input->filled);

		if (n < 0)
			return n;
		if (!n)
			break;
		input->filled += (size_t)n;
	}
	*data = input->buf;
	return (ssize_t)input->filled;
}

void input_skip(struct input *input, size_t size)
{
	input->at += size;
}

static size_t take_ahead(struct input *input, void *data, size_t size)
{
	size_t ahead = input->filled - input->at;

	if (ahead > size)
		ahead = size;
	memcpy(data, input->buf + input->at, ahead);
	input->at += ahead;
	return ahead;
}

ssize_t input_read_some(struct input *input, void *data, size_t size)
{
	size_t ahead = take_ahead(input, data, size);

	return ahead ? (ssize_t)ahead : read_fd(input->fd, data, size);
}

ssize_t input_read(struct input *input, void *data, size_t size)
{
	size_t done = take_ahead(input, data, size);

	while (done < size) {
		ssize_t n = read_fd(input->fd, (char *)data + done, size - done);

		if (n < 0)
			return n;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t input_read_line(struct input *input, char *line, size_t size)
{
	size_t length = 0;
	bool any = false;

	for (;;) {
		const uint8_t *data;
		ssize_t n;

		if (input->at == input->filled) {
			n = input_peek(input, 1, &data);
			if (n < 0)
				return n;
			if (!n)
				return any ? (ssize_t)length : -ENODATA;
		}
		any = true;
		if (input->buf[input->at] == '\n') {
			input->at++;
			return (ssize_t)length;
		}
		if (length < size)
			line[length++] = (char)input->buf[input->at];
		input->at++;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standard input, read ahead so that one can see what it is. */
#ifndef DEVRINGCTL_INPUT_H
#define DEVRINGCTL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define INPUT_AHEAD	65536

struct input {
	int fd;
	size_t at;
	size_t filled;
	uint8_t buf[INPUT_AHEAD];
};

/*
 * All return the number of bytes, less than asked for only at the end, or a negative errno; EINTR
 * when a signal says to stop.
 */

/* Look at the next @size bytes; they are at *@data and will be read again. */
ssize_t input_peek(struct input *input, size_t size, const uint8_t **data);
ssize_t input_read(struct input *input, void *data, size_t size);
/* What one read(2) gives, at most @size. */
ssize_t input_read_some(struct input *input, void *data, size_t size);
/* A line without its newline; what does not fit is left out.  -ENODATA at the end. */
ssize_t input_read_line(struct input *input, char *line, size_t size);
void input_skip(struct input *input, size_t size);

#endif /* DEVRINGCTL_INPUT_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line on the terminal that tells how far something is that takes more than two seconds. */
#ifndef DEVRINGCTL_PROGRESS_H
#define DEVRINGCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <devring/client.h>

struct progress {
	bool on;
	const char *waiting;		/* what for, while there are no frames */
	uint64_t total;			/* frames that there will be; UINT64_MAX: nobody knows */
	uint64_t frames;
	uint64_t bytes;
	uint64_t began_ns, shown_ns;
};

/* Only if @wanted, and if standard error is a terminal. */
void progress_begin(struct progress *progress, bool wanted, const char *waiting, uint64_t total);
/* Does who started this see nothing else of it: is @fd no terminal, and no pipe to a program that shows something? */
bool progress_is_all(int fd);
/* Write the line if it is time to. */
void progress_show(struct progress *progress);
/*
 * Before something that waits: how many of the milliseconds that are left (-1: for ever) may pass until the line is to
 * be shown anew.  They are taken off.
 */
int progress_step(struct progress *progress, int *left_ms);
/* devring_reader_next() or _latest(), with the line shown while it waits, and the frame counted. */
typedef int progress_reads(struct devring_reader_file *reader, struct devring_view *view, int timeout_ms);
int progress_next(struct progress *progress, progress_reads *next, struct devring_reader_file *reader,
		  struct devring_view *view, int timeout_ms);
/* Take the line away, so that a sentence can be written. */
void progress_clear(void);

#endif /* DEVRINGCTL_PROGRESS_H */

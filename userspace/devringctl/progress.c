// SPDX-License-Identifier: GPL-2.0-or-later
/* A line on the terminal that tells how far something is that takes more than two seconds. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "progress.h"
#include "text.h"
#include "waiting.h"

#define FIRST_NS	2000000000
#define STEP_MS		500
#define WIDTH		60

/* There is one terminal. */
static bool line_is_shown;

void progress_clear(void)
{
	if (line_is_shown)
		fprintf(stderr, "\r%*s\r", WIDTH, "");
	line_is_shown = false;
}

bool progress_is_all(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) && !isatty(fd);
}

void progress_begin(struct progress *progress, bool wanted, const char *waiting, uint64_t total)
{
	*progress = (struct progress){
		.on = wanted && isatty(STDERR_FILENO), .waiting = waiting, .total = total, .began_ns = now_ns(),
	};
}

void progress_show(struct progress *progress)
{
	uint64_t now = progress->on ? now_ns() : 0;
	char line[WIDTH + 1], size[16];
	int at;

	if (!progress->on || now - progress->began_ns < FIRST_NS ||
	    now - progress->shown_ns < (uint64_t)STEP_MS * 1000000)
		return;
	progress->shown_ns = now;
	at = snprintf(line, sizeof(line), "%llu s: ", (unsigned long long)((now - progress->began_ns) / 1000000000));
	if (!progress->frames)
		snprintf(line + at, sizeof(line) - (size_t)at, "waiting for %s", progress->waiting);
	else if (progress->total != UINT64_MAX)
		snprintf(line + at, sizeof(line) - (size_t)at, "%llu of %llu frames, %s",
			 (unsigned long long)progress->frames, (unsigned long long)progress->total,
			 text_bytes(progress->bytes, size, sizeof(size)));
	else
		snprintf(line + at, sizeof(line) - (size_t)at, "%llu frames, %s",
			 (unsigned long long)progress->frames, text_bytes(progress->bytes, size, sizeof(size)));
	/* Blanks cover what a longer line left. */
	fprintf(stderr, "\r%-*s", WIDTH, line);
	line_is_shown = true;
}

int progress_step(struct progress *progress, int *left_ms)
{
	int step = progress->on && (*left_ms < 0 || *left_ms > STEP_MS) ? STEP_MS : *left_ms;

	progress_show(progress);
	if (*left_ms > 0)
		*left_ms -= step;
	return step;
}

int progress_next(struct progress *progress, progress_reads *next, struct devring_reader_file *reader,
		  struct devring_view *view, int timeout_ms)
{
	int ret;

	do {
		int step = progress_step(progress, &timeout_ms);

		ret = next(reader, view, step);
	} while (ret == -EAGAIN && timeout_ms);
	if (ret == DEVRING_EVENT_FRAME) {
		progress->frames++;
		progress->bytes += view->bytes;
	}
	return ret;
}

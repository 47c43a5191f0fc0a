/* SPDX-License-Identifier: GPL-2.0-only */
/* The one event loop that all devices and the control channel share. */
#ifndef USBEMU_LOOP_H
#define USBEMU_LOOP_H

#include <stdint.h>
#include <time.h>

struct source {
	int fd;		/* -1: closed */
	void (*ready)(struct source *source, uint32_t events);
};

struct loop {
	int epoll;
};

int loop_add(struct loop *loop, struct source *source, uint32_t events);
void loop_watch(struct loop *loop, struct source *source, uint32_t events);
/* Stop watching and close. */
void loop_close(struct loop *loop, struct source *source);

static inline uint64_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting instructions in a guest whose time stamp counter counts them (tests/vm/run -i).
 *
 * Anything that fails ends the program with a sentence: a figure of a call that failed is worth nothing.
 */
#ifndef DEVRING_BENCH_MEASURE_H
#define DEVRING_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <x86intrin.h>

#define SAMPLES_MAX	400
#define READERS_MAX	64

/* What was counted for one row. */
struct samples {
	unsigned int n;
	uint64_t value[SAMPLES_MAX];
};

/* Instructions since boot. */
static inline uint64_t ticks(void)
{
	return __rdtsc();
}

/* Ends the program when @result is negative, naming @what; else returns it. */
long must(long result, const char *what);

/* Adds the instructions from @start to @end, without those of ticks() itself. */
void add(struct samples *s, uint64_t start, uint64_t end);

/*
 * Prints a row as a line of JSON: @group is what is done, @subject what does it, @count how many (readers, say).
 * Also empties @s.
 */
void row(const char *group, const char *subject, unsigned int count, struct samples *s);

/* Counts CODE once into @samples. */
#define COUNT(samples, CODE) do {			\
	uint64_t start_ = ticks();			\
	CODE;						\
	add(samples, start_, ticks());			\
} while (0)

/* A way for one process to give something to others. */
struct channel {
	const char *name;
	/* In the sender: make what @readers need before they are there, or say with 0 that this cannot be had. */
	int (*set_up)(unsigned int readers);
	/* In reader number @i: become one. */
	void (*join)(unsigned int i);
	/* In the sender, before each send(), and not counted; may be NULL. */
	void (*prepare)(void);
	/* In the sender: let all @readers know. */
	void (*send)(unsigned int readers);
	/* In reader number @i: wait for it, and take it. */
	void (*receive)(unsigned int i);
	/* In the reader, after receive(), and not counted; may be NULL. */
	void (*done)(void);
	void (*tear_down)(void);
};

/* One reader asleep: instructions from before send() until it has what was sent. */
void measure_wake(const struct channel *channel, const char *group);

/* @readers asleep: instructions of send(), which nobody interrupts. */
void measure_fan_out(const struct channel *channel, const char *group, unsigned int readers);

extern const struct channel peer_channels[], devring_channels[], loopback_channels[];

void measure_peers(void);
void measure_devring(void);
void measure_loopback(void);

#endif

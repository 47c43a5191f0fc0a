// SPDX-License-Identifier: GPL-2.0-only
#include "measure.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	101

long must(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "devring-paths: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return result;
}

/* What two reads of the counter cost with nothing between them. */
static uint64_t overhead(void)
{
	static uint64_t least;

	for (int i = 0; !least || i < 10; i++) {
		uint64_t start = ticks(), cost = ticks() - start;

		if (!least || cost < least)
			least = cost;
		if (least && i >= 10)
			break;
	}
	return least;
}

void add(struct samples *s, uint64_t start, uint64_t end)
{
	static uint64_t own;

	if (!own)
		own = overhead();
	if (s->n < SAMPLES_MAX)
		s->value[s->n++] = end - start - own;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void row(const char *group, const char *subject, unsigned int count, struct samples *s)
{
	uint64_t *v = s->value;
	unsigned int n = s->n;

	if (!n) {
		fprintf(stderr, "devring-paths: nothing was counted for %s, %s\n", group, subject);
		exit(1);
	}
	qsort(v, n, sizeof(*v), compare);
	printf("{\"group\": \"%s\", \"subject\": \"%s\", \"count\": %u, \"n\": %u, \"min\": %llu, \"median\": %llu, "
	       "\"p90\": %llu, \"max\": %llu}\n", group, subject, count, n, (unsigned long long)v[0],
	       (unsigned long long)v[n / 2], (unsigned long long)v[n * 9 / 10], (unsigned long long)v[n - 1]);
	s->n = 0;
}

/* What sender and readers share. */
static struct board {
	volatile unsigned int got;
	volatile uint64_t end;
} *board;

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* Waits until all readers have what was sent @rounds times, and sleep again. */
static void settle(unsigned int readers, unsigned int rounds)
{
	for (int i = 0; board->got < readers * rounds; i++) {
		nap();
		if (i > 2000) {
			fprintf(stderr, "devring-paths: %u of %u readers were woken\n", board->got, readers * rounds);
			exit(1);
		}
	}
	nap();
}

static void run_first(int first)
{
	struct sched_param param = { .sched_priority = first ? 10 : 0 };

	must(sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &param), "sched_setscheduler");
}

static pid_t start_reader(const struct channel *channel, unsigned int i, int first)
{
	pid_t pid = must(fork(), "fork");

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_first(first);
	channel->join(i);
	__sync_fetch_and_add(&board->got, 1);
	for (;;) {
		uint64_t end;

		channel->receive(i);
		end = ticks();
		board->end = end;
		__sync_fetch_and_add(&board->got, 1);
		if (channel->done)
			channel->done();
	}
}

/* Sends to @readers who sleep, ROUNDS times. */
static void rounds(const struct channel *channel, const char *group, unsigned int readers, int fan_out)
{
	static struct samples s;
	pid_t pids[READERS_MAX];

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	board->got = 0;
	if (!channel->set_up(readers))
		return;
	fflush(stdout);
	for (unsigned int i = 0; i < readers; i++)
		pids[i] = start_reader(channel, i, !fan_out);
	run_first(fan_out);
	for (unsigned int i = 1; i <= ROUNDS; i++) {
		uint64_t start, end;

		settle(readers, i);
		if (channel->prepare)
			channel->prepare();
		start = ticks();
		channel->send(readers);
		end = ticks();
		if (!fan_out) {
			settle(readers, i + 1);
			end = board->end;
		}
		/* The first one goes through cold paths. */
		if (i > 1)
			add(&s, start, end);
	}
	settle(readers, ROUNDS + 1);
	run_first(0);
	for (unsigned int i = 0; i < readers; i++)
		kill(pids[i], SIGKILL);
	for (unsigned int i = 0; i < readers; i++)
		waitpid(pids[i], NULL, 0);
	channel->tear_down();
	munmap(board, sizeof(*board));
	row(group, channel->name, readers, &s);
}

void measure_wake(const struct channel *channel, const char *group)
{
	rounds(channel, group, 1, 0);
}

void measure_fan_out(const struct channel *channel, const char *group, unsigned int readers)
{
	rounds(channel, group, readers, 1);
}

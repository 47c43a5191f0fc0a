/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzer rolls its dice with, and counts its successes by. */
#ifndef DEVRING_TESTS_FUZZ_H
#define DEVRING_TESTS_FUZZ_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/devring.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* What can come to something: the calls by their numbers, and what has none. */
enum {
	DID_OPEN_CONTROL = 0x40, DID_OPEN_NODE, DID_SINK, DID_PLAYER, DID_LOSSLESS, DID_FILTER, DID_FRAME, DID_NEWS,
	DID_SLOT, DID_CHANGE, DID_PREAD, DID_READV, DID_NOWAIT, DID_COMMIT, DID_RETURN, DID_SEVERAL, DID_WRITEV,
	DID_MAP, DID_POLL, DID_PASS, DID_FORK, DID_WAIT, DID_LISTEN, DEEDS
};

#define IOC(name)	[_IOC_NR(DEVRING_IOC_##name)] = #name

static const char *const deeds[DEEDS] = {
	IOC(INFO), IOC(REGISTER), IOC(UNREGISTER), IOC(ATTACH), IOC(OPEN), IOC(QUERY), IOC(READERS), IOC(REVOKE),
	IOC(SET_RING), IOC(SET_FORMAT), IOC(SET_STATE), IOC(EXPORT), IOC(SET_READER), IOC(RELEASE), IOC(GRANT),
	[DID_OPEN_CONTROL] = "open", [DID_OPEN_NODE] = "open of a node", [DID_SINK] = "sink", [DID_PLAYER] = "player",
	[DID_LOSSLESS] = "lossless", [DID_FILTER] = "filter", [DID_FRAME] = "frame", [DID_NEWS] = "news",
	[DID_SLOT] = "slot", [DID_CHANGE] = "change", [DID_PREAD] = "pread", [DID_READV] = "readv",
	[DID_NOWAIT] = "read without waiting", [DID_COMMIT] = "commit", [DID_RETURN] = "return",
	[DID_SEVERAL] = "several records", [DID_WRITEV] = "writev", [DID_MAP] = "map", [DID_POLL] = "poll",
	[DID_PASS] = "descriptor passed", [DID_FORK] = "fork", [DID_WAIT] = "wait that was killed",
	[DID_LISTEN] = "listener that was killed",
};

static atomic_uint done[DEEDS];

static void count(unsigned int deed)
{
	if (deed < DEEDS && deeds[deed])
		done[deed]++;
}

static unsigned long long seed = 1;

struct thread {
	pthread_t thread;
	uint64_t state;
	uint64_t digest;	/* of what was rolled before the kernel answered */
	unsigned int number;
	int answered;		/* what comes now may hang on that */
};

/* xorshift64*, Marsaglia and Vigna */
static uint64_t roll(struct thread *t)
{
	t->state ^= t->state >> 12;
	t->state ^= t->state << 25;
	t->state ^= t->state >> 27;
	if (!t->answered)
		t->digest = (t->digest ^ t->state) * 0x100000001b3ULL;
	return t->state * 0x2545f4914f6cdd1dULL;
}

/* Begins operation @op as if there had been none before: splitmix64, Steele, Lea and Flood */
static void begin(struct thread *t, unsigned int op)
{
	uint64_t z = (seed + t->number) * 0x9e3779b97f4a7c15ULL + op * 0xd1342543de82ef95ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	t->state = (z ^ z >> 31) ?: 1;
	t->answered = 0;
}

static unsigned int pick(struct thread *t, unsigned int n)
{
	return (roll(t) >> 33) % n;
}

static int chance(struct thread *t, unsigned int one_in)
{
	return pick(t, one_in) == 0;
}

/* A number that is often a limit, or one beside it. */
static uint64_t odd_number(struct thread *t)
{
	static const uint64_t edges[] = { 0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 128, 1023, 4095, 4096, 4097,
		65535, 65536, 1u << 30, (1u << 30) + 1, UINT32_MAX, 1ULL << 34, 1ULL << 62, INT64_MAX, UINT64_MAX };

	return chance(t, 4) ? roll(t) : edges[pick(t, ARRAY_SIZE(edges))] + (chance(t, 4) ? pick(t, 3) - 1 : 0);
}

static uint64_t near(struct thread *t, uint64_t value)
{
	return chance(t, 8) ? odd_number(t) : chance(t, 8) ? value + pick(t, 3) - 1 : value;
}

/* Prints what came to something, how often, and returns how much of what can did not. */
static int tell_deeds(uint64_t features)
{
	int missing = 0;

	printf("#");
	for (int i = 0; i < DEEDS; i++)
		if (deeds[i])
			printf(" %s: %u%s", deeds[i], done[i], i == DEEDS - 1 ? "\n" : ",");
	for (int i = 0; i < DEEDS; i++) {
		if (!deeds[i] || done[i] ||
		    (i == _IOC_NR(DEVRING_IOC_EXPORT) && !(features & DEVRING_FEATURE_EXPORT)))
			continue;
		printf("# never: %s\n", deeds[i]);
		missing++;
	}
	return missing;
}

#endif

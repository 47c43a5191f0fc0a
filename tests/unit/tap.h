/* SPDX-License-Identifier: GPL-2.0-only */
/* Results as TAP, for tests that need no kernel. */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

/* One result; the condition is shown when it does not hold. */
#define OK(condition, name) tap_result(!!(condition), name, #condition, __LINE__)

static inline void tap_result(int good, const char *name, const char *condition, int line)
{
	tap_count++;
	if (!good) {
		tap_failed++;
		printf("# line %d: %s\n", line, condition);
	}
	printf("%sok %d - %s\n", good ? "" : "not ", tap_count, name);
}

/* Two texts that have to be the same; both are shown when they are not. */
static inline void same_text(const char *got, const char *wanted, const char *name)
{
	int good = !strcmp(got, wanted);

	if (!good)
		printf("# wanted: %s\n# got:    %s\n", wanted, got);
	tap_result(good, name, "same text", 0);
}

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif /* UNIT_TAP_H */

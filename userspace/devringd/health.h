/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How devringd does: what is wrong now, and what was counted. */
#ifndef DEVRINGD_HEALTH_H
#define DEVRINGD_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define HEALTH_BUCKETS	10

struct health;

struct health_counters {
	uint64_t usb_add, usb_remove, usb_flap;	/* records about USB devices */
	uint64_t records;			/* of the device hotplug */
	uint64_t flaps;				/* coalesced */
	uint64_t overflows;			/* of a source's socket */
	uint64_t listings;
	uint64_t failures, recoveries;		/* of devices */
	uint64_t hooks, hooks_failed;
	uint64_t hooks_dropped;			/* events that none was run for */
	/* From the event to the record: up to so many ms each, and all. */
	uint64_t bucket[HEALTH_BUCKETS], duration_count;
	double duration_ms;
};

struct health *health_new(void);
void health_free(struct health *health);
struct health_counters *health_counters(struct health *health);
/* What is wrong with something; NULL: nothing any more. Whether that is news. */
bool health_set(struct health *health, const char *what, const char *reason);
bool health_is_good(const struct health *health);
/* {"status":"ok"|"degraded","reasons":[{"what":…,"reason":…}],"more":N}: not more than fit into a record */
json_t *health_json(const struct health *health);
json_t *health_counters_json(const struct health *health);
void health_duration(struct health *health, uint64_t ns);

#endif

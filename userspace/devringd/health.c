// SPDX-License-Identifier: GPL-2.0-or-later
#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* So much of it is told: a record has to fit into a slot of the device hotplug, or what is kept is lost. */
#define REASONS_MAX	16
#define REASONS_BYTES	1536

struct complaint {
	struct complaint *next;
	char what[80], reason[160];
};

struct health {
	struct complaint *complaints;
	struct health_counters counters;
};

static const double buckets_ms[HEALTH_BUCKETS] = { 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000 };

struct health *health_new(void)
{
	return calloc(1, sizeof(struct health));
}

void health_free(struct health *health)
{
	if (!health)
		return;
	while (health->complaints) {
		struct complaint *c = health->complaints;

		health->complaints = c->next;
		free(c);
	}
	free(health);
}

struct health_counters *health_counters(struct health *health)
{
	return &health->counters;
}

bool health_set(struct health *health, const char *what, const char *reason)
{
	struct complaint **link = &health->complaints, *c;

	while (*link && strcmp((*link)->what, what))
		link = &(*link)->next;
	c = *link;
	if (!reason) {
		if (!c)
			return false;
		*link = c->next;
		free(c);
		return true;
	}
	if (c && !strcmp(c->reason, reason))
		return false;
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return false;
		text_copy(c->what, sizeof(c->what), what);
		*link = c;
	}
	text_copy(c->reason, sizeof(c->reason), reason);
	return true;
}

bool health_is_good(const struct health *health)
{
	return !health->complaints;
}

json_t *health_json(const struct health *health)
{
	json_t *reasons = json_array(), *json;
	unsigned int more = 0, room = REASONS_BYTES;

	for (const struct complaint *c = health->complaints; c; c = c->next) {
		unsigned int bytes = strlen(c->what) + strlen(c->reason) + strlen("{'what':'','reason':''},");

		if (more || bytes > room || json_array_size(reasons) == REASONS_MAX) {
			more++;
			continue;
		}
		room -= bytes;
		json_array_append_new(reasons, json_pack("{s:s, s:s}", "what", c->what, "reason", c->reason));
	}
	json = json_pack("{s:s, s:o}", "status", health_is_good(health) ? "ok" : "degraded", "reasons", reasons);
	if (more)
		json_object_set_new(json, "more", json_integer(more));
	return json;
}

void health_duration(struct health *health, uint64_t ns)
{
	struct health_counters *c = &health->counters;
	double ms = (double)ns / 1e6;

	for (int i = 0; i < HEALTH_BUCKETS; i++)
		c->bucket[i] += ms <= buckets_ms[i];
	c->duration_count++;
	c->duration_ms += ms;
}

json_t *health_counters_json(const struct health *health)
{
	const struct health_counters *c = &health->counters;
	json_t *buckets = json_array();

	for (int i = 0; i < HEALTH_BUCKETS; i++)
		json_array_append_new(buckets, json_pack("[f, I]", buckets_ms[i], (json_int_t)c->bucket[i]));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:f}",
			 "usb_add", (json_int_t)c->usb_add, "usb_remove", (json_int_t)c->usb_remove,
			 "usb_flap", (json_int_t)c->usb_flap, "records", (json_int_t)c->records,
			 "flaps", (json_int_t)c->flaps, "overflows", (json_int_t)c->overflows,
			 "listings", (json_int_t)c->listings, "failures", (json_int_t)c->failures,
			 "recoveries", (json_int_t)c->recoveries, "hooks", (json_int_t)c->hooks,
			 "hooks_failed", (json_int_t)c->hooks_failed,
			 "hooks_dropped", (json_int_t)c->hooks_dropped, "duration_buckets", buckets,
			 "duration_count", (json_int_t)c->duration_count, "duration_ms", c->duration_ms);
}

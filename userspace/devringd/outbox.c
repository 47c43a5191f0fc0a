// SPDX-License-Identifier: GPL-2.0-or-later
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

struct thing {
	struct thing *next;		/* in the order in which they changed */
	char *key;
	const char *here, *gone;	/* topics; gone NULL: changes alone are told */
	json_t *told, *now;		/* NULL: not there */
	json_t *last;			/* the last that was there */
	unsigned int changes;		/* since it was told */
	bool waits;			/* there is something to tell */
	uint64_t real_ns, monotonic_ns;	/* of the last change */
	uint64_t quiet_ns;		/* until then it is not told again */
	bool held;
};

struct outbox {
	sd_event *event;
	struct outbox_calls calls;
	struct outbox_limits limits;
	struct thing *things;
	sd_event_source *soon, *later;
	uint64_t credit_ns;		/* when the next record would be due at the steady rate */
	uint64_t flaps;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void wake(struct outbox *o)
{
	sd_event_source_set_enabled(o->soon, SD_EVENT_ONESHOT);
}

static void free_thing(struct thing *t)
{
	json_decref(t->told);
	json_decref(t->now);
	json_decref(t->last);
	free(t->key);
	free(t);
}

static struct thing *find(struct outbox *o, const char *key)
{
	for (struct thing *t = o->things; t; t = t->next)
		if (!strcmp(t->key, key))
			return t;
	return NULL;
}

/* The thing, at the end of the list if nothing of it waits yet; NULL without memory. */
static struct thing *touch(struct outbox *o, const char *key)
{
	struct thing **link = &o->things, *t;

	while (*link && strcmp((*link)->key, key))
		link = &(*link)->next;
	t = *link;
	if (t && t->waits)
		return t;
	if (t) {
		*link = t->next;
	} else {
		t = calloc(1, sizeof(*t));
		if (t)
			t->key = strdup(key);
		if (!t || !t->key) {
			free(t);
			log_error("out of memory: an event is not published");
			return NULL;
		}
	}
	while (*link)
		link = &(*link)->next;
	*link = t;
	t->next = NULL;
	return t;
}

static void changed(struct outbox *o, struct thing *t, unsigned int changes)
{
	t->changes += changes;
	t->waits = true;
	t->real_ns = clock_ns(CLOCK_REALTIME);
	t->monotonic_ns = clock_ns(CLOCK_MONOTONIC);
	t->held = t->held || t->monotonic_ns < t->quiet_ns;
	wake(o);
}

void outbox_put(struct outbox *o, const char *key, const char *here, const char *gone, json_t *what)
{
	struct thing *t = find(o, key);

	if (!what && (!t || !t->now))
		return;
	t = touch(o, key);
	if (!t) {
		json_decref(what);
		return;
	}
	t->here = here;
	t->gone = gone;
	/* Another one in its place: the one before has gone. */
	changed(o, t, t->now && what ? 2 : 1);
	json_decref(t->now);
	t->now = what;
	if (what) {
		json_decref(t->last);
		t->last = json_incref(what);
	}
}

void outbox_change(struct outbox *o, const char *key, const char *topic, json_t *what)
{
	struct thing *t = find(o, key);

	if (t && t->now && json_equal(t->now, what)) {
		json_decref(what);
		return;
	}
	t = touch(o, key);
	if (!t) {
		json_decref(what);
		return;
	}
	t->here = topic;
	changed(o, t, 1);
	json_decref(t->now);
	t->now = what;
}

void outbox_flap(struct outbox *o, const char *key)
{
	struct thing *t = find(o, key) ? touch(o, key) : NULL;

	if (t)
		changed(o, t, 2);
}

static void emit(struct outbox *o, const struct thing *t, const char *topic, enum outbox_action action,
		 const json_t *what, unsigned int flaps)
{
	struct outbox_record record = {
		.topic = topic, .action = action, .what = what, .flaps = flaps,
		.real_ns = t->real_ns, .monotonic_ns = t->monotonic_ns, .held = t->held,
	};

	o->calls.record(o->calls.user, &record);
	o->flaps += flaps;
}

/* The records about one thing; how many. */
static unsigned int tell(struct outbox *o, struct thing *t)
{
	unsigned int records = 0, flaps;

	if (!t->gone) {
		emit(o, t, t->here, OUTBOX_CHANGE, t->now, t->changes - 1);
		return 1;
	}
	records = (t->told != t->now) * (!!t->told + !!t->now);
	flaps = (t->changes - records) / 2;
	if (t->told == t->now) {
		/* It came and went: nothing is left of it but that. */
		if (flaps)
			emit(o, t, t->now ? t->here : t->gone, OUTBOX_FLAP, t->last, flaps);
		return flaps ? 1 : 0;
	}
	if (t->told)
		emit(o, t, t->gone, OUTBOX_REMOVE, t->told, t->now ? 0 : flaps);
	if (t->now)
		emit(o, t, t->here, OUTBOX_ADD, t->now, flaps);
	return records;
}

static void told(struct outbox *o, struct thing *t, uint64_t now)
{
	if (t->told != t->now) {
		json_decref(t->told);
		t->told = json_incref(t->now);
	}
	t->changes = 0;
	t->waits = false;
	t->held = false;
	t->quiet_ns = now + o->limits.debounce_ms * 1000000ull;
}

/* Things that are not there, and were quiet, need not be known. */
static void forget(struct outbox *o, uint64_t now)
{
	struct thing **link = &o->things;

	while (*link) {
		struct thing *t = *link;

		if (t->waits || t->now || t->quiet_ns > now) {
			link = &t->next;
			continue;
		}
		*link = t->next;
		free_thing(t);
	}
}

/* Up to a batch of what may be told now; when the next one may, 0: nothing waits. */
static uint64_t publish(struct outbox *o, bool all)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), step = 1000000000ull / o->limits.per_second, next = 0;
	unsigned int records = 0;

	/* After a pause a second's worth may go at once. */
	if (o->credit_ns + 1000000000ull < now)
		o->credit_ns = now - 1000000000ull;
	for (struct thing *t = o->things; t; t = t->next) {
		uint64_t due = t->quiet_ns > o->credit_ns ? t->quiet_ns : o->credit_ns;
		unsigned int n;

		if (!t->waits)
			continue;
		if (!all && (due > now || records >= o->limits.batch)) {
			t->held = t->held || due > now;
			if (!next || due < next)
				next = due;
			continue;
		}
		n = tell(o, t);
		records += n;
		o->credit_ns += n * step;
		told(o, t, now);
	}
	if (records)
		o->calls.end(o->calls.user);
	forget(o, now);
	return next;
}

static int on_time(sd_event_source *source, uint64_t usec, void *user)
{
	(void)source;
	(void)usec;
	wake(user);
	return 0;
}

static int on_soon(sd_event_source *source, void *user)
{
	struct outbox *o = user;
	uint64_t next = publish(o, false), now = clock_ns(CLOCK_MONOTONIC);
	int error;

	if (!next)
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (next <= now)
		return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	error = sd_event_source_set_time(o->later, next / 1000 + 1);
	return error < 0 ? error : sd_event_source_set_enabled(o->later, SD_EVENT_ONESHOT);
}

void outbox_flush(struct outbox *o)
{
	publish(o, true);
}

struct outbox *outbox_new(sd_event *event, const struct outbox_calls *calls)
{
	struct outbox *o = calloc(1, sizeof(*o));
	int error;

	if (!o)
		return NULL;
	o->event = event;
	o->calls = *calls;
	o->limits = (struct outbox_limits) { 50, 100, 10 };
	error = sd_event_add_defer(event, &o->soon, on_soon, o);
	/* Whoever reads it waits for that; what else happened can. */
	if (error >= 0)
		error = sd_event_source_set_priority(o->soon, SD_EVENT_PRIORITY_IMPORTANT);
	if (error >= 0)
		error = sd_event_source_set_enabled(o->soon, SD_EVENT_OFF);
	if (error >= 0)
		error = sd_event_add_time(event, &o->later, CLOCK_MONOTONIC, 0, 1000, on_time, o);
	if (error >= 0)
		error = sd_event_source_set_enabled(o->later, SD_EVENT_OFF);
	if (error >= 0)
		return o;
	outbox_free(o);
	errno = -error;
	return NULL;
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	sd_event_source_disable_unref(o->soon);
	sd_event_source_disable_unref(o->later);
	while (o->things) {
		struct thing *t = o->things;

		o->things = t->next;
		free_thing(t);
	}
	free(o);
}

void outbox_configure(struct outbox *o, const struct outbox_limits *limits)
{
	o->limits = *limits;
	wake(o);
}

uint64_t outbox_flaps(const struct outbox *o)
{
	return o->flaps;
}

unsigned int outbox_waiting(const struct outbox *o)
{
	unsigned int n = 0;

	for (const struct thing *t = o->things; t; t = t->next)
		n += t->waits;
	return n;
}

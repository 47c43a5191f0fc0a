/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be published: for each thing what was told of it last, and how it is now.
 *
 * A change is told at once.  What follows within the debounce time, or faster than the limit of
 * records a second, is told when that is over: the difference then, and how often it came and went
 * in between.  So how things stand in the end is always told.
 */
#ifndef DEVRINGD_OUTBOX_H
#define DEVRINGD_OUTBOX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct outbox;

enum outbox_action { OUTBOX_ADD, OUTBOX_REMOVE, OUTBOX_CHANGE, OUTBOX_FLAP };

struct outbox_record {
	const char *topic;
	enum outbox_action action;
	const json_t *what;		/* borrowed */
	uint64_t real_ns, monotonic_ns;	/* when it happened */
	unsigned int flaps;
	bool held;			/* it had to wait */
};

struct outbox_limits {
	unsigned int debounce_ms, per_second, batch;
};

struct outbox_calls {
	/* Take one record; it is published when the batch ends. */
	void (*record)(void *user, const struct outbox_record *record);
	/* So many records, of which this is the last, belong together. */
	void (*end)(void *user);
	void *user;
};

/* NULL with errno set. */
struct outbox *outbox_new(sd_event *event, const struct outbox_calls *calls);
void outbox_free(struct outbox *outbox);
void outbox_configure(struct outbox *outbox, const struct outbox_limits *limits);
/*
 * A thing is there, or NULL, is not. Takes the reference. Topics are those of being there and not;
 * texts that live as long as the program.
 */
void outbox_put(struct outbox *outbox, const char *key, const char *here, const char *gone, json_t *what);
/* How a thing does, told as a change; what happens to be the same is not told. */
void outbox_change(struct outbox *outbox, const char *key, const char *topic, json_t *what);
/* It was said to have gone, and had not. */
void outbox_flap(struct outbox *outbox, const char *key);
/* Publishes what waits, whatever the limits: devringd ends. */
void outbox_flush(struct outbox *outbox);
uint64_t outbox_flaps(const struct outbox *outbox);
unsigned int outbox_waiting(const struct outbox *outbox);

#endif

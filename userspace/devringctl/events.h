/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What devringd publishes: its events, and how it does. */
#ifndef DEVRINGCTL_EVENTS_H
#define DEVRINGCTL_EVENTS_H

#include <jansson.h>
#include <stdbool.h>

#include "cli.h"

/* Which events are shown; NULL: any. */
struct event_filter {
	const char *topic, *device;	/* patterns, as the shell has them */
	const char *vendor;		/* pattern of four hexadecimal digits */
	const char *class;		/* name of a USB class, or class-xx */
};

/* Fill it from --topic, --device, --vendor and --class. */
void event_filter_options(const struct cli *cli, struct event_filter *filter);
bool event_fits(const struct event_filter *filter, const json_t *event);
/* One line for people. */
void event_print(const json_t *event);
/* devringd's device of this name, open for reading: 0, or the status after fail(). */
int events_open(struct cli *cli, const char *name, uint32_t start, struct devring_reader_file **reader);
/* The newest frame of "state" as JSON: 0, or the status after fail(). *offline: devringd does not run. */
int daemon_state(struct cli *cli, json_t **state, bool *offline);
/* Follow the events: 0, or the status after fail(). */
int events_follow(struct cli *cli, struct devring_reader_file *reader, const struct event_filter *filter,
		  uint64_t count, int timeout_ms);

#endif /* DEVRINGCTL_EVENTS_H */

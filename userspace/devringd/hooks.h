/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks: programs of the administrator's that are run for each event, one at a time. */
#ifndef DEVRINGD_HOOKS_H
#define DEVRINGD_HOOKS_H

#include <jansson.h>
#include <systemd/sd-event.h>

struct config;
struct health_counters;
struct hooks;

/* NULL with errno set. counted is called when counters have changed. */
struct hooks *hooks_new(sd_event *event, struct health_counters *counters, void (*counted)(void *user),
			void *user);
/* The one that runs is killed. */
void hooks_free(struct hooks *hooks);
void hooks_configure(struct hooks *hooks, const struct config *config);
/* Runs every program of the folder, when those before have ended, with the event's members in its environment: */
void hooks_put(struct hooks *hooks, json_t *event);
/* ... from now on, when those who wait for the event have it. */
void hooks_run(struct hooks *hooks);

#endif

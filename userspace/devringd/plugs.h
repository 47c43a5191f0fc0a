/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The USB devices that are plugged in. */
#ifndef DEVRINGD_PLUGS_H
#define DEVRINGD_PLUGS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules.h"
#include "usbdev.h"

struct discovery_event;
struct manager;
struct plugs;

struct plug {
	struct plug *next;
	struct usbdev usb;
	uint64_t instance;		/* never used before, nor after */
	enum verdict verdict;
	bool listed;			/* by the listing that is under way */
};

struct plugs *plugs_new(struct manager *manager);
void plugs_free(struct plugs *plugs);
/* A source said that one came, went or changed. */
void plugs_event(struct plugs *plugs, const struct discovery_event *event);
/* One comes: what can be read of it is read, so that nothing is left to do when it is ready. */
void plugs_prepare(struct plugs *plugs, const struct discovery_event *event);
/* Lists all, and tells the difference; 0 or -1. */
int plugs_reconcile(struct plugs *plugs);
/* The rules changed. */
void plugs_judge(struct plugs *plugs);
/* The one at this path, looked up in /sys if it is not known yet; NULL: there is none. */
const struct plug *plugs_at(struct plugs *plugs, const char *syspath);
unsigned int plugs_count(const struct plugs *plugs);
/* The first that is told of, or the next after that; NULL: there are no more. */
const struct plug *plugs_next(const struct plugs *plugs, const struct plug *plug);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of devices: what is plugged in, under which name, and what the config says of it. */
#ifndef DEVRINGD_MANAGER_H
#define DEVRINGD_MANAGER_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "device.h"
#include "discovery.h"
#include "health.h"
#include "hooks.h"
#include "hotplug.h"
#include "instances.h"
#include "names.h"
#include "plugs.h"
#include "seats.h"
#include "table.h"

/* What the event loop ends with then; devringd's exit status. */
#define MANAGER_REPLACED	5

struct manager {
	sd_event *event;
	int control;			/* /dev/devring */
	bool may_take_over;		/* no other devringd runs here */
	bool starting;
	const char *config_path;
	bool config_must_exist;
	struct config *config;
	struct names *names;
	struct instances *instances;
	struct discovery *discovery;
	struct plugs *plugs;
	struct health *health;
	struct hooks *hooks;
	sd_event_source *rescan;	/* timer: list again */
	bool rescan_due;
	sd_event_source *unready;	/* timer: look again for what was not ready */
	unsigned int unready_ms;	/* after which it is due; 0: all is ready */
	unsigned int unready_count;	/* of the last listing */
	struct seats *seats;
	sd_event_source *recheck;	/* at the next opportunity */
	struct device *devices;
	struct hotplug *hotplug;
	struct table *table;
	struct {
		unsigned int present, open, failed;
	} said;				/* in the status line */
};

/* Publishes the hotplug and state devices, and all hardware there is. */
int manager_start(struct manager *manager);
void manager_stop(struct manager *manager);
/* Reads the config again; false: it is wrong and the old one stays in force. */
bool manager_reload(struct manager *manager);
/* Whether another devringd provides what only one can: it took over from this one. */
bool manager_is_replaced(struct manager *manager);
/* List all hardware again soon, and compare. */
void manager_doubt(struct manager *manager);
/* The USB device at this path has gone, and so has all that is on it. */
void manager_usb_gone(struct manager *manager, const char *syspath);
/* How something does; reason NULL: well. Tells whoever listens. */
void manager_health(void *manager, const char *what, const char *reason);
/* Rights to devices may have changed: soon end the access of those who lost theirs. */
void manager_recheck(void *manager);
/* A device's state changed: status line and table follow. */
void manager_changed(struct manager *manager);
/* How much the config lets us provide of this hardware. */
struct config_device manager_config(struct manager *manager, const struct hardware *hw,
				    const char *name);
/* The device of ours that was registered before by this user, for this hardware. */
bool manager_registered(struct manager *manager, enum devring_type type, const char *stable_id,
			struct devring_device *device);
/* REGISTER or ATTACH, and which it was; a descriptor or a negative errno. */
int manager_acquire(struct manager *manager, struct devring_register *reg, bool *attached);

#endif

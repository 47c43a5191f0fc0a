/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who reads a device, as far as the trail has it. */
#ifndef DEVRINGD_READERS_H
#define DEVRINGD_READERS_H

#include <devring/client.h>
#include <systemd/sd-event.h>

struct device;

struct readers {
	struct devring_reader known[DEVRING_READERS_MAX];
	unsigned int count;
	sd_event_source *look;		/* at the next opportunity */
};

void readers_free(struct readers *readers);
/* Readers came or went: look soon. */
void readers_changed(struct device *device);
/* Put into the trail who came, and who is gone: they are gone as @gone says. */
void readers_look(struct device *device, const char *gone);

#endif

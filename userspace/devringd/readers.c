// SPDX-License-Identifier: GPL-2.0-or-later
#include "readers.h"

#include <string.h>

#include "device.h"
#include "log.h"
#include "manager.h"
#include "trail.h"

/* Who comes and goes in a loop shall not fill the log: so many looks in so much time. */
#define LOOKS		20
#define LOOKS_USEC	10000000

void readers_free(struct readers *readers)
{
	sd_event_source_disable_unref(readers->look);
	readers->look = NULL;
}

static const struct devring_reader *find(const struct devring_reader *readers, unsigned int count,
					 uint64_t id)
{
	for (unsigned int i = 0; i < count; i++)
		if (readers[i].id == id)
			return &readers[i];
	return NULL;
}

/* Those who read; who only has it open has seen nothing. */
static unsigned int list(struct device *device, struct devring_reader *readers)
{
	int all = devring_get_readers(device->ring_fd, readers, DEVRING_READERS_MAX);
	unsigned int count = 0;

	for (int i = 0; i < all; i++)
		if (readers[i].flags & DEVRING_READER_IS_ACTIVE)
			readers[count++] = readers[i];
	return count;
}

void readers_look(struct device *device, const char *gone)
{
	struct readers *who = &device->who;
	struct devring_reader now[DEVRING_READERS_MAX];
	unsigned int count = list(device, now);

	for (unsigned int i = 0; i < who->count; i++)
		if (!find(now, count, who->known[i].id))
			trail_reader(device, gone, &who->known[i]);
	for (unsigned int i = 0; i < count; i++)
		if (!find(who->known, who->count, now[i].id))
			trail_reader(device, now[i].flags & DEVRING_READER_IS_GRANTED ?
				     "reader-granted" : "reader-started", &now[i]);
	memcpy(who->known, now, count * sizeof(*now));
	who->count = count;
}

static int on_look(sd_event_source *source, void *user)
{
	struct device *device = user;

	(void)source;
	if (device->phase != DEVICE_ABSENT)
		readers_look(device, "reader-stopped");
	return 0;
}

void readers_changed(struct device *device)
{
	struct readers *who = &device->who;
	int error;

	if (who->look) {
		error = sd_event_source_set_enabled(who->look, SD_EVENT_ONESHOT);
	} else {
		error = sd_event_add_defer(device->manager->event, &who->look, on_look, device);
		if (error >= 0)
			error = sd_event_source_set_ratelimit(who->look, LOOKS_USEC, LOOKS);
	}
	if (error < 0)
		trail_note(device, LOG_WARNING, NULL, "cannot look who reads: %s",
			   strerror(-error));
}

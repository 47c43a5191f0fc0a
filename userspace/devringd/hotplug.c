// SPDX-License-Identifier: GPL-2.0-or-later
#include "hotplug.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "device.h"
#include "feed.h"
#include "log.h"
#include "manager.h"
#include "usb.h"

struct hotplug {
	struct manager *manager;
	struct feed *feed;
};

struct hotplug *hotplug_open(struct manager *manager)
{
	struct hotplug *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->manager = manager;
	h->feed = feed_open(manager, "hotplug", "What is plugged in and out",
			    manager->config->history, 2048);
	if (h->feed)
		return h;
	free(h);
	return NULL;
}

void hotplug_close(struct hotplug *h)
{
	if (!h)
		return;
	feed_close(h->feed);
	free(h);
}

uint64_t hotplug_id(const struct hotplug *h)
{
	return feed_id(h->feed);
}

static json_t *text(const char *s)
{
	return json_string(s);
}

static void add_times(json_t *event)
{
	struct timespec real, monotonic;
	char stamp[40];
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	gmtime_r(&real.tv_sec, &tm);
	n = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp + n, sizeof(stamp) - n, ".%06ldZ", real.tv_nsec / 1000);
	json_object_set_new(event, "timestamp", text(stamp));
	json_object_set_new(event, "monotonic_ns",
			    json_integer(monotonic.tv_sec * 1000000000ll + monotonic.tv_nsec));
}

static void add_usb(json_t *event, const struct hardware *hw, bool details)
{
	json_object_set_new(event, "vendor_id", text(hw->vendor_id));
	json_object_set_new(event, "product_id", text(hw->product_id));
	json_object_set_new(event, "bus_number", json_integer(hw->usb_bus));
	json_object_set_new(event, "device_address", json_integer(hw->usb_address));
	json_object_set_new(event, "port_path", text(hw->usb_port));
	if (details)
		json_object_set_new(event, "device_descriptor", usb_details(hw));
}

/* Anybody may read this: neither serial number nor stable id, which holds one, belongs in it. */
void hotplug_tell(struct hotplug *h, const struct device *device, bool connected)
{
	const struct hardware *hw = &device->hw;
	json_t *event = json_object();
	char topic[64], *line;

	snprintf(topic, sizeof(topic), "%s.%s", type_name(hw->type),
		 connected ? "connected" : "disconnected");
	json_object_set_new(event, "schema_version", json_integer(1));
	json_object_set_new(event, "topic", text(topic));
	json_object_set_new(event, "action", text(connected ? "add" : "remove"));
	json_object_set_new(event, "device", text(device->name));
	json_object_set_new(event, "id", json_integer(device->id));
	json_object_set_new(event, "type", text(type_name(hw->type)));
	json_object_set_new(event, "label", text(hw->label));
	json_object_set_new(event, "driver", text(hw->driver));
	json_object_set_new(event, "node", text(hw->node));
	json_object_set_new(event, "present_at_start", json_boolean(h->manager->starting));
	if (hw->usb)
		add_usb(event, hw, connected && h->manager->config->usb_details);
	json_object_set_new(event, "path_id", text(hw->path_id));
	add_times(event);
	line = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	if (line)
		feed_write(h->feed, line);
	else
		log_warn("out of memory: an event was not published");
	free(line);
}

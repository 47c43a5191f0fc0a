// SPDX-License-Identifier: GPL-2.0-or-later
#include "hotplug.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "feed.h"
#include "log.h"
#include "manager.h"
#include "outbox.h"

struct hotplug {
	struct manager *manager;
	struct feed *feed;
	struct outbox *outbox;
};

static json_t *text(const char *s)
{
	return json_string(s);
}

/* ---- From the outbox to the ring ---- */

static const char *action_name(enum outbox_action action)
{
	static const char *const names[] = { "add", "remove", "change", "flap" };

	return names[action];
}

static void add_times(json_t *event, const struct outbox_record *record)
{
	time_t seconds = (time_t)(record->real_ns / 1000000000);
	char stamp[40];
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp + n, sizeof(stamp) - n, ".%06uZ", (unsigned int)(record->real_ns % 1000000000 / 1000));
	json_object_set_new(event, "timestamp", text(stamp));
	json_object_set_new(event, "monotonic_ns", json_integer((json_int_t)record->monotonic_ns));
}

static json_t *event_of(const struct outbox_record *record)
{
	json_t *event = json_object();

	json_object_set_new(event, "schema_version", json_integer(1));
	json_object_set_new(event, "topic", text(record->topic));
	json_object_set_new(event, "action", text(action_name(record->action)));
	json_object_update(event, (json_t *)record->what);
	if (record->action == OUTBOX_REMOVE)
		json_object_del(event, "device_descriptor");
	json_object_set_new(event, "flaps", json_integer(record->flaps));
	add_times(event, record);
	return event;
}

static void count(struct hotplug *h, const struct outbox_record *record)
{
	struct health_counters *c = health_counters(h->manager->health);
	struct timespec now;

	c->records++;
	c->flaps += record->flaps;
	if (!strncmp(record->topic, "usb.", 4)) {
		c->usb_add += record->action == OUTBOX_ADD;
		c->usb_remove += record->action == OUTBOX_REMOVE;
		c->usb_flap += record->flaps;
	}
	/* What had to wait says nothing of how fast this is. */
	if (record->held)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	health_duration(h->manager->health, now.tv_sec * 1000000000ull + now.tv_nsec - record->monotonic_ns);
}

static void on_record(void *user, const struct outbox_record *record)
{
	struct hotplug *h = user;
	json_t *event = event_of(record);
	char *line = json_dumps(event, JSON_COMPACT);

	/* Texts of a device can be long, and the ring is not to be replaced because of one. */
	if (line && strlen(line) > feed_room(h->feed) && !json_object_del(event, "device_descriptor")) {
		free(line);
		line = json_dumps(event, JSON_COMPACT);
	}
	if (line)
		feed_put(h->feed, line, json_integer_value(json_object_get(event, "correlation_id")));
	else
		log_warn("out of memory: an event was not published");
	free(line);
	count(h, record);
	hooks_put(h->manager->hooks, event);
	json_decref(event);
}

static void on_end(void *user)
{
	struct hotplug *h = user;

	feed_end(h->feed);
	hooks_run(h->manager->hooks);
	table_changed(h->manager->table);
}

/* ---- What is told ---- */

static void add_descriptor(json_t *what, const uint8_t *d)
{
	json_object_set_new(what, "device_descriptor", !d[0] ? json_null() :
		json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "bcdUSB", d[2] | d[3] << 8,
			  "bDeviceClass", d[4], "bDeviceSubClass", d[5], "bDeviceProtocol", d[6],
			  "bMaxPacketSize0", d[7], "bcdDevice", d[12] | d[13] << 8, "bNumConfigurations", d[17]));
}

/* Anybody may read this: the serial number does not belong in it. */
static void add_usb(json_t *what, const struct usbdev *usb, bool details)
{
	json_t *classes = json_array();
	const char *name;
	char buf[16];

	json_object_set_new(what, "vendor_id", text(usb->vendor_id));
	json_object_set_new(what, "product_id", text(usb->product_id));
	json_object_set_new(what, "device_signature", text(usb->signature));
	json_object_set_new(what, "manufacturer", text(usb->manufacturer));
	json_object_set_new(what, "product", text(usb->product));
	json_object_set_new(what, "bus_number", json_integer(usb->bus));
	json_object_set_new(what, "device_address", json_integer(usb->address));
	json_object_set_new(what, "port_path", text(usb->port));
	for (unsigned int i = 0; (name = usbdev_class(usb, i, buf)); i++)
		json_array_append_new(classes, text(name));
	json_object_set_new(what, "classes", classes);
	if (details)
		add_descriptor(what, usb->descriptor);
}

static void add_instance(json_t *what, uint64_t instance, uint64_t plug, const char *source)
{
	json_object_set_new(what, "instance", json_integer((json_int_t)instance));
	json_object_set_new(what, "correlation_id", json_integer((json_int_t)plug));
	json_object_set_new(what, "source", text(source));
}

static json_t *device_json(struct hotplug *h, const struct device *device, const char *source)
{
	const struct hardware *hw = &device->hw;
	const struct plug *plug = hw->usb ? plugs_at(h->manager->plugs, hw->usb_syspath) : NULL;
	json_t *what = json_object();

	json_object_set_new(what, "device", text(device->name));
	json_object_set_new(what, "id", json_integer((json_int_t)device->id));
	json_object_set_new(what, "type", text(type_name(hw->type)));
	json_object_set_new(what, "label", text(hw->label));
	json_object_set_new(what, "driver", text(hw->driver));
	json_object_set_new(what, "node", text(hw->node));
	json_object_set_new(what, "present_at_start", json_boolean(h->manager->starting));
	if (plug)
		add_usb(what, &plug->usb, h->manager->config->usb_details);
	json_object_set_new(what, "path_id", text(hw->path_id));
	add_instance(what, hw->instance, hw->plug, source);
	return what;
}

/* Topics live as long as the program. */
static const char *topic(enum devring_type type, bool connected)
{
	switch (type) {
	case DEVRING_TYPE_CAMERA:
		return connected ? "camera.connected" : "camera.disconnected";
	case DEVRING_TYPE_MICROPHONE:
		return connected ? "microphone.connected" : "microphone.disconnected";
	default:
		return connected ? "speaker.connected" : "speaker.disconnected";
	}
}

static const char *key_of(const struct device *device, const char *prefix, char *key, size_t size)
{
	snprintf(key, size, "%s:%s", prefix, device->name);
	return key;
}

void hotplug_tell(struct hotplug *h, const struct device *device, bool connected, const char *source)
{
	char key[DEVRING_NAME_SIZE + 8];

	outbox_put(h->outbox, key_of(device, "device", key, sizeof(key)), topic(device->hw.type, true),
		   topic(device->hw.type, false), connected ? device_json(h, device, source) : NULL);
}

void hotplug_flap(struct hotplug *h, const struct device *device)
{
	char key[DEVRING_NAME_SIZE + 8];

	outbox_flap(h->outbox, key_of(device, "device", key, sizeof(key)));
}

void hotplug_state(struct hotplug *h, const struct device *device, const char *state, int error)
{
	json_t *what = json_object();
	char key[DEVRING_NAME_SIZE + 8];

	json_object_set_new(what, "device", text(device->name));
	json_object_set_new(what, "id", json_integer((json_int_t)device->id));
	json_object_set_new(what, "type", text(type_name(device->hw.type)));
	json_object_set_new(what, "state", text(state));
	json_object_set_new(what, "error", json_integer(error));
	json_object_set_new(what, "reason", error ? text(strerror(error)) : json_null());
	if (device->hw.usb) {
		json_object_set_new(what, "vendor_id", text(device->hw.vendor_id));
		json_object_set_new(what, "product_id", text(device->hw.product_id));
	}
	json_object_set_new(what, "instance", json_integer((json_int_t)device->hw.instance));
	json_object_set_new(what, "correlation_id", json_integer((json_int_t)device->hw.plug));
	outbox_change(h->outbox, key_of(device, "state", key, sizeof(key)), "device.state", what);
}

void hotplug_usb(struct hotplug *h, const struct plug *plug, const char *source)
{
	json_t *what = json_object();

	add_usb(what, &plug->usb, h->manager->config->usb_details);
	json_object_set_new(what, "speed_mbps", text(plug->usb.speed));
	json_object_set_new(what, "policy", text(verdict_name(plug->verdict)));
	json_object_set_new(what, "present_at_start", json_boolean(h->manager->starting));
	add_instance(what, plug->instance, plug->instance, source);
	outbox_put(h->outbox, plug->usb.syspath, "usb.attach", "usb.detach", what);
}

void hotplug_usb_gone(struct hotplug *h, const struct plug *plug)
{
	outbox_put(h->outbox, plug->usb.syspath, "usb.attach", "usb.detach", NULL);
}

void hotplug_usb_flap(struct hotplug *h, const struct plug *plug)
{
	outbox_flap(h->outbox, plug->usb.syspath);
}

void hotplug_startup(struct hotplug *h)
{
	outbox_change(h->outbox, "startup", "system.startup",
		      json_pack("{s:s, s:s}", "version", devring_version(), "source",
				discovery_source(h->manager->discovery)));
}

void hotplug_health(struct hotplug *h)
{
	json_t *what = json_pack("{s:o, s:s}", "health", health_json(h->manager->health), "source",
				 discovery_source(h->manager->discovery));

	outbox_change(h->outbox, "health", "system.health", what);
}

/* ---- The whole ---- */

void hotplug_configure(struct hotplug *h)
{
	const struct config *config = h->manager->config;
	struct outbox_limits limits = {
		.debounce_ms = config->debounce_ms, .per_second = config->events_per_second,
		.batch = config->batch,
	};

	outbox_configure(h->outbox, &limits);
}

/* So that so many records are kept: one slot is always the next one's, and one may be kept from it by a reader. */
static unsigned int slots_for(unsigned int history)
{
	return history + 2 < DEVRING_SLOTS_MAX ? history + 2 : DEVRING_SLOTS_MAX;
}

struct hotplug *hotplug_open(struct manager *manager)
{
	struct hotplug *h = calloc(1, sizeof(*h));
	struct outbox_calls calls = { .record = on_record, .end = on_end, .user = h };

	if (!h)
		return NULL;
	h->manager = manager;
	h->outbox = outbox_new(manager->event, &calls);
	if (h->outbox)
		h->feed = feed_open(manager, "hotplug", "What is plugged in and out",
				    slots_for(manager->config->history), 2048);
	if (h->feed) {
		hotplug_configure(h);
		return h;
	}
	outbox_free(h->outbox);
	free(h);
	return NULL;
}

void hotplug_close(struct hotplug *h)
{
	if (!h)
		return;
	outbox_flush(h->outbox);
	outbox_free(h->outbox);
	feed_close(h->feed);
	free(h);
}

uint64_t hotplug_id(const struct hotplug *h)
{
	return feed_id(h->feed);
}

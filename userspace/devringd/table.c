// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"

#include <devring/client.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed.h"
#include "log.h"
#include "manager.h"
#include "text.h"

#define SLOTS	4

struct row {
	struct devring_device device;
};

struct table {
	struct manager *manager;
	struct feed *feed;
	struct devring_watch *watch;
	sd_event_source *io, *publish;
	struct row *rows;
	unsigned int count, size;
	char *published;
};

static struct row *find(struct table *t, uint64_t id)
{
	for (unsigned int i = 0; i < t->count; i++)
		if (t->rows[i].device.id == id)
			return &t->rows[i];
	return NULL;
}

static struct row *find_or_add(struct table *t, uint64_t id)
{
	struct row *row = find(t, id);

	if (row)
		return row;
	if (t->count == t->size) {
		unsigned int size = t->size ? 2 * t->size : 16;

		row = realloc(t->rows, size * sizeof(*row));
		if (!row)
			return NULL;
		t->rows = row;
		t->size = size;
	}
	return memset(&t->rows[t->count++], 0, sizeof(*row));
}

static void removed(struct table *t, uint64_t id)
{
	struct row *row = find(t, id);

	if (row)
		*row = t->rows[--t->count];
}

/* What is opened for a device of ours: /dev/video0, hw:0,0; NULL for others and while it is unplugged. */
static const char *hardware(const struct manager *m, uint64_t id)
{
	const struct device *device = m->devices;

	while (device && device->id != id)
		device = device->next;
	return device && device->phase != DEVICE_ABSENT ? device->hw.node : NULL;
}

static json_t *row_json(const struct manager *m, const struct devring_device *d)
{
	char format[DEVRING_TEXT_SIZE];
	const char *state = devring_state_name(d->state);

	devring_format_to_text(&d->format, format, sizeof(format));
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:b, s:s, s:s, s:s?}",
			 "id", (json_int_t)d->id, "name", d->name, "link", d->link,
			 "type", type_name(d->type), "state", state ? state : "unknown",
			 "error", d->error, "minor", (int)d->minor, "readers", (int)d->readers,
			 "sink", !!(d->flags & DEVRING_REG_SINK), "label", d->label,
			 "format", format, "hardware", hardware(m, d->id));
}

static json_t *usb_json(const struct plug *p)
{
	json_t *classes = json_array();
	const char *name;
	char buf[16];

	for (unsigned int i = 0; (name = usbdev_class(&p->usb, i, buf)); i++)
		json_array_append_new(classes, json_string(name));
	/* Anybody may read this: the serial number does not belong in it. */
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:s}", "port_path", p->usb.port,
			 "vendor_id", p->usb.vendor_id, "product_id", p->usb.product_id,
			 "device_signature", p->usb.signature, "classes", classes,
			 "instance", (json_int_t)p->instance, "policy", verdict_name(p->verdict));
}

/* What the device hotplug told of, for who begins now or missed some. */
static json_t *all_usb_json(const struct table *t)
{
	const struct plug *p = NULL;
	json_t *all = json_array();

	while ((p = plugs_next(t->manager->plugs, p)))
		json_array_append_new(all, usb_json(p));
	return all;
}

static void add_instance(const struct table *t, json_t *row, uint64_t id)
{
	for (const struct device *d = t->manager->devices; d; d = d->next)
		if (d->id == id && d->phase != DEVICE_ABSENT)
			json_object_set_new(row, "instance", json_integer((json_int_t)d->hw.instance));
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->device.id > y->device.id) - (x->device.id < y->device.id);
}

static json_t *daemon_json(const struct table *t)
{
	const struct manager *m = t->manager;

	return json_pack("{s:s, s:s, s:o, s:i, s:o}", "version", devring_version(), "source",
			 m->discovery ? discovery_source(m->discovery) : "none", "health", health_json(m->health),
			 "usb_devices", (int)plugs_count(m->plugs), "counters", health_counters_json(m->health));
}

static long resident_pages(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages;
}

/* What changes all the time is added when something else did. */
static int write_frame(struct table *t, json_t *all)
{
	json_t *daemon = json_object_get(all, "daemon");
	char *text;
	int error;

	json_object_set_new(daemon, "resident_bytes", json_integer(resident_pages() * sysconf(_SC_PAGESIZE)));
	text = json_dumps(all, JSON_COMPACT);
	error = text ? feed_write(t->feed, text) : -ENOMEM;
	free(text);
	return error;
}

/* Once for all that changed at a time, when everything else is done. */
static int on_publish(sd_event_source *source, void *user)
{
	struct table *t = user;
	json_t *all = json_object(), *list = json_array();
	char *text;

	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (t->count)
		qsort(t->rows, t->count, sizeof(*t->rows), compare);
	for (unsigned int i = 0; i < t->count; i++) {
		json_t *row = row_json(t->manager, &t->rows[i].device);

		/* A label of somebody else's that is no UTF-8 makes no row: leave it out. */
		if (!row)
			continue;
		add_instance(t, row, t->rows[i].device.id);
		json_array_append_new(list, row);
	}
	json_object_set_new(all, "schema_version", json_integer(1));
	json_object_set_new(all, "devices", list);
	json_object_set_new(all, "usb", all_usb_json(t));
	json_object_set_new(all, "daemon", daemon_json(t));
	text = json_dumps(all, JSON_COMPACT);
	if (!text || (t->published && !strcmp(text, t->published)) || write_frame(t, all)) {
		json_decref(all);
		free(text);
		return 0;
	}
	json_decref(all);
	free(t->published);
	t->published = text;
	return 0;
}

static void publish_soon(struct table *t)
{
	if (t && t->publish)
		sd_event_source_set_enabled(t->publish, SD_EVENT_ONESHOT);
}

static int on_watch(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct table *t = user;
	struct devring_change change;
	struct row *row;
	int kind;

	(void)source;
	(void)fd;
	(void)revents;
	while ((kind = devring_watch_next(t->watch, &change, 0)) > 0) {
		if (kind == DEVRING_RECORD_RESYNC) {
			t->count = 0;
		} else if (kind == DEVRING_RECORD_REMOVED) {
			removed(t, change.device.id);
		} else if (kind == DEVRING_RECORD_CHANGE) {
			row = find_or_add(t, change.device.id);
			if (row)
				row->device = change.device;
		}
	}
	publish_soon(t);
	if (kind == -EAGAIN || kind == -EINTR)
		return 0;
	log_error("cannot follow what changes (%s): the state device stands still",
		  strerror(-kind));
	sd_event_source_set_enabled(t->io, SD_EVENT_OFF);
	return 0;
}

void table_changed(struct table *t)
{
	publish_soon(t);
}

void table_readers(struct table *t, uint64_t id, unsigned int readers)
{
	struct row *row = t ? find(t, id) : NULL;

	if (!row || row->device.readers == readers)
		return;
	row->device.readers = readers;
	publish_soon(t);
}

struct table *table_open(struct manager *manager)
{
	struct table *t = calloc(1, sizeof(*t));
	int error = 0;

	if (!t)
		return NULL;
	t->manager = manager;
	t->feed = feed_open(manager, "state", "All devices as they are", SLOTS, 32768);
	if (!t->feed)
		error = -errno;
	if (!error)
		error = devring_watch_open(&t->watch);
	if (!error)
		error = sd_event_add_io(manager->event, &t->io, devring_watch_fd(t->watch),
					EPOLLIN, on_watch, t);
	if (error >= 0)
		error = sd_event_add_defer(manager->event, &t->publish, on_publish, t);
	if (error >= 0)
		error = sd_event_source_set_priority(t->publish, SD_EVENT_PRIORITY_IDLE);
	if (error >= 0)
		return t;
	table_close(t);
	errno = -error;
	return NULL;
}

void table_close(struct table *t)
{
	if (!t)
		return;
	sd_event_source_disable_unref(t->io);
	sd_event_source_disable_unref(t->publish);
	devring_watch_close(t->watch);
	feed_close(t->feed);
	free(t->published);
	free(t->rows);
	free(t);
}

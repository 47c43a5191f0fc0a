// SPDX-License-Identifier: GPL-2.0-or-later
#include "manager.h"

#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "log.h"
#include "text.h"
#include "trail.h"

/* What comes at once is listed at once. */
#define RESCAN_MS	30
/* What is not ready yet is looked at again so soon, then half as often each time, up to this. */
#define UNREADY_MS	250
#define UNREADY_MAX_MS	30000

void manager_changed(struct manager *m)
{
	unsigned int present = 0, open = 0, failed = 0;

	for (struct device *d = m->devices; d; d = d->next) {
		present += d->phase != DEVICE_ABSENT;
		open += d->phase == DEVICE_ACTIVE || d->phase == DEVICE_LINGERING;
		failed += d->phase == DEVICE_WAITING;
		if (d->id)
			table_readers(m->table, d->id, d->readers);
	}
	if (present == m->said.present && open == m->said.open && failed == m->said.failed)
		return;
	m->said.present = present;
	m->said.open = open;
	m->said.failed = failed;
	sd_notifyf(0, "STATUS=%u devices, %u open, %u failing", present, open, failed);
	table_changed(m->table);
}

struct config_device manager_config(struct manager *m, const struct hardware *hw, const char *name)
{
	const struct config *c = m->config;
	const struct config_device *type = hw->type == DEVRING_TYPE_CAMERA ? &c->camera :
		hw->type == DEVRING_TYPE_MICROPHONE ? &c->microphone : &c->speaker;

	return config_for(c, type, name, hw->stable_id, hw->path_id);
}

/* Whether the config wants it at all: a section of its own has the last word. */
static bool wanted(struct manager *m, const struct hardware *hw)
{
	const char *known = names_find(m->names, hw->stable_id);
	struct config_device own = manager_config(m, hw, known ? known : "");
	const struct plug *plug = hw->usb ? plugs_at(m->plugs, hw->usb_syspath) : NULL;

	if (own.enabled)
		return own.enabled > 0;
	if (rules_judge(m->config->rules, plug ? &plug->usb : NULL, hw) != VERDICT_ALLOW)
		return false;
	switch (hw->type) {
	case DEVRING_TYPE_CAMERA:
		return m->config->cameras;
	case DEVRING_TYPE_MICROPHONE:
		return m->config->microphones &&
		       (!hw->loopback || m->config->loopback_microphone);
	default:
		return m->config->speakers && (!hw->loopback || m->config->loopback_speaker);
	}
}

bool manager_registered(struct manager *m, enum devring_type type, const char *stable_id,
			struct devring_device *device)
{
	memset(device, 0, sizeof(*device));
	while (devring_next_device(m->control, device) > 0)
		if (device->type == type && device->flags & DEVRING_REG_PERSIST &&
		    device->registrant_uid == geteuid() && !strcmp(device->stable_id, stable_id))
			return true;
	return false;
}

static int attach(struct manager *m, const struct devring_device *device)
{
	int fd = devring_attach_device(m->control, device->id, 0);

	if (fd != -EBUSY || !m->may_take_over)
		return fd;
	log_device(LOG_WARNING, device->name, "takeover", "taking over from process %d",
		   device->producer_pid);
	return devring_attach_device(m->control, device->id, DEVRING_ATTACH_TAKEOVER);
}

int manager_acquire(struct manager *m, struct devring_register *reg, bool *attached)
{
	struct devring_device before;
	unsigned int number = 0;
	bool generic = !*reg->name;
	int fd;

	*attached = manager_registered(m, reg->type, reg->stable_id, &before);
	if (*attached && ((before.flags ^ reg->flags) & ~DEVRING_REG_LOSSLESS)) {
		/* Of another version's making: begin anew. */
		devring_unregister_device(m->control, before.id);
		*attached = false;
	}
	if (*attached) {
		fd = attach(m, &before);
		reg->id = before.id;
		text_copy(reg->name, sizeof(reg->name), before.name);
		if (reg->type != DEVRING_TYPE_EVENT)
			names_set(m->names, reg->stable_id, before.name);
		return fd;
	}
	if (generic)
		number = names_next(m->names, reg->name, reg->type, 0);
	fd = devring_register_device(m->control, reg);
	/* Somebody else's device has the name: ours goes on to the next. */
	while (fd == -EEXIST && (generic || reg->type != DEVRING_TYPE_EVENT)) {
		number = names_next(m->names, reg->name, reg->type, generic ? number + 1 : 0);
		generic = true;
		fd = devring_register_device(m->control, reg);
	}
	if (fd >= 0 && reg->type != DEVRING_TYPE_EVENT)
		names_set(m->names, reg->stable_id, reg->name);
	return fd;
}

bool manager_is_replaced(struct manager *m)
{
	struct devring_device feed = { 0 };

	return !devring_query_id(m->control, hotplug_id(m->hotplug), &feed) &&
	       feed.producer_pid && feed.producer_pid != getpid();
}

static void save_names(struct manager *m)
{
	if (names_save(m->names))
		log_error("the names of devices cannot be kept: %s", strerror(errno));
}

static struct device *find(struct manager *m, const struct hardware *hw)
{
	for (struct device *d = m->devices; d; d = d->next)
		if (d->hw.type == hw->type && !strcmp(d->hw.stable_id, hw->stable_id))
			return d;
	return NULL;
}

/* Something is plugged in that it stands for. */
static bool is_held(const struct device *d)
{
	return d->phase != DEVICE_ABSENT || d->lost;
}

/*
 * What is plugged in keeps its id, also when another one with the same serial number comes or goes;
 * and so does, over a restart, what has the place of the one that is registered with it.
 */
static void keep_id(struct manager *m, struct hardware *hw)
{
	struct devring_device before;
	const struct device *owner;

	for (struct device *d = m->devices; d; d = d->next) {
		if (!is_held(d) || !hardware_stayed(&d->hw, hw))
			continue;
		text_copy(hw->stable_id, sizeof(hw->stable_id), d->hw.stable_id);
		hw->known = true;
		return;
	}
	owner = find(m, hw);
	hw->known = !(owner && is_held(owner)) && manager_registered(m, hw->type, hw->stable_id, &before) &&
		    !strcmp(before.path_id, hw->path_id);
}

static struct device *add(struct manager *m, const struct hardware *hw)
{
	struct device *d = device_new(m, hw), **end = &m->devices;
	const char *name = names_find(m->names, hw->stable_id);

	if (!d)
		return NULL;
	if (name)
		text_copy(d->name, sizeof(d->name), name);
	while (*end)
		end = &(*end)->next;
	*end = d;
	return d;
}

/* A plugging in has a number of its own, and one in common with all that came by it. */
static void number(struct manager *m, struct hardware *hw)
{
	const struct plug *plug = hw->usb ? plugs_at(m->plugs, hw->usb_syspath) : NULL;

	hw->instance = instances_next(m->instances);
	hw->plug = plug ? plug->instance : hw->instance;
}

static void plug(struct manager *m, struct device *d, const struct hardware *found, const char *source)
{
	struct hardware hw = *found;
	int error;

	number(m, &hw);
	error = device_plug(d, &hw);
	if (error) {
		trail_device(d, "refused", error == -EDQUOT ?
			     "cannot be provided: this user's limit of devices is reached; raise it by "
			     "the module's parameters" : "cannot be provided: %s", strerror(-error));
		d->lost = true;
		return;
	}
	hotplug_tell(m->hotplug, d, true, source);
}

static void unplug(struct manager *m, struct device *d)
{
	if (d->phase == DEVICE_ABSENT)
		return;
	device_unplug(d);
	trail_device(d, "offline", "unplugged: %s", d->hw.label);
	hotplug_tell(m->hotplug, d, false, NULL);
}

static void found(struct manager *m, const struct hardware *hw, const char *source)
{
	struct device *d = find(m, hw);

	if (!wanted(m, hw))
		return;
	if (!d)
		d = add(m, hw);
	if (!d)
		return;
	d->listed = true;
	/* Out and in again while nobody looked is what it says. */
	if (!hardware_same(&d->hw, hw)) {
		unplug(m, d);
		d->lost = false;
	}
	if (d->phase == DEVICE_ABSENT && !d->lost)
		plug(m, d, hw, source);
}

/* It is where it was, whatever udevd knows of it. */
static bool is_there(const struct device *d)
{
	return d->phase != DEVICE_ABSENT && usbdev_inode(d->hw.syspath) == d->hw.inode;
}

static int on_unready(sd_event_source *source, uint64_t usec, void *user);

static void look_in(struct manager *m, unsigned int ms)
{
	int error;

	m->unready_ms = ms;
	if (!m->unready)
		error = sd_event_add_time_relative(m->event, &m->unready, CLOCK_MONOTONIC,
						   ms * 1000ull, 1000, on_unready, m);
	else
		error = sd_event_source_set_time_relative(m->unready, ms * 1000ull);
	if (error >= 0)
		error = sd_event_source_set_enabled(m->unready, SD_EVENT_ONESHOT);
	if (error < 0)
		log_error("no timer: %s", strerror(-error));
}

static int on_unready(sd_event_source *source, uint64_t usec, void *user)
{
	struct manager *m = user;

	(void)source;
	(void)usec;
	look_in(m, 2 * m->unready_ms < UNREADY_MAX_MS ? 2 * m->unready_ms : UNREADY_MAX_MS);
	manager_doubt(m);
	return 0;
}

/* Other listings than the timer's do not put it off; one more that is not ready is looked for soon. */
static void look_again(struct manager *m, unsigned int unready)
{
	bool more = unready > m->unready_count;

	m->unready_count = unready;
	if (!unready) {
		m->unready_ms = 0;
		if (m->unready)
			sd_event_source_set_enabled(m->unready, SD_EVENT_OFF);
	} else if (more && m->unready_ms != UNREADY_MS) {
		look_in(m, UNREADY_MS);
	}
}

/* What there is against what we have: the difference happened. */
static void reconcile(struct manager *m)
{
	const char *source = m->starting ? "start" : "list";
	struct hardware_list list;

	health_counters(m->health)->listings++;
	if (plugs_reconcile(m->plugs) || discovery_list(m->discovery, &list)) {
		log_error("cannot list the hardware (%s); trying again", strerror(errno));
		manager_doubt(m);
		return;
	}
	for (struct device *d = m->devices; d; d = d->next)
		d->listed = false;
	for (unsigned int i = 0; i < list.count; i++)
		keep_id(m, &list.items[i]);
	hardware_disambiguate(&list);
	for (unsigned int i = 0; i < list.count; i++)
		found(m, &list.items[i], source);
	look_again(m, list.unready);
	hardware_free(&list);
	for (struct device *d = m->devices; d; d = d->next) {
		if (d->listed || is_there(d))
			continue;
		unplug(m, d);
		d->lost = false;
	}
	save_names(m);
	manager_changed(m);
}

static int on_rescan(sd_event_source *source, uint64_t usec, void *user)
{
	struct manager *m = user;

	(void)source;
	(void)usec;
	m->rescan_due = false;
	reconcile(m);
	return 0;
}

void manager_doubt(struct manager *m)
{
	int error;

	/* The first asks; the rest is covered by it, so that a flood costs a listing a time. */
	if (m->rescan_due)
		return;
	if (!m->rescan)
		error = sd_event_add_time_relative(m->event, &m->rescan, CLOCK_MONOTONIC,
						   RESCAN_MS * 1000, 1000, on_rescan, m);
	else
		error = sd_event_source_set_time_relative(m->rescan, RESCAN_MS * 1000);
	if (error >= 0)
		error = sd_event_source_set_enabled(m->rescan, SD_EVENT_ONESHOT);
	if (error < 0)
		log_error("no timer: %s", strerror(-error));
	else
		m->rescan_due = true;
}

static void on_doubt(void *user)
{
	manager_doubt(user);
}

static void on_gone(struct manager *m, const char *syspath)
{
	for (struct device *d = m->devices; d; d = d->next) {
		if (strcmp(d->hw.syspath, syspath))
			continue;
		if (is_there(d)) {
			hotplug_flap(m->hotplug, d);
			continue;
		}
		unplug(m, d);
		d->lost = false;
		manager_changed(m);
	}
}

void manager_usb_gone(struct manager *m, const char *syspath)
{
	for (struct device *d = m->devices; d; d = d->next) {
		if (!d->hw.usb || strcmp(d->hw.usb_syspath, syspath))
			continue;
		unplug(m, d);
		d->lost = false;
		manager_changed(m);
	}
}

/* Two with the same id are told apart by their places: only a listing sees both. */
static bool is_alone(struct manager *m, const struct hardware *hw)
{
	const struct device *d = find(m, hw);

	return !d || d->phase == DEVICE_ABSENT || !strcmp(d->hw.syspath, hw->syspath);
}

static void on_came(struct manager *m, const struct discovery_event *event)
{
	struct udev_device *dev = event->dev ? udev_device_ref(event->dev) :
				  discovery_device(m->discovery, event->syspath);
	struct hardware hw;

	if (!dev)
		return;
	switch (hardware_from_udev(&hw, dev, discovery_trusts_udevd(m->discovery))) {
	case HARDWARE_READY:
		keep_id(m, &hw);
		if (!is_alone(m, &hw)) {
			manager_doubt(m);
			break;
		}
		found(m, &hw, event->source);
		save_names(m);
		manager_changed(m);
		break;
	case HARDWARE_UNREADY:
		if (m->unready_ms != UNREADY_MS)
			look_in(m, UNREADY_MS);
		break;
	case HARDWARE_OTHER:
		break;
	}
	udev_device_unref(dev);
}

static void on_event(void *user, const struct discovery_event *event)
{
	struct manager *m = user;

	if (!strcmp(event->subsystem, "usb"))
		plugs_event(m->plugs, event);
	else if (!strcmp(event->action, "remove"))
		on_gone(m, event->syspath);
	else if (!strcmp(event->subsystem, "video4linux"))
		on_came(m, event);
	else
		manager_doubt(m);	/* a sound card is ready as a whole */
}

static void on_coming(void *user, const struct discovery_event *event)
{
	struct manager *m = user;

	if (!strcmp(event->subsystem, "usb"))
		plugs_prepare(m->plugs, event);
}

static void on_overflow(void *user)
{
	struct manager *m = user;

	health_counters(m->health)->overflows++;
}

void manager_health(void *user, const char *what, const char *reason)
{
	struct manager *m = user;

	if (!health_set(m->health, what, reason))
		return;
	log_device(reason ? LOG_WARNING : LOG_INFO, NULL, "health", "%s: %s", what, reason ? reason : "well again");
	if (m->hotplug && m->discovery)
		hotplug_health(m->hotplug);
	table_changed(m->table);
}

static int on_recheck(sd_event_source *source, void *user)
{
	struct manager *m = user;

	(void)source;
	for (struct device *d = m->devices; d; d = d->next)
		device_recheck(d);
	manager_changed(m);
	return 0;
}

void manager_recheck(void *user)
{
	struct manager *m = user;

	/* Once for all that changed at a time. */
	if (m->recheck)
		sd_event_source_set_enabled(m->recheck, SD_EVENT_ONESHOT);
	else if (sd_event_add_defer(m->event, &m->recheck, on_recheck, m) < 0)
		log_error("out of memory: who lost the right to a device keeps it open");
}

static void on_counted(void *user)
{
	struct manager *m = user;

	table_changed(m->table);
}

int manager_start(struct manager *m)
{
	struct discovery_calls calls = {
		.event = on_event, .coming = on_coming, .doubt = on_doubt, .permissions = manager_recheck,
		.overflow = on_overflow, .health = manager_health, .user = m,
	};

	m->starting = true;
	trail_audit(m->config->audit);
	m->health = health_new();
	m->plugs = plugs_new(m);
	m->hooks = m->health ? hooks_new(m->event, health_counters(m->health), on_counted, m) :
		   NULL;
	if (!m->plugs || !m->hooks) {
		log_error("out of memory");
		return -1;
	}
	hooks_configure(m->hooks, m->config);
	m->hotplug = hotplug_open(m);
	if (!m->hotplug) {
		log_error("cannot make the device hotplug: %s", strerror(errno));
		return -1;
	}
	m->table = table_open(m);
	if (!m->table) {
		log_error("cannot make the device state: %s", strerror(errno));
		return -1;
	}
	/* Listen first: what comes during the listing makes another. */
	m->discovery = discovery_open(m->event, &calls, m->config);
	if (!m->discovery) {
		log_error("cannot look for hardware: %s", strerror(errno));
		return -1;
	}
	hotplug_startup(m->hotplug);
	m->seats = seats_open(m->event, manager_recheck, m);
	reconcile(m);
	m->starting = false;
	return 0;
}

void manager_stop(struct manager *m)
{
	struct device *next;

	for (struct device *d = m->devices; d; d = next) {
		next = d->next;
		device_free(d);
	}
	m->devices = NULL;
	discovery_close(m->discovery);
	m->discovery = NULL;
	seats_close(m->seats);
	m->seats = NULL;
	sd_event_source_disable_unref(m->recheck);
	m->recheck = NULL;
	sd_event_source_disable_unref(m->rescan);
	m->rescan = NULL;
	sd_event_source_disable_unref(m->unready);
	m->unready = NULL;
	table_close(m->table);
	m->table = NULL;
	hotplug_close(m->hotplug);
	m->hotplug = NULL;
	hooks_free(m->hooks);
	m->hooks = NULL;
	plugs_free(m->plugs);
	m->plugs = NULL;
	health_free(m->health);
	m->health = NULL;
}

bool manager_reload(struct manager *m)
{
	char error[768];
	struct config *config = config_read(m->config_path, m->config_must_exist, error,
					    sizeof(error));

	if (!config) {
		log_error("%s; the old configuration stays in force", error);
		return false;
	}
	config_free(m->config);
	m->config = config;
	trail_audit(config->audit);
	hotplug_configure(m->hotplug);
	hooks_configure(m->hooks, config);
	plugs_judge(m->plugs);
	for (struct device *d = m->devices; d; d = d->next) {
		if (d->phase == DEVICE_ABSENT)
			continue;
		if (wanted(m, &d->hw)) {
			device_reconfigure(d);
			continue;
		}
		device_unplug(d);
		devring_unregister_device(m->control, d->id);
		trail_device(d, "removed", "not wanted by the configuration any more");
		d->id = 0;
		hotplug_tell(m->hotplug, d, false, NULL);
	}
	discovery_configure(m->discovery, config);
	reconcile(m);
	log_info("configuration read again");
	return true;
}

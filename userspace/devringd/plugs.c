// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugs.h"

#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#include "discovery.h"
#include "log.h"
#include "manager.h"

/* So many may be on their way; of more nothing is known before they are there. */
#define COMING_MAX	64

/* What the kernel told of, as it was then, until udevd says that it is ready. */
struct coming {
	struct coming *next;
	struct usbdev usb;
};

struct plugs {
	struct manager *manager;
	struct plug *first;
	unsigned int count;
	struct coming *coming;
	unsigned int coming_count;
};

struct plugs *plugs_new(struct manager *manager)
{
	struct plugs *plugs = calloc(1, sizeof(*plugs));

	if (plugs)
		plugs->manager = manager;
	return plugs;
}

/* At this path, or all. */
static void forget_coming(struct plugs *plugs, const char *syspath)
{
	struct coming **link = &plugs->coming;

	while (*link) {
		struct coming *c = *link;

		if (syspath && strcmp(c->usb.syspath, syspath)) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		free(c);
		plugs->coming_count--;
	}
}

void plugs_free(struct plugs *plugs)
{
	if (!plugs)
		return;
	while (plugs->first) {
		struct plug *p = plugs->first;

		plugs->first = p->next;
		free(p);
	}
	forget_coming(plugs, NULL);
	free(plugs);
}

static struct plug *find(struct plugs *plugs, const char *syspath)
{
	for (struct plug *p = plugs->first; p; p = p->next)
		if (!strcmp(p->usb.syspath, syspath))
			return p;
	return NULL;
}

static bool is_told(const struct plugs *plugs, const struct plug *p)
{
	return p->verdict != VERDICT_IGNORE && plugs->manager->config->usb_events;
}

static void attach(struct plugs *plugs, const struct usbdev *usb, const char *source)
{
	struct plug *p = calloc(1, sizeof(*p)), **end = &plugs->first;

	if (!p) {
		log_error("out of memory: a USB device is not known");
		return;
	}
	p->usb = *usb;
	p->instance = instances_next(plugs->manager->instances);
	p->verdict = rules_judge(plugs->manager->config->rules, usb, NULL);
	p->listed = true;
	while (*end)
		end = &(*end)->next;
	*end = p;
	plugs->count++;
	log_device(LOG_DEBUG, NULL, "attached", "USB %s: %s:%s %s (%s, %s)", usb->port, usb->vendor_id,
		   usb->product_id, usb->product, source, verdict_name(p->verdict));
	if (is_told(plugs, p))
		hotplug_usb(plugs->manager->hotplug, p, source);
}

static void detach(struct plugs *plugs, struct plug *p)
{
	struct plug **link = &plugs->first;

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	plugs->count--;
	log_device(LOG_DEBUG, NULL, "detached", "USB %s: %s:%s", p->usb.port, p->usb.vendor_id, p->usb.product_id);
	hotplug_usb_gone(plugs->manager->hotplug, p);
	manager_usb_gone(plugs->manager, p->usb.syspath);
	free(p);
}

/* It is there, as this says. */
static void present(struct plugs *plugs, const struct usbdev *usb, const char *source)
{
	struct plug *p = find(plugs, usb->syspath);

	if (p && usbdev_same(&p->usb, usb)) {
		p->listed = true;
		return;
	}
	/* Out and in again while nobody looked. */
	if (p)
		detach(plugs, p);
	attach(plugs, usb, source);
}

static void gone(struct plugs *plugs, const struct discovery_event *event)
{
	struct plug *p = find(plugs, event->syspath);

	if (!p)
		return;
	/* Of one that was gone before it could be looked at there is none. */
	if (p->usb.inode && usbdev_inode(event->syspath) == p->usb.inode)
		hotplug_usb_flap(plugs->manager->hotplug, p);
	else
		detach(plugs, p);
}

void plugs_prepare(struct plugs *plugs, const struct discovery_event *event)
{
	struct udev_device *dev;
	struct coming *c;

	forget_coming(plugs, event->syspath);
	c = plugs->coming_count < COMING_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c)
		return;
	dev = discovery_device(plugs->manager->discovery, event->syspath);
	if (dev && usbdev_from_udev(&c->usb, dev)) {
		c->next = plugs->coming;
		plugs->coming = c;
		plugs->coming_count++;
	} else {
		free(c);
	}
	udev_device_unref(dev);
}

/* Takes what was prepared, if it is still this one that is plugged in there. */
static bool take_prepared(struct plugs *plugs, const char *syspath, struct usbdev *usb)
{
	const struct coming *c = plugs->coming;
	bool same;

	while (c && strcmp(c->usb.syspath, syspath))
		c = c->next;
	if (!c)
		return false;
	same = c->usb.inode == usbdev_inode(syspath);
	if (same)
		*usb = c->usb;
	forget_coming(plugs, syspath);
	return same;
}

static void came(struct plugs *plugs, const struct discovery_event *event)
{
	struct udev_device *dev;
	struct usbdev usb;

	if (take_prepared(plugs, event->syspath, &usb)) {
		present(plugs, &usb, event->source);
		return;
	}
	dev = event->dev ? udev_device_ref(event->dev) :
	      discovery_device(plugs->manager->discovery, event->syspath);
	if (dev && usbdev_from_udev(&usb, dev)) {
		present(plugs, &usb, event->source);
	} else if (!strcmp(event->action, "add") && !find(plugs, event->syspath) && event->product) {
		/* Gone before it could be looked at: its removal follows, or a listing. */
		usbdev_from_event(&usb, event->syspath, event->product, event->bus, event->address);
		attach(plugs, &usb, event->source);
		manager_doubt(plugs->manager);
	}
	udev_device_unref(dev);
}

void plugs_event(struct plugs *plugs, const struct discovery_event *event)
{
	if (!strcmp(event->action, "remove")) {
		forget_coming(plugs, event->syspath);
		gone(plugs, event);
	} else {
		came(plugs, event);
	}
}

int plugs_reconcile(struct plugs *plugs)
{
	const char *source = plugs->manager->starting ? "start" : "list";
	struct plug *p, *next;
	struct usb_list list;

	if (discovery_list_usb(plugs->manager->discovery, &list))
		return -1;
	/* The events of some may have been lost; whatever comes now is read again. */
	forget_coming(plugs, NULL);
	for (p = plugs->first; p; p = p->next)
		p->listed = false;
	for (unsigned int i = 0; i < list.count; i++)
		present(plugs, &list.items[i], source);
	free(list.items);
	for (p = plugs->first; p; p = next) {
		next = p->next;
		if (!p->listed)
			detach(plugs, p);
	}
	return 0;
}

void plugs_judge(struct plugs *plugs)
{
	for (struct plug *p = plugs->first; p; p = p->next) {
		bool was_told = is_told(plugs, p);
		enum verdict before = p->verdict;

		p->verdict = rules_judge(plugs->manager->config->rules, &p->usb, NULL);
		if (p->verdict == before)
			continue;
		if (was_told)
			hotplug_usb_gone(plugs->manager->hotplug, p);
		if (is_told(plugs, p))
			hotplug_usb(plugs->manager->hotplug, p, "policy");
	}
}

const struct plug *plugs_at(struct plugs *plugs, const char *syspath)
{
	struct plug *p = find(plugs, syspath);
	struct udev_device *dev;
	struct usbdev usb;

	if (p && usbdev_inode(syspath) == p->usb.inode)
		return p;
	/* Its function's event came before its own. */
	dev = discovery_device(plugs->manager->discovery, syspath);
	if (dev && usbdev_from_udev(&usb, dev))
		present(plugs, &usb, discovery_source(plugs->manager->discovery));
	udev_device_unref(dev);
	return find(plugs, syspath);
}

unsigned int plugs_count(const struct plugs *plugs)
{
	return plugs->count;
}

const struct plug *plugs_next(const struct plugs *plugs, const struct plug *plug)
{
	const struct plug *p = plug ? plug->next : plugs->first;

	while (p && !is_told(plugs, p))
		p = p->next;
	return p;
}

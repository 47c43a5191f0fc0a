// SPDX-License-Identifier: GPL-2.0-only
/* USB devices that come and go, as events tell it; /sys has none of them. */

#include <libudev.h>
#include <stdlib.h>

#include "../../userspace/devringd/discovery.h"
#include "../../userspace/devringd/manager.h"
#include "tap.h"

static struct {
	unsigned int here, gone, flaps, doubts;
} got;

void hotplug_usb(struct hotplug *hotplug, const struct plug *plug, const char *source)
{
	(void)hotplug;
	(void)plug;
	(void)source;
	got.here++;
}

void hotplug_usb_gone(struct hotplug *hotplug, const struct plug *plug)
{
	(void)hotplug;
	(void)plug;
	got.gone++;
}

void hotplug_usb_flap(struct hotplug *hotplug, const struct plug *plug)
{
	(void)hotplug;
	(void)plug;
	got.flaps++;
}

void manager_usb_gone(struct manager *manager, const char *syspath)
{
	(void)manager;
	(void)syspath;
}

void manager_doubt(struct manager *manager)
{
	(void)manager;
	got.doubts++;
}

uint64_t instances_next(struct instances *instances)
{
	static uint64_t next;

	(void)instances;
	return ++next;
}

struct udev_device *discovery_device(struct discovery *discovery, const char *syspath)
{
	(void)discovery;
	(void)syspath;
	return NULL;
}

int discovery_list_usb(struct discovery *discovery, struct usb_list *list)
{
	(void)discovery;
	memset(list, 0, sizeof(*list));
	return 0;
}

const char *discovery_source(const struct discovery *discovery)
{
	(void)discovery;
	return "test";
}

static void tell(struct plugs *plugs, const char *action)
{
	struct discovery_event event = {
		.source = "kernel", .action = action, .subsystem = "usb", .syspath = "/sys/none/1-1",
		.product = "1d6b/104/100", .bus = 1, .address = 7,
	};

	plugs_event(plugs, &event);
}

int main(void)
{
	struct config config = { .usb_events = true, .rules = rules_new() };
	struct manager manager = { .config = &config };
	struct plugs *plugs = plugs_new(&manager);

	tell(plugs, "add");
	OK(got.here == 1 && plugs_count(plugs) == 1, "gone before it could be looked at: told as its event has it");
	OK(got.doubts == 1, "and all is listed soon");
	tell(plugs, "remove");
	OK(!got.flaps && got.gone == 1 && !plugs_count(plugs), "it goes when that is told");
	tell(plugs, "remove");
	OK(!got.flaps && got.gone == 1, "and once");
	tell(plugs, "add");
	plugs_reconcile(plugs);
	OK(got.gone == 2 && !plugs_count(plugs), "or when it is not listed");
	plugs_free(plugs);
	rules_free(config.rules);
	return tap_end();
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "udev.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "netlink.h"

struct discovery {
	struct discovery_calls calls;
	struct udev *udev;
	struct udev_monitor *monitor;
	struct netlink *netlink;
	sd_event_source *source;
};

static const char *const subsystems[] = { "video4linux", "sound" };
/* What we provide ourselves. */
static const char own[] = "devring";

static void tell(struct discovery *d, struct udev_device *dev)
{
	const char *action = udev_device_get_action(dev);
	const char *syspath = udev_device_get_syspath(dev);
	const char *subsystem = udev_device_get_subsystem(dev);

	if (subsystem && !strcmp(subsystem, own)) {
		if (action && !strcmp(action, "change"))
			d->calls.permissions(d->calls.user);
	} else if (action && syspath && !strcmp(action, "remove")) {
		d->calls.gone(d->calls.user, syspath);
	} else {
		d->calls.doubt(d->calls.user);
	}
}

static int on_monitor(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct discovery *d = user;
	struct udev_device *dev;

	(void)source;
	(void)fd;
	(void)revents;
	for (;;) {
		errno = 0;
		dev = udev_monitor_receive_device(d->monitor);
		if (!dev)
			break;
		tell(d, dev);
		udev_device_unref(dev);
	}
	if (errno == ENOBUFS) {
		log_info("udev's events came faster than they could be read; listing again");
		d->calls.doubt(d->calls.user);
		d->calls.permissions(d->calls.user);
	}
	return 0;
}

static int listen_to_udevd(struct discovery *d, sd_event *event)
{
	d->monitor = udev_monitor_new_from_netlink(d->udev, "udev");
	if (!d->monitor)
		return -1;
	for (size_t i = 0; i < sizeof(subsystems) / sizeof(*subsystems); i++)
		if (udev_monitor_filter_add_match_subsystem_devtype(d->monitor, subsystems[i],
								    NULL) < 0)
			return -1;
	if (udev_monitor_filter_add_match_subsystem_devtype(d->monitor, own, NULL) < 0)
		return -1;
	/* More room needs a capability; without it a flood ends in ENOBUFS, and a new listing. */
	udev_monitor_set_receive_buffer_size(d->monitor, 1 << 20);
	if (udev_monitor_enable_receiving(d->monitor) < 0)
		return -1;
	return sd_event_add_io(event, &d->source, udev_monitor_get_fd(d->monitor), EPOLLIN,
			       on_monitor, d);
}

struct discovery *discovery_open(sd_event *event, const struct discovery_calls *calls)
{
	struct discovery *d = calloc(1, sizeof(*d));
	int error;

	if (!d)
		return NULL;
	d->calls = *calls;
	d->udev = udev_new();
	if (!d->udev)
		goto bad;
	if (!access("/run/udev/control", F_OK)) {
		if (listen_to_udevd(d, event) < 0)
			goto bad;
	} else {
		d->netlink = netlink_open(event, calls);
		if (!d->netlink)
			goto bad;
	}
	return d;
bad:
	error = errno;
	discovery_close(d);
	errno = error;
	return NULL;
}

void discovery_close(struct discovery *d)
{
	if (!d)
		return;
	sd_event_source_disable_unref(d->source);
	netlink_close(d->netlink);
	if (d->monitor)
		udev_monitor_unref(d->monitor);
	if (d->udev)
		udev_unref(d->udev);
	free(d);
}

bool discovery_has_udevd(const struct discovery *d)
{
	return d->monitor;
}

int discovery_list(struct discovery *d, struct hardware_list *list)
{
	struct udev_enumerate *all = udev_enumerate_new(d->udev);
	struct udev_list_entry *entry;
	struct hardware hw;
	int error = 0;

	memset(list, 0, sizeof(*list));
	if (!all)
		return -1;
	for (size_t i = 0; i < sizeof(subsystems) / sizeof(*subsystems) && !error; i++)
		error = udev_enumerate_add_match_subsystem(all, subsystems[i]) < 0;
	if (!error)
		error = udev_enumerate_scan_devices(all) < 0;
	if (error) {
		udev_enumerate_unref(all);
		return -1;
	}
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all)) {
		struct udev_device *dev =
			udev_device_new_from_syspath(d->udev, udev_list_entry_get_name(entry));

		if (!dev)
			continue;
		if (hardware_from_udev(&hw, dev, d->monitor) && hardware_add(list, &hw))
			error = -1;
		udev_device_unref(dev);
	}
	udev_enumerate_unref(all);
	if (error)
		hardware_free(list);
	else
		hardware_sort(list);
	return error;
}

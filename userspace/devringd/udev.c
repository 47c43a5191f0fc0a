// SPDX-License-Identifier: GPL-2.0-or-later
#include "udev.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#include "discovery.h"

struct udev_source {
	struct source_calls calls;
	struct udev_monitor *monitor;
	sd_event_source *io;
};

static const struct {
	const char *subsystem, *devtype;
} wanted[] = {
	{ "usb", "usb_device" }, { "video4linux", NULL }, { "sound", NULL }, { "devring", NULL },
};

static unsigned int number(struct udev_device *dev, const char *key)
{
	const char *value = udev_device_get_property_value(dev, key);

	return value ? strtoul(value, NULL, 10) : 0;
}

static void tell(struct udev_source *s, struct udev_device *dev)
{
	struct discovery_event event = {
		.source = "udev",
		.action = udev_device_get_action(dev),
		.subsystem = udev_device_get_subsystem(dev),
		.syspath = udev_device_get_syspath(dev),
		.seqnum = udev_device_get_seqnum(dev),
		.dev = dev,
		.product = udev_device_get_property_value(dev, "PRODUCT"),
		.bus = number(dev, "BUSNUM"),
		.address = number(dev, "DEVNUM"),
	};

	if (event.action && event.subsystem && event.syspath)
		s->calls.event(s->calls.user, &event);
}

static int on_monitor(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct udev_source *s = user;
	struct udev_device *dev;

	(void)source;
	(void)fd;
	errno = 0;
	/* One at a time: what it changed is published before the next, and frames flow during a storm. */
	dev = udev_monitor_receive_device(s->monitor);
	if (dev) {
		tell(s, dev);
		udev_device_unref(dev);
		return 0;
	}
	if (errno == ENOBUFS)
		s->calls.overflow(s->calls.user);
	else if (errno && errno != EAGAIN && errno != EINTR)
		s->calls.failed(s->calls.user, errno);
	else if (revents & EPOLLHUP)
		s->calls.failed(s->calls.user, EPIPE);
	return 0;
}

static int listen_to(struct udev_source *s, sd_event *event, unsigned int buffer)
{
	int error;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (udev_monitor_filter_add_match_subsystem_devtype(s->monitor, wanted[i].subsystem,
								    wanted[i].devtype) < 0)
			return -EIO;
	/* More room needs a capability; without it a flood ends in ENOBUFS, and a new listing. */
	udev_monitor_set_receive_buffer_size(s->monitor, (int)buffer);
	error = udev_monitor_enable_receiving(s->monitor);
	if (error < 0)
		return error;
	return sd_event_add_io(event, &s->io, udev_monitor_get_fd(s->monitor), EPOLLIN, on_monitor, s);
}

struct udev_source *udev_source_open(sd_event *event, struct udev *udev, unsigned int buffer,
				     const struct source_calls *calls)
{
	struct udev_source *s = calloc(1, sizeof(*s));
	int error = -ENOMEM;

	if (!s)
		return NULL;
	s->calls = *calls;
	s->monitor = udev_monitor_new_from_netlink(udev, "udev");
	if (s->monitor)
		error = listen_to(s, event, buffer);
	if (error >= 0)
		return s;
	udev_source_close(s);
	errno = -error;
	return NULL;
}

void udev_source_close(struct udev_source *s)
{
	if (!s)
		return;
	sd_event_source_disable_unref(s->io);
	if (s->monitor)
		udev_monitor_unref(s->monitor);
	free(s);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "usbwatch.h"

#include <errno.h>
#include <libusb-1.0/libusb.h>
#include <stdlib.h>

#include "discovery.h"
#include "log.h"

#define POLLFDS	8

/* libusb finds devices in a thread of its own, and tells by descriptors that wake our loop. */
struct usbwatch {
	struct source_calls calls;
	sd_event *event;
	libusb_context *context;
	libusb_hotplug_callback_handle handle;
	struct {
		int fd;
		sd_event_source *io;
	} polled[POLLFDS];
};

/* The device is not opened here: that would be too early. */
static int LIBUSB_CALL on_device(libusb_context *context, libusb_device *device,
				 libusb_hotplug_event what, void *user)
{
	struct usbwatch *w = user;

	(void)context;
	(void)device;
	(void)what;
	w->calls.overflow(w->calls.user);
	return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct usbwatch *w = user;
	struct timeval now = { 0, 0 };

	(void)source;
	(void)fd;
	(void)revents;
	if (libusb_handle_events_timeout_completed(w->context, &now, NULL))
		w->calls.failed(w->calls.user, EIO);
	return 0;
}

static void LIBUSB_CALL add(int fd, short events, void *user)
{
	struct usbwatch *w = user;

	for (int i = 0; i < POLLFDS; i++) {
		if (w->polled[i].io)
			continue;
		w->polled[i].fd = fd;
		if (sd_event_add_io(w->event, &w->polled[i].io, fd, (uint32_t)events, on_readable, w) < 0)
			log_warn("cannot follow what libusb finds");
		return;
	}
}

static void LIBUSB_CALL take_away(int fd, void *user)
{
	struct usbwatch *w = user;

	for (int i = 0; i < POLLFDS; i++)
		if (w->polled[i].io && w->polled[i].fd == fd)
			w->polled[i].io = sd_event_source_disable_unref(w->polled[i].io);
}

struct usbwatch *usbwatch_open(sd_event *event, const struct source_calls *calls)
{
	struct usbwatch *w = calloc(1, sizeof(*w));
	const struct libusb_pollfd **fds;

	if (!w)
		return NULL;
	w->calls = *calls;
	w->event = event;
	if (libusb_init(&w->context))
		w->context = NULL;
	if (!w->context || !libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG) ||
	    libusb_hotplug_register_callback(w->context, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED |
					     LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0,
					     LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
					     LIBUSB_HOTPLUG_MATCH_ANY, on_device, w, &w->handle)) {
		usbwatch_close(w);
		errno = EIO;
		return NULL;
	}
	fds = libusb_get_pollfds(w->context);
	for (int i = 0; fds && fds[i]; i++)
		add(fds[i]->fd, fds[i]->events, w);
	libusb_free_pollfds(fds);
	libusb_set_pollfd_notifiers(w->context, add, take_away, w);
	return w;
}

void usbwatch_close(struct usbwatch *w)
{
	if (!w)
		return;
	for (int i = 0; i < POLLFDS; i++)
		sd_event_source_disable_unref(w->polled[i].io);
	if (w->context) {
		libusb_set_pollfd_notifiers(w->context, NULL, NULL, NULL);
		libusb_exit(w->context);
	}
	free(w);
}

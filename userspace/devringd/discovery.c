// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sources, and which of them counts.
 *
 * The kernel's events come first, udevd's when names and permissions are set; both have the kernel's
 * number.  While udevd passes on what the kernel told, a device counts when udevd said so, and is gone
 * when the kernel said so.  When udevd keeps silent about something for a while, or has ended, the
 * kernel's word counts alone, until udevd is heard again.  Every change of the source, every overflow,
 * and every jump of the clock (which is what a suspend looks like) is a doubt: all is listed again.
 */
#include "discovery.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "netlink.h"
#include "udev.h"
#include "usbdev.h"
#include "usbwatch.h"

#define UDEV_FOLDER	"/run/udev"
#define UDEV_CONTROL	"control"
#define RETRY_MS	1000
#define RETRY_MAX_MS	30000

enum source_id { UDEV, KERNEL, LIBUSB, SOURCES };

static const char *const source_names[SOURCES] = { "udev", "kernel", "libusb" };

struct slot {
	struct discovery *discovery;
	enum source_id id;
	bool wanted, failed;
	unsigned int retry_ms;		/* after the next failure */
};

struct discovery {
	struct discovery_calls calls;
	sd_event *event;
	struct udev *udev;
	struct slot slots[SOURCES];
	struct udev_source *monitor;
	struct netlink *netlink;
	struct usbwatch *usbwatch;
	unsigned int buffer, udev_timeout_ms, poll_ms;
	bool udevd;			/* it runs, and passes events on */
	uint64_t seen;			/* the newest event of the kernel */
	uint64_t passed;		/* the newest that udevd passed on, which may be read first */
	bool lost;			/* some that udevd passed on were not read: it owes none of until now */
	uint64_t handled;		/* up to here the kernel's word counted alone */
	sd_event_source *silence, *retry, *poll, *folder, *clock;
	int clock_fd;
	const char *told;		/* the source that the log has */
};

static void balance(struct discovery *d);

static int arm(struct discovery *d, sd_event_source **timer, unsigned int ms, sd_event_time_handler_t call)
{
	int error;

	if (!*timer)
		error = sd_event_add_time_relative(d->event, timer, CLOCK_MONOTONIC, ms * 1000ull, 1000, call, d);
	else
		error = sd_event_source_set_time_relative(*timer, ms * 1000ull);
	if (error >= 0)
		error = sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
	if (error < 0)
		log_error("no timer: %s", strerror(-error));
	return error;
}

static void disarm(sd_event_source *timer)
{
	if (timer)
		sd_event_source_set_enabled(timer, SD_EVENT_OFF);
}

static bool is_armed(sd_event_source *timer)
{
	int enabled = SD_EVENT_OFF;

	if (timer)
		sd_event_source_get_enabled(timer, &enabled);
	return enabled != SD_EVENT_OFF;
}

const char *discovery_source(const struct discovery *d)
{
	if (d->monitor && d->udevd)
		return source_names[UDEV];
	if (d->netlink)
		return source_names[KERNEL];
	return d->usbwatch ? source_names[LIBUSB] : "poll";
}

bool discovery_trusts_udevd(const struct discovery *d)
{
	return d->udevd && (d->monitor || d->usbwatch);
}

static void doubt(struct discovery *d)
{
	d->calls.doubt(d->calls.user);
}

/* ---- udevd comes and goes ---- */

/* What it passed on may be lost, and how much of it cannot be known. */
static void excuse_udevd(struct discovery *d)
{
	d->passed = d->seen;
	d->lost = true;
	disarm(d->silence);
}

static void set_udevd(struct discovery *d, bool lives, const char *reason)
{
	if (d->udevd == lives)
		return;
	d->udevd = lives;
	d->passed = d->seen;
	disarm(d->silence);
	/* What udevd has not passed on until now is listed. */
	if (!lives)
		d->handled = d->seen;
	d->calls.health(d->calls.user, "udevd", lives ? NULL : reason);
	balance(d);
	doubt(d);
	if (lives)
		d->calls.permissions(d->calls.user);
}

static int on_silence(sd_event_source *source, uint64_t usec, void *user)
{
	struct discovery *d = user;

	(void)source;
	(void)usec;
	if (d->lost)
		d->passed = d->seen;
	d->lost = false;
	if (d->passed < d->seen)
		set_udevd(d, false, "udevd does not pass on what the kernel tells");
	return 0;
}

static void await_udevd(struct discovery *d)
{
	if (arm(d, &d->silence, d->udev_timeout_ms, on_silence) < 0)
		return;
	/* What there is to be read is read first: it may have been this daemon that was stopped. */
	sd_event_source_set_priority(d->silence, SD_EVENT_PRIORITY_NORMAL + 1);
}

static int on_folder(sd_event_source *source, const struct inotify_event *event, void *user)
{
	struct discovery *d = user;

	(void)source;
	if (!event->len || strcmp(event->name, UDEV_CONTROL))
		return 0;
	if (event->mask & IN_CREATE)
		set_udevd(d, true, NULL);
	else
		set_udevd(d, false, "udevd has ended");
	return 0;
}

/* ---- What the sources tell ---- */

static void on_udev(void *user, const struct discovery_event *event)
{
	struct slot *slot = user;
	struct discovery *d = slot->discovery;

	/* Not by the word of others who may write to that group: libudev takes root's alone. */
	set_udevd(d, true, NULL);
	slot->retry_ms = RETRY_MS;
	if (!strcmp(event->subsystem, "devring")) {
		if (!strcmp(event->action, "change"))
			d->calls.permissions(d->calls.user);
		return;
	}
	if (event->seqnum > d->passed)
		d->passed = event->seqnum;
	if (d->passed >= d->seen) {
		d->lost = false;
		disarm(d->silence);
	} else {
		await_udevd(d);
	}
	/* The kernel has told that already. */
	if (event->seqnum <= d->handled) {
		doubt(d);
		return;
	}
	if (!strcmp(event->action, "remove") && d->netlink && event->seqnum <= d->seen)
		return;
	d->calls.event(d->calls.user, event);
}

static void on_kernel(void *user, const struct discovery_event *event)
{
	struct slot *slot = user;
	struct discovery *d = slot->discovery;

	slot->retry_ms = RETRY_MS;
	d->seen = event->seqnum;
	if (!discovery_trusts_udevd(d)) {
		d->handled = event->seqnum;
		d->calls.event(d->calls.user, event);
		return;
	}
	if (d->monitor && d->passed < d->seen && !is_armed(d->silence))
		await_udevd(d);
	/* What is gone needs no permissions. */
	if (!strcmp(event->action, "remove"))
		d->calls.event(d->calls.user, event);
	else if (!d->monitor)
		doubt(d);
	else if (!strcmp(event->action, "add") && d->passed < d->seen)
		d->calls.coming(d->calls.user, event);
}

static void on_overflow(void *user)
{
	struct slot *slot = user;
	struct discovery *d = slot->discovery;

	if (slot->id != LIBUSB) {
		log_device(LOG_INFO, NULL, "overflow", "the events of %s came faster than they could be read; "
			   "listing again", source_names[slot->id]);
		d->calls.overflow(d->calls.user);
	}
	slot->retry_ms = RETRY_MS;
	doubt(d);
	if (slot->id != UDEV)
		return;
	excuse_udevd(d);
	d->calls.permissions(d->calls.user);
}

/* ---- Opening and closing ---- */

static void close_source(struct discovery *d, enum source_id id)
{
	switch (id) {
	case UDEV:
		udev_source_close(d->monitor);
		d->monitor = NULL;
		break;
	case KERNEL:
		netlink_close(d->netlink);
		d->netlink = NULL;
		break;
	default:
		usbwatch_close(d->usbwatch);
		d->usbwatch = NULL;
		break;
	}
}

static int on_retry(sd_event_source *source, uint64_t usec, void *user)
{
	struct discovery *d = user;

	(void)source;
	(void)usec;
	for (int i = 0; i < SOURCES; i++)
		d->slots[i].failed = false;
	balance(d);
	doubt(d);
	return 0;
}

static void give_up(struct slot *slot, int error)
{
	struct discovery *d = slot->discovery;

	slot->failed = true;
	log_device(LOG_WARNING, NULL, "source-failed", "the source %s cannot be used (%s); trying again in %u ms",
		   source_names[slot->id], strerror(error), slot->retry_ms);
	d->calls.health(d->calls.user, source_names[slot->id], strerror(error));
	if (is_armed(d->retry))
		return;
	arm(d, &d->retry, slot->retry_ms, on_retry);
	slot->retry_ms = 2 * slot->retry_ms < RETRY_MAX_MS ? 2 * slot->retry_ms : RETRY_MAX_MS;
}

static void on_failed(void *user, int error)
{
	struct slot *slot = user;

	close_source(slot->discovery, slot->id);
	give_up(slot, error);
	balance(slot->discovery);
	doubt(slot->discovery);
}

static bool is_open(const struct discovery *d, enum source_id id)
{
	return id == UDEV ? !!d->monitor : id == KERNEL ? !!d->netlink : !!d->usbwatch;
}

static void open_source(struct discovery *d, enum source_id id)
{
	struct slot *slot = &d->slots[id];
	struct source_calls calls = {
		.event = id == UDEV ? on_udev : on_kernel, .overflow = on_overflow, .failed = on_failed,
		.user = slot,
	};

	errno = 0;
	/* Until now nothing was read of what udevd passed on; at the start nothing was to be. */
	if (id == UDEV && d->told)
		excuse_udevd(d);
	if (id == UDEV)
		d->monitor = udev_source_open(d->event, d->udev, d->buffer, &calls);
	else if (id == KERNEL)
		d->netlink = netlink_open(d->event, d->buffer, &calls);
	else
		d->usbwatch = usbwatch_open(d->event, &calls);
	if (is_open(d, id))
		d->calls.health(d->calls.user, source_names[id], NULL);
	else
		give_up(slot, errno);
}

static int on_poll(sd_event_source *source, uint64_t usec, void *user)
{
	struct discovery *d = user;

	(void)source;
	(void)usec;
	doubt(d);
	return arm(d, &d->poll, d->poll_ms, on_poll);
}

static void balance_source(struct discovery *d, enum source_id id)
{
	struct slot *slot = &d->slots[id];
	/* libusb costs a thread: while udev's own socket does it would tell nothing new. */
	bool wanted = slot->wanted && (id != LIBUSB || !d->monitor);

	if (!wanted) {
		close_source(d, id);
		slot->failed = false;
		slot->retry_ms = RETRY_MS;
		d->calls.health(d->calls.user, source_names[id], NULL);
	} else if (!slot->failed && !is_open(d, id)) {
		open_source(d, id);
	}
}

/* Opens what is wanted, and what stands by for it; tells when another source counts. */
static void balance(struct discovery *d)
{
	const char *now;

	for (enum source_id i = 0; i < SOURCES; i++)
		balance_source(d, i);
	now = discovery_source(d);
	if (d->told && !strcmp(d->told, now))
		return;
	log_device(LOG_INFO, NULL, "source", "hardware is found by: %s", now);
	d->told = now;
	/* libusb knows USB devices alone, and udev's socket is silent without udevd. */
	if (d->netlink || (d->monitor && d->udevd))
		disarm(d->poll);
	else
		arm(d, &d->poll, d->poll_ms, on_poll);
}

void discovery_configure(struct discovery *d, const struct config *config)
{
	bool another = d->buffer && d->buffer != config->receive_buffer;

	d->buffer = config->receive_buffer;
	d->udev_timeout_ms = config->udev_timeout_ms;
	d->poll_ms = config->poll_ms;
	d->slots[UDEV].wanted = config->sources & CONFIG_SOURCE_UDEV;
	d->slots[KERNEL].wanted = config->sources & CONFIG_SOURCE_KERNEL;
	d->slots[LIBUSB].wanted = config->sources & CONFIG_SOURCE_LIBUSB;
	if (another) {
		close_source(d, UDEV);
		close_source(d, KERNEL);
	}
	balance(d);
	if (another)
		doubt(d);
}

/* ---- The clock ---- */

static int set_clock(struct discovery *d)
{
	/* Never due; but it is cancelled when the clock is set, and a resume sets it. */
	struct itimerspec far = { .it_value.tv_sec = INT64_C(1) << 40 };

	return timerfd_settime(d->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static int on_clock(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct discovery *d = user;
	uint64_t count;

	(void)source;
	(void)revents;
	if (read(fd, &count, sizeof(count)) < 0 && errno != ECANCELED)
		return 0;
	set_clock(d);
	log_device(LOG_INFO, NULL, "clock", "the clock was set, or the machine slept; listing again");
	doubt(d);
	d->calls.permissions(d->calls.user);
	return 0;
}

static void watch_clock(struct discovery *d)
{
	d->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (d->clock_fd < 0 || set_clock(d) ||
	    sd_event_add_io(d->event, &d->clock, d->clock_fd, EPOLLIN, on_clock, d) < 0)
		log_warn("it will not be seen when the machine slept");
}

/* ---- The whole ---- */

struct discovery *discovery_open(sd_event *event, const struct discovery_calls *calls,
				 const struct config *config)
{
	struct discovery *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->calls = *calls;
	d->event = event;
	d->clock_fd = -1;
	for (int i = 0; i < SOURCES; i++)
		d->slots[i] = (struct slot) { .discovery = d, .id = i, .retry_ms = RETRY_MS };
	d->udev = udev_new();
	if (!d->udev) {
		free(d);
		errno = ENOMEM;
		return NULL;
	}
	watch_clock(d);
	/* Where udevd was never started the folder is not there, and its first event will do. */
	if (sd_event_add_inotify(event, &d->folder, UDEV_FOLDER, IN_CREATE | IN_DELETE | IN_MOVED_TO |
				 IN_ONLYDIR, on_folder, d) < 0)
		d->folder = NULL;
	d->udevd = !access(UDEV_FOLDER "/" UDEV_CONTROL, F_OK);
	if (!d->udevd)
		log_info("no udevd runs here: using the kernel's own events");
	discovery_configure(d, config);
	return d;
}

void discovery_close(struct discovery *d)
{
	if (!d)
		return;
	for (enum source_id i = 0; i < SOURCES; i++)
		close_source(d, i);
	sd_event_source_disable_unref(d->silence);
	sd_event_source_disable_unref(d->retry);
	sd_event_source_disable_unref(d->poll);
	sd_event_source_disable_unref(d->folder);
	sd_event_source_disable_unref(d->clock);
	if (d->clock_fd >= 0)
		close(d->clock_fd);
	udev_unref(d->udev);
	free(d);
}

struct udev_device *discovery_device(struct discovery *d, const char *syspath)
{
	return udev_device_new_from_syspath(d->udev, syspath);
}

/* Calls each() for all devices of the subsystems, until it says -1. */
static int enumerate(struct discovery *d, const char *const *subsystems, const char *devtype,
		     int (*each)(struct discovery *d, struct udev_device *dev, void *list), void *list)
{
	struct udev_enumerate *all = udev_enumerate_new(d->udev);
	struct udev_list_entry *entry;
	int error = all ? 0 : -1;

	for (; !error && *subsystems; subsystems++)
		error = udev_enumerate_add_match_subsystem(all, *subsystems) < 0 ? -1 : 0;
	if (!error && devtype)
		error = udev_enumerate_add_match_property(all, "DEVTYPE", devtype) < 0 ? -1 : 0;
	if (!error)
		error = udev_enumerate_scan_devices(all) < 0 ? -1 : 0;
	for (entry = error ? NULL : udev_enumerate_get_list_entry(all); entry && !error;
	     entry = udev_list_entry_get_next(entry)) {
		struct udev_device *dev = discovery_device(d, udev_list_entry_get_name(entry));

		if (!dev)
			continue;
		error = each(d, dev, list);
		udev_device_unref(dev);
	}
	if (all)
		udev_enumerate_unref(all);
	return error;
}

static int add_hardware(struct discovery *d, struct udev_device *dev, void *user)
{
	struct hardware_list *list = user;
	struct hardware hw;

	switch (hardware_from_udev(&hw, dev, discovery_trusts_udevd(d))) {
	case HARDWARE_READY:
		return hardware_add(list, &hw);
	case HARDWARE_UNREADY:
		list->unready++;
		break;
	case HARDWARE_OTHER:
		break;
	}
	return 0;
}

int discovery_list(struct discovery *d, struct hardware_list *list)
{
	static const char *const subsystems[] = { "video4linux", "sound", NULL };

	memset(list, 0, sizeof(*list));
	if (enumerate(d, subsystems, NULL, add_hardware, list)) {
		hardware_free(list);
		return -1;
	}
	hardware_sort(list);
	return 0;
}

static int add_usb(struct discovery *d, struct udev_device *dev, void *user)
{
	struct usb_list *list = user;

	(void)d;
	if (list->count == list->size) {
		unsigned int size = list->size ? 2 * list->size : 16;
		struct usbdev *items = realloc(list->items, size * sizeof(*items));

		if (!items)
			return -1;
		list->items = items;
		list->size = size;
	}
	if (usbdev_from_udev(&list->items[list->count], dev))
		list->count++;
	return 0;
}

int discovery_list_usb(struct discovery *d, struct usb_list *list)
{
	static const char *const subsystems[] = { "usb", NULL };

	memset(list, 0, sizeof(*list));
	if (!enumerate(d, subsystems, "usb_device", add_usb, list))
		return 0;
	free(list->items);
	memset(list, 0, sizeof(*list));
	return -1;
}

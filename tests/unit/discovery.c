// SPDX-License-Identifier: GPL-2.0-only
/* Which source counts, what is said of one that fails, and when udevd is blamed: with sources that are none. */

#include <stdlib.h>
#include <string.h>

/* Its insides are looked at, too. */
#include "../../userspace/devringd/discovery.c"
#include "tap.h"

static struct source_calls udev_calls, kernel_calls, libusb_calls;
static int broken[SOURCES];

static void *opened(enum source_id id, struct source_calls *to, const struct source_calls *calls)
{
	*to = *calls;
	errno = broken[id];
	return broken[id] ? NULL : malloc(1);
}

struct udev_source *udev_source_open(sd_event *event, struct udev *udev, unsigned int buffer,
				     const struct source_calls *calls)
{
	(void)event;
	(void)udev;
	(void)buffer;
	return opened(UDEV, &udev_calls, calls);
}

struct netlink *netlink_open(sd_event *event, unsigned int buffer, const struct source_calls *calls)
{
	(void)event;
	(void)buffer;
	return opened(KERNEL, &kernel_calls, calls);
}

struct usbwatch *usbwatch_open(sd_event *event, const struct source_calls *calls)
{
	(void)event;
	return opened(LIBUSB, &libusb_calls, calls);
}

void udev_source_close(struct udev_source *source)
{
	free(source);
}

void netlink_close(struct netlink *netlink)
{
	free(netlink);
}

void usbwatch_close(struct usbwatch *watch)
{
	free(watch);
}

/* What is told, and what health would say. */
static struct {
	char reasons[SOURCES + 1][64];
	unsigned int doubts;
} got;

static void on_health(void *user, const char *source, const char *reason)
{
	int i = 0;

	(void)user;
	while (i < SOURCES && strcmp(source_names[i], source))
		i++;
	snprintf(got.reasons[i], sizeof(got.reasons[i]), "%s", reason ? reason : "");
}

static void on_doubt(void *user)
{
	(void)user;
	got.doubts++;
}

static void on_event(void *user, const struct discovery_event *event)
{
	(void)user;
	(void)event;
}

static void on_anything(void *user)
{
	(void)user;
}

static const struct discovery_calls calls = {
	.event = on_event, .coming = on_event, .doubt = on_doubt, .permissions = on_anything,
	.overflow = on_anything, .health = on_health,
};

static struct config config = {
	.sources = CONFIG_SOURCE_UDEV | CONFIG_SOURCE_KERNEL | CONFIG_SOURCE_LIBUSB,
	.receive_buffer = 1024, .udev_timeout_ms = 3000, .poll_ms = 2000,
};

static struct discovery *begin(sd_event *event, unsigned int sources)
{
	struct discovery *d;

	memset(&got, 0, sizeof(got));
	memset(broken, 0, sizeof(broken));
	config.sources = sources;
	d = discovery_open(event, &calls, &config);
	if (!d)
		exit(1);
	set_udevd(d, true, NULL);
	return d;
}

static void tell(struct source_calls *to, const char *subsystem, uint64_t number)
{
	struct discovery_event event = {
		.source = "test", .action = "change", .subsystem = subsystem, .syspath = "/sys/none", .seqnum = number,
	};

	to->event(to->user, &event);
}

/* The udevd's time is over. */
static bool is_blamed(struct discovery *d)
{
	if (is_armed(d->silence))
		on_silence(d->silence, 0, d);
	return !d->udevd;
}

static void test_poll(sd_event *event)
{
	struct discovery *d = begin(event, CONFIG_SOURCE_LIBUSB);

	OK(is_armed(d->poll), "libusb alone: what is not on USB is looked for");
	same_text(discovery_source(d), "libusb", "by that name");
	discovery_close(d);
	d = begin(event, CONFIG_SOURCE_KERNEL | CONFIG_SOURCE_LIBUSB);
	OK(!is_armed(d->poll), "not when the kernel tells");
	discovery_close(d);
	d = begin(event, CONFIG_SOURCE_UDEV);
	OK(!is_armed(d->poll), "nor when udevd does");
	set_udevd(d, false, "test");
	OK(is_armed(d->poll), "but when that has ended and there is nothing else");
	set_udevd(d, true, NULL);
	OK(!is_armed(d->poll), "until it is back");
	discovery_close(d);
}

static void test_failures(sd_event *event)
{
	struct discovery *d = begin(event, CONFIG_SOURCE_UDEV | CONFIG_SOURCE_KERNEL | CONFIG_SOURCE_LIBUSB);

	OK(!d->usbwatch, "libusb stands by");
	broken[UDEV] = broken[LIBUSB] = EIO;
	udev_calls.failed(udev_calls.user, EIO);
	same_text(discovery_source(d), "kernel", "udev fails, and so does libusb");
	OK(*got.reasons[UDEV] && *got.reasons[LIBUSB], "health has both");
	OK(got.doubts && is_armed(d->retry), "all is listed, and it is tried again");
	broken[LIBUSB] = 0;
	on_retry(d->retry, 0, d);
	OK(d->usbwatch && !*got.reasons[LIBUSB], "libusb is back");
	broken[LIBUSB] = EIO;
	libusb_calls.failed(libusb_calls.user, EIO);
	OK(*got.reasons[LIBUSB], "and fails");
	broken[UDEV] = 0;
	on_retry(d->retry, 0, d);
	same_text(discovery_source(d), "udev", "udev is back");
	OK(!*got.reasons[UDEV] && !*got.reasons[LIBUSB], "of what is not wanted any more there is no complaint");
	broken[KERNEL] = EIO;
	kernel_calls.failed(kernel_calls.user, EIO);
	OK(*got.reasons[KERNEL], "the kernel's socket fails");
	config.sources = CONFIG_SOURCE_UDEV;
	discovery_configure(d, &config);
	OK(!*got.reasons[KERNEL], "until the configuration does not name it any more");
	discovery_close(d);
}

static void test_retries(sd_event *event)
{
	struct discovery *d = begin(event, CONFIG_SOURCE_UDEV | CONFIG_SOURCE_KERNEL);

	broken[UDEV] = EIO;
	udev_calls.failed(udev_calls.user, EIO);
	for (int i = 0; i < 10; i++) {
		disarm(d->retry);
		on_retry(d->retry, 0, d);
	}
	OK(d->slots[UDEV].retry_ms == RETRY_MAX_MS, "each time it is tried again later");
	OK(d->slots[KERNEL].retry_ms == RETRY_MS, "and others are not");
	broken[UDEV] = 0;
	disarm(d->retry);
	on_retry(d->retry, 0, d);
	OK(d->slots[UDEV].retry_ms == RETRY_MAX_MS, "that it can be opened is no success");
	tell(&udev_calls, "usb", 1);
	OK(d->slots[UDEV].retry_ms == RETRY_MS, "an event is: the next failure begins anew");
	discovery_close(d);
}

static void test_silence(sd_event *event)
{
	struct discovery *d = begin(event, CONFIG_SOURCE_UDEV | CONFIG_SOURCE_KERNEL);
	int64_t priority = 0;

	tell(&kernel_calls, "usb", 1);
	tell(&udev_calls, "usb", 1);
	OK(!is_armed(d->silence), "udevd has passed it on");
	tell(&kernel_calls, "usb", 2);
	sd_event_source_get_priority(d->silence, &priority);
	OK(is_armed(d->silence) && priority > SD_EVENT_PRIORITY_NORMAL, "its time is over when nothing is to be read");
	tell(&udev_calls, "devring", 3);
	OK(is_blamed(d), "it does not pass on a USB device, but what the kernel did not tell us");
	tell(&udev_calls, "usb", 4);
	OK(d->udevd, "it is heard again");
	tell(&kernel_calls, "usb", 5);
	udev_calls.overflow(udev_calls.user);
	OK(!is_blamed(d), "what was lost it may have passed on");
	/* The kernel's socket was not read before that. */
	tell(&kernel_calls, "usb", 6);
	tell(&kernel_calls, "usb", 9);
	tell(&udev_calls, "usb", 7);
	OK(!is_blamed(d), "also what the kernel's socket tells later");
	tell(&kernel_calls, "usb", 10);
	OK(is_blamed(d), "but not what comes then");
	tell(&udev_calls, "usb", 11);
	tell(&kernel_calls, "usb", 12);
	config.receive_buffer *= 2;
	discovery_configure(d, &config);
	OK(!is_blamed(d), "nor was read what came while its socket was closed");
	tell(&kernel_calls, "usb", 13);
	tell(&udev_calls, "usb", 13);
	tell(&kernel_calls, "usb", 14);
	OK(is_blamed(d), "and then it is awaited again");
	discovery_close(d);
}

int main(void)
{
	sd_event *event;

	if (sd_event_new(&event) < 0)
		return 1;
	test_poll(event);
	test_failures(event);
	test_retries(event);
	test_silence(event);
	sd_event_unref(event);
	return tap_end();
}

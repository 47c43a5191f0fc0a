// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb.h"

#include <errno.h>
#include <fcntl.h>
#include <libusb-1.0/libusb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static const char *speed_name(int speed)
{
	switch (speed) {
	case LIBUSB_SPEED_LOW:
		return "low";
	case LIBUSB_SPEED_FULL:
		return "full";
	case LIBUSB_SPEED_HIGH:
		return "high";
	case LIBUSB_SPEED_SUPER:
		return "super";
	case LIBUSB_SPEED_SUPER_PLUS:
		return "super+";
	default:
		return "unknown";
	}
}

static json_t *describe(const struct libusb_device_descriptor *d, const char *speed)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s}", "bcdUSB", d->bcdUSB,
			 "bDeviceClass", d->bDeviceClass, "bDeviceSubClass", d->bDeviceSubClass,
			 "bDeviceProtocol", d->bDeviceProtocol, "bMaxPacketSize0",
			 d->bMaxPacketSize0, "bcdDevice", d->bcdDevice, "bNumConfigurations",
			 d->bNumConfigurations, "speed", speed);
}

/* Without the right to write to the device the kernel's copy of its descriptors has to do. */
static json_t *from_sysfs(const struct hardware *hw)
{
	struct libusb_device_descriptor d = { 0 };
	unsigned char raw[LIBUSB_DT_DEVICE_SIZE];
	char path[320];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/descriptors", hw->usb_syspath);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return json_null();
	n = read(fd, raw, sizeof(raw));
	close(fd);
	if (n != sizeof(raw) || raw[1] != LIBUSB_DT_DEVICE)
		return json_null();
	d.bcdUSB = raw[2] | raw[3] << 8;
	d.bDeviceClass = raw[4];
	d.bDeviceSubClass = raw[5];
	d.bDeviceProtocol = raw[6];
	d.bMaxPacketSize0 = raw[7];
	d.bcdDevice = raw[12] | raw[13] << 8;
	d.bNumConfigurations = raw[17];
	return describe(&d, speed_name(LIBUSB_SPEED_UNKNOWN));
}

static json_t *from_device(libusb_device *dev)
{
	struct libusb_device_descriptor d;

	if (libusb_get_device_descriptor(dev, &d))
		return json_null();
	return describe(&d, speed_name(libusb_get_device_speed(dev)));
}

/*
 * libusb lives for this call alone, and looks at this one device: its own discovery would start a
 * thread and open every device.
 */
json_t *usb_details(const struct hardware *hw)
{
	libusb_context *context = NULL;
	libusb_device_handle *handle = NULL;
	json_t *result = NULL;
	char path[64];
	int fd, error;

	snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u", hw->usb_bus, hw->usb_address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		log_device(LOG_DEBUG, NULL, NULL, "%s: %s", path, strerror(errno));
		return from_sysfs(hw);
	}
	libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	error = libusb_init(&context);
	if (!error)
		error = libusb_wrap_sys_device(context, (intptr_t)fd, &handle);
	if (!error)
		result = from_device(libusb_get_device(handle));
	else
		log_device(LOG_DEBUG, NULL, NULL, "%s: %s", path, libusb_error_name(error));
	if (handle)
		libusb_close(handle);
	if (context)
		libusb_exit(context);
	close(fd);
	return result ? result : from_sysfs(hw);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "hardware.h"

#include <fcntl.h>
#include <libudev.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"
#include "usbdev.h"

static const char *attribute(struct udev_device *dev, const char *name)
{
	const char *value = dev ? udev_device_get_sysattr_value(dev, name) : NULL;

	return value ? value : "";
}

static const char *property(struct udev_device *dev, const char *name)
{
	const char *value = dev ? udev_device_get_property_value(dev, name) : NULL;

	return value ? value : "";
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void usb_facts(struct hardware *hw, struct udev_device *usb)
{
	hw->usb = true;
	text_copy(hw->usb_syspath, sizeof(hw->usb_syspath), or_empty(udev_device_get_syspath(usb)));
	text_id(hw->vendor_id, sizeof(hw->vendor_id), attribute(usb, "idVendor"));
	text_id(hw->product_id, sizeof(hw->product_id), attribute(usb, "idProduct"));
	hw->usb_bus = strtoul(attribute(usb, "busnum"), NULL, 10);
	hw->usb_address = strtoul(attribute(usb, "devnum"), NULL, 10);
	/* "1-2.3": bus and the ports on the way, as all know it from /sys/bus/usb/devices. */
	text_id(hw->usb_port, sizeof(hw->usb_port), or_empty(udev_device_get_sysname(usb)));
}

/*
 * What says "this one", the same at any port for what has a serial number: the USB numbers and the
 * serial number, else the place. One device can have several functions: part tells them apart.
 */
static void identify(struct hardware *hw, struct udev_device *dev, const char *part)
{
	struct udev_device *usb, *face, *parent;
	char serial[72], tail[48], text[512];
	const char *bus = NULL;

	usb = udev_device_get_parent_with_subsystem_devtype(dev, "usb", "usb_device");
	if (usb) {
		face = udev_device_get_parent_with_subsystem_devtype(dev, "usb", "usb_interface");
		usb_facts(hw, usb);
		text_id(serial, sizeof(serial), attribute(usb, "serial"));
		snprintf(text, sizeof(text), "usb-%s:%s-%s-%lu%s", hw->vendor_id, hw->product_id,
			 *serial ? serial : hw->usb_port,
			 strtoul(attribute(face, "bInterfaceNumber"), NULL, 16),
			 strcmp(part, "video0") ? part : "");
		text_id(hw->stable_id, sizeof(hw->stable_id), text);
	} else {
		/* The first ancestor that hangs on a bus. */
		for (parent = udev_device_get_parent(dev); parent;
		     parent = udev_device_get_parent(parent)) {
			bus = udev_device_get_subsystem(parent);
			if (bus && strcmp(bus, "sound"))
				break;
		}
		snprintf(text, sizeof(text), "%s-%s-%s", parent ? bus : "virtual",
			 or_empty(udev_device_get_sysname(parent ? parent : dev)), part);
		text_id(hw->stable_id, sizeof(hw->stable_id), text);
	}
	/* udev's words for the place, as in /dev/v4l/by-path; else ours. */
	text_id(tail, sizeof(tail), part);
	bus = property(dev, "ID_PATH");
	if (!*bus)
		bus = property(udev_device_get_parent(dev), "ID_PATH");
	if (*bus)
		snprintf(text, sizeof(text), "%s-%s", bus, tail);
	else if (usb)
		snprintf(text, sizeof(text), "usb-%s-%s", hw->usb_port, tail);
	else
		text_copy(text, sizeof(text), hw->stable_id);
	text_id(hw->path_id, sizeof(hw->path_id), text);
}

static enum hardware_kind query_captures(const char *node)
{
	struct v4l2_capability caps;
	enum hardware_kind kind = HARDWARE_OTHER;
	int fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	/* The node comes before its permissions, and may come before itself. */
	if (fd < 0)
		return HARDWARE_UNREADY;
	if (!ioctl(fd, VIDIOC_QUERYCAP, &caps)) {
		__u32 c = caps.capabilities & V4L2_CAP_DEVICE_CAPS ? caps.device_caps :
			  caps.capabilities;

		if (c & V4L2_CAP_VIDEO_CAPTURE && c & V4L2_CAP_STREAMING)
			kind = HARDWARE_READY;
	}
	close(fd);
	return kind;
}

/* A USB camera has a node for metadata too, which has no :capture:. */
static enum hardware_kind captures_video(struct udev_device *dev, const char *node)
{
	const char *caps = property(dev, "ID_V4L_CAPABILITIES");

	if (!*caps)
		return query_captures(node);
	return strstr(caps, ":capture:") ? HARDWARE_READY : HARDWARE_OTHER;
}

static enum hardware_kind camera(struct hardware *hw, struct udev_device *dev)
{
	const char *node = udev_device_get_devnode(dev), *name;
	enum hardware_kind kind;
	struct udev_device *usb;
	char part[32];

	if (!node)
		return HARDWARE_OTHER;
	kind = captures_video(dev, node);
	if (kind != HARDWARE_READY)
		return kind;
	hw->type = DEVRING_TYPE_CAMERA;
	text_copy(hw->node, sizeof(hw->node), node);
	snprintf(part, sizeof(part), "video%lu", strtoul(attribute(dev, "index"), NULL, 10));
	identify(hw, dev, part);
	usb = udev_device_get_parent_with_subsystem_devtype(dev, "usb", "usb_device");
	name = attribute(usb, "product");
	text_label(hw->label, sizeof(hw->label), *name ? name : attribute(dev, "name"));
	return HARDWARE_READY;
}

static void sound_label(struct hardware *hw, struct udev_device *dev, struct udev_device *card)
{
	struct udev_device *usb;
	const char *text = "";

	usb = udev_device_get_parent_with_subsystem_devtype(dev, "usb", "usb_device");
	if (usb)
		text = attribute(usb, "product");
	if (!*text)
		text = property(card, "ID_MODEL_FROM_DATABASE");
	if (!*text)
		text = attribute(card, "id");
	text_label(hw->label, sizeof(hw->label), text);
}

static enum hardware_kind sound(struct hardware *hw, struct udev_device *dev, bool udevd_runs)
{
	struct udev_device *card = udev_device_get_parent(dev);
	unsigned int card_number, number;
	char direction, end, part[32];

	if (sscanf(or_empty(udev_device_get_sysname(dev)), "pcmC%uD%u%c%c", &card_number, &number,
		   &direction, &end) != 3 || (direction != 'c' && direction != 'p') || !card)
		return HARDWARE_OTHER;
	/* Until udev has seen the last of its nodes the card may not be whole. */
	if (udevd_runs && strcmp(property(card, "SOUND_INITIALIZED"), "1"))
		return HARDWARE_UNREADY;
	hw->type = direction == 'c' ? DEVRING_TYPE_MICROPHONE : DEVRING_TYPE_SPEAKER;
	hw->loopback = !strncmp(attribute(card, "id"), "Loopback", 8);
	/* What enters a subdevice of one end comes out at the same of the other: stay with 0. */
	snprintf(hw->node, sizeof(hw->node), hw->loopback ? "hw:%u,%u,0" : "hw:%u,%u", card_number,
		 number);
	snprintf(part, sizeof(part), "pcm%u%c", number, direction);
	identify(hw, dev, part);
	sound_label(hw, dev, card);
	/* Of the cable's two ends device 1 is ours, and device 0 everybody else's. */
	return !hw->loopback || number == 1 ? HARDWARE_READY : HARDWARE_OTHER;
}

enum hardware_kind hardware_from_udev(struct hardware *hw, struct udev_device *dev, bool udevd_runs)
{
	const char *subsystem = or_empty(udev_device_get_subsystem(dev));
	const char *name = or_empty(udev_device_get_sysname(dev));
	struct udev_device *parent = udev_device_get_parent(dev);

	memset(hw, 0, sizeof(*hw));
	if (strncmp(name, "video", 5) && strncmp(name, "pcmC", 4))
		return HARDWARE_OTHER;
	if (udevd_runs && !udev_device_get_is_initialized(dev))
		return HARDWARE_UNREADY;
	if (!text_copy(hw->syspath, sizeof(hw->syspath), or_empty(udev_device_get_syspath(dev))))
		return HARDWARE_OTHER;
	hw->inode = usbdev_inode(hw->syspath);
	if (!hw->inode)
		return HARDWARE_OTHER;
	hw->number = udev_device_get_devnum(dev);
	for (; parent && !hw->driver[0]; parent = udev_device_get_parent(parent))
		text_label(hw->driver, sizeof(hw->driver), or_empty(udev_device_get_driver(parent)));
	if (!strcmp(subsystem, "video4linux"))
		return camera(hw, dev);
	if (!strcmp(subsystem, "sound"))
		return sound(hw, dev, udevd_runs);
	return HARDWARE_OTHER;
}

bool hardware_same(const struct hardware *a, const struct hardware *b)
{
	return a->type == b->type && a->number == b->number && a->usb_address == b->usb_address &&
	       a->inode == b->inode &&
	       !strcmp(a->syspath, b->syspath) && !strcmp(a->stable_id, b->stable_id);
}

int hardware_add(struct hardware_list *list, const struct hardware *hw)
{
	if (list->count == list->size) {
		unsigned int size = list->size ? 2 * list->size : 16;
		struct hardware *items = realloc(list->items, size * sizeof(*items));

		if (!items)
			return -1;
		list->items = items;
		list->size = size;
	}
	list->items[list->count++] = *hw;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct hardware *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return strverscmp(x->syspath, y->syspath);
}

bool hardware_stayed(const struct hardware *a, const struct hardware *b)
{
	return a->type == b->type && a->inode == b->inode && !strcmp(a->syspath, b->syspath);
}

/*
 * Two of the same make may have the same serial number. Who had the id before keeps it, or readers
 * would go on with another's data; else the later in the order of places is told apart by its place.
 */
void hardware_disambiguate(struct hardware_list *list)
{
	for (unsigned int i = 0; i < list->count; i++) {
		struct hardware *hw = &list->items[i];

		for (unsigned int j = 0; j < list->count && !hw->known; j++) {
			const struct hardware *other = &list->items[j];
			char text[2 * DEVRING_ID_SIZE];

			if (strcmp(hw->stable_id, other->stable_id) || (!other->known && j >= i))
				continue;
			snprintf(text, sizeof(text), "%s@%s", hw->stable_id, hw->path_id);
			text_id(hw->stable_id, sizeof(hw->stable_id), text);
			break;
		}
	}
}

void hardware_sort(struct hardware_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
}

void hardware_free(struct hardware_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}

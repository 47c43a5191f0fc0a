// SPDX-License-Identifier: GPL-2.0-or-later
#include "usbdev.h"

#include <fcntl.h>
#include <gcrypt.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define DESCRIPTOR_DEVICE	1
#define DESCRIPTOR_INTERFACE	4

static const struct {
	uint8_t class;
	const char *name;
} classes[] = {
	{ 0x01, "audio" }, { 0x02, "cdc" }, { 0x03, "hid" }, { 0x05, "physical" },
	{ 0x06, "image" }, { 0x07, "printer" }, { 0x08, "storage" }, { 0x09, "hub" },
	{ 0x0a, "cdc-data" }, { 0x0b, "smartcard" }, { 0x0e, "video" }, { 0x0f, "health" },
	{ 0xdc, "diagnostic" }, { 0xe0, "wireless" }, { 0xef, "miscellaneous" },
	{ 0xfe, "application" }, { 0xff, "vendor" },
};

const char *usbdev_class_name(uint8_t class, char *buf)
{
	snprintf(buf, 16, "class-%02x", class);
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (classes[i].class == class)
			text_copy(buf, 16, classes[i].name);
	return buf;
}

int usbdev_class_from_name(const char *name)
{
	unsigned int class;
	char end;

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (!strcmp(classes[i].name, name))
			return classes[i].class;
	if (!strncmp(name, "class-", 6))
		name += 6;
	if (strlen(name) == 2 && sscanf(name, "%2x%c", &class, &end) == 1)
		return class;
	return -1;
}

bool usbdev_has_class(const struct usbdev *usb, uint8_t class)
{
	if (usb->descriptor[0] && usb->descriptor[4] == class)
		return true;
	for (unsigned int i = 0; i < usb->interfaces_count; i++)
		if (usb->interfaces[i][0] == class)
			return true;
	return false;
}

const char *usbdev_class(const struct usbdev *usb, unsigned int n, char *buf)
{
	for (unsigned int class = 1; class < 256; class++)
		if (usbdev_has_class(usb, class) && !n--)
			return usbdev_class_name(class, buf);
	return NULL;
}

ino_t usbdev_inode(const char *syspath)
{
	char path[300];
	struct stat st;

	/* The kernel takes this file away before it tells that the device goes. */
	snprintf(path, sizeof(path), "%s/uevent", syspath);
	if (access(path, F_OK) || stat(syspath, &st))
		return 0;
	return st.st_ino;
}

/* As other tools compute it: it is compatible, and tells nothing that the fields do not. */
static void sign(struct usbdev *usb)
{
	unsigned char digest[32];
	char text[48];
	int n = snprintf(text, sizeof(text), "%s:%s:%u:%u", usb->vendor_id, usb->product_id, usb->bus,
			 usb->address);

	gcry_md_hash_buffer(GCRY_MD_SHA256, digest, text, (size_t)n);
	for (unsigned int i = 0; i < (USBDEV_SIGNATURE - 1) / 2; i++)
		snprintf(usb->signature + 2 * i, 3, "%02x", digest[i]);
}

static void add_interface(struct usbdev *usb, const uint8_t *triple)
{
	for (unsigned int i = 0; i < usb->interfaces_count; i++)
		if (!memcmp(usb->interfaces[i], triple, 3))
			return;
	if (usb->interfaces_count < USBDEV_INTERFACES)
		memcpy(usb->interfaces[usb->interfaces_count++], triple, 3);
}

/* What the device told of itself, as it told it: each length may be a lie. */
static void read_descriptors(struct usbdev *usb)
{
	uint8_t raw[4096];
	char path[300];
	ssize_t size = 0, n;
	int fd;

	snprintf(path, sizeof(path), "%s/descriptors", usb->syspath);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (size < (ssize_t)sizeof(raw) &&
	       (n = read(fd, raw + size, sizeof(raw) - (size_t)size)) > 0)
		size += n;
	close(fd);
	if (size < 18 || raw[0] < 18 || raw[1] != DESCRIPTOR_DEVICE)
		return;
	memcpy(usb->descriptor, raw, 18);
	usb->descriptor[0] = 18;
	for (ssize_t at = 18; at + 2 <= size && raw[at] >= 2; at += raw[at])
		if (raw[at + 1] == DESCRIPTOR_INTERFACE && raw[at] >= 9 && at + 9 <= size)
			add_interface(usb, raw + at + 5);
}

static const char *attribute(struct udev_device *dev, const char *name)
{
	const char *value = udev_device_get_sysattr_value(dev, name);

	return value ? value : "";
}

bool usbdev_from_udev(struct usbdev *usb, struct udev_device *dev)
{
	const char *type = udev_device_get_devtype(dev), *path = udev_device_get_syspath(dev);
	const char *name = udev_device_get_sysname(dev);

	memset(usb, 0, sizeof(*usb));
	if (!type || strcmp(type, "usb_device") || !path || !name ||
	    !text_copy(usb->syspath, sizeof(usb->syspath), path))
		return false;
	usb->inode = usbdev_inode(path);
	text_id(usb->port, sizeof(usb->port), name);
	text_id(usb->vendor_id, sizeof(usb->vendor_id), attribute(dev, "idVendor"));
	text_id(usb->product_id, sizeof(usb->product_id), attribute(dev, "idProduct"));
	usb->bus = strtoul(attribute(dev, "busnum"), NULL, 10);
	usb->address = strtoul(attribute(dev, "devnum"), NULL, 10);
	if (!usb->inode || !*usb->vendor_id || !*usb->product_id || !usb->address)
		return false;
	text_label(usb->manufacturer, sizeof(usb->manufacturer), attribute(dev, "manufacturer"));
	text_label(usb->product, sizeof(usb->product), attribute(dev, "product"));
	text_label(usb->serial, sizeof(usb->serial), attribute(dev, "serial"));
	text_label(usb->speed, sizeof(usb->speed), attribute(dev, "speed"));
	read_descriptors(usb);
	sign(usb);
	return true;
}

void usbdev_from_event(struct usbdev *usb, const char *syspath, const char *product, unsigned int bus,
		       unsigned int address)
{
	const char *name = strrchr(syspath, '/');
	unsigned int vendor_id = 0, product_id = 0;

	memset(usb, 0, sizeof(*usb));
	text_copy(usb->syspath, sizeof(usb->syspath), syspath);
	text_id(usb->port, sizeof(usb->port), name ? name + 1 : syspath);
	if (product)
		sscanf(product, "%4x/%4x/", &vendor_id, &product_id);
	snprintf(usb->vendor_id, sizeof(usb->vendor_id), "%04x", vendor_id & 0xffff);
	snprintf(usb->product_id, sizeof(usb->product_id), "%04x", product_id & 0xffff);
	usb->bus = bus;
	usb->address = address;
	sign(usb);
}

bool usbdev_same(const struct usbdev *a, const struct usbdev *b)
{
	return a->bus == b->bus && a->address == b->address && a->inode == b->inode &&
	       !strcmp(a->vendor_id, b->vendor_id) && !strcmp(a->product_id, b->product_id) &&
	       !strcmp(a->syspath, b->syspath);
}

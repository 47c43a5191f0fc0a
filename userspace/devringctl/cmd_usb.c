// SPDX-License-Identifier: GPL-2.0-or-later
/* usb list: the USB devices, as the kernel shows them. */

#include <errno.h>
#include <libudev.h>
#include <string.h>
#include <unistd.h>

#include "../devringd/usbdev.h"
#include "cli.h"
#include "table.h"
#include "text.h"

#define COLUMNS	7

static const char *const header[COLUMNS] = {
	"PORT", "ID", "MBIT/S", "CLASSES", "MANUFACTURER", "PRODUCT", "SERIAL",
};

/* A serial number tells machines and people apart: it is for who may use the device. */
static bool may_open(const struct usbdev *usb)
{
	char node[64];

	snprintf(node, sizeof(node), "/dev/bus/usb/%03u/%03u", usb->bus, usb->address);
	return !access(node, R_OK | W_OK);
}

static void add_row(struct table *table, const struct usbdev *usb)
{
	char text[160] = "", buf[16];
	const char *class;
	size_t at = 0;

	for (unsigned int i = 0; (class = usbdev_class(usb, i, buf)) && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? "," : "", class);
	table_cell(table, usb->port);
	table_cellf(table, "%s:%s", usb->vendor_id, usb->product_id);
	table_cell(table, usb->speed);
	table_cell(table, text);
	table_cell(table, usb->manufacturer);
	table_cell(table, usb->product);
	table_cell(table, may_open(usb) ? usb->serial : "");
}

static json_t *usb_json(const struct usbdev *usb)
{
	json_t *json = json_object(), *list = json_array();
	const uint8_t *d = usb->descriptor;
	char buf[16];
	const char *class;

	json_object_set_new(json, "port_path", json_text(usb->port));
	json_object_set_new(json, "bus_number", json_integer(usb->bus));
	json_object_set_new(json, "device_address", json_integer(usb->address));
	json_object_set_new(json, "vendor_id", json_text(usb->vendor_id));
	json_object_set_new(json, "product_id", json_text(usb->product_id));
	json_object_set_new(json, "device_signature", json_text(usb->signature));
	json_object_set_new(json, "manufacturer", json_text(usb->manufacturer));
	json_object_set_new(json, "product", json_text(usb->product));
	json_object_set_new(json, "serial_number", may_open(usb) ? json_text(usb->serial) : json_null());
	json_object_set_new(json, "speed_mbps", json_text(usb->speed));
	for (unsigned int i = 0; (class = usbdev_class(usb, i, buf)); i++)
		json_array_append_new(list, json_string(class));
	json_object_set_new(json, "classes", list);
	list = json_array();
	for (unsigned int i = 0; i < usb->interfaces_count; i++) {
		snprintf(buf, sizeof(buf), "%02x:%02x:%02x", usb->interfaces[i][0], usb->interfaces[i][1],
			 usb->interfaces[i][2]);
		json_array_append_new(list, json_string(buf));
	}
	json_object_set_new(json, "interfaces", list);
	json_object_set_new(json, "device_descriptor", !d[0] ? json_null() :
		json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "bcdUSB", d[2] | d[3] << 8, "bDeviceClass", d[4],
			  "bDeviceSubClass", d[5], "bDeviceProtocol", d[6], "bMaxPacketSize0", d[7], "bcdDevice",
			  d[12] | d[13] << 8, "bNumConfigurations", d[17]));
	json_object_set_new(json, "syspath", json_text(usb->syspath));
	return json;
}

/* Calls for each; a negative errno when they cannot be listed. */
static int each(struct table *table, json_t *list, int class)
{
	struct udev *udev = udev_new();
	struct udev_enumerate *all = udev ? udev_enumerate_new(udev) : NULL;
	struct udev_list_entry *entry;
	struct usbdev usb;
	int ret = all ? udev_enumerate_add_match_subsystem(all, "usb") : -ENOMEM;

	if (ret >= 0)
		ret = udev_enumerate_scan_devices(all);
	for (entry = ret < 0 ? NULL : udev_enumerate_get_list_entry(all); entry;
	     entry = udev_list_entry_get_next(entry)) {
		struct udev_device *dev = udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));

		if (dev && usbdev_from_udev(&usb, dev) && (class < 0 || usbdev_has_class(&usb, (uint8_t)class))) {
			if (list)
				json_array_append_new(list, usb_json(&usb));
			else
				add_row(table, &usb);
		}
		udev_device_unref(dev);
	}
	if (all)
		udev_enumerate_unref(all);
	if (udev)
		udev_unref(udev);
	return ret < 0 ? ret : 0;
}

int cmd_usb(struct cli *cli)
{
	const char *name = opt(cli, OPT_CLASS);
	int class = name ? usbdev_class_from_name(name) : -1, ret;
	json_t *json = NULL, *list = NULL;
	struct table table;

	if (strcmp(arg(cli, 0), "list"))
		return fail(cli, STATUS_USAGE, "\"devringctl usb\" knows \"list\", not \"%s\".", arg(cli, 0));
	if (name && class < 0)
		return fail(cli, STATUS_USAGE, "--class is \"%s\": it has to be audio, cdc, hid, hub, printer, "
			    "storage, video, vendor, or two hexadecimal digits.", name);
	table_begin(&table, header, COLUMNS);
	if (cli->json) {
		json = json_begin();
		list = json_array();
		json_object_set_new(json, "usb", list);
	}
	ret = each(&table, list, class);
	if (ret)
		return fail_errno(cli, ret, "Cannot list the USB devices");
	if (json)
		json_print(json, stdout);
	else
		table_print(&table, !opt(cli, OPT_NO_LEGEND));
	return flush_stdout(cli);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The standard requests of the control endpoint: descriptors, strings, settings. */
#include <stdio.h>
#include <string.h>

#include "descriptor.h"
#include "device.h"

#define REPLY_MAX	4096

static int device_descriptor(const struct device *d, uint8_t *data)
{
	const uint8_t *class = d->function->class;
	const uint8_t bytes[] = {
		18, USB_DEVICE, LE16(0x0200), class[0], class[1], class[2], 64,
		LE16(d->vendor_id), LE16(d->product_id), LE16(0x0100), STRING_MANUFACTURER,
		STRING_PRODUCT, d->serial[0] ? STRING_SERIAL : 0, 1,
	};

	memcpy(data, bytes, sizeof(bytes));
	return sizeof(bytes);
}

static int qualifier_descriptor(const struct device *d, uint8_t *data)
{
	const uint8_t *class = d->function->class;
	const uint8_t bytes[] = {
		10, USB_QUALIFIER, LE16(0x0200), class[0], class[1], class[2], 64, 1, 0,
	};

	memcpy(data, bytes, sizeof(bytes));
	data[9] = 0;
	return 10;
}

static int configuration_descriptor(struct device *d, uint8_t *data)
{
	struct descriptors out = { data, 0, REPLY_MAX };

	d->function->configuration(d, &out);
	if (d->fault.kind == FAULT_MALFORMED)
		fault_malform(&d->fault, &out);
	descriptors_patch16(&out, 2, out.used);
	return (int)out.used;
}

/* UTF-8 to UTF-16LE, the basic plane only; anything wrong becomes a question mark. */
static int string_descriptor(const char *text, uint8_t *data)
{
	const uint8_t *p = (const uint8_t *)text;
	int used = 2;

	while (*p && used < 254) {
		unsigned int code = *p++;

		if (code >= 0xe0 && code < 0xf0 && (p[0] & 0xc0) == 0x80 && (p[1] & 0xc0) == 0x80) {
			code = (code & 0x0f) << 12 | (p[0] & 0x3fu) << 6 | (p[1] & 0x3fu);
			p += 2;
		} else if (code >= 0xc0 && code < 0xe0 && (*p & 0xc0) == 0x80) {
			code = (code & 0x1f) << 6 | (*p++ & 0x3fu);
		} else if (code >= 0x80) {
			code = '?';
		}
		data[used++] = (uint8_t)code;
		data[used++] = (uint8_t)(code >> 8);
	}
	data[0] = (uint8_t)used;
	data[1] = USB_STRING;
	return used;
}

static int get_descriptor(struct device *d, const struct usb_setup *setup, uint8_t *data)
{
	static const uint8_t languages[] = { 4, USB_STRING, LE16(0x0409) };
	const char *const strings[] = { NULL, d->manufacturer, d->product, d->serial };
	unsigned int index = setup->value & 0xff;

	switch (setup->value >> 8) {
	case USB_DEVICE:
		return device_descriptor(d, data);
	case USB_QUALIFIER:
		return qualifier_descriptor(d, data);
	case USB_CONFIGURATION:
		return configuration_descriptor(d, data);
	case USB_STRING:
		if (index == 0) {
			memcpy(data, languages, sizeof(languages));
			return sizeof(languages);
		}
		return index <= STRING_SERIAL ? string_descriptor(strings[index], data) : -1;
	default:
		return -1;
	}
}

static int set_interface(struct device *d, const struct usb_setup *setup)
{
	if (setup->index >= sizeof(d->setting))
		return -1;
	d->setting[setup->index] = (uint8_t)setup->value;
	d->function->alternate(d, setup->index, setup->value);
	return 0;
}

static int standard_request(struct device *d, const struct usb_setup *setup, uint8_t *data)
{
	switch (setup->request) {
	case USB_GET_STATUS:
		data[0] = data[1] = 0;
		return 2;
	case USB_CLEAR_FEATURE:
		if (d->function->clear_halt && (setup->type & TYPE_TARGET) == 2 &&
		    (setup->index & 0x0f) == STREAM_ENDPOINT)
			d->function->clear_halt(d);
		return 0;
	case USB_SET_FEATURE:
		return 0;
	case USB_GET_DESCRIPTOR:
		return get_descriptor(d, setup, data);
	case USB_GET_CONFIGURATION:
		data[0] = d->configured;
		return 1;
	case USB_SET_CONFIGURATION:
		d->configured = (uint8_t)setup->value;
		return 0;
	case USB_GET_INTERFACE:
		if (setup->index >= sizeof(d->setting))
			return -1;
		data[0] = d->setting[setup->index];
		return 1;
	case USB_SET_INTERFACE:
		return set_interface(d, setup);
	default:
		return -1;
	}
}

static bool vanishes(const struct device *d, const struct usb_setup *setup)
{
	if (setup->request == USB_SET_CONFIGURATION)
		return fault_vanish(&d->fault, STAGE_CONFIGURATION);
	return setup->request == USB_GET_DESCRIPTOR && setup->value >> 8 == USB_CONFIGURATION &&
	       fault_vanish(&d->fault, STAGE_DESCRIPTOR);
}

int control_request(struct device *d, const struct usb_setup *setup, uint8_t *data)
{
	if ((setup->type & TYPE_MASK) == TYPE_CLASS)
		return d->function->control(d, setup, data);
	if ((setup->type & TYPE_MASK) != 0)
		return -1;
	if (vanishes(d, setup)) {
		device_vanish(d);
		return -1;
	}
	return standard_request(d, setup, data);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line and a config file say. */
#ifndef USBEMU_OPTIONS_H
#define USBEMU_OPTIONS_H

#include "device.h"

#define DEVICES_MAX	128	/* vhci-hcd as distributed has 120 high-speed ports */
#define EXIT_USAGE	2

struct options {
	struct loop *loop;
	struct device *devices[DEVICES_MAX];
	unsigned int device_count;
	unsigned int first;	/* of the devices that the options now apply to */
	const char *control;	/* "-": standard input */
};

/* Exits with a sentence and EXIT_USAGE on anything wrong. */
void options_parse(struct options *o, int argc, char **argv);

#endif

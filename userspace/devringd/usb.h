/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only a look into a USB device's descriptors tells. */
#ifndef DEVRINGD_USB_H
#define DEVRINGD_USB_H

#include <jansson.h>

#include "hardware.h"

/* The device descriptor and its ports, without serial number; null if it cannot be read. */
json_t *usb_details(const struct hardware *hw);

#endif

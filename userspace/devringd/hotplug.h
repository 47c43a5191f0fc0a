/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PUBLIC device "hotplug": what was plugged in and out, one JSON line a frame. */
#ifndef DEVRINGD_HOTPLUG_H
#define DEVRINGD_HOTPLUG_H

#include <stdbool.h>
#include <stdint.h>

struct hotplug;
struct manager;
struct device;

struct hotplug *hotplug_open(struct manager *manager);
void hotplug_close(struct hotplug *hotplug);
uint64_t hotplug_id(const struct hotplug *hotplug);
/* Tells all who listen that a device came or went. */
void hotplug_tell(struct hotplug *hotplug, const struct device *device, bool connected);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PUBLIC device "hotplug": what was plugged in and out, and how it does, one JSON line a frame. */
#ifndef DEVRINGD_HOTPLUG_H
#define DEVRINGD_HOTPLUG_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct hotplug;
struct manager;
struct plug;

struct hotplug *hotplug_open(struct manager *manager);
void hotplug_close(struct hotplug *hotplug);
/* The limits of the config changed. */
void hotplug_configure(struct hotplug *hotplug);
uint64_t hotplug_id(const struct hotplug *hotplug);
/* Tells all who listen that a device came or went, ... */
void hotplug_tell(struct hotplug *hotplug, const struct device *device, bool connected, const char *source);
/* ... was said to have gone, and had not, ... */
void hotplug_flap(struct hotplug *hotplug, const struct device *device);
/* ... or does well (error 0), or not. */
void hotplug_state(struct hotplug *hotplug, const struct device *device, const char *state, int error);
/* The same of USB devices. */
void hotplug_usb(struct hotplug *hotplug, const struct plug *plug, const char *source);
void hotplug_usb_gone(struct hotplug *hotplug, const struct plug *plug);
void hotplug_usb_flap(struct hotplug *hotplug, const struct plug *plug);
/* devringd has started; its health changed. */
void hotplug_startup(struct hotplug *hotplug);
void hotplug_health(struct hotplug *hotplug);

#endif

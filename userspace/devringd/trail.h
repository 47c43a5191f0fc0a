/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trail: what devices come and go and who reads them, in the log and in the kernel's audit. */
#ifndef DEVRINGD_TRAIL_H
#define DEVRINGD_TRAIL_H

#include <devring/client.h>
#include <stdbool.h>

struct device;

/* Into the kernel's audit, too, from now on or no longer; says so when that is not possible. */
void trail_audit(bool wanted);
/* @action is a word of the table in docs/access.md. */
void trail_device(const struct device *device, const char *action, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Into the log alone, with the same fields. */
void trail_note(const struct device *device, int priority, const char *action, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void trail_reader(const struct device *device, const char *action,
		  const struct devring_reader *reader);

#endif

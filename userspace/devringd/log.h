/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages: to the journal with fields where systemd runs us, else lines on standard error. */
#ifndef DEVRINGD_LOG_H
#define DEVRINGD_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

void log_open(bool verbose);
/* device: its name, or NULL; action: one word for programs such as "streaming", or NULL. */
void log_device(int priority, const char *device, const char *action, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#define log_error(...)	log_device(LOG_ERR, NULL, NULL, __VA_ARGS__)
#define log_warn(...)	log_device(LOG_WARNING, NULL, NULL, __VA_ARGS__)
#define log_info(...)	log_device(LOG_INFO, NULL, NULL, __VA_ARGS__)

#endif

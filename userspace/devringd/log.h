/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages: to the journal with fields where systemd runs us, else lines on standard error. */
#ifndef DEVRINGD_LOG_H
#define DEVRINGD_LOG_H

#include <devring/client.h>
#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

void log_open(bool verbose);
/* device: its name, or NULL; action: one word for programs such as "streaming", or NULL. */
void log_device(int priority, const char *device, const char *action, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* More of a message for programs; what is 0 or NULL is left out. */
struct log_event {
	int priority;
	const char *device;
	uint64_t id;				/* of the device */
	uint64_t correlation;			/* what all about one plugging in have in common */
	const char *action;
	const struct devring_reader *reader;
};

void log_event(const struct log_event *event, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/* The process that has a reader in its hands, as far as is known; 0: it has ended. */
int log_reader_pid(const struct devring_reader *reader);

#define log_error(...)	log_device(LOG_ERR, NULL, NULL, __VA_ARGS__)
#define log_warn(...)	log_device(LOG_WARNING, NULL, NULL, __VA_ARGS__)
#define log_info(...)	log_device(LOG_INFO, NULL, NULL, __VA_ARGS__)

#endif

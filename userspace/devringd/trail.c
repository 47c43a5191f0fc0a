// SPDX-License-Identifier: GPL-2.0-or-later
#include "trail.h"

#include <errno.h>
#include <libaudit.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "log.h"

static struct {
	int fd;
	bool failed;			/* said already */
} audit = { .fd = -1 };

/* libaudit keeps silent about this. */
static bool may_write(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !syscall(SYS_capget, &header, data) &&
	       data[0].effective & CAP_TO_MASK(CAP_AUDIT_WRITE);
}

void trail_audit(bool wanted)
{
	if (!wanted || audit.fd >= 0) {
		if (!wanted && audit.fd >= 0) {
			audit_close(audit.fd);
			audit.fd = -1;
		}
		return;
	}
	errno = EPERM;
	if (may_write())
		audit.fd = audit_open();
	if (audit.fd >= 0)
		return;
	log_info("nothing goes into the kernel's audit (%s): that needs CAP_AUDIT_WRITE, and a kernel "
		 "that has it", strerror(errno));
}

static void write_audit(const struct device *device, const char *action, const char *more, bool good)
{
	char message[512];
	char *name;

	if (audit.fd < 0)
		return;
	/* Quoted, or in hexadecimal digits where it could be taken for something else. */
	name = audit_encode_nv_string("device", device->name, 0);
	if (!name)
		return;
	snprintf(message, sizeof(message), "op=%s %s id=%llu%s", action, name,
		 (unsigned long long)device->id, more);
	free(name);
	if (audit_log_user_message(audit.fd, AUDIT_USER_DEVICE, message, NULL, NULL, NULL, good) > 0) {
		audit.failed = false;
		return;
	}
	if (!audit.failed)
		log_warn("the kernel's audit does not take what happens: %s", strerror(errno));
	audit.failed = true;
}

void trail_device(const struct device *device, const char *action, const char *format, ...)
{
	bool refused = !strcmp(action, "refused");
	struct log_event event = {
		.priority = refused ? LOG_ERR : LOG_INFO,
		.device = *device->name ? device->name : device->hw.stable_id,
		.id = device->id,
		.correlation = device->hw.plug,
		.action = action,
	};
	va_list args;

	va_start(args, format);
	log_event(&event, format, args);
	va_end(args);
	write_audit(device, action, "", !refused);
}

void trail_note(const struct device *device, int priority, const char *action, const char *format, ...)
{
	struct log_event event = {
		.priority = priority,
		.device = device->name,
		.id = device->id,
		.correlation = device->hw.plug,
		.action = action,
	};
	va_list args;

	va_start(args, format);
	log_event(&event, format, args);
	va_end(args);
}

static void tell(const struct log_event *event, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct log_event *event, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_event(event, format, args);
	va_end(args);
}

void trail_reader(const struct device *device, const char *action,
		  const struct devring_reader *reader)
{
	struct log_event event = {
		.priority = LOG_INFO,
		.device = device->name,
		.id = device->id,
		.correlation = device->hw.plug,
		.action = action,
		.reader = reader,
	};
	const char *verb = strchr(action, '-') + 1;
	int pid = log_reader_pid(reader);
	char more[128];

	if (reader->flags & DEVRING_READER_IS_GRANTED)
		tell(&event, "reader %llu %s: process %d, by a grant of uid %u, process %d",
		     (unsigned long long)reader->id, verb, pid, reader->uid, reader->open_pid);
	else
		tell(&event, "reader %llu %s: process %d, uid %u", (unsigned long long)reader->id, verb,
		     pid, reader->uid);
	snprintf(more, sizeof(more), " reader=%llu obj_uid=%u opid=%d",
		 (unsigned long long)reader->id, reader->uid, pid);
	write_audit(device, action, more, true);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes wrong, in sentences. */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "cli.h"
#include "progress.h"
#include "text.h"

#define SENTENCE_MAX	1024

static const char *status_name(enum status status)
{
	switch (status) {
	case STATUS_OK:
		return "ok";
	case STATUS_USAGE:
		return "usage";
	case STATUS_NOT_FOUND:
		return "not-found";
	case STATUS_PERMISSION:
		return "permission";
	case STATUS_BUSY:
		return "busy";
	case STATUS_NO_MODULE:
		return "no-module";
	case STATUS_TIMEOUT:
		return "timeout";
	case STATUS_CANNOT_RUN:
		return "cannot-run";
	case STATUS_NO_PROGRAM:
		return "no-program";
	case STATUS_FAILURE:
		break;
	}
	return "failure";
}

static int report(struct cli *cli, enum status status, const char *sentence)
{
	char clean[2 * SENTENCE_MAX];
	json_t *json, *error;

	progress_clear();
	if (!cli->json) {
		fprintf(stderr, "devringctl: %s\n",
			text_escape(sentence, clean, sizeof(clean)));
		return status;
	}
	json = json_begin();
	error = json_object();
	json_object_set_new(error, "code", json_integer(status));
	json_object_set_new(error, "name", json_string(status_name(status)));
	json_object_set_new(error, "message", json_text(sentence));
	json_object_set_new(json, "error", error);
	json_print(json, cli->verb && cli->verb->streams ? stderr : stdout);
	return status;
}

int fail(struct cli *cli, enum status status, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	return report(cli, status, sentence);
}

static enum status status_of(int err)
{
	switch (-err) {
	case ENODEV:
	case ENOENT:
	case ENXIO:
		return STATUS_NOT_FOUND;
	case EACCES:
	case EPERM:
		return STATUS_PERMISSION;
	case EBUSY:
	case EEXIST:
	case EUSERS:
		return STATUS_BUSY;
	case EAGAIN:
	case ETIMEDOUT:
		return STATUS_TIMEOUT;
	default:
		return STATUS_FAILURE;
	}
}

int fail_errno(struct cli *cli, int err, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;
	int at;

	va_start(args, format);
	at = vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (at > 0 && (size_t)at < sizeof(sentence))
		snprintf(sentence + at, sizeof(sentence) - (size_t)at, ": %s.", strerror(-err));
	return report(cli, status_of(err), sentence);
}

int fail_device(struct cli *cli, int err, const char *device)
{
	switch (-err) {
	case ENODEV:
	case ENOENT:
	case ENXIO:
		return fail(cli, STATUS_NOT_FOUND, "There is no device \"%s\". \"devringctl list\" "
			    "shows those that exist.", device);
	case EINVAL:
		return fail(cli, STATUS_USAGE, "\"%s\" names no device. Give a name, an id, a path "
			    "below /dev, or \"@first-camera\" and the like.", device);
	case EACCES:
	case EPERM:
		return fail(cli, STATUS_PERMISSION, "Cannot open \"%s\": permission denied. Its "
			    "group can (see \"ls -lL /dev/devrings\"), or run this as root.",
			    device);
	case EUSERS:
	case EDQUOT:
		return fail(cli, STATUS_BUSY, "Cannot open \"%s\": it, or your user, has as many "
			    "readers as there may be. \"devringctl who\" shows them.", device);
	case EBUSY:
		return fail(cli, STATUS_BUSY, "\"%s\" has a producer already. \"devringctl info\" "
			    "tells who it is.", device);
	default:
		return fail_errno(cli, err, "Cannot open \"%s\"", device);
	}
}

void remark(const char *format, ...)
{
	char sentence[SENTENCE_MAX], clean[2 * SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	progress_clear();
	fprintf(stderr, "devringctl: %s\n", text_escape(sentence, clean, sizeof(clean)));
}

int need_control(struct cli *cli, bool writing)
{
	int fd;

	if (cli->control >= 0)
		return STATUS_OK;
	fd = devring_control_open(writing ? O_RDWR : O_RDONLY);
	if (fd >= 0) {
		cli->control = fd;
		return STATUS_OK;
	}
	switch (-fd) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return fail(cli, STATUS_NO_MODULE, "Cannot open %s: %s. Is the module loaded? Try: "
			    "modprobe devring", DEVRING_CONTROL_PATH, strerror(-fd));
	case EACCES:
	case EPERM:
		return fail(cli, STATUS_PERMISSION, "Cannot open %s%s: permission denied. Members "
			    "of the group \"devring\" and root can.", DEVRING_CONTROL_PATH,
			    writing ? " for writing" : "");
	default:
		return fail_errno(cli, fd, "Cannot open %s", DEVRING_CONTROL_PATH);
	}
}

int need_device(struct cli *cli, const char *spec, struct devring_device *device)
{
	int ret = need_control(cli, false);

	if (ret)
		return ret;
	ret = devring_find(cli->control, spec, device);
	return ret ? fail_device(cli, ret, spec) : STATUS_OK;
}

int each_device(struct cli *cli, void (*fn)(void *user, const struct devring_device *device), void *user)
{
	struct devring_device device = { 0 };
	int ret;

	for (int i = 0; arg(cli, i); i++) {
		ret = need_device(cli, arg(cli, i), &device);
		if (ret)
			return ret;
		fn(user, &device);
	}
	if (arg(cli, 0))
		return STATUS_OK;
	while ((ret = devring_next_device(cli->control, &device)) > 0)
		fn(user, &device);
	return ret ? fail_errno(cli, ret, "Cannot list the devices") : STATUS_OK;
}

/* The descriptor that --fd names. */
static int take_descriptor(struct cli *cli, int *fd)
{
	struct devring_device device;
	uint32_t number = 0;
	int ret;

	if (arg(cli, 0))
		return fail(cli, STATUS_USAGE, "Give either a DEVICE or --fd.");
	ret = opt_number32(cli, OPT_FD, 0, INT32_MAX, &number);
	if (ret)
		return ret;
	*fd = (int)number;
	ret = devring_query_fd(*fd, &device);
	if (ret == -ENODEV)
		return fail(cli, STATUS_PERMISSION, "The access that descriptor %d gave was taken "
			    "away, or its time is over.", *fd);
	if (ret)
		return fail(cli, STATUS_USAGE, "Descriptor %d is not one of an open device; "
			    "\"devringctl grant\" gives its program one.", *fd);
	cli->device = opt(cli, OPT_FD);
	return STATUS_OK;
}

int need_reader(struct cli *cli, int *fd)
{
	struct devring_device device;
	int ret;

	if (opt(cli, OPT_FD))
		return take_descriptor(cli, fd);
	cli->device = arg(cli, 0);
	if (!cli->device)
		return fail(cli, STATUS_USAGE, "\"devringctl %s\" needs DEVICE, or --fd; see "
			    "\"devringctl %s --help\".", cli->verb->name, cli->verb->name);
	/* For a sentence on what is missing; a path can be read without the control node. */
	if (cli->device[0] != '/') {
		ret = need_device(cli, cli->device, &device);
		if (ret)
			return ret;
	}
	*fd = devring_open_device(cli->control, cli->device, O_RDONLY);
	return *fd < 0 ? fail_device(cli, *fd, cli->device) : STATUS_OK;
}

int opt_number(struct cli *cli, enum option option, uint64_t min, uint64_t max, uint64_t *number)
{
	const char *text = opt(cli, option);

	if (!text || parse_number(text, min, max, number))
		return STATUS_OK;
	return fail(cli, STATUS_USAGE, "--%s is \"%s\": it has to be a number from %llu to %llu.",
		    option_texts[option].name, text, (unsigned long long)min,
		    (unsigned long long)max);
}

int opt_number32(struct cli *cli, enum option option, uint32_t min, uint32_t max,
		 uint32_t *number)
{
	uint64_t wide = *number;
	int ret = opt_number(cli, option, min, max, &wide);

	*number = (uint32_t)wide;
	return ret;
}

int opt_time(struct cli *cli, enum option option, int *ms)
{
	const char *text = opt(cli, option);

	*ms = -1;
	if (!text || parse_seconds(text, ms))
		return STATUS_OK;
	return fail(cli, STATUS_USAGE, "--%s is \"%s\": it has to be a time, such as 5, 0.5s, 10m or "
		    "1h.", option_texts[option].name, text);
}

int opt_timeout(struct cli *cli, int *timeout_ms)
{
	return opt_time(cli, OPT_TIMEOUT, timeout_ms);
}

int opt_type(struct cli *cli, uint32_t *type)
{
	const char *text = opt(cli, OPT_TYPE);
	int number = text ? devring_type_from_name(text) : -EINVAL;

	if (!text)
		return STATUS_OK;
	if (number < 0)
		return fail(cli, STATUS_USAGE, "--type is \"%s\": it has to be %s.", text,
			    option_texts[OPT_TYPE].help);
	*type = (uint32_t)number;
	return STATUS_OK;
}

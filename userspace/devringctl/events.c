// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading what devringd publishes. */

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "text.h"

void event_filter_options(const struct cli *cli, struct event_filter *filter)
{
	filter->topic = opt(cli, OPT_TOPIC);
	filter->device = opt(cli, OPT_DEVICE);
	filter->vendor = opt(cli, OPT_VENDOR);
	filter->class = opt(cli, OPT_CLASS);
}

static const char *member(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text ? text : "";
}

static bool has_class(const json_t *event, const char *class)
{
	json_t *classes = json_object_get(event, "classes"), *one;
	size_t i;

	json_array_foreach(classes, i, one)
		if (json_is_string(one) && !fnmatch(class, json_string_value(one), 0))
			return true;
	return false;
}

bool event_fits(const struct event_filter *filter, const json_t *event)
{
	if (filter->topic && fnmatch(filter->topic, member(event, "topic"), 0))
		return false;
	if (filter->device && fnmatch(filter->device, member(event, "device"), 0) &&
	    fnmatch(filter->device, member(event, "port_path"), 0))
		return false;
	if (filter->vendor && fnmatch(filter->vendor, member(event, "vendor_id"), FNM_CASEFOLD))
		return false;
	return !filter->class || has_class(event, filter->class);
}

static void print_member(const json_t *event, const char *key, const char *format)
{
	char clean[1024];

	if (*member(event, key))
		printf(format, text_escape(member(event, key), clean, sizeof(clean)));
}

static void print_health(const json_t *health)
{
	json_t *reasons = json_object_get(health, "reasons"), *one;
	size_t i;

	print_member(health, "status", "  %s");
	json_array_foreach(reasons, i, one) {
		print_member(one, "what", "  %s");
		print_member(one, "reason", ": %s");
	}
}

void event_print(const json_t *event)
{
	json_int_t flaps = json_integer_value(json_object_get(event, "flaps"));
	const char *vendor = member(event, "vendor_id"), *device = member(event, "device");
	char clean[1024];

	printf("%s %-22s %-7s %-12s", text_escape(member(event, "timestamp"), clean, sizeof(clean)),
	       member(event, "topic"), member(event, "action"), *device ? device : member(event, "port_path"));
	if (*vendor)
		printf(" %s:%s", vendor, member(event, "product_id"));
	print_member(event, "manufacturer", "  %s");
	print_member(event, *member(event, "product") ? "product" : "label", "  %s");
	print_member(event, "state", "  %s");
	print_member(event, "reason", ": %s");
	print_member(event, "version", "  devringd %s");
	if (json_object_get(event, "health"))
		print_health(json_object_get(event, "health"));
	if (!strcmp(member(event, "policy"), "deny"))
		printf("  (denied)");
	if (flaps)
		printf("  (flaps: %lld)", (long long)flaps);
	putchar('\n');
}

int events_open(struct cli *cli, const char *name, uint32_t start, struct devring_reader_file **reader)
{
	struct devring_reader_options options = { .start = start, .events = DEVRING_EVENT_STATE };
	int ret = need_control(cli, false), fd;

	if (ret)
		return ret;
	fd = devring_open_device(cli->control, name, O_RDONLY | O_NONBLOCK);
	if (fd == -ENODEV || fd == -ENOENT || fd == -ENXIO)
		return fail(cli, STATUS_NOT_FOUND, "There is no device \"%s\": devringd has not been started. "
			    "Try: systemctl start devringd", name);
	if (fd < 0)
		return fail_device(cli, fd, name);
	ret = devring_reader_from_fd(reader, fd, &options);
	if (!ret)
		return STATUS_OK;
	close(fd);
	return fail_errno(cli, ret, "Cannot read \"%s\"", name);
}

int daemon_state(struct cli *cli, json_t **state, bool *offline)
{
	struct devring_reader_file *reader = NULL;
	struct devring_device device = { 0 };
	struct devring_view view;
	int ret = events_open(cli, "state", 0, &reader), tries = 50;

	if (ret)
		return ret;
	*state = NULL;
	*offline = devring_reader_device(reader, &device) || device.state != DEVRING_STATE_AVAILABLE;
	do
		ret = devring_reader_next(reader, &view, 100);
	while ((ret >= 0 && ret != DEVRING_EVENT_FRAME && ret != DEVRING_EVENT_END && tries--) || ret == -EINTR);
	if (ret == DEVRING_EVENT_FRAME)
		*state = json_loadb(view.data, view.bytes, 0, NULL);
	devring_reader_close(reader);
	if (*state)
		return STATUS_OK;
	return fail(cli, STATUS_FAILURE, "devringd has published nothing in \"state\": is it running? Try: systemctl "
		    "status devringd");
}

static int show(struct cli *cli, const struct event_filter *filter, const struct devring_view *view, bool *shown)
{
	json_t *event = json_loadb(view->data, view->bytes, 0, NULL);

	*shown = event && event_fits(filter, event);
	if (*shown) {
		if (cli->json)
			fwrite(view->data, 1, view->bytes, stdout);
		else
			event_print(event);
	}
	json_decref(event);
	return *shown ? flush_stdout(cli) : STATUS_OK;
}

static void tell_gap(const struct cli *cli, uint64_t lost)
{
	json_t *json;

	if (!cli->json) {
		remark("%llu events came faster than they were read.", (unsigned long long)lost);
		return;
	}
	json = json_begin();
	json_object_set_new(json, "topic", json_string("gap"));
	json_object_set_new(json, "lost", json_u64(lost));
	json_print(json, stdout);
}

static int left_ms(const struct timespec *start, int timeout_ms)
{
	struct timespec now;
	int64_t left;

	if (timeout_ms < 0)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	left = timeout_ms - ((now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000);
	return left > 0 ? (int)left : 0;
}

int events_follow(struct cli *cli, struct devring_reader_file *reader, const struct event_filter *filter,
		  uint64_t count, int timeout_ms)
{
	struct timespec start;
	struct devring_view view;
	bool shown;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (count) {
		int event = devring_reader_next(reader, &view, left_ms(&start, timeout_ms));

		if (event == -EINTR && was_signalled())
			return STATUS_OK;
		if (event == -EAGAIN && timeout_ms >= 0)
			return fail(cli, STATUS_TIMEOUT, "The time given by --timeout is over.");
		if (event == -EINTR || event == -EAGAIN)
			continue;
		if (event < 0)
			return fail_errno(cli, event, "Cannot read the events");
		if (event == DEVRING_EVENT_END)
			return STATUS_OK;
		if (event != DEVRING_EVENT_FRAME)
			continue;
		if (view.frame.lost)
			tell_gap(cli, view.frame.lost);
		ret = show(cli, filter, &view, &shown);
		if (ret)
			return ret;
		count -= shown;
	}
	return STATUS_OK;
}

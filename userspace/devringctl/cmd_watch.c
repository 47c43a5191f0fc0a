// SPDX-License-Identifier: GPL-2.0-or-later
/* watch: devices as they come, change and go. */

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <time.h>

#include "events.h"
#include "text.h"

struct watching {
	struct cli *cli;
	uint32_t type;
	uint64_t left;		/* changes still to be shown */
};

static const char *event_name(const struct devring_change *change)
{
	if (change->rec.kind == DEVRING_RECORD_REMOVED)
		return "removed";
	if (change->rec.kind == DEVRING_RECORD_RESYNC)
		return "resync";
	return change->changed & DEVRING_CHANGED_ADDED ? "added" : "changed";
}

static void print_json(const struct devring_change *change)
{
	char text[DEVRING_TEXT_SIZE];
	json_t *json = json_begin();
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	json_object_set_new(json, "event", json_string(event_name(change)));
	json_object_set_new(json, "change", json_u64(change->change));
	json_object_set_new(json, "time_ns", json_u64((uint64_t)ts.tv_sec * 1000000000 +
						      (uint64_t)ts.tv_nsec));
	json_object_set_new(json, "changed", json_flags(devring_changed_to_text(change->changed,
								text, sizeof(text))));
	if (change->rec.kind != DEVRING_RECORD_RESYNC)
		json_object_set_new(json, "device", json_device(&change->device));
	json_print(json, stdout);
}

static void print_line(const struct devring_change *change)
{
	char name[4 * DEVRING_LINK_SIZE], what[DEVRING_TEXT_SIZE], format[DEVRING_TEXT_SIZE];
	const struct devring_device *d = &change->device;
	const char *type = devring_type_name(d->type), *state = devring_state_name(d->state);
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) && strftime(what, sizeof(what), "%T", &tm))
		printf("%s ", what);
	if (change->rec.kind == DEVRING_RECORD_RESYNC) {
		printf("resync: what follows is all there is\n");
		return;
	}
	printf("%-8s %-20s %-10s", event_name(change), text_escape(d->link, name, sizeof(name)),
	       type ? type : "-");
	if (change->rec.kind != DEVRING_RECORD_REMOVED)
		printf(" %-9s readers %u  %s  (%s)", state ? state : "-", d->readers,
		       devring_format_to_text(&d->format, format, sizeof(format)),
		       devring_changed_to_text(change->changed, what, sizeof(what)));
	putchar('\n');
}

static int show(struct watching *watching, const struct devring_change *change)
{
	if (watching->type && change->rec.kind != DEVRING_RECORD_RESYNC &&
	    change->device.type != watching->type)
		return STATUS_OK;
	if (opt(watching->cli, OPT_DEVICE) && change->rec.kind != DEVRING_RECORD_RESYNC &&
	    fnmatch(opt(watching->cli, OPT_DEVICE), change->device.link, 0))
		return STATUS_OK;
	if (watching->cli->json)
		print_json(change);
	else
		print_line(change);
	watching->left--;
	return flush_stdout(watching->cli);
}

static int follow(struct watching *watching, struct devring_watch *watch, int timeout_ms)
{
	struct devring_change change;
	struct timespec start, now;
	int left = timeout_ms;
	int ret = STATUS_OK;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (watching->left && !ret) {
		ret = devring_watch_next(watch, &change, left);
		if (ret == -EINTR && was_signalled())
			return STATUS_OK;
		if (ret == -EAGAIN)
			return fail(watching->cli, STATUS_TIMEOUT, "The time given by --timeout "
				    "is over.");
		if (ret < 0 && ret != -EINTR)
			return fail_errno(watching->cli, ret, "Cannot follow the changes");
		ret = ret > 0 ? show(watching, &change) : STATUS_OK;
		if (timeout_ms < 0)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = timeout_ms - (int)((now.tv_sec - start.tv_sec) * 1000 +
					  (now.tv_nsec - start.tv_nsec) / 1000000);
		left = left < 0 ? 0 : left;
	}
	return ret;
}

/* What only devringd knows is in its events. */
static int watch_events(struct cli *cli, uint64_t count, int timeout_ms)
{
	struct devring_reader_file *reader;
	struct event_filter filter;
	int ret = events_open(cli, "hotplug", DEVRING_START_NEXT, &reader);

	if (ret)
		return ret;
	event_filter_options(cli, &filter);
	catch_signals();
	ret = events_follow(cli, reader, &filter, count, timeout_ms);
	devring_reader_close(reader);
	die_of_signal();
	return ret;
}

int cmd_watch(struct cli *cli)
{
	struct watching watching = { .cli = cli, .left = UINT64_MAX };
	struct devring_change change;
	struct devring_watch *watch;
	int timeout_ms, ret;

	ret = opt_timeout(cli, &timeout_ms);
	if (!ret)
		ret = opt_number(cli, OPT_FRAMES, 1, UINT64_MAX, &watching.left);
	if (!ret)
		ret = opt_type(cli, &watching.type);
	/* For its sentences on what is missing. */
	if (!ret)
		ret = need_control(cli, false);
	if (ret)
		return ret;
	if (opt(cli, OPT_TOPIC) || opt(cli, OPT_VENDOR) || opt(cli, OPT_CLASS))
		return watch_events(cli, watching.left, timeout_ms);
	ret = devring_watch_open(&watch);
	if (ret)
		return fail_errno(cli, ret, "Cannot open %s", DEVRING_CONTROL_PATH);
	catch_signals();
	if (opt(cli, OPT_CHANGES_ONLY))
		while (devring_watch_next(watch, &change, 0) > 0)
			;
	ret = follow(&watching, watch, timeout_ms);
	devring_watch_close(watch);
	die_of_signal();
	return ret;
}

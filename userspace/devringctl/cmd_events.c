// SPDX-License-Identifier: GPL-2.0-or-later
/* events: what devringd told of plugging and of itself. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

#define RECENT_MAX	4096

/* The newest of those that fit. */
struct recent {
	json_t *events[RECENT_MAX];
	size_t count, room;
};

static void keep(struct recent *recent, json_t *event)
{
	if (recent->count == recent->room) {
		json_decref(recent->events[0]);
		memmove(recent->events, recent->events + 1, (recent->room - 1) * sizeof(json_t *));
		recent->count--;
	}
	recent->events[recent->count++] = event;
}

static int collect(struct cli *cli, struct devring_reader_file *reader, const struct event_filter *filter,
		   struct recent *recent)
{
	struct devring_view view;
	int event;

	while ((event = devring_reader_next(reader, &view, 0)) > 0 || event == -EINTR) {
		json_t *json;

		if (event != DEVRING_EVENT_FRAME)
			continue;
		json = json_loadb(view.data, view.bytes, 0, NULL);
		if (json && event_fits(filter, json))
			keep(recent, json);
		else
			json_decref(json);
	}
	return event && event != -EAGAIN ? fail_errno(cli, event, "Cannot read the events") : STATUS_OK;
}

int cmd_events(struct cli *cli)
{
	struct devring_reader_file *reader;
	struct event_filter filter;
	struct recent *recent;
	uint64_t number = RECENT_MAX, count = UINT64_MAX;
	int timeout_ms, ret = opt_number(cli, OPT_RECENT, 1, RECENT_MAX, &number);

	event_filter_options(cli, &filter);
	if (!ret)
		ret = opt_number(cli, OPT_FRAMES, 1, UINT64_MAX, &count);
	if (!ret)
		ret = opt_timeout(cli, &timeout_ms);
	if (!ret)
		ret = events_open(cli, "hotplug", DEVRING_START_OLDEST, &reader);
	if (ret)
		return ret;
	catch_signals();
	recent = calloc(1, sizeof(*recent));
	if (!recent)
		return fail_errno(cli, -ENOMEM, "Cannot read the events");
	recent->room = number;
	ret = collect(cli, reader, &filter, recent);
	for (size_t i = 0; i < recent->count; i++) {
		if (cli->json)
			json_print(recent->events[i], stdout);
		else
			event_print(recent->events[i]);
		if (!cli->json)
			json_decref(recent->events[i]);
	}
	free(recent);
	if (!ret)
		ret = flush_stdout(cli);
	if (!ret && opt(cli, OPT_FOLLOW))
		ret = events_follow(cli, reader, &filter, count, timeout_ms);
	devring_reader_close(reader);
	die_of_signal();
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* stats: counters of frames and memory. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "table.h"
#include "text.h"

#define COLUMNS	12
#define SEEN_MAX	256

/* A device as it was the last time, for its rate. */
struct seen {
	uint64_t id;
	uint64_t head;
};

struct round {
	struct cli *cli;
	struct table table;
	json_t *devices;
	struct seen *seen;
	size_t count;
	double seconds;		/* since the round before, 0 in the first */
};

static const char *const header[COLUMNS] = {
	"NAME", "STATE", "FRAMES", "PER-SECOND", "READERS", "DELIVERED", "LOST", "HOLDS-BROKEN",
	"HELD", "SLOTS", "NEEDED", "MEMORY",
};

struct totals {
	bool known;
	uint64_t delivered;
	uint64_t lost;
};

/* What its readers got and lost, if this user may ask. */
static struct totals reader_totals(int control, const struct devring_device *device)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	struct totals totals = { 0 };
	char node[DEVRING_NODE_SIZE];
	int fd, count;

	if (device->flags & DEVRING_REG_SINK)
		return totals;
	devring_node(device->minor, node, sizeof(node));
	fd = devring_open_device(control, node, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return totals;
	count = devring_get_readers(fd, readers, DEVRING_READERS_MAX);
	close(fd);
	totals.known = count >= 0;
	for (int i = 0; i < count; i++) {
		totals.delivered += readers[i].delivered;
		totals.lost += readers[i].lost;
	}
	return totals;
}

/* Frames a second since the last round, negative if not known. */
static double rate_of(struct round *round, const struct devring_device *device)
{
	double rate = -1;

	for (size_t i = 0; i < round->count; i++) {
		struct seen *seen = &round->seen[i];

		if (seen->id != device->id)
			continue;
		if (round->seconds > 0)
			rate = (double)(device->head - seen->head) / round->seconds;
		seen->head = device->head;
		return rate;
	}
	if (round->count < SEEN_MAX)
		round->seen[round->count++] = (struct seen) { device->id, device->head };
	return rate;
}

static void add_row(struct table *table, const struct devring_device *d,
		    const struct totals *totals, double rate)
{
	char text[32];

	table_cell(table, d->link);
	table_cell(table, devring_state_name(d->state));
	table_cellf(table, "%llu", (unsigned long long)d->head);
	table_cellf(table, rate < 0 ? "" : "%.1f", rate);
	table_cellf(table, "%u", d->readers);
	table_cellf(table, totals->known ? "%llu" : "", (unsigned long long)totals->delivered);
	table_cellf(table, totals->known ? "%llu" : "", (unsigned long long)totals->lost);
	table_cellf(table, "%llu", (unsigned long long)d->holds_broken);
	table_cellf(table, "%u", d->held);
	table_cellf(table, "%u", d->geometry.slots);
	table_cellf(table, "%u", d->slots_needed);
	table_cell(table, text_bytes(d->bytes, text, sizeof(text)));
}

static void add_device(void *user, const struct devring_device *d)
{
	struct round *round = user;
	struct totals totals = reader_totals(round->cli->control, d);
	double rate = rate_of(round, d);
	json_t *json;

	if (!round->devices) {
		add_row(&round->table, d, &totals, rate);
		return;
	}
	json = json_device(d);
	json_object_set_new(json, "delivered",
			    totals.known ? json_u64(totals.delivered) : json_null());
	json_object_set_new(json, "lost", totals.known ? json_u64(totals.lost) : json_null());
	json_object_set_new(json, "frames_per_second", rate < 0 ? json_null() : json_real(rate));
	json_array_append_new(round->devices, json);
}

static int print_round(struct round *round)
{
	json_t *json = NULL;
	int ret;

	table_begin(&round->table, header, COLUMNS);
	if (round->cli->json) {
		json = json_begin();
		round->devices = json_array();
		json_object_set_new(json, "devices", round->devices);
	}
	ret = each_device(round->cli, add_device, round);
	if (ret)
		return ret;
	if (round->cli->json)
		json_print(json, stdout);
	else
		table_print(&round->table, !opt(round->cli, OPT_NO_LEGEND));
	return flush_stdout(round->cli);
}

static double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int cmd_stats(struct cli *cli)
{
	struct seen seen[SEEN_MAX];
	struct round round = { .cli = cli, .seen = seen };
	uint64_t rounds = opt(cli, OPT_WATCH) ? UINT64_MAX : 1;
	int interval_ms = 0;
	double last = 0;
	int ret;

	if (opt(cli, OPT_WATCH) && (!parse_seconds(opt(cli, OPT_WATCH), &interval_ms) ||
				    !interval_ms))
		return fail(cli, STATUS_USAGE, "--watch is \"%s\": it has to be seconds, such as 1 "
			    "or 0.5.", opt(cli, OPT_WATCH));
	ret = opt_number(cli, OPT_FRAMES, 1, UINT64_MAX, &rounds);
	if (!ret)
		ret = need_control(cli, false);
	while (!ret && rounds--) {
		double now = now_seconds();

		round.seconds = last > 0 ? now - last : 0;
		last = now;
		ret = print_round(&round);
		if (!ret && rounds)
			nanosleep(&(struct timespec) { interval_ms / 1000,
						       interval_ms % 1000 * 1000000L }, NULL);
	}
	return ret;
}

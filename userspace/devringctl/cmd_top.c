// SPDX-License-Identifier: GPL-2.0-or-later
/* top: who is fast, who lags, who loses, again and again. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "process.h"
#include "table.h"
#include "text.h"

#define COLUMNS		10
#define SEEN_MAX	4096

/* A device (reader 0) or a reader of it as it was the last time. */
struct seen {
	uint64_t device, reader;
	uint64_t count;			/* frames committed, or delivered */
	double at, changed;		/* when that was asked, and when it was last another */
};

struct round {
	struct cli *cli;
	struct table table;
	json_t *devices;
	struct seen *seen;
	size_t count;
	double now;
};

struct pace {
	double fps, age;		/* negative: not known yet */
};

static const char *const header[COLUMNS] = {
	"DEVICE", "READER", "PID", "COMMAND", "FPS", "SEQUENCE", "LAG", "LOST", "AGE", "STATE",
};

static double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* How fast a count moves, and how long it has stood still. */
static struct pace pace_of(struct round *round, uint64_t device, uint64_t reader, uint64_t count)
{
	struct pace pace = { -1, -1 };

	for (size_t i = 0; i < round->count; i++) {
		struct seen *seen = &round->seen[i];

		if (seen->device != device || seen->reader != reader)
			continue;
		if (round->now > seen->at)
			pace.fps = (double)(count - seen->count) / (round->now - seen->at);
		if (seen->count != count)
			seen->changed = round->now;
		pace.age = seen->changed > 0 ? round->now - seen->changed : -1;
		seen->count = count;
		seen->at = round->now;
		return pace;
	}
	if (round->count < SEEN_MAX)
		round->seen[round->count++] = (struct seen) { device, reader, count, round->now, 0 };
	return pace;
}

static void add_device_row(struct table *table, const struct devring_device *d, const struct pace *pace)
{
	char text[80];

	table_cell(table, d->link);
	table_cellf(table, "(%u)", d->readers);
	table_cell(table, "");
	table_cell(table, "");
	table_cellf(table, pace->fps < 0 ? "" : "%.1f", pace->fps);
	table_cellf(table, "%llu", (unsigned long long)d->head);
	table_cell(table, "");
	table_cell(table, "");
	table_cellf(table, pace->age < 0 ? "" : "%.1fs", pace->age);
	snprintf(text, sizeof(text), "%s%s%s", devring_state_name(d->state), d->error ? ": " : "",
		 d->error ? strerror(d->error) : "");
	table_cell(table, text);
}

static int pid_of(const struct devring_reader *reader)
{
	return reader->last_pid ? reader->last_pid : reader->map_pid ? reader->map_pid : reader->open_pid;
}

/* Frames between the newest and the one it reads next. */
static uint64_t lag_of(const struct devring_device *d, const struct devring_reader *reader)
{
	return d->head > reader->cursor ? d->head - reader->cursor : 0;
}

static void add_reader_row(struct table *table, const struct devring_device *d, const struct devring_reader *reader,
			   const struct pace *pace)
{
	int pid = pid_of(reader);
	char text[256];

	table_cell(table, d->link);
	table_cellf(table, "%llu", (unsigned long long)reader->id);
	table_cellf(table, pid ? "%d" : "", pid);
	table_cell(table, pid ? process_command(pid, text, sizeof(text)) : "");
	table_cellf(table, pace->fps < 0 ? "" : "%.1f", pace->fps);
	table_cellf(table, "%llu", (unsigned long long)reader->cursor);
	table_cellf(table, "%llu", (unsigned long long)lag_of(d, reader));
	table_cellf(table, "%llu", (unsigned long long)reader->lost);
	table_cellf(table, pace->age < 0 ? "" : "%.1fs", pace->age);
	table_cell(table, reader->flags & DEVRING_READER_IS_ACTIVE ? "reading" : "idle");
}

static json_t *known(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static json_t *reader_json(const struct devring_device *d, const struct devring_reader *reader,
			   const struct pace *pace)
{
	return json_pack("{s:I, s:i, s:o, s:I, s:I, s:I, s:I, s:o, s:b}", "reader", (json_int_t)reader->id, "pid",
			 pid_of(reader), "fps", known(pace->fps), "sequence", (json_int_t)reader->cursor, "lag",
			 (json_int_t)lag_of(d, reader), "delivered", (json_int_t)reader->delivered, "lost",
			 (json_int_t)reader->lost, "age_seconds", known(pace->age), "active",
			 !!(reader->flags & DEVRING_READER_IS_ACTIVE));
}

static void add_readers(struct round *round, const struct devring_device *d, json_t *list)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	char node[DEVRING_NODE_SIZE];
	int fd, count;

	if (d->flags & DEVRING_REG_SINK)
		return;
	fd = devring_open_device(round->cli->control, devring_node(d->minor, node, sizeof(node)),
				 O_RDONLY | O_NONBLOCK);
	count = fd < 0 ? 0 : devring_get_readers(fd, readers, DEVRING_READERS_MAX);
	if (fd >= 0)
		close(fd);
	for (int i = 0; i < count; i++) {
		struct pace pace;

		if (readers[i].flags & DEVRING_READER_IS_SELF)
			continue;
		pace = pace_of(round, d->id, readers[i].id, readers[i].delivered);
		if (list)
			json_array_append_new(list, reader_json(d, &readers[i], &pace));
		else
			add_reader_row(&round->table, d, &readers[i], &pace);
	}
}

static void add_device(void *user, const struct devring_device *d)
{
	struct round *round = user;
	struct pace pace = pace_of(round, d->id, 0, d->head);
	const char *state = devring_state_name(d->state);
	json_t *json, *list;

	if (!round->devices) {
		add_device_row(&round->table, d, &pace);
		add_readers(round, d, NULL);
		return;
	}
	list = json_array();
	add_readers(round, d, list);
	json = json_object();
	json_object_set_new(json, "device", json_text(d->link));
	json_object_set_new(json, "state", json_string(state ? state : "unknown"));
	json_object_set_new(json, "fps", known(pace.fps));
	json_object_set_new(json, "sequence", json_u64(d->head));
	json_object_set_new(json, "age_seconds", known(pace.age));
	json_object_set_new(json, "readers", list);
	json_array_append_new(round->devices, json);
}

static int print_round(struct round *round, bool clear)
{
	json_t *json = NULL;
	int ret;

	round->now = now_seconds();
	table_begin(&round->table, header, COLUMNS);
	if (round->cli->json) {
		json = json_begin();
		round->devices = json_array();
		json_object_set_new(json, "devices", round->devices);
	}
	ret = each_device(round->cli, add_device, round);
	if (ret)
		return ret;
	if (clear)
		printf("\033[H\033[2J");
	if (json)
		json_print(json, stdout);
	else
		table_print(&round->table, !opt(round->cli, OPT_NO_LEGEND));
	return flush_stdout(round->cli);
}

int cmd_top(struct cli *cli)
{
	struct round round = { .cli = cli };
	uint64_t rounds = UINT64_MAX;
	int interval_ms, ret = opt_time(cli, OPT_WATCH, &interval_ms);
	bool clear = !cli->json && !opt(cli, OPT_BATCH) && isatty(STDOUT_FILENO);

	if (!ret)
		ret = opt_number(cli, OPT_FRAMES, 1, UINT64_MAX, &rounds);
	if (!ret)
		ret = need_control(cli, false);
	if (ret)
		return ret;
	if (interval_ms < 0)
		interval_ms = 1000;
	round.seen = calloc(SEEN_MAX, sizeof(*round.seen));
	if (!round.seen)
		return fail_errno(cli, -ENOMEM, "Cannot look");
	catch_signals();
	while (!ret && rounds-- && !was_signalled()) {
		ret = print_round(&round, clear);
		if (!ret && rounds)
			nanosleep(&(struct timespec) { interval_ms / 1000, interval_ms % 1000 * 1000000L }, NULL);
	}
	free(round.seen);
	die_of_signal();
	return ret;
}

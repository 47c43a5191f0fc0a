// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics: counters in Prometheus' text format, for its text-file collector or any scraper. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "text.h"

#define DEVICES_MAX	256

struct metrics {
	FILE *out;
	struct devring_device devices[DEVICES_MAX];
	unsigned int count;
	json_t *daemon;			/* NULL: devringd does not run */
};

/* A label's value, as the format has it. */
static void put_value(FILE *out, const char *text)
{
	char clean[512];

	for (const char *c = text_escape(text, clean, sizeof(clean)); *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		fputc(*c, out);
	}
}

static void begin(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void device_sample(FILE *out, const char *name, const struct devring_device *d, unsigned long long value)
{
	const char *type = devring_type_name(d->type);

	fprintf(out, "%s{device=\"", name);
	put_value(out, d->link);
	fprintf(out, "\",type=\"%s\"} %llu\n", type ? type : "other", value);
}

static uint64_t is_available(const struct devring_device *d) { return d->state == DEVRING_STATE_AVAILABLE; }
static uint64_t is_failing(const struct devring_device *d) { return d->state == DEVRING_STATE_ERROR; }
static uint64_t frames(const struct devring_device *d) { return d->head; }
static uint64_t readers(const struct devring_device *d) { return d->readers; }
static uint64_t broken(const struct devring_device *d) { return d->holds_broken; }
static uint64_t slots(const struct devring_device *d) { return d->geometry.slots; }
static uint64_t held(const struct devring_device *d) { return d->held; }
static uint64_t bytes(const struct devring_device *d) { return d->bytes; }

static void write_devices(const struct metrics *m)
{
	static const struct {
		const char *name, *type, *help;
		uint64_t (*value)(const struct devring_device *device);
	} families[] = {
		{ "devring_device_available", "gauge", "Whether the device delivers, or would to a reader.",
		  is_available },
		{ "devring_device_failing", "gauge", "Whether the device is in the state error.", is_failing },
		{ "devring_frames_total", "counter", "Frames committed.", frames },
		{ "devring_readers", "gauge", "Readers now.", readers },
		{ "devring_holds_broken_total", "counter", "Holds of readers that were broken.", broken },
		{ "devring_slots", "gauge", "Slots of the ring.", slots },
		{ "devring_slots_held", "gauge", "Slots that readers hold now.", held },
		{ "devring_memory_bytes", "gauge", "Memory of the rings.", bytes },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		begin(m->out, families[i].name, families[i].type, families[i].help);
		for (unsigned int n = 0; n < m->count; n++)
			device_sample(m->out, families[i].name, &m->devices[n], families[i].value(&m->devices[n]));
	}
}

/* What each reader of a device got or lost, where this user may ask. */
static void write_readers(const struct metrics *m, int control, const char *name, const char *help, bool lost)
{
	struct devring_reader list[DEVRING_READERS_MAX];
	char node[DEVRING_NODE_SIZE];

	begin(m->out, name, "counter", help);
	for (unsigned int n = 0; n < m->count; n++) {
		const struct devring_device *d = &m->devices[n];
		int fd = d->flags & DEVRING_REG_SINK ? -1 :
			 devring_open_device(control, devring_node(d->minor, node, sizeof(node)),
					     O_RDONLY | O_NONBLOCK);
		int count = fd < 0 ? 0 : devring_get_readers(fd, list, DEVRING_READERS_MAX);

		for (int i = 0; i < count; i++) {
			if (list[i].flags & DEVRING_READER_IS_SELF || !(list[i].flags & DEVRING_READER_IS_ACTIVE))
				continue;
			fprintf(m->out, "%s{device=\"", name);
			put_value(m->out, d->link);
			fprintf(m->out, "\",reader=\"%llu\"} %llu\n", (unsigned long long)list[i].id,
				(unsigned long long)(lost ? list[i].lost : list[i].delivered));
		}
		if (fd >= 0)
			close(fd);
	}
}

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void write_histogram(FILE *out, const json_t *counters)
{
	static const char name[] = "usb_event_processing_duration_ms";
	json_t *buckets = json_object_get(counters, "duration_buckets"), *one;
	size_t i;

	begin(out, name, "histogram", "From a hotplug event to its record, in milliseconds.");
	json_array_foreach(buckets, i, one)
		fprintf(out, "%s_bucket{le=\"%g\"} %lld\n", name, json_number_value(json_array_get(one, 0)),
			(long long)json_integer_value(json_array_get(one, 1)));
	fprintf(out, "%s_bucket{le=\"+Inf\"} %lld\n", name, number(counters, "duration_count"));
	fprintf(out, "%s_sum %.6f\n%s_count %lld\n", name, json_number_value(json_object_get(counters, "duration_ms")),
		name, number(counters, "duration_count"));
}

static void write_daemon(const struct metrics *m)
{
	static const struct {
		const char *name, *help, *key;
	} families[] = {
		{ "devring_hotplug_records_total", "Records of the device hotplug.", "records" },
		{ "devring_hotplug_flaps_total", "Comings and goings that were coalesced.", "flaps" },
		{ "devring_hotplug_overflows_total", "Times that a source of events overflowed.", "overflows" },
		{ "devring_hotplug_listings_total", "Times that all hardware was listed.", "listings" },
		{ "devring_device_failures_total", "Times that a device went into the state error.", "failures" },
		{ "devring_device_recoveries_total", "Times that a device came out of it.", "recoveries" },
		{ "devring_hooks_total", "Programs run for events.", "hooks" },
		{ "devring_hook_failures_total", "Those that failed or were killed.", "hooks_failed" },
		{ "devring_hook_events_dropped_total", "Events that no hook was run for: too many waited.",
		  "hooks_dropped" },
	};
	const json_t *counters = json_object_get(m->daemon, "counters");
	const char *status = json_string_value(json_object_get(json_object_get(m->daemon, "health"), "status"));

	begin(m->out, "usb_events_total", "counter", "USB devices attached, detached, and flapping.");
	fprintf(m->out, "usb_events_total{action=\"add\"} %lld\nusb_events_total{action=\"remove\"} %lld\n"
		"usb_events_total{action=\"flap\"} %lld\n", number(counters, "usb_add"),
		number(counters, "usb_remove"), number(counters, "usb_flap"));
	begin(m->out, "usb_devices_connected", "gauge", "USB devices now.");
	fprintf(m->out, "usb_devices_connected %lld\n", number(m->daemon, "usb_devices"));
	write_histogram(m->out, counters);
	begin(m->out, "process_resident_memory_bytes", "gauge", "Memory of devringd when it last published its state.");
	fprintf(m->out, "process_resident_memory_bytes %lld\n", number(m->daemon, "resident_bytes"));
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		begin(m->out, families[i].name, "counter", families[i].help);
		fprintf(m->out, "%s %lld\n", families[i].name, number(counters, families[i].key));
	}
	begin(m->out, "devring_healthy", "gauge", "Whether devringd finds nothing wrong.");
	fprintf(m->out, "devring_healthy %d\n", status && !strcmp(status, "ok"));
}

static int collect(struct cli *cli, struct metrics *m, json_t **state)
{
	struct devring_device device = { 0 };
	bool offline = true;
	int ret = need_control(cli, false);

	if (ret)
		return ret;
	m->count = 0;
	while (m->count < DEVICES_MAX && (ret = devring_next_device(cli->control, &device)) > 0)
		m->devices[m->count++] = device;
	if (ret < 0)
		return fail_errno(cli, ret, "Cannot list the devices");
	*state = NULL;
	for (unsigned int i = 0; i < m->count; i++)
		if (!strcmp(m->devices[i].link, "state") && m->devices[i].state == DEVRING_STATE_AVAILABLE)
			ret = daemon_state(cli, state, &offline);
	m->daemon = offline ? NULL : json_object_get(*state, "daemon");
	return ret;
}

static int write_metrics(struct cli *cli, FILE *out)
{
	struct metrics *m = calloc(1, sizeof(*m));
	json_t *state = NULL;
	int ret;

	if (!m)
		return fail_errno(cli, -ENOMEM, "Cannot collect");
	ret = collect(cli, m, &state);
	if (!ret) {
		m->out = out;
		begin(out, "devring_daemon_up", "gauge", "Whether devringd runs.");
		fprintf(out, "devring_daemon_up %d\n", !!m->daemon);
		if (m->daemon)
			write_daemon(m);
		write_devices(m);
		write_readers(m, cli->control, "devring_reader_frames_total", "Frames that a reader got.", false);
		write_readers(m, cli->control, "devring_reader_lost_frames_total", "Frames that a reader lost.", true);
	}
	json_decref(state);
	free(m);
	return ret;
}

/* A collector that reads the file at any time sees all of it or none: it is renamed into place. */
static int write_file(struct cli *cli, const char *path)
{
	char temporary[4096];
	FILE *out;
	int ret;

	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	out = fopen(temporary, "we");
	if (!out)
		return fail_errno(cli, -errno, "Cannot write %s", temporary);
	fchmod(fileno(out), 0644);
	ret = write_metrics(cli, out);
	if (ferror(out))
		errno = EIO;
	if ((fclose(out) || (!ret && rename(temporary, path))) && !ret)
		ret = fail_errno(cli, -errno, "Cannot write %s", path);
	if (ret)
		unlink(temporary);
	return ret;
}

int cmd_metrics(struct cli *cli)
{
	const char *path = opt(cli, OPT_OUTPUT);
	int interval_ms = -1, ret = opt_time(cli, OPT_WATCH, &interval_ms);

	if (ret)
		return ret;
	if (interval_ms >= 0 && (!path || !interval_ms))
		return fail(cli, STATUS_USAGE, "--watch needs a time above 0, and --output with the file to write "
			    "anew.");
	catch_signals();
	do {
		if (path && strcmp(path, "-"))
			ret = write_file(cli, path);
		else
			ret = write_metrics(cli, stdout);
		if (!ret && interval_ms >= 0)
			nanosleep(&(struct timespec) { interval_ms / 1000, interval_ms % 1000 * 1000000L }, NULL);
	} while (!ret && interval_ms >= 0 && !was_signalled());
	if (!ret)
		ret = flush_stdout(cli);
	die_of_signal();
	return ret;
}

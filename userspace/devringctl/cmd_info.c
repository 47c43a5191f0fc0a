// SPDX-License-Identifier: GPL-2.0-or-later
/* info: all about a device, or about the module. */

#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "text.h"

static const char *const features[] = {
	"holds", "grant", "export", "wake-filters", "lossless", "recheck", "direct", "memcg",
};

static void line(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line(const char *name, const char *format, ...)
{
	char value[512], clean[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	printf("%-14s %s\n", name, *value ? text_escape(value, clean, sizeof(clean)) : "-");
}

static void print_who(const char *name, uint32_t uid, int32_t pid)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		line(name, "%s (uid %u), pid %d", user->pw_name, uid, pid);
	else
		line(name, "uid %u, pid %d", uid, pid);
}

static void print_ring(const struct devring_device *d)
{
	const struct devring_geometry *g = &d->geometry;
	char bytes[32];

	line("frames", "%llu", (unsigned long long)d->head);
	line("readers", "%u of %u open", d->readers, d->opens);
	line("format", "%s", devring_format_to_text(&d->format, (char[DEVRING_TEXT_SIZE]){ 0 },
						    DEVRING_TEXT_SIZE));
	if (!g->generation) {
		line("ring", "-");
		return;
	}
	line("ring", "%u slots of %u bytes, %u of metadata; generation %u; %s", g->slots,
	     g->slot_size, g->metadata_size, g->generation,
	     text_bytes(d->bytes, bytes, sizeof(bytes)));
	line("slots", "%u with the producer, %u held; %u would have been enough", d->queued,
	     d->held, d->slots_needed);
	line("holds broken", "%llu", (unsigned long long)d->holds_broken);
}

static void print_device(const struct devring_device *d)
{
	time_t when = (time_t)(d->registered_real_ns / 1000000000);
	char text[DEVRING_TEXT_SIZE];
	const char *name = devring_type_name(d->type);
	struct tm tm;

	line("name", "%s", d->name);
	line("link", "%s/%s", DEVRING_LINKS_PATH, d->link);
	line("node", "%s", devring_node(d->minor, text, sizeof(text)));
	line("id", "%llu", (unsigned long long)d->id);
	line("label", "%s", d->label);
	line("type", "%s", name ? name : "");
	name = devring_state_name(d->state);
	if (d->error)
		line("state", "%s: %s", name ? name : "", strerror(d->error));
	else
		line("state", "%s", name ? name : "");
	line("flags", "%s", devring_flags_to_text(d->flags, text, sizeof(text)));
	line("stable id", "%s", d->stable_id);
	line("path id", "%s", d->path_id);
	if (localtime_r(&when, &tm) && strftime(text, sizeof(text), "%F %T %z", &tm))
		line("registered", "%s", text);
	print_who("registrant", d->registrant_uid, d->registrant_pid);
	if (d->producer_pid)
		print_who("producer", d->producer_uid, d->producer_pid);
	else
		line("producer", "-");
	line("last used", "%s%s", d->used_ns ? text_age(since_ns(d->used_ns), text, sizeof(text)) :
	     "never", d->used_ns ? " ago" : "");
	print_ring(d);
}

static char *features_text(uint64_t bits, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]) && at < size; i++)
		if (bits >> i & 1)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? "," : "",
					       features[i]);
	return buf;
}

static void print_module_json(const struct devring_info *i)
{
	json_t *json = json_begin();
	char text[256];

	json_object_set_new(json, "abi_version", json_integer(i->abi_version));
	json_object_set_new(json, "features",
			    json_flags(features_text(i->features, text, sizeof(text))));
	json_object_set_new(json, "slots_max", json_integer(i->slots_max));
	json_object_set_new(json, "slot_size_max", json_integer(i->slot_size_max));
	json_object_set_new(json, "metadata_max", json_integer(i->metadata_max));
	json_object_set_new(json, "holds_max", json_integer(i->holds_max));
	json_object_set_new(json, "readers_max", json_integer(i->readers_max));
	json_object_set_new(json, "user_devices_max", json_integer(i->user_devices_max));
	json_object_set_new(json, "user_readers_max", json_integer(i->user_readers_max));
	json_object_set_new(json, "user_holds_max", json_integer(i->user_holds_max));
	json_object_set_new(json, "user_bytes_max", json_u64(i->user_bytes_max));
	json_object_set_new(json, "total_bytes_max", json_u64(i->total_bytes_max));
	json_object_set_new(json, "user_bytes", json_u64(i->user_bytes));
	json_object_set_new(json, "total_bytes", json_u64(i->total_bytes));
	json_object_set_new(json, "devices", json_integer(i->devices));
	json_object_set_new(json, "devices_available", json_integer(i->devices_available));
	json_object_set_new(json, "change", json_u64(i->change));
	json_print(json, stdout);
}

static void print_module(const struct devring_info *i)
{
	char text[256], used[32], max[32];

	line("abi", "%u", i->abi_version);
	line("features", "%s", features_text(i->features, text, sizeof(text)));
	line("devices", "%u, of which %u available", i->devices, i->devices_available);
	line("memory", "%s of %s", text_bytes(i->total_bytes, used, sizeof(used)),
	     text_bytes(i->total_bytes_max, max, sizeof(max)));
	line("your memory", "%s of %s", text_bytes(i->user_bytes, used, sizeof(used)),
	     text_bytes(i->user_bytes_max, max, sizeof(max)));
	line("a ring", "at most %u slots of %s", i->slots_max,
	     text_bytes(i->slot_size_max, max, sizeof(max)));
	line("a device", "at most %u readers", i->readers_max);
	line("a reader", "at most %u holds", i->holds_max);
	line("a user", "at most %u devices, %u readers, %u holds", i->user_devices_max,
	     i->user_readers_max, i->user_holds_max);
}

static int info_module(struct cli *cli)
{
	struct devring_info info;
	int ret = need_control(cli, false);

	if (ret)
		return ret;
	ret = devring_get_info(cli->control, &info);
	if (ret)
		return fail_errno(cli, ret, "Cannot ask the module");
	if (cli->json)
		print_module_json(&info);
	else
		print_module(&info);
	return flush_stdout(cli);
}

int cmd_info(struct cli *cli)
{
	struct devring_device device;
	json_t *json;
	int ret;

	if (!arg(cli, 0))
		return info_module(cli);
	ret = need_device(cli, arg(cli, 0), &device);
	if (ret)
		return ret;
	if (cli->json) {
		json = json_begin();
		json_object_set_new(json, "device", json_device(&device));
		json_print(json, stdout);
	} else {
		print_device(&device);
	}
	return flush_stdout(cli);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* who: the readers of devices. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"
#include "process.h"
#include "table.h"
#include "text.h"

#define COLUMNS	11

struct listing {
	struct cli *cli;
	struct table table;
	json_t *readers;
	unsigned int refused;	/* devices that this user may not open */
};

static const char *const header[COLUMNS] = {
	"DEVICE", "READER", "PID", "COMMAND", "USER", "UNIT", "SINCE", "DELIVERED", "LOST", "HELD",
	"USE",
};

/* Who has it in the hand now, as far as it is shown. */
static int pid_of(const struct devring_reader *reader)
{
	return reader->last_pid ? reader->last_pid :
	       reader->map_pid ? reader->map_pid : reader->open_pid;
}

static void add_row(struct table *table, const struct devring_device *device,
		    const struct devring_reader *reader)
{
	bool hidden = reader->flags & DEVRING_READER_IS_HIDDEN;
	char text[256];
	int pid = pid_of(reader);

	table_cell(table, device->link);
	table_cellf(table, "%llu", (unsigned long long)reader->id);
	table_cellf(table, pid ? "%d" : "", pid);
	table_cell(table, pid ? process_command(pid, text, sizeof(text)) : "");
	table_cell(table, hidden ? "" : user_name(reader->uid, text, sizeof(text)));
	table_cell(table, pid ? process_unit(pid, text, sizeof(text)) : "");
	table_cell(table, text_age(since_ns(reader->since_ns), text, sizeof(text)));
	table_cellf(table, "%llu", (unsigned long long)reader->delivered);
	table_cellf(table, "%llu", (unsigned long long)reader->lost);
	table_cellf(table, "%u", reader->held);
	table_cellf(table, "%s%s%s%s", reader->flags & DEVRING_READER_IS_ACTIVE ? "reading" : "idle",
		    reader->flags & DEVRING_READER_IS_GRANTED ? ", granted" : "",
		    reader->expires_ns ? " for " : "", reader->expires_ns ?
		    text_age(until_ns(reader->expires_ns), text, sizeof(text)) : "");
}

static json_t *reader_json(const struct devring_device *device,
			   const struct devring_reader *reader)
{
	bool hidden = reader->flags & DEVRING_READER_IS_HIDDEN;
	json_t *json = json_object();
	char text[256];
	int pid = pid_of(reader);

	json_object_set_new(json, "device", json_text(device->link));
	json_object_set_new(json, "device_id", json_u64(device->id));
	json_object_set_new(json, "reader", json_u64(reader->id));
	json_object_set_new(json, "pid", json_integer(pid));
	json_object_set_new(json, "open_pid", json_integer(reader->open_pid));
	json_object_set_new(json, "last_pid", json_integer(reader->last_pid));
	json_object_set_new(json, "map_pid", json_integer(reader->map_pid));
	json_object_set_new(json, "command",
			    json_text(pid ? process_command(pid, text, sizeof(text)) : ""));
	json_object_set_new(json, "uid", hidden ? json_null() : json_integer(reader->uid));
	json_object_set_new(json, "user", hidden ? json_null() :
			    json_text(user_name(reader->uid, text, sizeof(text))));
	json_object_set_new(json, "unit",
			    json_text(pid ? process_unit(pid, text, sizeof(text)) : ""));
	json_object_set_new(json, "cgroup", json_u64(reader->cgroup));
	json_object_set_new(json, "since_ns", json_u64(reader->since_ns));
	json_object_set_new(json, "age_ns", json_u64(since_ns(reader->since_ns)));
	json_object_set_new(json, "delivered", json_u64(reader->delivered));
	json_object_set_new(json, "lost", json_u64(reader->lost));
	json_object_set_new(json, "cursor", json_u64(reader->cursor));
	json_object_set_new(json, "held", json_integer(reader->held));
	json_object_set_new(json, "active",
			    json_boolean(reader->flags & DEVRING_READER_IS_ACTIVE));
	json_object_set_new(json, "granted",
			    json_boolean(reader->flags & DEVRING_READER_IS_GRANTED));
	json_object_set_new(json, "granted_from", json_u64(reader->granted_from));
	json_object_set_new(json, "expires_ns", json_u64(reader->expires_ns));
	json_object_set_new(json, "hidden", json_boolean(hidden));
	return json;
}

static int list_device(struct listing *listing, const struct devring_device *device)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	char node[DEVRING_NODE_SIZE];
	int fd, count;

	devring_node(device->minor, node, sizeof(node));
	fd = devring_open_device(listing->cli->control, node, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	count = devring_get_readers(fd, readers, DEVRING_READERS_MAX);
	close(fd);
	for (int i = 0; i < count; i++) {
		/* Asking takes a reader too; it is nobody's business. */
		if (readers[i].flags & DEVRING_READER_IS_SELF)
			continue;
		if (listing->readers)
			json_array_append_new(listing->readers, reader_json(device, &readers[i]));
		else
			add_row(&listing->table, device, &readers[i]);
	}
	return count < 0 ? count : 0;
}

static int list_all(struct listing *listing)
{
	struct devring_device device = { 0 };
	int ret;

	while ((ret = devring_next_device(listing->cli->control, &device)) > 0) {
		int err = list_device(listing, &device);

		/* It may have gone meanwhile; a sink only has its registrant. */
		if (err == -EACCES || err == -EPERM || err == -EUSERS || err == -EDQUOT)
			listing->refused += !(device.flags & DEVRING_REG_SINK);
		else if (err && err != -ENODEV && err != -ENOENT && err != -ENXIO)
			return fail_errno(listing->cli, err, "Cannot ask \"%s\"", device.link);
	}
	return ret ? fail_errno(listing->cli, ret, "Cannot list the devices") : STATUS_OK;
}

int cmd_who(struct cli *cli)
{
	struct listing listing = { .cli = cli };
	struct devring_device device;
	int ret = need_control(cli, false);
	json_t *json = NULL;

	if (ret)
		return ret;
	table_begin(&listing.table, header, COLUMNS);
	if (cli->json) {
		json = json_begin();
		listing.readers = json_array();
		json_object_set_new(json, "readers", listing.readers);
	}
	for (int i = 0; arg(cli, i); i++) {
		ret = need_device(cli, arg(cli, i), &device);
		if (ret)
			return ret;
		ret = list_device(&listing, &device);
		if (ret)
			return fail_device(cli, ret, arg(cli, i));
	}
	if (!arg(cli, 0)) {
		ret = list_all(&listing);
		if (ret)
			return ret;
	}
	if (listing.refused)
		remark("%u devices cannot be asked by your user: their readers are not shown.",
		       listing.refused);
	if (cli->json) {
		json_object_set_new(json, "refused", json_integer(listing.refused));
		json_print(json, stdout);
	} else {
		table_print(&listing.table, !opt(cli, OPT_NO_LEGEND));
	}
	return flush_stdout(cli);
}

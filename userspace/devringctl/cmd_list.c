// SPDX-License-Identifier: GPL-2.0-or-later
/* list: the devices. */

#include <stdlib.h>

#include "cli.h"
#include "table.h"
#include "text.h"

static void print_name(const struct devring_device *device)
{
	char name[4 * DEVRING_LINK_SIZE];

	puts(text_escape(device->link, name, sizeof(name)));
}

static void add_row(struct table *table, const struct devring_device *device)
{
	char text[DEVRING_TEXT_SIZE];

	table_cell(table, device->link);
	table_cell(table, devring_type_name(device->type));
	table_cell(table, devring_state_name(device->state));
	table_cell(table, devring_format_to_text(&device->format, text, sizeof(text)));
	table_cellf(table, "%u", device->readers);
	table_cellf(table, "%llu", (unsigned long long)device->id);
	table_cell(table, devring_node(device->minor, text, sizeof(text)));
	table_cell(table, device->label);
}

int cmd_list(struct cli *cli)
{
	static const char *const header[] = {
		"NAME", "TYPE", "STATE", "FORMAT", "READERS", "ID", "NODE", "LABEL",
	};
	struct devring_device device = { 0 };
	json_t *json = NULL, *list = NULL;
	struct table table;
	uint32_t type = 0;
	int ret;

	ret = opt_type(cli, &type);
	if (!ret)
		ret = need_control(cli, false);
	if (ret)
		return ret;
	table_begin(&table, header, 8);
	if (cli->json) {
		json = json_begin();
		list = json_array();
		json_object_set_new(json, "devices", list);
	}
	while ((ret = devring_next_device(cli->control, &device)) > 0) {
		if (type && device.type != type)
			continue;
		if (cli->json)
			json_array_append_new(list, json_device(&device));
		else if (opt(cli, OPT_NAMES))
			print_name(&device);
		else
			add_row(&table, &device);
	}
	if (ret < 0)
		return fail_errno(cli, ret, "Cannot list the devices");
	if (cli->json)
		json_print(json, stdout);
	else if (!opt(cli, OPT_NAMES))
		table_print(&table, !opt(cli, OPT_NO_LEGEND));
	return flush_stdout(cli);
}

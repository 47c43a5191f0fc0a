// SPDX-License-Identifier: GPL-2.0-or-later
/* health: whether devringd does what it should, for health checks. */

#include <errno.h>
#include <string.h>

#include "events.h"
#include "text.h"

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void add_reason(json_t *reasons, const char *what, const char *reason)
{
	json_array_append_new(reasons, json_pack("{s:o, s:o}", "what", json_text(what), "reason", json_text(reason)));
}

/* A device that was named has to work, too. */
static int check_devices(struct cli *cli, json_t *reasons, bool *good)
{
	struct devring_device device;
	int ret;

	for (int i = 0; arg(cli, i); i++) {
		ret = need_device(cli, arg(cli, i), &device);
		if (ret)
			return ret;
		if (device.state == DEVRING_STATE_AVAILABLE)
			continue;
		*good = false;
		add_reason(reasons, device.link, device.state == DEVRING_STATE_ERROR ? strerror(device.error) :
			   devring_state_name(device.state));
	}
	return STATUS_OK;
}

static void print(const char *status, json_t *reasons, json_int_t more)
{
	char clean[512];
	json_t *one;
	size_t i;

	printf("%s\n", status);
	json_array_foreach(reasons, i, one) {
		printf("  %s: ", text_escape(member(one, "what"), clean, sizeof(clean)));
		printf("%s\n", text_escape(member(one, "reason"), clean, sizeof(clean)));
	}
	if (more)
		printf("  and %" JSON_INTEGER_FORMAT " more\n", more);
}

int cmd_health(struct cli *cli)
{
	json_t *state, *health, *reasons, *json;
	json_int_t more = 0;
	const char *status;
	bool offline, good;
	int ret = daemon_state(cli, &state, &offline);

	if (ret)
		return ret;
	health = json_object_get(json_object_get(state, "daemon"), "health");
	reasons = json_deep_copy(json_object_get(health, "reasons"));
	if (!reasons || offline) {
		json_decref(reasons);
		reasons = json_array();
	}
	if (offline)
		add_reason(reasons, "devringd", "does not run; try: systemctl start devringd");
	if (!offline)
		more = json_integer_value(json_object_get(health, "more"));
	good = !offline;
	ret = check_devices(cli, reasons, &good);
	status = !good ? "failed" : json_array_size(reasons) ? "degraded" : "ok";
	if (!ret && cli->json) {
		json = json_begin();
		json_object_set_new(json, "status", json_string(status));
		json_object_set(json, "reasons", reasons);
		if (more)
			json_object_set_new(json, "more", json_integer(more));
		json_print(json, stdout);
	} else if (!ret) {
		print(status, reasons, more);
	}
	json_decref(reasons);
	json_decref(state);
	if (!ret)
		ret = flush_stdout(cli);
	return ret ? ret : good ? STATUS_OK : STATUS_FAILURE;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong with devringd: each complaint once, and never more of them than a record holds. */

#include <stdlib.h>
#include <string.h>

#include "../../userspace/devringd/health.h"
#include "tap.h"

static void expect(struct health *health, const char *wanted, const char *name)
{
	json_t *json = health_json(health);
	char *text = json_dumps(json, JSON_COMPACT);

	same_text(text, wanted, name);
	free(text);
	json_decref(json);
}

/* So many devices with names and reasons of such lengths: whether it fits, and all are counted. */
static void test_many(int count, int name_length, int reason_length)
{
	struct health *health = health_new();
	static const char long_name[] = "camera-with-a-name-that-somebody-gave-it-and-is-long";
	char what[80], reason[160], name[80];
	json_t *json;
	char *text;

	for (int i = 0; i < count; i++) {
		snprintf(what, sizeof(what), "%.*s%d", name_length, long_name, i);
		memset(reason, 'r', sizeof(reason));
		reason[reason_length] = '\0';
		health_set(health, what, reason);
	}
	json = health_json(health);
	text = json_dumps(json, JSON_COMPACT);
	snprintf(name, sizeof(name), "%d of %d and %d bytes fit into a record", count, name_length, reason_length);
	OK(strlen(text) < 1800, name);
	OK((int)json_array_size(json_object_get(json, "reasons")) +
	   (int)json_integer_value(json_object_get(json, "more")) == count, "and all are counted");
	free(text);
	json_decref(json);
	health_free(health);
}

int main(void)
{
	struct health *health = health_new();

	expect(health, "{\"status\":\"ok\",\"reasons\":[]}", "nothing is wrong");
	OK(health_set(health, "camera0", "broken"), "a complaint is news");
	OK(!health_set(health, "camera0", "broken"), "once");
	expect(health, "{\"status\":\"degraded\",\"reasons\":[{\"what\":\"camera0\",\"reason\":\"broken\"}]}",
	       "it is told");
	OK(health_set(health, "camera0", NULL) && !health_set(health, "camera0", NULL), "its end, too");
	expect(health, "{\"status\":\"ok\",\"reasons\":[]}", "and it is well again");
	health_free(health);
	test_many(40, 6, 20);
	test_many(40, 52, 140);
	return tap_end();
}

// SPDX-License-Identifier: GPL-2.0-only
/* What is told of things that come and go: at once, coalesced, limited, and never wrong in the end. */

#include <stdlib.h>
#include <string.h>

#include "../../userspace/devringd/outbox.h"
#include "tap.h"

static struct {
	char text[65536];
	unsigned int records, batches, flaps;
	int present;
} got;

static void on_record(void *user, const struct outbox_record *record)
{
	static const char actions[] = "+-~!";
	char line[128];

	(void)user;
	snprintf(line, sizeof(line), "%c%lld%s%.0u ", actions[record->action],
		 (long long)json_integer_value(json_object_get(record->what, "n")), record->flaps ? "x" : "",
		 record->flaps);
	if (strlen(got.text) + strlen(line) < sizeof(got.text))
		strcat(got.text, line);
	got.records++;
	got.flaps += record->flaps;
	got.present += (record->action == OUTBOX_ADD) - (record->action == OUTBOX_REMOVE);
}

static void on_end(void *user)
{
	(void)user;
	got.batches++;
}

static void put(struct outbox *o, const char *key, int n)
{
	outbox_put(o, key, "here", "gone", n ? json_pack("{s:i}", "n", n) : NULL);
}

/* Let the loop run for so long. */
static void run(sd_event *event, unsigned int ms)
{
	uint64_t now, end;

	sd_event_now(event, CLOCK_MONOTONIC, &now);
	end = now + ms * 1000ull;
	do {
		sd_event_run(event, 1000);
		sd_event_now(event, CLOCK_MONOTONIC, &now);
	} while (now < end);
}

static void expect(const char *wanted, const char *name)
{
	same_text(got.text, wanted, name);
	memset(&got, 0, sizeof(got));
}

static void test_coalescing(sd_event *event, struct outbox *o)
{
	struct outbox_limits limits = { .debounce_ms = 3000, .per_second = 100, .batch = 10 };

	outbox_configure(o, &limits);
	put(o, "a", 1);
	run(event, 5);
	expect("+1 ", "what comes is told at once");
	put(o, "a", 0);
	run(event, 5);
	expect("", "what follows has to wait");
	limits.debounce_ms = 20;
	outbox_configure(o, &limits);
	run(event, 3200);
	expect("-1 ", "and is told when the time is over");
	run(event, 200);
	put(o, "a", 2);
	put(o, "a", 0);
	run(event, 200);
	expect("!2x1 ", "what came and went unseen is told as that");
	run(event, 200);
	put(o, "a", 3);
	put(o, "a", 0);
	put(o, "a", 4);
	run(event, 200);
	expect("+4x1 ", "of what came again the last is told, with a count");
	put(o, "a", 5);
	run(event, 200);
	expect("-4 +5 ", "another in its place: the one before is told to have gone");
	outbox_flap(o, "a");
	outbox_flap(o, "a");
	outbox_flap(o, "b");
	run(event, 200);
	expect("!5x2 ", "a removal that was none is counted; of what is not known nothing is told");
	put(o, "c", 0);
	run(event, 200);
	expect("", "nor is the removal of what was not there");
	put(o, "a", 0);
	run(event, 200);
	expect("-5 ", "and it goes");
}

static void test_changes(sd_event *event, struct outbox *o)
{
	outbox_change(o, "s", "state", json_pack("{s:i}", "n", 1));
	run(event, 200);
	outbox_change(o, "s", "state", json_pack("{s:i}", "n", 1));
	run(event, 200);
	expect("~1 ", "what is as it was is not told again");
	outbox_change(o, "s", "state", json_pack("{s:i}", "n", 2));
	outbox_change(o, "s", "state", json_pack("{s:i}", "n", 3));
	run(event, 200);
	expect("~3x1 ", "of changes the last is told");
}

static void test_limits(sd_event *event, struct outbox *o)
{
	struct outbox_limits limits = { .debounce_ms = 0, .per_second = 20, .batch = 4 };
	char key[16];
	unsigned int burst;

	outbox_configure(o, &limits);
	run(event, 1200);
	for (int i = 0; i < 60; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(o, key, i + 1);
	}
	run(event, 20);
	burst = got.records;
	OK(burst >= 20 && burst < 60, "a second's worth may go at once");
	OK(got.batches >= burst / 4, "in batches");
	OK(outbox_waiting(o) == 60 - burst, "the rest waits");
	for (int i = 0; i < 60; i += 2) {
		snprintf(key, sizeof(key), "k%d", i);
		put(o, key, 0);
	}
	run(event, 6000);
	OK(!outbox_waiting(o), "and is told in time");
	OK(got.present == 30, "in the end it is as it is");
	for (int i = 0; i < 60; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(o, key, 0);
	}
	outbox_flush(o);
	OK(got.present == 0 && !outbox_waiting(o), "at the end all is told at once");
	memset(&got, 0, sizeof(got));
}

/* Whatever comes and goes, and however fast: what was told adds up. */
static void test_random(sd_event *event, struct outbox *o)
{
	struct outbox_limits limits = { .debounce_ms = 3, .per_second = 2000, .batch = 8 };
	int now[8] = { 0 }, present = 0;
	uint64_t before = outbox_flaps(o);
	char key[16];

	srandom(1);
	outbox_configure(o, &limits);
	for (int i = 0; i < 20000; i++) {
		int which = (int)(random() % 8);

		snprintf(key, sizeof(key), "r%d", which);
		now[which] = random() % 2 ? i + 1 : 0;
		put(o, key, now[which]);
		if (random() % 50 == 0)
			sd_event_run(event, 0);
	}
	run(event, 1500);
	for (int i = 0; i < 8; i++)
		present += !!now[i];
	OK(got.present == present, "a random history adds up");
	OK(got.flaps > 0 && got.flaps == outbox_flaps(o) - before, "what was coalesced is counted");
}

int main(void)
{
	struct outbox_calls calls = { .record = on_record, .end = on_end };
	struct outbox *o;
	sd_event *event;

	if (sd_event_new(&event) < 0)
		return 1;
	o = outbox_new(event, &calls);
	if (!o)
		return 1;
	test_coalescing(event, o);
	test_changes(event, o);
	test_limits(event, o);
	test_random(event, o);
	outbox_free(o);
	sd_event_unref(event);
	return tap_end();
}

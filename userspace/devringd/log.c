// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

static struct {
	bool journal;
	int most;
} log_to = { .most = LOG_INFO };

/* systemd names the stream that it connected to the journal; it may have been redirected since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && !fstat(2, &st) &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_open(bool verbose)
{
	log_to.journal = stderr_is_journal();
	log_to.most = verbose ? LOG_DEBUG : LOG_INFO;
	setvbuf(stderr, NULL, _IOLBF, 0);
}

/* For journalctl MESSAGE_ID=...: docs/access.md has them, too. */
static const char *message_id(const char *action)
{
	static const struct {
		const char *action, *id;
	} ids[] = {
		{ "registered",	    "a76d50d95ab64beab9e6b4ae2138d7c2" },
		{ "online",	    "b69430e28df74ea680ac924f01398320" },
		{ "offline",	    "02700ce04c8f4adab891f1857efdee23" },
		{ "removed",	    "e844950c4fae4661a5f3774e912f015f" },
		{ "refused",	    "a6d7c6c66fa447aea690b941b16c8892" },
		{ "reader-started", "ceb65ba6b85e413c947ec3d2f21447b5" },
		{ "reader-granted", "b711e87863464a1199768e47ae59e276" },
		{ "reader-stopped", "95301771f0734ad1a3d73083b14d5b1d" },
		{ "reader-revoked", "7150c73ee5174a02a4310c2d56196539" },
	};

	for (size_t i = 0; action && i < sizeof(ids) / sizeof(*ids); i++)
		if (!strcmp(ids[i].action, action))
			return ids[i].id;
	return NULL;
}

int log_reader_pid(const struct devring_reader *reader)
{
	return reader->last_pid ? reader->last_pid :
	       reader->map_pid ? reader->map_pid : reader->open_pid;
}

#define FIELDS_MAX	12

struct fields {
	struct iovec field[FIELDS_MAX];
	int count;
	char text[1536];
	size_t used;
};

static void add(struct fields *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct fields *f, const char *format, ...)
{
	size_t room = sizeof(f->text) - f->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(f->text + f->used, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room || f->count == FIELDS_MAX)
		return;
	f->field[f->count++] = (struct iovec){ f->text + f->used, (size_t)n };
	f->used += (size_t)n;
}

static void add_reader(struct fields *f, const struct devring_reader *reader)
{
	int pid = log_reader_pid(reader);

	add(f, "DEVRING_READER=%llu", (unsigned long long)reader->id);
	add(f, "DEVRING_READER_UID=%u", reader->uid);
	if (pid)
		add(f, "DEVRING_READER_PID=%d", pid);
	if (reader->open_pid)
		add(f, "DEVRING_READER_OPEN_PID=%d", reader->open_pid);
}

static void to_journal(const struct log_event *event, const char *text)
{
	struct fields f = { .count = 0 };
	const char *id = message_id(event->action);

	add(&f, "MESSAGE=%s%s%s", event->device ? event->device : "", event->device ? ": " : "",
	    text);
	add(&f, "PRIORITY=%i", event->priority);
	if (id)
		add(&f, "MESSAGE_ID=%s", id);
	if (event->action)
		add(&f, "DEVRING_ACTION=%s", event->action);
	if (event->device)
		add(&f, "DEVRING_DEVICE=%s", event->device);
	if (event->id)
		add(&f, "DEVRING_ID=%llu", (unsigned long long)event->id);
	if (event->correlation)
		add(&f, "DEVRING_CORRELATION=%llu", (unsigned long long)event->correlation);
	if (event->reader)
		add_reader(&f, event->reader);
	sd_journal_sendv(f.field, f.count);
}

void log_event(const struct log_event *event, const char *format, va_list args)
{
	char text[512];

	if (event->priority > log_to.most)
		return;
	vsnprintf(text, sizeof(text), format, args);
	if (log_to.journal)
		to_journal(event, text);
	else
		fprintf(stderr, "devringd: %s%s%s%s\n",
			event->priority == LOG_WARNING ? "warning: " : "",
			event->device ? event->device : "", event->device ? ": " : "", text);
}

void log_device(int priority, const char *device, const char *action, const char *format, ...)
{
	struct log_event event = { .priority = priority, .device = device, .action = action };
	va_list args;

	va_start(args, format);
	log_event(&event, format, args);
	va_end(args);
}

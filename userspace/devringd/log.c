// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

void log_device(int priority, const char *device, const char *action, const char *format, ...)
{
	char text[512];
	va_list args;

	if (priority > log_to.most)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (log_to.journal)
		sd_journal_send("MESSAGE=%s%s%s", device ? device : "", device ? ": " : "", text,
				"PRIORITY=%i", priority, "DEVRING_DEVICE=%s", device ? device : "",
				"DEVRING_ACTION=%s", action ? action : "", NULL);
	else
		fprintf(stderr, "devringd: %s%s%s%s\n", priority == LOG_WARNING ? "warning: " : "",
			device ? device : "", device ? ": " : "", text);
}

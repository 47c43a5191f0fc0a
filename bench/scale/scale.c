// SPDX-License-Identifier: GPL-2.0-only
/*
 * devring-scale: a thousand devices with eight readers each, and a device with as many readers as it takes.
 *
 * Runs as root in a guest that counts instructions and has nothing else to do, so that the memory that is gone is
 * what was used.  Prints one line of JSON a row.
 */
#include "../paths/device.h"
#include "../paths/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEVICES	1000
#define READERS	8
#define PART	100	/* of the devices: the first and the last so many are compared */

static struct source sources[DEVICES];
static int readers[DEVICES][READERS];

static void say(const char *what, long figure, const char *unit)
{
	printf("{\"what\": \"%s\", \"figure\": %ld, \"unit\": \"%s\"}\n", what, figure, unit);
}

/* Bytes of the guest's memory that nobody uses. */
static long memory_free(void)
{
	char line[128];
	long kib = -1;
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return must(kib, "/proc/meminfo") * 1024;
}

static void open_all(void)
{
	long before = memory_free();
	uint64_t first = 0, last = 0;

	for (int i = 0; i < DEVICES; i++) {
		uint64_t start = ticks();
		char name[32];

		snprintf(name, sizeof(name), "scale%d", i);
		register_one(&sources[i], name);
		*(i < PART ? &first : i >= DEVICES - PART ? &last : &(uint64_t){ 0 }) += ticks() - start;
	}
	say("registration, of the first hundred", first / PART, "instructions");
	say("registration, of the last hundred", last / PART, "instructions");
	say("a device without a ring", (before - memory_free()) / DEVICES, "bytes");
	before = memory_free();
	for (int i = 0; i < DEVICES; i++)
		set_ring(&sources[i]);
	say("a ring, beside its slots", (before - memory_free()) / DEVICES - SLOTS * SLOT_SIZE, "bytes");
	before = memory_free();
	for (int i = 0; i < DEVICES * READERS; i++)
		readers[i / READERS][i % READERS] = open_reader(&sources[i / READERS]);
	say("a reader, its open file and inode included", (before - memory_free()) / (DEVICES * READERS), "bytes");
}

/* Somebody who asks for the first time is told of all devices. */
static void list_all(void)
{
	int control = must(open("/dev/devring", O_RDONLY | O_CLOEXEC | O_NONBLOCK), "open of /dev/devring");
	unsigned char buffer[DEVRING_CHANGE_MAX];
	uint64_t start = ticks();
	long told = 0;

	while (read(control, buffer, sizeof(buffer)) > 0)
		told++;
	if (errno != EAGAIN)
		must(-1, "read of /dev/devring");
	say("devices that a new listener is told of", told, "of 1000");
	say("to tell it one", (ticks() - start) / told, "instructions");
	close(control);
}

/* One frame of each device reaches each of its readers, who all wait in one epoll. */
static void deliver_all(void)
{
	struct epoll_event event = { .events = EPOLLIN }, due[64];
	int epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"), n;
	uint64_t start;
	long got = 0;

	for (int i = 0; i < DEVICES * READERS; i++) {
		event.data.fd = readers[i / READERS][i % READERS];
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event), "epoll_ctl");
	}
	for (int i = 0; i < DEVICES; i++)
		take(&sources[i]);
	start = ticks();
	for (int i = 0; i < DEVICES; i++)
		commit(&sources[i]);
	while ((n = must(epoll_wait(epoll, due, 64, 0), "epoll_wait")) > 0) {
		for (int i = 0; i < n; i++)
			get_frame(due[i].data.fd);
		got += n;
	}
	say("frames that reach 8 readers of each of 1000 devices", got, "of 8000");
	say("one frame, from its commit to one of 8 readers, by epoll", (ticks() - start) / got, "instructions");
	close(epoll);
}

/* As many readers as one device takes: how many, and what the next one is told. */
static void fill_one(void)
{
	struct source source;
	int fds[DEVRING_READERS_MAX + 1], n = 0;
	long got = 0;

	register_one(&source, "full");
	set_ring(&source);
	while (n <= DEVRING_READERS_MAX) {
		fds[n] = open(source.node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fds[n] < 0)
			break;
		read_all(fds[n++]);
	}
	if (n > DEVRING_READERS_MAX || errno != EUSERS)
		must(-1, "a device took more readers than its limit, or said so otherwise");
	take(&source);
	commit(&source);
	for (int i = 0; i < n; i++) {
		get_frame(fds[i]);
		got++;
		close(fds[i]);
	}
	close(source.fd);
	say("readers that one device takes; the next is told EUSERS", n, "readers");
	say("of them, who get its frame", got, "readers");
}

static void close_all(void)
{
	long before = memory_free();

	for (int i = 0; i < DEVICES; i++) {
		for (int j = 0; j < READERS; j++)
			close(readers[i][j]);
		close(sources[i].fd);
	}
	usleep(2000000);
	say("memory that is free again after all are closed", (memory_free() - before) / 1024, "KiB");
}

int main(void)
{
	struct rlimit limit = { 20000, 20000 };
	long before;

	must(setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	fill_one();
	before = memory_free();
	open_all();
	list_all();
	deliver_all();
	say("memory of 1000 devices with 8 readers each", (before - memory_free()) / 1024, "KiB");
	close_all();
	return 0;
}

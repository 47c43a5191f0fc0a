// SPDX-License-Identifier: GPL-2.0-or-later
#include "instances.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* The file says where the next start begins: so many numbers may be lost, and none is used twice. */
#define BLOCK	1000

struct instances {
	int folder;
	uint64_t next, limit;		/* limit is in the file */
	bool failed;			/* said already */
};

static int reserve(struct instances *instances)
{
	uint64_t limit = instances->next + BLOCK;
	int fd = openat(instances->folder, "instances.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good;

	if (fd < 0)
		return -1;
	good = dprintf(fd, "%" PRIu64 "\n", limit) > 0 && !fsync(fd);
	if (close(fd) || !good || renameat(instances->folder, "instances.new", instances->folder, "instances"))
		return -1;
	instances->limit = limit;
	return 0;
}

static uint64_t read_limit(int folder)
{
	int fd = openat(folder, "instances", O_RDONLY | O_CLOEXEC);
	char text[24] = "";
	uint64_t limit = 1;

	if (fd < 0)
		return errno == ENOENT ? 1 : 0;
	if (read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%" SCNu64, &limit) != 1 || !limit) {
		log_warn("the state file instances is damaged: numbers of instances begin anew");
		limit = 1;
	}
	close(fd);
	return limit;
}

struct instances *instances_open(const char *folder)
{
	struct instances *instances = calloc(1, sizeof(*instances));
	int error;

	if (!instances)
		return NULL;
	instances->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (instances->folder >= 0)
		instances->next = read_limit(instances->folder);
	if (instances->next && !reserve(instances))
		return instances;
	error = errno;
	instances_free(instances);
	errno = error;
	return NULL;
}

void instances_free(struct instances *instances)
{
	if (!instances)
		return;
	if (instances->folder >= 0)
		close(instances->folder);
	free(instances);
}

uint64_t instances_next(struct instances *instances)
{
	if (instances->next == instances->limit && reserve(instances)) {
		if (!instances->failed)
			log_error("numbers of instances cannot be kept (%s): after a restart they may come again",
				  strerror(errno));
		instances->failed = true;
		instances->limit = UINT64_MAX;
	}
	return instances->next++;
}

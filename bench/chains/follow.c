// SPDX-License-Identifier: GPL-2.0-only
/* devring-follow NODE: reads a device's frames, and prints a line for each: its sequence, and how many were lost. */
#include "../paths/measure.h"

#include <fcntl.h>
#include <linux/devring.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union {
		struct devring_record rec;
		struct devring_frame frame;
	} record;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: devring-follow NODE\n");
		return 2;
	}
	fd = must(open(argv[1], O_RDONLY | O_CLOEXEC), argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (must(read(fd, &record, sizeof(record)), "read") > 0)
		if (record.rec.kind == DEVRING_RECORD_FRAME)
			printf("frame %llu lost %llu\n", (unsigned long long)record.frame.sequence,
			       (unsigned long long)record.frame.lost);
	return 0;
}

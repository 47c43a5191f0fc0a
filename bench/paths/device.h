/* SPDX-License-Identifier: GPL-2.0-only */
/* A device of devring's, its producer and its readers, by system calls alone. */
#ifndef DEVRING_BENCH_DEVICE_H
#define DEVRING_BENCH_DEVICE_H

#include <linux/devring.h>

#define SLOTS		8
#define SLOT_SIZE	4096

/* Arguments of an ioctl begin with their size. */
#define INIT(type, ...)	((struct type){ .size = sizeof(struct type), ##__VA_ARGS__ })

struct source {
	int fd;			/* the producer's */
	char node[32];
	struct devring_geometry geometry;
	struct devring_commit next;
};

/* Registers a camera; set_ring() gives it SLOTS slots of SLOT_SIZE. */
void register_one(struct source *source, const char *name);
void set_ring(struct source *source);

/* Takes a slot, past what there is of news, and makes ready to commit it. */
void take(struct source *source);
void commit(const struct source *source);

/* Reads on until there is a frame. */
void get_frame(int fd);

/* Reads what there is, of a reader that does not block. */
void read_all(int fd);

/* A reader that does not block, and was told all there is to tell but frames. */
int open_reader(const struct source *source);

#endif

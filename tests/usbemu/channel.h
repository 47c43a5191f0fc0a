/* SPDX-License-Identifier: GPL-2.0-only */
/* The control channel: commands from standard input or a UNIX socket. */
#ifndef USBEMU_CHANNEL_H
#define USBEMU_CHANNEL_H

#include <stdbool.h>

#include "options.h"

#define CHANNEL_CLIENTS	8
#define CHANNEL_LINE	512

struct channel;

struct channel_client {
	struct source source;
	struct channel *channel;
	size_t used;
	char line[CHANNEL_LINE];
};

struct channel {
	struct source source;		/* the listening socket */
	struct loop *loop;
	struct options *options;
	bool quit;
	struct channel_client client[CHANNEL_CLIENTS];
};

/* 0 or -errno. */
int channel_open(struct channel *c, struct options *o);
void channel_close(struct channel *c);
/* usbemu send PATH COMMAND…: the exit status. */
int channel_send(const char *path, int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device of devringd's own that carries texts: each frame is one. */
#ifndef DEVRINGD_FEED_H
#define DEVRINGD_FEED_H

#include <stdint.h>

struct feed;
struct manager;

/* A PUBLIC device that keeps what it carried; NULL with errno set. */
struct feed *feed_open(struct manager *manager, const char *name, const char *label,
		       unsigned int slots, unsigned int slot_size);
void feed_close(struct feed *feed);
/* Publishes a JSON text and a newline; a longer one than a slot makes the slots larger. */
int feed_write(struct feed *feed, const char *text);
uint64_t feed_id(const struct feed *feed);

#endif

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
/*
 * The same for several at once: each is put, with the number that its frame has as trace id, and all
 * are published with one wake-up at the end. What does not fit in a batch goes before.
 */
int feed_put(struct feed *feed, const char *text, uint64_t trace_id);
int feed_end(struct feed *feed);
/* Bytes of a text that need no larger slot. */
unsigned int feed_room(const struct feed *feed);
uint64_t feed_id(const struct feed *feed);

#endif

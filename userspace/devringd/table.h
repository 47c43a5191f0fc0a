/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PUBLIC device "state": all devices as they are, a new frame at each change. */
#ifndef DEVRINGD_TABLE_H
#define DEVRINGD_TABLE_H

#include <stdint.h>

struct table;
struct manager;

struct table *table_open(struct manager *manager);
void table_close(struct table *table);
/* The number of readers that a producer of ours was told. */
void table_readers(struct table *table, uint64_t id, unsigned int readers);
/* What devringd tells of itself may have changed. */
void table_changed(struct table *table);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of instances: each plugging in has its own, which is never used again. */
#ifndef DEVRINGD_INSTANCES_H
#define DEVRINGD_INSTANCES_H

#include <stdint.h>

struct instances;

/* Goes on behind the last number that may have been used; kept in folder/instances. NULL with errno. */
struct instances *instances_open(const char *folder);
void instances_free(struct instances *instances);
uint64_t instances_next(struct instances *instances);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --wait means to whoever produces. */
#ifndef DEVRINGCTL_WAITING_H
#define DEVRINGCTL_WAITING_H

#include "cli.h"

/* CLOCK_MONOTONIC */
uint64_t now_ns(void);
/* With --wait: until there is a reader, at most --timeout. 0, or the status after fail(). */
int wait_for_reader(struct cli *cli, struct devring_producer *producer);
/* With --wait: until readers have got all there is; likewise. */
int wait_for_last_reader(struct cli *cli, struct devring_producer *producer);

#endif /* DEVRINGCTL_WAITING_H */

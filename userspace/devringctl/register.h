/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line says about a new device. */
#ifndef DEVRINGCTL_REGISTER_H
#define DEVRINGCTL_REGISTER_H

#include "cli.h"

/* Fill in all but flags that a verb sets itself: 0, or the status after fail(). */
int register_options(struct cli *cli, const char *name, struct devring_register *reg);
/* Why REGISTER failed. */
int fail_register(struct cli *cli, int err, const struct devring_register *reg);

#endif /* DEVRINGCTL_REGISTER_H */

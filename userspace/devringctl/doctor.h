/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor's parts share: findings, and the parts themselves. */
#ifndef DEVRINGCTL_DOCTOR_H
#define DEVRINGCTL_DOCTOR_H

#include "cli.h"

struct doctor {
	struct cli *cli;
	json_t *checks;			/* NULL: for people */
	unsigned int problems;
	bool udev;			/* udevd runs */
	bool colour;
};

/*
 * What is as it should be, and what is not: @code is the same in every version, for programs; @remedy is what to
 * type, or do.
 */
void doctor_fine(struct doctor *doctor, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_problem(struct doctor *doctor, const char *code, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Is the module loaded?  If not, why, and what to do. */
bool doctor_module(struct doctor *doctor);
/* udevd, devringd */
void doctor_daemons(struct doctor *doctor);
/* Nodes, rights, and what is wrong with the hardware behind them. */
void doctor_devices(struct doctor *doctor);

/* The processes but devringd that have this node open, as far as this user can see, @max at most: how many. */
unsigned int processes_with_node(const char *path, int *pids, unsigned int max);

#endif /* DEVRINGCTL_DOCTOR_H */

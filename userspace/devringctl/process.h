/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc tells of a process: information, not identity. */
#ifndef DEVRINGCTL_PROCESS_H
#define DEVRINGCTL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its command name, "" if it is not visible. */
char *process_command(int pid, char *buf, size_t size);
/* The systemd unit or container that it runs in, "" if it cannot be told. */
char *process_unit(int pid, char *buf, size_t size);
/* The user's name, or the number as text. */
char *user_name(uint32_t uid, char *buf, size_t size);
/* The reverse: a name, or a number whether there is such a user or not. */
bool user_from_text(const char *text, uint32_t *uid);

#endif /* DEVRINGCTL_PROCESS_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that stay with their devices: camera0 is the same piece of hardware for ever. */
#ifndef DEVRINGD_NAMES_H
#define DEVRINGD_NAMES_H

#include <linux/devring.h>
#include <stdbool.h>

struct names;

/* The names in folder/names; none yet if there is no such file. NULL with errno set. */
struct names *names_open(const char *folder);
void names_free(struct names *names);
/* The name that this id has, or NULL. */
const char *names_find(const struct names *names, const char *stable_id);
/* Gives the id this name; false: another id has it, or no memory. */
bool names_set(struct names *names, const char *stable_id, const char *name);
/* The first of type0, type1, ... from number on that no id has, into name. Its number. */
unsigned int names_next(const struct names *names, char *name, enum devring_type type,
			unsigned int number);
/* Writes the file anew if something changed. */
int names_save(struct names *names);
const char *type_name(enum devring_type type);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of others, made fit to print; numbers, made fit to read. */
#ifndef DEVRINGCTL_TEXT_H
#define DEVRINGCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy @text with everything that could change what a terminal shows as \xNN: control characters,
 * bytes that are no UTF-8, marks that reorder or hide text; and backslashes as \\.  Cut at @size. 
 * Returns @buf.
 */
char *text_escape(const char *text, char *buf, size_t size);
/* Is it UTF-8? */
bool text_is_utf8(const char *text);
/* Columns that a UTF-8 text takes, each character counted as one. */
size_t text_width(const char *text);
/* "12.3M" for bytes */
char *text_bytes(uint64_t bytes, char *buf, size_t size);
/* "5s", "3min", "2h", "4d" */
char *text_age(uint64_t ns, char *buf, size_t size);

#endif /* DEVRINGCTL_TEXT_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that come from hardware: nobody but their maker has checked them. */
#ifndef DEVRINGD_TEXT_H
#define DEVRINGD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies, cut at the size; whether all of it fitted. */
bool text_copy(char *to, size_t size, const char *from);
/* Printable UTF-8 without blanks at the ends; what is not becomes '?'. Never cuts a character. */
void text_label(char *to, size_t size, const char *from);
/* The characters that a name or id of devring may have; others become '_'. Long ones get a sum. */
void text_id(char *to, size_t size, const char *from);
/* The word of a space-separated list that is most like the given one, into to; false: none is. */
bool text_nearest(char *to, size_t size, const char *words, const char *like);

#endif

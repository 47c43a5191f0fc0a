/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people. */
#ifndef DEVRINGCTL_TABLE_H
#define DEVRINGCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS	16

/* Rows are kept until the widths are known. */
struct table {
	const char *const *header;
	size_t columns;
	char **cells;		/* rows of columns */
	size_t rows;
	size_t room;
};

void table_begin(struct table *table, const char *const *header, size_t columns);
/* Add a cell to the row being filled: escaped, and "-" if it is empty. */
void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Print it and free it. */
void table_print(struct table *table, bool legend);

/* Is standard output a terminal, and is nothing said against colours (NO_COLOR)? */
bool may_colour(void);

#endif /* DEVRINGCTL_TABLE_H */

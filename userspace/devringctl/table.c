// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables for people. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table.h"
#include "text.h"

#define CELL_MAX	512

void table_begin(struct table *table, const char *const *header, size_t columns)
{
	memset(table, 0, sizeof(*table));
	table->header = header;
	table->columns = columns;
}

static void out_of_memory(void)
{
	fputs("devringctl: There is no memory left.\n", stderr);
	exit(1);
}

void table_cell(struct table *table, const char *text)
{
	char cell[CELL_MAX];

	if (table->rows == table->room) {
		size_t room = table->room ? 2 * table->room : 8 * table->columns;
		char **cells = realloc(table->cells, room * sizeof(*cells));

		if (!cells)
			out_of_memory();
		table->cells = cells;
		table->room = room;
	}
	text_escape(text && *text ? text : "-", cell, sizeof(cell));
	table->cells[table->rows] = strdup(cell);
	if (!table->cells[table->rows])
		out_of_memory();
	table->rows++;
}

void table_cellf(struct table *table, const char *format, ...)
{
	char cell[CELL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(cell, sizeof(cell), format, args);
	va_end(args);
	table_cell(table, cell);
}

static void print_row(const struct table *table, const char *const *cells, const size_t *widths)
{
	for (size_t c = 0; c < table->columns; c++) {
		size_t pad = widths[c] - text_width(cells[c]);

		fputs(cells[c], stdout);
		/* No blanks at the end of lines. */
		if (c + 1 < table->columns)
			printf("%*s", (int)pad + 2, "");
	}
	putchar('\n');
}

bool may_colour(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

void table_print(struct table *table, bool legend)
{
	size_t widths[TABLE_COLUMNS] = { 0 };
	bool colour = may_colour();

	if (!table->columns)
		return;
	for (size_t c = 0; legend && c < table->columns; c++)
		widths[c] = strlen(table->header[c]);
	for (size_t i = 0; i < table->rows; i++) {
		size_t width = text_width(table->cells[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	if (legend) {
		fputs(colour ? "\033[1m" : "", stdout);
		print_row(table, table->header, widths);
		fputs(colour ? "\033[0m" : "", stdout);
	}
	for (size_t i = 0; i + table->columns <= table->rows; i += table->columns)
		print_row(table, (const char *const *)table->cells + i, widths);
	for (size_t i = 0; i < table->rows; i++)
		free(table->cells[i]);
	free(table->cells);
}

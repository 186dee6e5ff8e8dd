/* SPDX-License-Identifier: MIT */
/*
 * Rows of a table, cell by cell from the left:
 *
 *	struct table_row row = table_row_begin(table);
 *	table_row_add(&row, STYLE_PLAIN, "%u", n);
 */
#ifndef HARNESS_COMMAND_TABLE_ROW_H
#define HARNESS_COMMAND_TABLE_ROW_H

#include "harness/result/text_table.h"

struct table_row {
	struct text_cell *next; /* NULL = out of memory: the row is missing */
};

struct table_row table_row_begin(struct text_table *table); /* NULL is fine */

/* Control characters are replaced; what is longer than a cell is cut. No more often than
 * the table has columns. */
void table_row_add(struct table_row *row, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* To standard output, as the terminal there can show it, and destroy. NULL is fine. */
void table_print(struct text_table *table);

#endif

/* SPDX-License-Identifier: MIT */
/* Aligned columns: box drawing on a terminal that can, plain ASCII elsewhere. */
#ifndef HARNESS_RESULT_TEXT_TABLE_H
#define HARNESS_RESULT_TEXT_TABLE_H

#include "harness/result/terminal.h"

#define TEXT_COLUMNS_MAX 16u
#define TEXT_CELL_BYTES  96u

struct text_column {
	const char *header;
	int is_right; /* numbers */
	/* Left out first where the terminal is too narrow, highest number first; 0 =
	 * never. */
	unsigned drop;
};

struct text_cell {
	char text[TEXT_CELL_BYTES]; /* clean_text_is() */
	enum style style;
};

struct text_table;

/* `columns` stays valid. NULL when out of memory. */
struct text_table *text_table_create(
    const struct text_column *columns, uint32_t n_columns);
void text_table_destroy(struct text_table *table); /* NULL is fine */

/* A row of n_columns cells, to be filled by the caller before the next call; NULL when
 * out of memory. */
struct text_cell *text_table_row(struct text_table *table);
/* A rule with a title in it above the next row. */
void text_table_title(struct text_table *table, const char *title);

void text_table_print(
    const struct text_table *table, FILE *out, const struct terminal *terminal);

#endif

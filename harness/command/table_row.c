/* SPDX-License-Identifier: MIT */
#include "harness/command/table_row.h"

#include "harness/result/clean_text.h"

#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

struct table_row table_row_begin(struct text_table *table)
{
	return (struct table_row){table == NULL ? NULL : text_table_row(table)};
}

void table_row_add(struct table_row *row, enum style style, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (row->next == NULL)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clean_text_copy(row->next->text, sizeof(row->next->text), text);
	row->next->style = style;
	row->next++;
}

void table_print(struct text_table *table)
{
	struct terminal terminal;

	if (table == NULL)
		return;
	terminal_detect(STDOUT_FILENO, &terminal);
	text_table_print(table, stdout, &terminal);
	text_table_destroy(table);
}

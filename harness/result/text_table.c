/* SPDX-License-Identifier: MIT */
#include "harness/result/text_table.h"

#include "harness/result/clean_text.h"

#include <stdlib.h>
#include <string.h>

struct row {
	char title[TEXT_CELL_BYTES]; /* above it; "" = none */
	struct text_cell cells[TEXT_COLUMNS_MAX];
};

struct text_table {
	const struct text_column *columns;
	uint32_t n_columns;
	struct row *rows;
	uint32_t n_rows;
	char title[TEXT_CELL_BYTES]; /* of the next row */
};

struct layout {
	uint32_t width[TEXT_COLUMNS_MAX]; /* 0 = left out */
	const struct terminal *terminal;
	FILE *out;
};

struct text_table *text_table_create(
    const struct text_column *columns, uint32_t n_columns)
{
	struct text_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->columns = columns;
	table->n_columns = n_columns;
	return table;
}

void text_table_destroy(struct text_table *table)
{
	if (table == NULL)
		return;
	free(table->rows);
	free(table);
}

struct text_cell *text_table_row(struct text_table *table)
{
	struct row *rows = realloc(table->rows, (table->n_rows + 1) * sizeof(*rows));

	if (rows == NULL)
		return NULL;
	table->rows = rows;
	rows += table->n_rows++;
	memset(rows, 0, sizeof(*rows));
	memcpy(rows->title, table->title, sizeof(rows->title));
	table->title[0] = '\0';
	return rows->cells;
}

void text_table_title(struct text_table *table, const char *title)
{
	clean_text_copy(table->title, sizeof(table->title), title);
}

/* Columns on the screen: a bar or blank, and a blank on each side of every cell. */
static uint32_t total_width(const struct text_table *table, const struct layout *layout)
{
	uint32_t sum = 1;

	for (uint32_t c = 0; c < table->n_columns; c++)
		if (layout->width[c] > 0)
			sum += layout->width[c] + 3;
	return sum;
}

/* Leaves out the column that can be missed best; 0 if there is none. */
static int drop_column(const struct text_table *table, struct layout *layout)
{
	uint32_t worst = table->n_columns;

	for (uint32_t c = 0; c < table->n_columns; c++)
		if (layout->width[c] > 0 && table->columns[c].drop > 0 &&
		    (worst == table->n_columns ||
			table->columns[c].drop > table->columns[worst].drop))
			worst = c;
	if (worst == table->n_columns)
		return 0;
	layout->width[worst] = 0;
	return 1;
}

static void measure(const struct text_table *table, struct layout *layout)
{
	for (uint32_t c = 0; c < table->n_columns; c++) {
		layout->width[c] = (uint32_t)clean_text_columns(table->columns[c].header);
		for (uint32_t i = 0; i < table->n_rows; i++) {
			uint32_t width =
			    (uint32_t)clean_text_columns(table->rows[i].cells[c].text);

			if (width > layout->width[c])
				layout->width[c] = width;
		}
	}
	while (layout->terminal->columns > 0 &&
	       total_width(table, layout) > layout->terminal->columns)
		if (!drop_column(table, layout))
			break;
}

static void repeat(FILE *out, const char *text, uint32_t n)
{
	while (n-- > 0)
		fputs(text, out);
}

/* Whether a bar of the rows stands at this column of the screen. */
static int is_bar(
    const struct text_table *table, const struct layout *layout, uint32_t at)
{
	uint32_t bar = 0;

	for (uint32_t c = 0; c < table->n_columns; c++) {
		if (layout->width[c] == 0)
			continue;
		bar += layout->width[c] + 3;
		if (bar == at)
			return 1;
	}
	return 0;
}

/* `joints`: of the left end, between columns, of the right end. */
static void print_rule(const struct text_table *table, const struct layout *layout,
    const char *const joints[3], const char *title)
{
	const char *dim = terminal_style(layout->terminal, STYLE_DIM);
	uint32_t width = total_width(table, layout), at = 1;

	fprintf(layout->out, "%s%s", dim, joints[0]);
	if (title[0] != '\0') {
		fprintf(layout->out, "\u2500 %s%s%s%s%s ",
		    terminal_plain(layout->terminal, STYLE_DIM),
		    terminal_style(layout->terminal, STYLE_BOLD), title,
		    terminal_plain(layout->terminal, STYLE_BOLD), dim);
		at += (uint32_t)clean_text_columns(title) + 3;
	}
	for (; at + 1 < width; at++)
		fputs(is_bar(table, layout, at) ? joints[1] : "\u2500", layout->out);
	fprintf(layout->out, "%s%s\n", at < width ? joints[2] : "",
	    terminal_plain(layout->terminal, STYLE_DIM));
}

/* Dashes below each header. */
static void print_dashes(const struct text_table *table, const struct layout *layout)
{
	fputs(terminal_style(layout->terminal, STYLE_DIM), layout->out);
	for (uint32_t c = 0; c < table->n_columns; c++) {
		if (layout->width[c] == 0)
			continue;
		fputs("  ", layout->out);
		repeat(layout->out, "-", layout->width[c]);
	}
	fprintf(layout->out, "%s\n", terminal_plain(layout->terminal, STYLE_DIM));
}

static void print_bar(const struct layout *layout)
{
	if (!layout->terminal->has_utf8)
		return;
	fprintf(layout->out, "%s\u2502%s", terminal_style(layout->terminal, STYLE_DIM),
	    terminal_plain(layout->terminal, STYLE_DIM));
}

static void print_cell(const struct layout *layout, const char *text, enum style style,
    uint32_t width, int is_right, int is_last)
{
	uint32_t pad = width - (uint32_t)clean_text_columns(text);
	int has_utf8 = layout->terminal->has_utf8;

	print_bar(layout);
	fputs(has_utf8 ? " " : "  ", layout->out);
	if (is_right)
		repeat(layout->out, " ", pad);
	fprintf(layout->out, "%s%s%s", terminal_style(layout->terminal, style), text,
	    terminal_plain(layout->terminal, style));
	/* No blanks at the end of a plain line. */
	if (!is_right && (!is_last || has_utf8))
		repeat(layout->out, " ", pad);
	if (has_utf8)
		fputc(' ', layout->out);
}

static void end_line(const struct layout *layout)
{
	print_bar(layout);
	fputc('\n', layout->out);
}

static void print_row(
    const struct text_table *table, const struct layout *layout, const struct row *row)
{
	uint32_t last = table->n_columns;

	while (last > 0 && layout->width[last - 1] == 0)
		last--;
	for (uint32_t c = 0; c < last; c++) {
		const struct text_column *column = &table->columns[c];

		if (layout->width[c] == 0)
			continue;
		print_cell(layout, row == NULL ? column->header : row->cells[c].text,
		    row == NULL ? STYLE_BOLD : row->cells[c].style, layout->width[c],
		    column->is_right, c + 1 == last);
	}
	end_line(layout);
}

static const char *const top[] = {"\u256d", "\u252c", "\u256e"};
static const char *const middle[] = {"\u251c", "\u253c", "\u2524"};
static const char *const bottom[] = {"\u2570", "\u2534", "\u256f"};

static void print_boxed(const struct text_table *table, const struct layout *layout)
{
	print_rule(table, layout, top, "");
	print_row(table, layout, NULL);
	for (uint32_t i = 0; i < table->n_rows; i++) {
		if (i == 0 || table->rows[i].title[0] != '\0')
			print_rule(table, layout, middle, table->rows[i].title);
		print_row(table, layout, &table->rows[i]);
	}
	print_rule(table, layout, bottom, "");
}

static void print_ascii(const struct text_table *table, const struct layout *layout)
{
	print_row(table, layout, NULL);
	print_dashes(table, layout);
	for (uint32_t i = 0; i < table->n_rows; i++) {
		const char *title = table->rows[i].title;

		if (title[0] != '\0')
			fprintf(layout->out, "%s  %s%s%s\n", i == 0 ? "" : "\n",
			    terminal_style(layout->terminal, STYLE_BOLD), title,
			    terminal_plain(layout->terminal, STYLE_BOLD));
		print_row(table, layout, &table->rows[i]);
	}
}

void text_table_print(
    const struct text_table *table, FILE *out, const struct terminal *terminal)
{
	struct layout layout = {.terminal = terminal, .out = out};

	measure(table, &layout);
	if (terminal->has_utf8)
		print_boxed(table, &layout);
	else
		print_ascii(table, &layout);
}

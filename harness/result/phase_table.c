/* SPDX-License-Identifier: MIT */
#include "harness/result/phase_table.h"

#include "base/units.h"
#include "harness/result/cell_name.h"
#include "harness/result/clean_text.h"
#include "harness/result/text_table.h"

#include <cjson/cJSON.h>
#include <string.h>

#define LABEL_COLUMNS  3u /* phase, rounds, payload */
#define TRANSPORTS_MAX (TEXT_COLUMNS_MAX - LABEL_COLUMNS)

/* Cells of one computation that have figures. */
struct work {
	const cJSON *cells[TRANSPORTS_MAX];
	struct text_column columns[TEXT_COLUMNS_MAX];
	uint32_t n_cells;
};

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const cJSON *phases_of(const cJSON *cell)
{
	return item(item(cell, "figures"), "phases");
}

static void collect(struct work *work, const cJSON *first)
{
	static const struct text_column labels[LABEL_COLUMNS] = {{.header = "phase"},
	    {.header = "rounds", .is_right = 1, .drop = 1},
	    {.header = "payload", .is_right = 1, .drop = 2}};

	work->n_cells = 0;
	memcpy(work->columns, labels, sizeof(labels));
	for (const cJSON *cell = first; cell != NULL; cell = cell->next) {
		if (work->n_cells == TRANSPORTS_MAX || !cJSON_IsArray(phases_of(cell)) ||
		    !cell_name_is_same_work(item(first, "cell"), item(cell, "cell")))
			continue;
		work->columns[LABEL_COLUMNS + work->n_cells] = (struct text_column){
		    .header = cell_name_transport(item(cell, "cell")), .is_right = 1};
		work->cells[work->n_cells++] = cell;
	}
}

/* The phase of this name in a cell; NULL. */
static const cJSON *phase_named(const cJSON *cell, const char *name)
{
	const cJSON *phase;

	cJSON_ArrayForEach(phase, phases_of(cell))
	{
		const char *its = cJSON_GetStringValue(item(phase, "name"));

		if (its != NULL && strcmp(its, name) == 0)
			return phase;
	}
	return NULL;
}

static void set_median(struct text_cell *cell, const cJSON *phase, const char *key,
    char *(*units)(char *, uint64_t))
{
	const cJSON *median = item(item(phase, key), "median");
	char text[UNITS_TEXT_BYTES] = "-";

	if (!cJSON_IsNumber(median) || !(median->valuedouble >= 0) ||
	    median->valuedouble > 1e18)
		cell->style = STYLE_DIM;
	else if (units == NULL)
		snprintf(text, sizeof(text), "%.4g", median->valuedouble);
	else
		units(text, (uint64_t)median->valuedouble);
	snprintf(cell->text, sizeof(cell->text), "%s", text);
}

static void add_phase(
    struct text_table *table, const struct work *work, const cJSON *phase)
{
	const char *name = cJSON_GetStringValue(item(phase, "name"));
	struct text_cell *row = name == NULL ? NULL : text_table_row(table);

	if (row == NULL)
		return;
	clean_text_copy(row[0].text, sizeof(row[0].text), name);
	set_median(&row[1], phase, "rounds", NULL);
	set_median(&row[2], phase, "app_bytes", units_bytes);
	for (uint32_t i = 0; i < work->n_cells; i++)
		set_median(&row[LABEL_COLUMNS + i], phase_named(work->cells[i], name),
		    "wall_ns", units_duration);
}

/* Headers come from the document as phases do; a hostile one is not shown. */
static int is_clean(const struct work *work)
{
	for (uint32_t i = 0; i < work->n_cells; i++)
		if (!clean_text_is(work->columns[LABEL_COLUMNS + i].header))
			return 0;
	return work->n_cells > 0;
}

static void print_work(
    const struct work *work, FILE *out, const struct terminal *terminal)
{
	struct text_table *table =
	    text_table_create(work->columns, LABEL_COLUMNS + work->n_cells);
	char name[TEXT_CELL_BYTES];
	const cJSON *phase;

	if (table == NULL)
		return;
	fprintf(out, "\n%sPhases of %s%s\n", terminal_style(terminal, STYLE_BOLD),
	    cell_name_work(item(work->cells[0], "cell"), name, sizeof(name)),
	    terminal_plain(terminal, STYLE_BOLD));
	cJSON_ArrayForEach(phase, phases_of(work->cells[0]))
	{
		add_phase(table, work, phase);
	}
	text_table_print(table, out, terminal);
	text_table_destroy(table);
}

void phase_table_print(const cJSON *document, FILE *out, const struct terminal *terminal)
{
	const cJSON *cells = item(document, "cells"), *cell;

	cJSON_ArrayForEach(cell, cells)
	{
		struct work work;

		if (!cell_name_is_first(cells, cell))
			continue;
		collect(&work, cell);
		if (is_clean(&work) && cJSON_GetArraySize(phases_of(work.cells[0])) > 1)
			print_work(&work, out, terminal);
	}
}

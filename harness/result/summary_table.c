/* SPDX-License-Identifier: MIT */
#include "harness/result/summary_table.h"

#include "base/units.h"
#include "harness/result/cell_name.h"
#include "harness/result/clean_text.h"
#include "harness/result/text_table.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#define EFFICIENCY_GOOD 0.95
#define EFFICIENCY_FAIR 0.80
#define REST_FAIR       0.05

enum {
	CELL_TRANSPORT,
	CELL_P50,
	CELL_P99,
	CELL_WALL,
	CELL_ROUNDS,
	CELL_PAYLOAD,
	CELL_WIRE,
	CELL_EFFICIENCY,
	CELL_STATUS,
	CELL_COLUMNS
};

static const struct text_column cell_columns[CELL_COLUMNS] = {
    [CELL_TRANSPORT] = {.header = "transport"},
    [CELL_P50] = {.header = "p50", .is_right = 1},
    [CELL_P99] = {.header = "p99", .is_right = 1, .drop = 1},
    [CELL_WALL] = {.header = "wall", .is_right = 1},
    [CELL_ROUNDS] = {.header = "rounds", .is_right = 1, .drop = 2},
    [CELL_PAYLOAD] = {.header = "payload", .is_right = 1, .drop = 4},
    [CELL_WIRE] = {.header = "wire", .is_right = 1, .drop = 3},
    [CELL_EFFICIENCY] = {.header = "efficiency", .is_right = 1},
    [CELL_STATUS] = {.header = "status"},
};

static const char legend[] =
    "  p50, p99: of one round; wall, payload, wire: of one run, median over blocks;\n"
    "  efficiency: what the delays alone would take, as a share of wall.";

enum {
	PART_TRANSPORT,
	PART_SETUP,
	PART_LATENCY,
	PART_TRANSFER,
	PART_COMPUTE,
	PART_REST,
	PART_CPU,
	PART_MEMORY,
	PART_COLUMNS
};

static const struct text_column part_columns[PART_COLUMNS] = {
    [PART_TRANSPORT] = {.header = "transport"},
    [PART_SETUP] = {.header = "set-up", .is_right = 1, .drop = 3},
    [PART_LATENCY] = {.header = "latency", .is_right = 1},
    [PART_TRANSFER] = {.header = "transfer", .is_right = 1},
    [PART_COMPUTE] = {.header = "compute", .is_right = 1},
    [PART_REST] = {.header = "rest", .is_right = 1},
    [PART_CPU] = {.header = "CPU, all", .is_right = 1, .drop = 1},
    [PART_MEMORY] = {.header = "memory", .is_right = 1, .drop = 2},
};

enum {
	SLOPE_TRANSPORT,
	SLOPE_COUNTED,
	SLOPE_ROUNDS,
	SLOPE_FIXED,
	SLOPE_OFF,
	SLOPE_COLUMNS
};

static const struct text_column slope_columns[SLOPE_COLUMNS] = {
    [SLOPE_TRANSPORT] = {.header = "transport"},
    [SLOPE_COUNTED] = {.header = "counted", .is_right = 1},
    [SLOPE_ROUNDS] = {.header = "effective", .is_right = 1},
    [SLOPE_FIXED] = {.header = "without delay", .is_right = 1, .drop = 1},
    [SLOPE_OFF] = {.header = "off the line", .is_right = 1, .drop = 2},
};

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void set_text(struct text_cell *cell, const char *text)
{
	clean_text_copy(cell->text, sizeof(cell->text), text == NULL ? "?" : text);
}

static void set_nothing(struct text_cell *cell)
{
	set_text(cell, "-");
	cell->style = STYLE_DIM;
}

/* A count of ns or bytes as units show it; "-" for anything else. */
static void set_units(
    struct text_cell *cell, const cJSON *number, char *(*units)(char *, uint64_t))
{
	char text[UNITS_TEXT_BYTES];

	if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0) ||
	    number->valuedouble > 1e18)
		set_nothing(cell);
	else
		set_text(cell, units(text, (uint64_t)number->valuedouble));
}

static const cJSON *median(const cJSON *figures, const char *key)
{
	return item(item(figures, key), "median");
}

static void set_rounds(struct text_cell *cell, const cJSON *rounds)
{
	const cJSON *least = item(rounds, "min"), *most = item(rounds, "max");

	if (!cJSON_IsNumber(least) || !cJSON_IsNumber(most))
		set_nothing(cell);
	else if (least->valuedouble == most->valuedouble)
		snprintf(cell->text, sizeof(cell->text), "%.0f", least->valuedouble);
	else
		snprintf(cell->text, sizeof(cell->text), "%.0f to %.0f",
		    least->valuedouble, most->valuedouble);
}

static void set_share(struct text_cell *cell, double share)
{
	snprintf(cell->text, sizeof(cell->text), "%.1f %%", 100 * share);
}

static void set_efficiency(struct text_cell *cell, const cJSON *share)
{
	if (!cJSON_IsNumber(share)) {
		set_nothing(cell);
		return;
	}
	set_share(cell, share->valuedouble);
	cell->style = share->valuedouble >= EFFICIENCY_GOOD   ? STYLE_GOOD
		      : share->valuedouble >= EFFICIENCY_FAIR ? STYLE_WARN
							      : STYLE_BAD;
}

static void set_status(struct text_cell *cell, const cJSON *json)
{
	const char *status = cJSON_GetStringValue(item(json, "status"));
	const cJSON *figures = item(json, "figures");
	int is_tainted = cJSON_IsTrue(item(figures, "uses_tainted"));

	set_text(cell, status);
	cell->style = STYLE_BAD;
	if (status != NULL && strcmp(status, "ok") == 0)
		cell->style = is_tainted ? STYLE_WARN : STYLE_GOOD;
	else if (status != NULL &&
		 (strcmp(status, "unsupported") == 0 || strcmp(status, "not_run") == 0))
		cell->style = STYLE_WARN;
	if (is_tainted)
		strncat(
		    cell->text, ", tainted", sizeof(cell->text) - strlen(cell->text) - 1);
}

typedef void fill_row(struct text_cell *row, const cJSON *json);

/* Rows of one computation below each other, whatever the order of the document. */
static void add_work(struct text_table *table, const cJSON *first, fill_row *fill,
    int (*is_wanted)(const cJSON *))
{
	char title[TEXT_CELL_BYTES];
	int has_title = 0;
	const cJSON *json;

	for (json = first; json != NULL; json = json->next) {
		struct text_cell *row;

		if (!cell_name_is_same_work(item(first, "cell"), item(json, "cell")) ||
		    !is_wanted(json))
			continue;
		if (!has_title)
			text_table_title(table,
			    cell_name_work(item(first, "cell"), title, sizeof(title)));
		has_title = 1;
		row = text_table_row(table);
		if (row == NULL)
			return;
		set_text(
		    &row[0], cJSON_GetStringValue(item(item(json, "cell"), "transport")));
		fill(row, json);
	}
}

/* One party alone has no rounds, and so no percentile of them. */
static void set_round(struct text_cell *cell, const cJSON *figures, const char *key)
{
	const cJSON *rounds = item(figures, "round_ns"), *count = item(rounds, "count");

	if (cJSON_IsNumber(count) && count->valuedouble > 0)
		set_units(cell, item(rounds, key), units_duration);
	else
		set_nothing(cell);
}

static void fill_cell(struct text_cell *row, const cJSON *json)
{
	const cJSON *figures = item(json, "figures");

	set_round(&row[CELL_P50], figures, "p50");
	set_round(&row[CELL_P99], figures, "p99");
	set_units(&row[CELL_WALL], median(figures, "wall_ns"), units_duration);
	set_rounds(&row[CELL_ROUNDS], item(figures, "rounds"));
	set_units(&row[CELL_PAYLOAD], median(figures, "app_bytes"), units_bytes);
	set_units(&row[CELL_WIRE], median(figures, "wire_bytes"), units_bytes);
	set_efficiency(&row[CELL_EFFICIENCY], median(figures, "network_efficiency"));
	set_status(&row[CELL_STATUS], json);
}

static void set_part(
    struct text_cell *cell, const cJSON *parts, const char *key, double whole)
{
	const cJSON *part = item(parts, key);

	if (!cJSON_IsNumber(part) || whole <= 0) {
		set_nothing(cell);
		return;
	}
	set_share(cell, part->valuedouble / whole);
	if (strcmp(key, "rest_ns") == 0 && fabs(part->valuedouble) >= REST_FAIR * whole)
		cell->style = STYLE_WARN;
}

static double whole_of(const cJSON *parts)
{
	static const char *const keys[] = {
	    "latency_ns", "transfer_ns", "compute_ns", "rest_ns"};
	double sum = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const cJSON *part = item(parts, keys[i]);

		sum += cJSON_IsNumber(part) ? part->valuedouble : 0;
	}
	return sum;
}

static void fill_parts(struct text_cell *row, const cJSON *json)
{
	const cJSON *figures = item(json, "figures");
	const cJSON *parts = item(figures, "decomposition");
	double whole = whole_of(parts);

	set_units(&row[PART_SETUP], median(figures, "setup_ns"), units_duration);
	set_part(&row[PART_LATENCY], parts, "latency_ns", whole);
	set_part(&row[PART_TRANSFER], parts, "transfer_ns", whole);
	set_part(&row[PART_COMPUTE], parts, "compute_ns", whole);
	set_part(&row[PART_REST], parts, "rest_ns", whole);
	set_units(&row[PART_CPU], median(figures, "cpu_ns"), units_duration);
	set_units(&row[PART_MEMORY], median(figures, "rss_max_bytes"), units_bytes);
}

static void fill_slope(struct text_cell *row, const cJSON *json)
{
	const cJSON *figures = item(json, "figures");
	const cJSON *line = item(figures, "effective_rounds");
	const cJSON *rounds = item(line, "rounds");

	set_rounds(&row[SLOPE_COUNTED], item(figures, "rounds"));
	set_nothing(&row[SLOPE_ROUNDS]);
	if (cJSON_IsNumber(rounds)) {
		row[SLOPE_ROUNDS].style = STYLE_PLAIN;
		snprintf(row[SLOPE_ROUNDS].text, sizeof(row[SLOPE_ROUNDS].text), "%.1f",
		    rounds->valuedouble);
	}
	set_units(&row[SLOPE_FIXED], item(line, "fixed_ns"), units_duration);
	set_units(&row[SLOPE_OFF], item(line, "off_ns"), units_duration);
}

static int is_sloped(const cJSON *json)
{
	return cJSON_IsObject(item(item(json, "figures"), "effective_rounds"));
}

static int is_cell(const cJSON *json)
{
	return cJSON_IsObject(json);
}

static int is_decomposed(const cJSON *json)
{
	return cJSON_IsObject(item(item(json, "figures"), "decomposition"));
}

static void print_table(const cJSON *cells, const struct text_column *columns,
    uint32_t n_columns, fill_row *fill, int (*is_wanted)(const cJSON *), FILE *out,
    const struct terminal *terminal)
{
	struct text_table *table = text_table_create(columns, n_columns);
	const cJSON *json;

	if (table == NULL)
		return;
	cJSON_ArrayForEach(json, cells)
	{
		if (cell_name_is_first(cells, json))
			add_work(table, json, fill, is_wanted);
	}
	text_table_print(table, out, terminal);
	text_table_destroy(table);
}

void summary_table_print(
    const cJSON *document, FILE *out, const struct terminal *terminal)
{
	const cJSON *cells = item(document, "cells");

	if (cJSON_GetArraySize(cells) == 0)
		return;
	print_table(cells, cell_columns, CELL_COLUMNS, fill_cell, is_cell, out, terminal);
	fprintf(out, "%s%s%s\n", terminal_style(terminal, STYLE_DIM), legend,
	    terminal_plain(terminal, STYLE_DIM));
}

/* A table of the cells that have what it shows; nothing if none has. */
static void print_section(const char *title, const cJSON *document,
    const struct text_column *columns, uint32_t n_columns, fill_row *fill,
    int (*is_wanted)(const cJSON *), FILE *out, const struct terminal *terminal)
{
	const cJSON *cells = item(document, "cells"), *json;

	cJSON_ArrayForEach(json, cells)
	{
		if (!is_wanted(json))
			continue;
		fprintf(out, "\n%s%s%s\n", terminal_style(terminal, STYLE_BOLD), title,
		    terminal_plain(terminal, STYLE_BOLD));
		print_table(cells, columns, n_columns, fill, is_wanted, out, terminal);
		return;
	}
}

void summary_parts_print(
    const cJSON *document, FILE *out, const struct terminal *terminal)
{
	print_section("Where the wall time went", document, part_columns, PART_COLUMNS,
	    fill_parts, is_decomposed, out, terminal);
	print_section("Rounds: counted, and by how the wall time grows with delays",
	    document, slope_columns, SLOPE_COLUMNS, fill_slope, is_sloped, out, terminal);
}

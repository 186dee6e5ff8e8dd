/* SPDX-License-Identifier: MIT */
#include "harness/result/summary.h"

#include "base/units.h"
#include "harness/result/cell_name.h"
#include "harness/result/clean_text.h"
#include "harness/result/phase_table.h"
#include "harness/result/rtt_heatmap.h"
#include "harness/result/summary_table.h"
#include "harness/result/taint_words.h"

#include <cjson/cJSON.h>
#include <string.h>

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* A document read from a file may hold anything; a terminal must not. */
static const char *clean(const char *value)
{
	return value == NULL || !clean_text_is(value) ? "?" : value;
}

static const char *text(const cJSON *object, const char *key)
{
	return clean(cJSON_GetStringValue(item(object, key)));
}

static double number(const cJSON *object, const char *key)
{
	const cJSON *value = item(object, key);

	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static void print_title(const cJSON *document, FILE *out, const struct terminal *terminal)
{
	const char *status = text(document, "status");
	enum style style = strcmp(status, "complete") == 0 ? STYLE_GOOD : STYLE_BAD;

	fprintf(out, "\n%s%s%s: %s%s%s", terminal_style(terminal, STYLE_BOLD),
	    text(document, "name"), terminal_plain(terminal, STYLE_BOLD),
	    terminal_style(terminal, style), status, terminal_plain(terminal, style));
	if (cJSON_IsString(item(document, "reason")))
		fprintf(out, ", %s", text(document, "reason"));
	fputs("\n\n", out);
}

/* "  tcp secret-santa low, 4 parties: " */
static void print_cell_name(const cJSON *id, FILE *out)
{
	char work[128];

	fprintf(out, "  %s %s: ", clean(cell_name_transport(id)),
	    cell_name_work(id, work, sizeof(work)));
}

static void print_errors(const cJSON *cells, FILE *out, const struct terminal *terminal)
{
	const cJSON *cell;
	int n = 0;

	cJSON_ArrayForEach(cell, cells)
	{
		if (!cJSON_IsString(item(cell, "error")))
			continue;
		if (n++ == 0)
			fprintf(out, "\n%sWhat did not work%s\n",
			    terminal_style(terminal, STYLE_BAD),
			    terminal_plain(terminal, STYLE_BAD));
		print_cell_name(item(cell, "cell"), out);
		fprintf(out, "%s\n", text(cell, "error"));
	}
}

static void print_nulls(const cJSON *nulls, FILE *out, const struct terminal *terminal)
{
	const cJSON *json;
	int n = 0;

	cJSON_ArrayForEach(json, nulls)
	{
		char wall[UNITS_TEXT_BYTES], cpu[UNITS_TEXT_BYTES], work[128];

		if (n++ == 0)
			fprintf(out, "\n%sThe same without a network%s\n",
			    terminal_style(terminal, STYLE_BOLD),
			    terminal_plain(terminal, STYLE_BOLD));
		fprintf(out,
		    "  %s: ", cell_name_work(item(json, "cell"), work, sizeof(work)));
		if (strcmp(text(json, "status"), "ok") != 0)
			fprintf(
			    out, "%s, %s\n", text(json, "status"), text(json, "error"));
		else
			fprintf(out, "%s, %s of CPU\n",
			    units_duration(wall, (uint64_t)number(json, "wall_ns")),
			    units_duration(cpu, (uint64_t)number(json, "cpu_ns")));
	}
}

static void print_notes(const cJSON *notes, FILE *out)
{
	const cJSON *note;

	if (cJSON_GetArraySize(notes) > 0)
		fputc('\n', out);
	cJSON_ArrayForEach(note, notes)
	{
		fprintf(out, "note: %s\n", clean(cJSON_GetStringValue(note)));
	}
}

void summary_print(
    const cJSON *document, const char *path, FILE *out, const struct terminal *terminal)
{
	print_title(document, out, terminal);
	summary_table_print(document, out, terminal);
	summary_parts_print(document, out, terminal);
	phase_table_print(document, out, terminal);
	rtt_heatmap_print(document, out, terminal);
	print_nulls(item(document, "null"), out, terminal);
	print_errors(item(document, "cells"), out, terminal);
	taint_words_print(document, out, terminal);
	print_notes(item(document, "notes"), out);
	if (path != NULL)
		fprintf(out, "\nresult: %s%s%s\n", terminal_style(terminal, STYLE_BOLD),
		    path, terminal_plain(terminal, STYLE_BOLD));
}

/* A copy of the cell without its blocks and the payload of its histogram. */
static cJSON *cell_without_blocks(const cJSON *cell)
{
	cJSON *copy = cJSON_CreateObject();
	const cJSON *at;

	cJSON_ArrayForEach(at, cell)
	{
		if (strcmp(at->string, "blocks") != 0)
			cJSON_AddItemToObject(copy, at->string, cJSON_Duplicate(at, 1));
	}
	cJSON_DeleteItemFromObjectCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(copy, "figures"), "round_ns"),
	    "data");
	return copy;
}

cJSON *summary_json(const cJSON *document, const char *path)
{
	static const char *const kept[] = {
	    "name", "status", "reason", "started_at", "finished_at", "null", "notes"};
	cJSON *json = cJSON_CreateObject(), *cells, *calibration;
	const cJSON *cell;

	if (json == NULL)
		return NULL;
	cJSON_AddStringToObject(json, "$schema", "e3/summary/v1");
	if (path == NULL)
		cJSON_AddNullToObject(json, "path");
	else
		cJSON_AddStringToObject(json, "path", path);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		cJSON_AddItemToObject(
		    json, kept[i], cJSON_Duplicate(item(document, kept[i]), 1));
	calibration = cJSON_AddObjectToObject(json, "calibration");
	cJSON_AddItemToObject(calibration, "pairs",
	    cJSON_Duplicate(item(item(document, "calibration"), "pairs"), 1));
	cJSON_AddItemToObject(calibration, "taints",
	    cJSON_Duplicate(item(item(document, "calibration"), "taints"), 1));
	cells = cJSON_AddArrayToObject(json, "cells");
	cJSON_ArrayForEach(cell, item(document, "cells"))
	{
		cJSON_AddItemToArray(cells, cell_without_blocks(cell));
	}
	return json;
}

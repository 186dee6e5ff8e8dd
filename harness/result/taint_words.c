/* SPDX-License-Identifier: MIT */
#include "harness/result/taint_words.h"

#include "harness/result/cell_name.h"
#include "harness/result/clean_text.h"
#include "harness/result/text_wrap.h"

#include <cjson/cJSON.h>
#include <string.h>

#define CALIBRATION_SHOWN 5
#define LINE_BYTES        1024
#define INDENT            6u

/* One code over all cells. */
struct sum {
	double blocks;
	uint32_t cells;
	const cJSON *worst, *worst_cell;
};

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text(const cJSON *object, const char *key)
{
	const char *value = cJSON_GetStringValue(item(object, key));

	return value == NULL || !clean_text_is(value) ? "?" : value;
}

static double number(const cJSON *object, const char *key)
{
	const cJSON *value = item(object, key);

	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static void begin(int *n, FILE *out, const struct terminal *terminal)
{
	if ((*n)++ == 0)
		fprintf(out, "\n%sTaints%s\n", terminal_style(terminal, STYLE_WARN),
		    terminal_plain(terminal, STYLE_WARN));
}

static struct sum sum_of(const cJSON *cells, const char *code)
{
	struct sum sum = {0};
	const cJSON *cell, *taint;

	cJSON_ArrayForEach(cell, cells)
	{
		cJSON_ArrayForEach(taint, item(cell, "taints"))
		{
			if (strcmp(text(taint, "code"), code) != 0)
				continue;
			sum.blocks += number(taint, "blocks");
			sum.cells++;
			if (sum.worst != NULL &&
			    number(taint, "value") <= number(sum.worst, "value"))
				continue;
			sum.worst = taint;
			sum.worst_cell = item(cell, "cell");
		}
	}
	return sum;
}

static void print_sum(const struct sum *sum, FILE *out, const struct terminal *terminal)
{
	const char *transport = cell_name_transport(sum->worst_cell);
	char work[128], cells[32] = "", line[LINE_BYTES];

	if (sum->cells > 1)
		snprintf(cells, sizeof(cells), " of %u cells", sum->cells);
	snprintf(line, sizeof(line), "  %.0f block%s%s%s%s, in %s %s", sum->blocks,
	    sum->blocks == 1 ? "" : "s", cells,
	    sum->blocks == 1 ? ": " : ", at worst: ", text(sum->worst, "sentence"),
	    clean_text_is(transport) ? transport : "?",
	    cell_name_work(sum->worst_cell, work, sizeof(work)));
	text_wrap(line, INDENT, out, terminal);
}

/* Whether no taint of a cell before this one has its code. */
static int is_first(const cJSON *cells, const cJSON *cell, const char *code)
{
	const cJSON *taint;

	for (const cJSON *at = cells->child; at != cell; at = at->next)
		cJSON_ArrayForEach(taint, item(at, "taints"))
		{
			if (strcmp(text(taint, "code"), code) == 0)
				return 0;
		}
	return 1;
}

static void print_calibration_taint(
    const cJSON *taint, FILE *out, const struct terminal *terminal)
{
	char line[LINE_BYTES];

	snprintf(line, sizeof(line), "  calibration: %s", text(taint, "sentence"));
	text_wrap(line, INDENT, out, terminal);
}

static void print_calibration(
    const cJSON *taints, int *n, FILE *out, const struct terminal *terminal)
{
	const cJSON *taint;

	cJSON_ArrayForEach(taint, taints)
	{
		begin(n, out, terminal);
		if (*n <= CALIBRATION_SHOWN)
			print_calibration_taint(taint, out, terminal);
	}
	if (*n > CALIBRATION_SHOWN)
		fprintf(out, "  calibration: %d more, in the result\n",
		    *n - CALIBRATION_SHOWN);
}

void taint_words_print(const cJSON *document, FILE *out, const struct terminal *terminal)
{
	const cJSON *cells = item(document, "cells"), *cell, *taint;
	int n = 0;

	print_calibration(
	    item(item(document, "calibration"), "taints"), &n, out, terminal);
	cJSON_ArrayForEach(cell, cells)
	{
		cJSON_ArrayForEach(taint, item(cell, "taints"))
		{
			const char *code = text(taint, "code");
			struct sum sum = sum_of(cells, code);

			if (!is_first(cells, cell, code))
				continue;
			begin(&n, out, terminal);
			print_sum(&sum, out, terminal);
		}
	}
}

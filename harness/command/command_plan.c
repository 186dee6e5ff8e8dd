/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"

#include "base/units.h"
#include "harness/command/json_output.h"
#include "harness/command/plan_options.h"
#include "harness/command/table_row.h"

#include <cjson/cJSON.h>
#include <string.h>

struct plan_options {
	struct plan_filter filter;
	int json;
};

static const struct option_rule plan_rules[] = {
    PLAN_OPTIONS(struct plan_options, filter),
    {.name = "json",
	.help = "print one JSON document",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct plan_options, json)},
    {0},
};

static const struct text_column cell_columns[] = {
    {"parties", 1, 0},
    {"workload", 0, 0},
    {"mode", 0, 0},
    {"size", 0, 0},
    {"transport", 0, 0},
    {"blocks", 1, 2},
    {"rounds", 1, 3},
    {"bytes to a peer", 1, 4},
    {"about", 1, 1},
};

static void print_cells(const struct plan *plan)
{
	struct text_table *table =
	    text_table_create(cell_columns, sizeof(cell_columns) / sizeof(*cell_columns));

	for (uint32_t i = 0; i < plan->n_cells; i++) {
		const struct plan_cell *cell = &plan->cells[i];
		struct table_row row = table_row_begin(table);
		char text[UNITS_TEXT_BYTES];

		table_row_add(&row, STYLE_PLAIN, "%u", cell->parties);
		table_row_add(&row, STYLE_PLAIN, "%s", plan_cell_workload(plan, cell));
		table_row_add(&row, STYLE_PLAIN, "%s", cell->mode);
		table_row_add(&row, STYLE_PLAIN, "%s", plan_cell_size(plan, cell));
		table_row_add(&row, STYLE_PLAIN, "%s", plan_cell_transport(plan, cell));
		table_row_add(&row, STYLE_PLAIN, "%u", cell->blocks);
		table_row_add(
		    &row, STYLE_PLAIN, "%llu", (unsigned long long)cell->estimate.rounds);
		table_row_add(
		    &row, STYLE_PLAIN, "%s", units_bytes(text, cell->estimate.bytes));
		table_row_add(&row, STYLE_PLAIN, "%s",
		    units_duration(text, cell->estimate.total_ns));
	}
	table_print(table);
}

static void print_plan(const struct plan *plan)
{
	const struct scenario *scenario = plan->scenario;
	char text[UNITS_TEXT_BYTES], scales[80] = "";

	printf("%s: %s\n", scenario->name, scenario->description);
	printf("regions");
	for (uint32_t i = 0; i < scenario->n_regions; i++)
		printf(" %s", scenario->regions[i]);
	printf("; RTTs of %s", scenario->matrix.name);
	if (scenario->matrix_scale != 1.0)
		printf(" x %g", scenario->matrix_scale);
	printf("\n\n");
	print_cells(plan);
	for (uint32_t s = 0; plan->n_scales > 1 && s < plan->n_scales; s++)
		snprintf(scales + strlen(scales), sizeof(scales) - strlen(scales), "%s%g",
		    s == 0 ? ", delays x " : ", ", scenario->delay_scales[s]);
	printf("\n%u cell%s, %u block%s%s: %u runs, about %s\n", plan->n_cells,
	    plan->n_cells == 1 ? "" : "s", plan->blocks, plan->blocks == 1 ? "" : "s",
	    scales, plan->n_steps, units_duration(text, plan->estimate_ns));
	if (plan->reruns == 1)
		printf("A tainted one is run once more: longer if this machine is "
		       "busy.\n");
	else if (plan->reruns > 1)
		printf("A tainted one is run up to %u times more: longer if this machine "
		       "is busy.\n",
		    plan->reruns);
}

static cJSON *cell_json(const struct plan *plan, const struct plan_cell *cell)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "transport", plan_cell_transport(plan, cell));
	cJSON_AddStringToObject(json, "workload", plan_cell_workload(plan, cell));
	cJSON_AddStringToObject(json, "mode", cell->mode);
	cJSON_AddStringToObject(json, "size", plan_cell_size(plan, cell));
	cJSON_AddNumberToObject(json, "parties", cell->parties);
	cJSON_AddNumberToObject(json, "field_bits", plan_cell_field_bits(plan, cell));
	cJSON_AddNumberToObject(json, "blocks", cell->blocks);
	cJSON_AddNumberToObject(json, "rounds", (double)cell->estimate.rounds);
	cJSON_AddNumberToObject(json, "bytes", (double)cell->estimate.bytes);
	cJSON_AddNumberToObject(json, "estimate_ns", (double)cell->estimate.total_ns);
	return json;
}

static int print_json(const struct plan *plan)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *cells = cJSON_AddArrayToObject(json, "cells");
	cJSON *steps = cJSON_AddArrayToObject(json, "steps");

	cJSON_AddStringToObject(json, "scenario", plan->scenario->name);
	cJSON_AddNumberToObject(json, "blocks", plan->blocks);
	cJSON_AddNumberToObject(json, "reruns", plan->reruns);
	cJSON_AddNumberToObject(json, "estimate_ns", (double)plan->estimate_ns);
	for (uint32_t i = 0; i < plan->n_cells; i++)
		cJSON_AddItemToArray(cells, cell_json(plan, &plan->cells[i]));
	for (uint32_t i = 0; i < plan->n_steps; i++) {
		cJSON *step = cJSON_CreateObject();

		cJSON_AddNumberToObject(step, "cell", plan->steps[i].cell);
		cJSON_AddNumberToObject(step, "block", plan->steps[i].block);
		cJSON_AddNumberToObject(step, "position", plan->steps[i].position);
		cJSON_AddNumberToObject(step, "delay_scale", plan->steps[i].delay_scale);
		cJSON_AddItemToArray(steps, step);
	}
	return json_output(json);
}

static int show_plan(const struct plan *plan, const void *options, struct error *err)
{
	const struct plan_options *o = options;

	(void)err;
	if (o->json)
		return print_json(plan);
	print_plan(plan);
	return 0;
}

static int plan_run(const void *options, char *const *arguments, int n_arguments)
{
	const struct plan_options *o = options;

	(void)n_arguments;
	return plan_options_use(arguments[0], &o->filter, show_plan, o);
}

const struct command command_plan = {
    .name = "plan",
    .arguments = "SCENARIO [OPTION...]",
    .summary = "show what a scenario would run, and about how long that takes",
    .detail =
	"A cell is transport x workload x size x number of parties; a block runs\n"
	"every cell once. The time is an estimate: rounds x longest delay + bytes +\n"
	"computing + set-up. What can't work is refused here, before anything runs.",
    .options = plan_rules,
    .options_bytes = sizeof(struct plan_options),
    .n_arguments_min = 1,
    .n_arguments_max = 1,
    .run = plan_run,
};

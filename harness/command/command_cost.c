/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include "harness/command/command_table.h"
#include "harness/command/json_output.h"
#include "harness/command/plan_options.h"
#include "harness/command/table_row.h"
#include "harness/control/machine_cost.h"
#include "harness/control/path_settings.h"
#include "harness/control/rehearsal.h"
#include "harness/control/run_inputs.h"

#include <cjson/cJSON.h>
#include <stdio.h>

struct cost_options {
	struct plan_filter filter;
	const char *mnist_folder;
	int is_json, is_elsewhere;
};

static const struct option_rule cost_rules[] = {
    PLAN_OPTIONS(struct cost_options, filter),
    {.name = "mnist",
	.argument = "DIR",
	.help = "classify MNIST's own images (IDX files in DIR) instead of E3's digits",
	.kind = OPTION_TEXT,
	.offset = offsetof(struct cost_options, mnist_folder)},
    {.name = "elsewhere",
	.help = "leave out what emulating all hosts on this machine adds",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct cost_options, is_elsewhere)},
    {.name = "json",
	.help = "print JSON",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct cost_options, is_json)},
    {.name = NULL},
};

static const struct text_column columns[] = {{.header = "workload"},
    {.header = "parties", .is_right = 1}, {.header = "field", .is_right = 1},
    {.header = "rounds", .is_right = 1}, {.header = "elements a party", .is_right = 1},
    {.header = "bytes a party", .is_right = 1}, {.header = "network", .is_right = 1},
    {.header = "computing", .is_right = 1}, {.header = "predicted", .is_right = 1},
    {.header = "on this machine", .is_right = 1}};

struct cost {
	uint64_t rounds, bytes, elements; /* of the party that sends most */
	uint64_t network_ns;              /* if computing took no time */
	uint64_t predicted_ns;
	uint64_t emulated_ns; /* with all hosts on this machine; 0 = not known */
};

/* What messages cost here; `cost` is valid if `why_not` is empty. */
struct here {
	struct machine_cost cost;
	struct error why_not;
};

static int is_known(const struct here *here)
{
	return here->why_not.code == 0;
}

static uint64_t compute_ns(const struct cost *cost)
{
	/* Work can change whose message comes first, for the better at times. */
	return cost->predicted_ns > cost->network_ns
		   ? cost->predicted_ns - cost->network_ns
		   : 0;
}

static void add_up(const struct rehearsal *rehearsal, uint32_t parties,
    uint32_t field_bits, struct cost *out)
{
	uint32_t element_bytes = (field_bits + 63) / 64 * 8;

	for (uint32_t p = 0; p < parties; p++) {
		if (rehearsal->parties[p].bytes > out->bytes)
			out->bytes = rehearsal->parties[p].bytes;
		if (rehearsal->parties[p].rounds > out->rounds)
			out->rounds = rehearsal->parties[p].rounds;
	}
	out->elements = out->bytes / element_bytes;
}

static void add_row(struct text_table *table, const struct plan *plan,
    const struct plan_cell *cell, const struct cost *cost)
{
	struct table_row row = table_row_begin(table);
	char text[UNITS_TEXT_BYTES];

	table_row_add(&row, STYLE_PLAIN, "%s %s %s", plan_cell_workload(plan, cell),
	    cell->mode, plan_cell_size(plan, cell));
	table_row_add(&row, STYLE_PLAIN, "%u", cell->parties);
	table_row_add(&row, STYLE_PLAIN, "%u bit", plan_cell_field_bits(plan, cell));
	table_row_add(&row, STYLE_PLAIN, "%llu", (unsigned long long)cost->rounds);
	table_row_add(&row, STYLE_PLAIN, "%llu", (unsigned long long)cost->elements);
	table_row_add(&row, STYLE_PLAIN, "%s", units_bytes(text, cost->bytes));
	table_row_add(&row, STYLE_PLAIN, "%s", units_duration(text, cost->network_ns));
	table_row_add(&row, STYLE_PLAIN, "%s", units_duration(text, compute_ns(cost)));
	table_row_add(&row, STYLE_BOLD, "%s", units_duration(text, cost->predicted_ns));
	table_row_add(&row, STYLE_BOLD, "%s",
	    cost->emulated_ns == 0 ? "-" : units_duration(text, cost->emulated_ns));
}

static void add_json(cJSON *cells, const struct plan *plan, const struct plan_cell *cell,
    const struct rehearsal *rehearsal, const struct cost *cost)
{
	cJSON *json = cJSON_CreateObject(), *parties;

	cJSON_AddStringToObject(json, "workload", plan_cell_workload(plan, cell));
	cJSON_AddStringToObject(json, "mode", cell->mode);
	cJSON_AddStringToObject(json, "size", plan_cell_size(plan, cell));
	cJSON_AddNumberToObject(json, "parties", cell->parties);
	cJSON_AddNumberToObject(json, "field_bits", plan_cell_field_bits(plan, cell));
	cJSON_AddNumberToObject(json, "attempts", rehearsal->attempts);
	cJSON_AddNumberToObject(json, "rounds", (double)cost->rounds);
	cJSON_AddNumberToObject(json, "elements", (double)cost->elements);
	cJSON_AddNumberToObject(json, "bytes", (double)cost->bytes);
	cJSON_AddNumberToObject(json, "network_ns", (double)cost->network_ns);
	cJSON_AddNumberToObject(json, "compute_ns", (double)compute_ns(cost));
	cJSON_AddNumberToObject(json, "predicted_ns", (double)cost->predicted_ns);
	if (cost->emulated_ns > 0)
		cJSON_AddNumberToObject(json, "emulated_ns", (double)cost->emulated_ns);
	else
		cJSON_AddNullToObject(json, "emulated_ns");
	parties = cJSON_AddArrayToObject(json, "sent");
	for (uint32_t p = 0; p < cell->parties; p++) {
		cJSON *sent = cJSON_CreateObject();

		cJSON_AddNumberToObject(
		    sent, "rounds", (double)rehearsal->parties[p].rounds);
		cJSON_AddNumberToObject(
		    sent, "messages", (double)rehearsal->parties[p].messages);
		cJSON_AddNumberToObject(
		    sent, "bytes", (double)rehearsal->parties[p].bytes);
		cJSON_AddItemToArray(parties, sent);
	}
	cJSON_AddItemToArray(cells, json);
}

static int is_new(const struct plan *plan, uint32_t c)
{
	const struct plan_cell *cell = &plan->cells[c];

	for (uint32_t i = 0; i < c; i++)
		if (plan->cells[i].workload == cell->workload &&
		    plan->cells[i].size == cell->size &&
		    plan->cells[i].parties == cell->parties)
			return 0;
	return 1;
}

/* What the network alone takes can be told exactly, what work adds can't. */
static int cost_cell(const struct plan *plan, const struct plan_cell *cell,
    const struct run_inputs *inputs, const struct here *here, struct rehearsal *rehearsal,
    struct cost *out, struct error *err)
{
	struct rehearsal with_work, emulated = {0};
	int rc = rehearse(plan, cell, inputs, REHEARSAL_NETWORK, NULL, rehearsal, err);

	if (rc == 0)
		rc = rehearse(plan, cell, inputs, REHEARSAL_NETWORK_AND_WORK, NULL,
		    &with_work, err);
	if (rc == 0 && is_known(here))
		rc = rehearse(
		    plan, cell, inputs, REHEARSAL_MACHINE, &here->cost, &emulated, err);
	if (rc < 0)
		return error_wrap(err, "%s", plan_cell_workload(plan, cell));
	*out = (struct cost){.network_ns = rehearsal->virtual_ns,
	    .predicted_ns = with_work.virtual_ns,
	    .emulated_ns = emulated.virtual_ns};
	add_up(rehearsal, cell->parties, plan_cell_field_bits(plan, cell), out);
	return 0;
}

static int cost_cells(const struct plan *plan, const struct run_inputs *inputs,
    const struct here *here, struct text_table *table, cJSON *cells, struct error *err)
{
	for (uint32_t c = 0; c < plan->n_cells; c++) {
		const struct plan_cell *cell = &plan->cells[c];
		struct rehearsal rehearsal;
		struct cost cost = {0};
		int rc;

		/* A cost is the computation's; transports differ by what they add. */
		if (!is_new(plan, c))
			continue;
		rc = cost_cell(plan, cell, inputs, here, &rehearsal, &cost, err);
		if (rc < 0)
			return rc;
		add_row(table, plan, cell, &cost);
		add_json(cells, plan, cell, &rehearsal, &cost);
	}
	return 0;
}

/* What all predicted times stand on. */
static void add_assumptions(
    cJSON *json, const struct plan *plan, char congestion[PATH_CONGESTION_BYTES])
{
	path_settings_congestion(plan->scenario, "", congestion);
	cJSON_AddStringToObject(json, "transport", "tcp");
	cJSON_AddStringToObject(json, "congestion_control", congestion);
	cJSON_AddStringToObject(json, "congestion_model",
	    path_settings_kind(congestion) == CONGESTION_BBR ? "bbr" : "slow start");
}

/* What the times of emulated hosts stand on. */
static void add_machine(cJSON *json, const struct here *here)
{
	const struct machine_cost *cost = &here->cost;
	cJSON *machine;

	if (!is_known(here)) {
		cJSON_AddNullToObject(json, "machine");
		return;
	}
	machine = cJSON_AddObjectToObject(json, "machine");
	cJSON_AddNumberToObject(machine, "cores", cost->cores);
	cJSON_AddNumberToObject(machine, "pass_ns", (double)cost->pass_ns);
	cJSON_AddNumberToObject(machine, "message_ns", (double)cost->message_ns);
	cJSON_AddNumberToObject(machine, "carry_ns", (double)cost->carry_ns);
	cJSON_AddNumberToObject(machine, "give_byte_ns", cost->give_byte_ns);
	cJSON_AddNumberToObject(machine, "take_byte_ns", cost->take_byte_ns);
	cJSON_AddNumberToObject(machine, "carry_byte_ns", cost->carry_byte_ns);
}

static void print_machine(const struct here *here)
{
	const struct machine_cost *cost = &here->cost;

	if (is_known(here))
		printf("On this machine: all hosts emulated here, %u core%s for all "
		       "parties; measured now:\na message passes in %.1f us, and every "
		       "byte takes %.2f ns of CPU.\n",
		    cost->cores, cost->cores == 1 ? "" : "s", (double)cost->pass_ns / 1e3,
		    cost->give_byte_ns + cost->take_byte_ns + cost->carry_byte_ns);
	else if (here->why_not.text[0] != '\0')
		printf("What this machine would add when it emulates all hosts isn't "
		       "known: %s.\n",
		    here->why_not.text);
}

static void print_costs(
    struct text_table *table, const char *congestion, const struct here *here)
{
	table_print(table);
	printf("\nNothing was sent. Times are of plain TCP with %s%s.\n", congestion,
	    path_settings_kind(congestion) == CONGESTION_BBR ? "" : " (its slow start)");
	print_machine(here);
}

static int cost_plan(const struct plan *plan, const void *options, struct error *err)
{
	const struct cost_options *o = options;
	struct text_table *table =
	    text_table_create(columns, sizeof(columns) / sizeof(*columns));
	char congestion[PATH_CONGESTION_BYTES];
	cJSON *json = cJSON_CreateObject(), *cells;
	struct run_inputs inputs = {0};
	struct here here = {.why_not.code = -ECANCELED};
	int rc = run_inputs_for(&inputs, plan, o->mnist_folder, err);

	if (rc == 0 && !o->is_elsewhere &&
	    machine_cost_measure(&here.cost, &here.why_not) == 0)
		here.why_not.code = 0;
	add_assumptions(json, plan, congestion);
	add_machine(json, &here);
	cells = cJSON_AddArrayToObject(json, "cells");
	if (rc == 0)
		rc = cost_cells(plan, &inputs, &here, table, cells, err);
	run_inputs_finish(&inputs);
	if (rc == 0 && o->is_json) {
		text_table_destroy(table);
		return json_output(json);
	}
	cJSON_Delete(json);
	if (rc < 0)
		text_table_destroy(table);
	else
		print_costs(table, congestion, &here);
	return rc;
}

static int cost_run(const void *options, char *const *arguments, int n_arguments)
{
	const struct cost_options *o = options;

	(void)n_arguments;
	return plan_options_use(arguments[0], &o->filter, cost_plan, o);
}

const struct command command_cost = {
    .name = "cost",
    .arguments = "SCENARIO [OPTION...]",
    .summary =
	"predict rounds, bytes and time of a scenario's computations, without hosts",
    .detail =
	"The computation is rehearsed in memory, all parties in this process, with\n"
	"the scenario's seed: no hosts, no network, no root. Rounds, elements and\n"
	"bytes are those of the run. The time is that of the rehearsal's messages\n"
	"under the scenario's delays and rate, over new TCP connections with the\n"
	"congestion control of the scenario or else of this machine (bbr, or the slow\n"
	"start of all others), and of each party's computing on this machine. It is\n"
	"that of transport tcp: an overlay adds its own. Left out: loss, jitter.\n"
	"\"on this machine\" is with all hosts emulated here: m parties share the "
	"cores,\n"
	"and messages cost what is measured first, through the emulator, for 0.3 s.\n"
	"That needs root; without, or with --elsewhere, it is left out.\n"
	"docs/measurement.md tells how well both have held, and where they don't.",
    .options = cost_rules,
    .options_bytes = sizeof(struct cost_options),
    .n_arguments_min = 1,
    .n_arguments_max = 1,
    .run = cost_run,
};

/* SPDX-License-Identifier: MIT */
#include "harness/control/null_run.h"
#include "harness/control/rehearsal.h"
#include "harness/control/run.h"

static void null_run(struct run *run, const struct plan_cell *cell)
{
	struct result_null out = {.cell = run_result_cell(run, cell), .status = CELL_OK};
	struct rehearsal rehearsal;
	struct error why = {0};

	if (rehearse(run->plan, cell, &run->inputs, REHEARSAL_TIMELESS, NULL, &rehearsal,
		&why) < 0) {
		out.status = CELL_FAILED;
		out.error = why.text;
	}
	out.wall_ns = rehearsal.wall_ns;
	out.cpu_ns = rehearsal.cpu_ns;
	out.rounds = (uint32_t)rehearsal.parties[0].rounds;
	result_null(run->result, &out);
}

static int is_same_computation(const struct plan_cell *a, const struct plan_cell *b)
{
	return a->workload == b->workload && a->size == b->size &&
	       a->parties == b->parties;
}

int null_runs(struct run *run, struct error *err)
{
	for (uint32_t i = 0; i < run->plan->n_cells; i++) {
		uint32_t first = 0;

		while (
		    !is_same_computation(&run->plan->cells[first], &run->plan->cells[i]))
			first++;
		if (first < i)
			continue;
		if (run_must_end(run) != NULL)
			return error_set(err, run->ended.code, "%s", run->ended.text);
		null_run(run, &run->plan->cells[i]);
		/* Signals and the testbed's end are seen between two of them. */
		uv_run(&run->loop, UV_RUN_NOWAIT);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "harness/control/null_run.h"
#include "harness/control/rehearsal.h"
#include "harness/control/run.h"

/* On a thread of its own: it can take minutes (large fields), and the loop has a second
 * Ctrl-C to hear meanwhile. */
struct null_work {
	uv_work_t request;
	struct run *run;
	const struct plan_cell *cell;
	struct rehearsal rehearsal;
	struct error why;
	int rc, is_done;
};

static void on_work(uv_work_t *request)
{
	struct null_work *work = request->data;

	work->rc = rehearse(work->run->plan, work->cell, &work->run->inputs,
	    REHEARSAL_TIMELESS, NULL, &work->rehearsal, &work->why);
}

static void on_work_done(uv_work_t *request, int status)
{
	struct null_work *work = request->data;

	(void)status;
	work->is_done = 1;
}

static void null_run(struct run *run, const struct plan_cell *cell)
{
	struct result_null out = {.cell = run_result_cell(run, cell), .status = CELL_OK};
	struct null_work work = {.run = run, .cell = cell, .request = {.data = &work}};

	uv_queue_work(&run->loop, &work.request, on_work, on_work_done);
	while (!work.is_done)
		uv_run(&run->loop, UV_RUN_ONCE);
	if (work.rc < 0) {
		out.status = CELL_FAILED;
		out.error = work.why.text;
	}
	out.wall_ns = work.rehearsal.wall_ns;
	out.cpu_ns = work.rehearsal.cpu_ns;
	out.rounds = (uint32_t)work.rehearsal.parties[0].rounds;
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
	}
	return 0;
}

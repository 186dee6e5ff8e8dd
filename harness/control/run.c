/* SPDX-License-Identifier: MIT */
#include "harness/control/run.h"
#include "base/clock.h"
#include "base/units.h"
#include "engine/workload.h"
#include "harness/command/command.h"
#include "harness/control/cell_run.h"
#include "harness/control/null_run.h"
#include "harness/control/run_report.h"
#include "harness/measure/environment.h"
#include "harness/result/journal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_INTERRUPTED 130

const struct error *run_must_end(void *user)
{
	struct run *run = user;

	return run->ended.code != 0 ? &run->ended : NULL;
}

struct result_cell run_result_cell(const struct run *run, const struct plan_cell *cell)
{
	return (struct result_cell){
	    .transport = plan_cell_transport(run->plan, cell),
	    .workload = plan_cell_workload(run->plan, cell),
	    .size = plan_cell_size(run->plan, cell),
	    .mode = cell->mode,
	    .parties = cell->parties,
	};
}

/* Once: end in order, with a partial result. Twice: now; every host dies with us. */
static void on_interrupt(uv_signal_t *handle, int number)
{
	struct run *run = handle->data;

	if (++run->n_interrupts > 1)
		_exit(EXIT_INTERRUPTED);
	if (run->ended.code == 0)
		error_set(&run->ended, -ECANCELED, "interrupted by %s",
		    number == SIGINT ? "Ctrl-C" : "SIGTERM");
}

static void watch_signals(struct run *run)
{
	uv_signal_init(&run->loop, &run->on_int);
	uv_signal_init(&run->loop, &run->on_term);
	run->on_int.data = run->on_term.data = run;
	uv_signal_start(&run->on_int, on_interrupt, SIGINT);
	uv_signal_start(&run->on_term, on_interrupt, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
}

/* All that can be refused before anything is started. */
static int make_plan(struct run *run, struct error *err)
{
	struct plan_filter filter = run->options->filter;
	int rc = scenario_read(run->options->scenario_path, &run->scenario, err);

	filter.is_unscaled = run->options->inventory_path != NULL;
	if (rc == 0)
		rc = plan_create(run->scenario, &filter, &run->plan, err);
	if (rc == 0)
		rc = run_inputs_for(
		    &run->inputs, run->plan, run->options->mnist_folder, err);
	for (uint32_t c = 0; rc == 0 && c < run->plan->n_cells; c++)
		if (run->plan->cells[c].parties > run->n_hosts)
			run->n_hosts = run->plan->cells[c].parties;
	return rc < 0 ? rc : run_inventory_make(run, err);
}

static int open_result(struct run *run, struct error *err)
{
	const struct result_config config = {
	    .name = run->scenario->name,
	    .folder = run->options->results_folder,
	    .scenario_path = run->scenario->path,
	    .scenario_text = run->scenario->text,
	    .matrix_text = run->scenario->matrix_text,
	    .seed = run->scenario->seed,
	    .argv = run->options->argv,
	    .inventory = inventory_json(&run->inventory),
	    .versions = run_versions(),
	};
	int rc = result_create(&config, &run->result, err);

	if (rc == 0)
		result_environment(run->result, "controller", environment_json(""));
	for (uint32_t c = 0; rc == 0 && c < run->plan->n_cells; c++) {
		struct result_cell cell = run_result_cell(run, &run->plan->cells[c]);

		result_plan(
		    run->result, &cell, run->plan->cells[c].blocks * run->plan->n_scales);
	}
	return rc;
}

static void note_reruns(struct run *run)
{
	char note[160];

	if (run->n_reruns == 0)
		return;
	snprintf(note, sizeof(note),
	    "%u of %u runs were tainted and made once more; `--no-reruns` keeps to the "
	    "plan",
	    run->n_reruns, run->progress.n_done);
	result_note(run->result, note);
}

static int wants_rerun(
    const struct run *run, const struct result_verdict *verdict, uint32_t attempt)
{
	return attempt < run->plan->reruns && verdict->status == CELL_OK &&
	       verdict->n_taints > 0;
}

static void label_block(
    const struct run *run, const struct plan_step *step, char *out, size_t bytes)
{
	const struct plan_cell *cell = &run->plan->cells[step->cell];
	char scale[32] = "";

	if (run->plan->n_scales > 1)
		snprintf(scale, sizeof(scale), ", delays x %g", step->delay_scale);
	snprintf(out, bytes, "%-10s %s %s %s, %u part%s%s",
	    plan_cell_transport(run->plan, cell), plan_cell_workload(run->plan, cell),
	    cell->mode, plan_cell_size(run->plan, cell), cell->parties,
	    cell->parties == 1 ? "y" : "ies", scale);
}

static int run_block(struct run *run, const struct plan_step *step, uint32_t attempt,
    uint32_t position, struct result_verdict *verdict, struct error *err)
{
	const struct plan_cell *cell = &run->plan->cells[step->cell];
	const struct cell_run which = {.cell = cell,
	    .block = step->block,
	    .attempt = attempt,
	    .position = position,
	    .delay_scale = step->delay_scale};
	uint64_t began_ns = clock_monotonic_ns();
	struct error sentence = {0};
	char label[160], words[64], took[UNITS_TEXT_BYTES];
	int rc;

	label_block(run, step, label, sizeof(label));
	progress_block(&run->progress, label,
	    estimate_scaled_ns(&cell->estimate, step->delay_scale));
	rc = run_hosts_scale(run, step->delay_scale, err);
	if (rc < 0)
		return rc;
	rc = cell_run(run, &which, verdict, &sentence, err);
	if (verdict->status == CELL_FAILED)
		run_inventory_look(run);
	units_duration(took, clock_monotonic_ns() - began_ns);
	if (wants_rerun(run, verdict, attempt))
		progress_again(&run->progress);
	snprintf(words, sizeof(words), "%s%s in %s%s", cell_status_text(verdict->status),
	    verdict->n_taints > 0 ? ", tainted," : "", took,
	    wants_rerun(run, verdict, attempt) ? ", once more" : "");
	progress_block_done(&run->progress, words);
	if (sentence.code != 0 && run->ended.code == 0)
		progress_note(&run->progress, "      %s", sentence.text);
	return rc;
}

/* All attempts of one step; the verdict is that of the last. */
static int run_step(struct run *run, const struct plan_step *step, uint32_t *position,
    struct result_verdict *verdict, struct error *err)
{
	for (uint32_t attempt = 0;; attempt++) {
		int rc = run_block(run, step, attempt, (*position)++, verdict, err);

		if (rc < 0 || run->ended.code != 0 || !wants_rerun(run, verdict, attempt))
			return rc;
		run->n_reruns++;
	}
}

/* A cell that can't work on these hosts is not tried again. */
static int run_blocks(struct run *run, struct error *err)
{
	unsigned char *is_hopeless = calloc(run->plan->n_cells, 1);
	uint32_t position = 0;
	int rc = is_hopeless == NULL ? error_set(err, -ENOMEM, "out of memory") : 0;

	progress_plan(&run->progress, run->plan->n_steps, run->plan->estimate_ns);
	for (uint32_t s = 0; rc == 0 && s < run->plan->n_steps; s++) {
		const struct plan_step *step = &run->plan->steps[s];
		struct result_verdict verdict = {.status = CELL_NOT_RUN};

		if (is_hopeless[step->cell])
			continue;
		rc = run_step(run, step, &position, &verdict, err);
		is_hopeless[step->cell] = verdict.status == CELL_UNSUPPORTED;
		run->n_failed +=
		    verdict.status == CELL_FAILED || verdict.status == CELL_TIMEOUT;
		if (rc == 0 && run->ended.code != 0)
			rc = error_set(err, run->ended.code, "%s", run->ended.text);
	}
	free(is_hopeless);
	note_reruns(run);
	return rc;
}

static void note_hosts(struct run *run)
{
	char took[UNITS_TEXT_BYTES];

	progress_note(&run->progress,
	    "%u host%s %sconnected, equipped and calibrated in %s", run->n_hosts,
	    run->n_hosts == 1 ? "" : "s", run->testbed != NULL ? "up, " : "",
	    units_duration(took, clock_monotonic_ns() - run->began_ns));
}

static int run_all(struct run *run, struct error *err)
{
	int rc = run_hosts_up(run, err);

	if (rc < 0)
		return rc;
	note_hosts(run);
	rc = null_runs(run, err);
	return rc < 0 ? rc : run_blocks(run, err);
}

static void release(struct run *run)
{
	progress_finish(&run->progress);
	result_destroy(run->result);
	run_inputs_finish(&run->inputs);
	plan_free(run->plan);
	scenario_free(run->scenario);
	uv_close((uv_handle_t *)&run->on_int, NULL);
	uv_close((uv_handle_t *)&run->on_term, NULL);
	uv_run(&run->loop, UV_RUN_NOWAIT);
	uv_loop_close(&run->loop);
	free(run);
}

/* From the hosts on: whatever happens, the hosts go and the result is written. */
static int run_with_result(struct run *run)
{
	struct error err = {0}, write_err = {0};
	enum result_status status = RESULT_COMPLETE;
	int rc = run_all(run, &err), exit_code = EXIT_SUCCESS, is_written;

	run_hosts_down(run);
	if (rc == -ECANCELED) {
		status = RESULT_PARTIAL;
		exit_code = EXIT_INTERRUPTED;
	} else if (rc < 0) {
		status = RESULT_FAILED;
		exit_code = EXIT_RUN_FAILED;
	} else if (run->n_failed > 0) {
		exit_code = EXIT_RUN_FAILED;
	}
	is_written =
	    result_finish(run->result, status, rc < 0 ? err.text : NULL, &write_err) == 0;
	run_report(run, is_written);
	if (!is_written) {
		fprintf(stderr, "e3: %s\n", write_err.text);
		exit_code = EXIT_RUN_FAILED;
	}
	if (rc < 0)
		fprintf(stderr, "e3: %s\n", err.text);
	return exit_code;
}

static void note_journal(void *user, const char *path)
{
	struct run *run = user;

	progress_note(&run->progress,
	    "%s is left of a run that was killed; `e3 recover` makes a result of it",
	    path);
}

int run_scenario(const struct run_options *options)
{
	struct run *run = calloc(1, sizeof(*run));
	struct error err = {0};
	int exit_code = EXIT_USAGE;

	if (run == NULL)
		return EXIT_RUN_FAILED;
	run->options = options;
	run->keeper_fd = -1;
	run->delay_scale = 1;
	run->began_ns = clock_monotonic_ns();
	uv_loop_init(&run->loop);
	watch_signals(run);
	progress_init(&run->progress, &run->loop, options->is_quiet ? NULL : stderr);
	journal_left_behind(options->results_folder, note_journal, run);
	if (make_plan(run, &err) < 0 || open_result(run, &err) < 0)
		fprintf(stderr, "e3: %s\n", err.text);
	else
		exit_code = run_with_result(run);
	release(run);
	return exit_code;
}

/* SPDX-License-Identifier: MIT */
/*
 * One `e3 run`, from a scenario to a result:
 *   plan -> hosts (testbed, fleet, upload, facts, calibration) -> null run -> blocks of
 *   cells
 *   -> teardown -> result. What went wrong first decides; teardown and result always
 *      come.
 */
#ifndef HARNESS_CONTROL_RUN_H
#define HARNESS_CONTROL_RUN_H

#include "harness/control/fleet_step.h"
#include "harness/control/progress.h"
#include "harness/control/run_inputs.h"
#include "harness/result/result.h"
#include "harness/scenario/plan.h"
#include "testbed/testbed.h"

#include <uv.h>

struct run_options {
	const char *scenario_path;
	struct plan_filter filter;
	const char *results_folder;
	const char *mnist_folder; /* NULL = the project's own digits */
	int is_quiet, is_json;
	char *const *argv; /* for the result; NULL-terminated */
};

struct run {
	const struct run_options *options;
	uv_loop_t loop;
	uv_signal_t on_int, on_term;
	uint32_t n_interrupts;
	struct scenario *scenario;
	struct plan *plan;
	struct run_inputs inputs;
	uint32_t n_hosts;
	struct testbed *testbed;
	uv_poll_t testbed_watch;
	int is_watching;
	struct fleet_key key;
	struct fleet_step hosts;
	struct result *result;
	struct progress progress;
	struct error ended; /* why no further cell is run; code 0 = go on */
	uint32_t n_failed;  /* cells x blocks */
	uint64_t began_ns;
};

/* The exit code of `e3 run`. Prints; writes the result. */
int run_scenario(const struct run_options *options);

/* Why the run must end, or NULL: for every wait. */
const struct error *run_must_end(void *run);

/* The names of a cell, as the result wants them; valid as long as the plan. */
struct result_cell run_result_cell(const struct run *run, const struct plan_cell *cell);

/* run_hosts.c: emulated hosts up, connected, equipped, described, calibrated. */
int run_hosts_up(struct run *run, struct error *err);
void run_hosts_down(struct run *run);

#endif

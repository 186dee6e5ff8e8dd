/* SPDX-License-Identifier: MIT */
/*
 * One `e3 run`, from a scenario to a result:
 *   plan -> hosts (testbed or inventory, fleet, upload, facts, calibration) -> null run
 * -> blocks of
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
#include "harness/scenario/inventory.h"
#include "harness/scenario/plan.h"
#include "testbed/testbed.h"

#include <uv.h>

struct run_options {
	const char *scenario_path;
	const char *inventory_path; /* hosts of the user's; NULL = emulated ones */
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
	struct inventory inventory; /* of the run's hosts; addresses once they are up */
	uint32_t n_hosts;
	/* One-way delays, [from][to]: configured ones of emulated hosts, else half of the
	 * round trip that was measured. */
	uint64_t one_way_ns[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX];
	int knows_one_way;
	double delay_scale;      /* at which the emulator is */
	struct testbed *testbed; /* NULL over an inventory */
	uv_poll_t hosts_watch;   /* emulated hosts: of this run, or of `e3 up` */
	int is_watching, keeper_fd, hosts_are_gone;
	struct fleet_key key;
	struct fleet_step hosts;
	struct result *result;
	struct progress progress;
	struct error ended; /* why no further cell is run; code 0 = go on */
	uint32_t n_failed;  /* cells x blocks */
	uint32_t n_reruns;
	uint64_t began_ns;
};

/* The exit code of `e3 run`. Prints; writes the result. */
int run_scenario(const struct run_options *options);

/* Why the run must end, or NULL: for every wait. */
const struct error *run_must_end(void *run);

/* The names of a cell, as the result wants them; valid as long as the plan. */
struct result_cell run_result_cell(const struct run *run, const struct plan_cell *cell);

/* run_inventory.c: which hosts there will be. -EINVAL and -ENOENT name file and key. */
int run_inventory_make(struct run *run, struct error *err);
/* The identity that its hosts accept, read from where it says. */
int run_inventory_key(struct run *run, struct error *err);
/* The network of the hosts that `e3 up` keeps; nothing if they are no such hosts. */
int run_inventory_enter(struct run *run, struct error *err);
/* After a failure: whether it is that those hosts were taken away; run->ended says so. */
void run_inventory_look(struct run *run);

/* run_hosts.c: hosts up or entered, connected, equipped, described, calibrated. What was
 * brought to hosts of an inventory is removed at the end. */
int run_hosts_up(struct run *run, struct error *err);
/* All delays between emulated hosts become the configured ones times this. */
int run_hosts_scale(struct run *run, double scale, struct error *err);
void run_hosts_down(struct run *run);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a scenario comes to: its cells, the order in which their blocks run, and about how
 * long that takes.
 *
 * A cell is one transport x workload (with its mode and field) x size x party count. A
 * block runs every cell once. Within a block the transports of one computation follow one
 * another directly, in an order that is random but balanced: of k transports each comes
 * once at every position in k blocks. So what drifts hits all of them alike, and two
 * transports can be compared block by block. With several delay scales a block runs every
 * computation at each of them, in turns that go on from block to block.
 */
#ifndef HARNESS_SCENARIO_PLAN_H
#define HARNESS_SCENARIO_PLAN_H

#include "harness/scenario/estimate.h"
#include "harness/scenario/scenario.h"

#define PLAN_STEPS_MAX     100000u
/* Probes of all ordered pairs together; more would measure this machine. */
#define PLAN_PROBES_HZ_MAX 20000u

/* Which cells; the fields of the options --parties, --transport, ... of commands. */
struct plan_filter {
	int64_t parties;       /* only this count; 0 = all of the scenario */
	int64_t blocks;        /* instead of the scenario's; 0 = the scenario's */
	const char *transport; /* only this one; NULL = all, as below */
	const char *workload;
	const char *mode;
	const char *size;  /* as written in the scenario */
	int has_no_reruns; /* of tainted blocks, whatever runs.reruns says */
	int is_unscaled;   /* only delays as they are, whatever runs.delay_scales says */
};

struct plan_cell {
	uint32_t transport;   /* index into scenario->transports */
	uint32_t workload;    /* index into scenario->workloads */
	uint32_t size;        /* index into scenario->workloads[workload].sizes */
	uint32_t size_number; /* what the size means: n, or the batch */
	uint32_t parties;
	uint32_t blocks;
	const char *mode;         /* never NULL; of the scenario or of the workload */
	struct estimate estimate; /* of one block */
};

struct plan_step {
	uint32_t cell; /* index into plan->cells */
	uint32_t block;
	uint32_t position; /* among the transports of this computation in this block */
	double delay_scale;
};

struct plan {
	const struct scenario *scenario; /* borrowed */
	uint32_t blocks;
	uint32_t n_scales;       /* runs of one cell in one block */
	uint32_t reruns;         /* of each of them, if tainted */
	struct plan_cell *cells; /* by parties, workload, size, transport */
	uint32_t n_cells;
	struct plan_step *steps; /* in the order to run */
	uint32_t n_steps;
	uint64_t estimate_ns; /* of all steps, and of bringing hosts up */
};

/* Expand and refuse what can't work: -EINVAL (-ENOENT: a plugin that isn't there) with a
 * sentence that names file and key. `filter` may be NULL; a filter that nothing matches
 * is an error, too. `scenario` stays valid until plan_free(). */
int plan_create(const struct scenario *scenario, const struct plan_filter *filter,
    struct plan **out, struct error *err);
void plan_free(struct plan *plan); /* NULL is fine */

const char *plan_cell_transport(const struct plan *plan, const struct plan_cell *cell);
const char *plan_cell_workload(const struct plan *plan, const struct plan_cell *cell);
const char *plan_cell_size(const struct plan *plan, const struct plan_cell *cell);
uint32_t plan_cell_field_bits(const struct plan *plan, const struct plan_cell *cell);

#endif

/* SPDX-License-Identifier: MIT */
/* One block of one cell: a crew's whole life, from `prepare` to `finalise`, into the
 * result. */
#ifndef HARNESS_CONTROL_CELL_RUN_H
#define HARNESS_CONTROL_CELL_RUN_H

#include "harness/result/result.h"

struct run;
struct plan_cell;

struct cell_run {
	const struct plan_cell *cell;
	uint32_t block, attempt, position;
	double delay_scale; /* at which the network is */
};

/* *verdict and *sentence (code 0 = nothing to say) tell how it went. Negative only when
 * the run can't go on (the journal can't be written); a failed cell is a verdict. */
int cell_run(struct run *run, const struct cell_run *which,
    struct result_verdict *verdict, struct error *sentence, struct error *err);

#endif

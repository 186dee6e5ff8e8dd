/* SPDX-License-Identifier: MIT */
/* The inside of a result, for those who make one: a run (result.c), or what is left of
 * one (recovery.c). */
#ifndef HARNESS_RESULT_STATE_H
#define HARNESS_RESULT_STATE_H

#include "base/clock.h"
#include "harness/result/result.h"

#include <limits.h>

struct block_outcome;
struct cell_figures;
struct journal;

struct cell {
	struct cJSON *json; /* in the document */
	struct cJSON *blocks, *taints;
	uint32_t n_status[CELL_NOT_RUN + 1];
	uint32_t n_planned, n_begun;  /* blocks; not counting those run again */
	char error[ERROR_TEXT_BYTES]; /* of the last block that is not ok */
	struct cell_figures *figures;
};

struct result {
	char path[PATH_MAX];
	struct journal *journal;    /* NULL: lines go nowhere */
	struct error journal_error; /* the first one; code 0 = all lines are written */
	struct cJSON *document, *hosts, *pairs, *calibration, *nulls, *cells_json, *notes;
	struct cell *cells;
	uint32_t n_cells;
	char ended_at[CLOCK_RFC3339_BYTES]; /* "" = when the document is written */
};

/* The cell of an id ({"transport", ...}, taken), made if it is new; NULL when out of
 * memory. Valid until the next one is made. */
struct cell *result_cell_of(struct result *r, struct cJSON *id);

/* A block of it, with its journal line. -ENOMEM. */
int result_add_outcome(
    struct result *r, struct cell *cell, const struct block_outcome *outcome);

#endif

/* SPDX-License-Identifier: MIT */
/* What a block comes to: reports read and laid beside each other, figures, taints, JSON.
 */
#ifndef HARNESS_RESULT_BLOCK_OUTCOME_H
#define HARNESS_RESULT_BLOCK_OUTCOME_H

#include "harness/result/cell_figures.h"
#include "harness/result/result.h"

struct block_outcome {
	struct cJSON *json; /* an entry of "blocks" */
	enum cell_status status;
	char error[ERROR_TEXT_BYTES]; /* "" = none */
	uint32_t attempt, n_taints;
	struct block_figures figures; /* valid if status is CELL_OK */
	struct histogram *round_ns;   /* same; all parties */
};

/* Frees block->taints. -ENOMEM with *out finished. */
int block_outcome_make(const struct result_block *block, struct block_outcome *out);
void block_outcome_finish(struct block_outcome *out); /* zeroed is fine */

#endif

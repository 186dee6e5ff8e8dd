/* SPDX-License-Identifier: MIT */
/* The taints of a cell: one entry a code, with the number of blocks that have it and the
 * value and sentence of the worst. */
#ifndef HARNESS_RESULT_CELL_TAINTS_H
#define HARNESS_RESULT_CELL_TAINTS_H

struct cJSON;

/* Add those of one block. A code counts once a block, however many hosts it concerns. */
void cell_taints_add(struct cJSON *sums, const struct cJSON *taints);

#endif

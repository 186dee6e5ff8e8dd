/* SPDX-License-Identifier: MIT */
/*
 * How often a computation waits for the longest path, told by the network itself and not
 * by its own count: the slope of its wall time over the longest one-way delay, from runs
 * at several delay scales. docs/measurement.md defines it.
 */
#ifndef HARNESS_RESULT_EFFECTIVE_ROUNDS_H
#define HARNESS_RESULT_EFFECTIVE_ROUNDS_H

#include <stdint.h>

struct block_figures;
struct cJSON;

struct effective_point;

struct effective_rounds { /* zeroed: no block yet */
	struct effective_point *points;
	uint32_t n_points;
};

/* A block that is ok; one whose delays aren't known says nothing. -ENOMEM. */
int effective_rounds_add(
    struct effective_rounds *rounds, const struct block_figures *block);
void effective_rounds_finish(struct effective_rounds *rounds); /* zeroed is fine */

/* {"rounds","fixed_ns","off_ns","scales":[{"delay_scale","longest_one_way_ns","blocks",
 * "wall_ns"}]}: a line through the median wall times of the scales (of blocks without
 * taints, or of all where there is none), by least squares; off_ns is how far the median
 * farthest from it is off. JSON null with less than two different delays. */
struct cJSON *effective_rounds_json(const struct effective_rounds *rounds);

#endif

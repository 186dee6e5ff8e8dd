/* SPDX-License-Identifier: MIT */
/*
 * Durations of rounds that are put into histograms later.
 *
 * A round has a duration for each peer, and each peer a histogram of which some 64 KB are
 * in use: to count ten of them is to read ten lines that the cache has lost since the
 * round before. Written in a row they cost next to nothing; they are counted while the
 * party waits anyway, or when it is done.
 */
#ifndef HARNESS_MEASURE_LATE_COUNTS_H
#define HARNESS_MEASURE_LATE_COUNTS_H

#include <stdint.h>

#define LATE_ROUNDS_MAX 16384u     /* kept; then each new round counts the oldest */
#define LATE_NONE       UINT64_MAX /* no duration */

struct late_counts {
	uint64_t *values; /* ring of rounds, `width` values each */
	uint32_t width;
	uint32_t first, n_rounds;
};

/* -ENOMEM. A page of the ring takes memory when it is first reached. */
int late_counts_init(struct late_counts *late, uint32_t width);
void late_counts_finish(struct late_counts *late);

/* The values of a new round, to be filled. NULL when all are in use: take one. */
uint64_t *late_counts_add(struct late_counts *late);

/* The oldest round, taken out; good until the next add. NULL when there is none. */
const uint64_t *late_counts_take(struct late_counts *late);

#endif

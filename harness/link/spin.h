/* SPDX-License-Identifier: MIT */
/*
 * How a wait spins: look, yield, look again, and when that was in vain, block.
 *
 * Parties that share cores answer one another within microseconds of work; a party that
 * blocks pays a wake-up for it. What counts is the time a wait looks itself: while others
 * run, which is what the yield is for, nothing is lost. Over a network a look is in vain,
 * and takes a core from whoever carries the packets, so every vain wait doubles the
 * number of waits after it that block at once, up to SPIN_SKIP_MAX, and every other one
 * halves it: spinning then costs limit_ns in that many waits.
 */
#ifndef HARNESS_LINK_SPIN_H
#define HARNESS_LINK_SPIN_H

#include <stdint.h>

#define SPIN_OWN_NS     5000u /* a party */
#define SPIN_SKIP_MAX   64u
#define SPIN_SKIP_FIRST 8u /* short runs over a network hardly spin */

struct spin {
	uint64_t limit_ns;  /* of own_ns */
	uint32_t n_yields;  /* of this wait */
	uint64_t back_ns;   /* from the last of them; 0 = not timed yet */
	uint64_t own_ns;    /* between them */
	uint32_t n_to_skip; /* waits that will block at once */
	uint32_t skip;      /* how many that were after the last vain wait, or fewer */
	int was_vain;
};

/* Looking at more parties takes longer. */
void spin_init(struct spin *spin, uint32_t n_parties);

/* A wait begins: 1 = spin, 0 = block. */
int spin_begin(struct spin *spin);

/* Looked in vain: lets others run. 0 = the wait has looked long enough, block. */
int spin_yield(struct spin *spin);

#endif

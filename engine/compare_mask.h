/* SPDX-License-Identifier: MIT */
/* Inside of compare*.c: the masks under which numbers are opened, with their digits. */
#ifndef ENGINE_COMPARE_MASK_H
#define ENGINE_COMPARE_MASK_H

#include "engine/compare.h"
#include "engine/compare_plan.h"

/* Masks r of one need. All vectors are shares, n elements for each digit. */
struct compare_mask {
	uint32_t width;
	size_t n;
	int is_full;     /* r is uniform in the field */
	uint32_t n_bits; /* of r that are shared */
	uint32_t n_digits;
	uint32_t top_bits; /* bounded: bits of a summand of what is above 2^width */
	struct compare_plan plan;
	/* Digit d (0 = lowest) of r is above 0, 1, 2; the topmost has over0 only if
	 * n_bits is odd. */
	uint64_t *over0, *over1, *over2;
	uint64_t *sum;    /* r, plus 2^width if bounded */
	uint64_t *top;    /* bounded: floor(r / 2^width) */
	uint64_t *lowest; /* full: bit 0 of r */
	uint64_t *sign;   /* full: 1 - 2 lowest */
};

/* Public facts of a mask; -EINVAL if the field has no room. */
int compare_mask_shape(struct compare_mask *mask, const struct field *f, uint32_t m,
    uint32_t width, struct error *err);
/* The shared values of n_masks masks that have their shape and n. */
int compare_masks_make(
    struct mpc *mpc, struct compare_mask *masks, size_t n_masks, struct error *err);

/* The computation that `compare` belongs to; the mask of its call number `call`. */
struct mpc *compare_mpc(const struct compare *compare);
struct compare_mask *compare_mask_of(struct compare *compare, size_t call);

#endif

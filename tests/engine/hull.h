/* SPDX-License-Identifier: MIT */
/* The affine hull of vectors over a small prime field: which linear relations, with a
 * constant, hold among all their places. */
#ifndef TESTS_ENGINE_HULL_H
#define TESTS_ENGINE_HULL_H

#include <stddef.h>
#include <stdint.h>

struct hull {
	uint32_t p, length; /* of vectors, with a 1 in front */
	uint32_t rank;
	uint16_t *basis; /* [length], the one with its first non-zero place i in row i */
	unsigned char *has; /* [length] */
	uint16_t *spare;    /* a vector */
};

/* Of vectors of n places below p <= VIEW_HULL_P_MAX; empty. Aborts without memory. */
void hull_init(struct hull *hull, uint32_t p, uint32_t n);
void hull_finish(struct hull *hull);

/* 1 if the vector is in the hull. */
int hull_has(struct hull *hull, const uint16_t *vector);
/* Extend the hull so that it is. */
void hull_add(struct hull *hull, const uint16_t *vector);

#endif

/* SPDX-License-Identifier: MIT */
/* Every operation on elements once, for probes of what depends on their values. */
#ifndef TESTS_ENGINE_ARITHMETIC_H
#define TESTS_ENGINE_ARITHMETIC_H

#include "engine/field.h"

#define ARITHMETIC_N     48u /* at most; whole vectors of every width */
#define ARITHMETIC_TERMS 3u
#define ARITHMETIC_LIMBS 2u

struct arithmetic {
	uint64_t x[ARITHMETIC_TERMS][ARITHMETIC_N * ARITHMETIC_LIMBS];
	uint64_t y[ARITHMETIC_TERMS][ARITHMETIC_N * ARITHMETIC_LIMBS];
	int64_t integers[ARITHMETIC_N];
	/* Public: rows of a small matrix. */
	uint64_t coef[2 * ARITHMETIC_TERMS * ARITHMETIC_LIMBS];
	uint64_t out[2][ARITHMETIC_N * ARITHMETIC_LIMBS];
};

/* On vectors of n elements, a multiple of 3. */
void arithmetic_run(const struct field *f, struct arithmetic *a, size_t n);

#endif

/* SPDX-License-Identifier: MIT */
/* The order of the transports of one computation, block after block; for plan.c only. */
#ifndef HARNESS_SCENARIO_PLAN_ORDER_H
#define HARNESS_SCENARIO_PLAN_ORDER_H

#include "base/random.h"

#include <stdint.h>

#define PLAN_ORDER_ITEMS_MAX 16u

/* Draws one order of n items a block. In every n blocks from the first on, each item
 * comes once at every position: a cyclic Latin square with its symbols and its rows
 * shuffled, drawn anew every n blocks. */
struct plan_order {
	struct random_stream random;
	uint32_t n, used; /* rows of the square that are spent */
	uint8_t symbols[PLAN_ORDER_ITEMS_MAX], rows[PLAN_ORDER_ITEMS_MAX];
};

void plan_order_init(struct plan_order *order, uint32_t n, uint64_t seed);
/* order->n items into `out`: which item comes first, second, ... */
void plan_order_next(struct plan_order *order, uint8_t *out);

#endif

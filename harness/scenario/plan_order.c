/* SPDX-License-Identifier: MIT */
#include "harness/scenario/plan_order.h"

static void shuffle(struct random_stream *random, uint8_t *items, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		items[i] = (uint8_t)i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = (uint32_t)random_stream_below(random, i);
		uint8_t item = items[i - 1];

		items[i - 1] = items[j];
		items[j] = item;
	}
}

void plan_order_init(struct plan_order *order, uint32_t n, uint64_t seed)
{
	random_stream_seed(&order->random, seed);
	order->n = n;
	order->used = n;
}

void plan_order_next(struct plan_order *order, uint8_t *out)
{
	if (order->used == order->n) {
		shuffle(&order->random, order->symbols, order->n);
		shuffle(&order->random, order->rows, order->n);
		order->used = 0;
	}
	for (uint32_t i = 0; i < order->n; i++)
		out[i] = order->symbols[(i + order->rows[order->used]) % order->n];
	order->used++;
}

/* SPDX-License-Identifier: MIT */
#include "harness/scenario/plan_order.h"
#include "tests/tap.h"

#include <string.h>

static void is_balanced_in_every_n_blocks(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= PLAN_ORDER_ITEMS_MAX; n++) {
		struct plan_order order;

		plan_order_init(&order, n, 7 + n);
		for (int round = 0; round < 5; round++) {
			unsigned seen[PLAN_ORDER_ITEMS_MAX][PLAN_ORDER_ITEMS_MAX] = {0};

			for (uint32_t block = 0; block < n; block++) {
				uint8_t items[PLAN_ORDER_ITEMS_MAX];

				plan_order_next(&order, items);
				for (uint32_t i = 0; i < n; i++)
					seen[items[i]][i]++;
			}
			for (uint32_t item = 0; item < n; item++)
				for (uint32_t i = 0; i < n; i++)
					assert_int_equal(seen[item][i], 1);
		}
	}
}

static void follows_the_seed(void **state)
{
	uint8_t a[PLAN_ORDER_ITEMS_MAX], b[PLAN_ORDER_ITEMS_MAX];
	unsigned first[2] = {0};

	(void)state;
	for (uint64_t seed = 0; seed < 400; seed++) {
		struct plan_order one, same;

		plan_order_init(&one, 2, seed);
		plan_order_init(&same, 2, seed);
		plan_order_next(&one, a);
		plan_order_next(&same, b);
		assert_memory_equal(a, b, 2);
		first[a[0]]++;
	}
	/* 200 expected of each; eight standard deviations. */
	assert_in_range(first[0], 120, 280);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_balanced_in_every_n_blocks),
	    cmocka_unit_test(follows_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/list.h"
#include "tests/tap.h"

struct item {
	int number;
	struct list link;
};

static void keeps_the_order(void **state)
{
	struct list items = LIST_INIT(items);
	struct item a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	int sum = 0;

	(void)state;
	assert_true(list_empty(&items));
	list_push(&items, &a.link);
	list_push(&items, &b.link);
	list_push(&items, &c.link);
	assert_int_equal(list_first(&items, struct item, link)->number, 1);
	list_for_each(&items, at, after)
	{
		sum = 10 * sum + container_of(at, struct item, link)->number;
		list_remove(at);
	}
	assert_int_equal(sum, 123);
	assert_true(list_empty(&items));
	list_remove(&a.link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_the_order)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "testbed/wan_queue.h"
#include "tests/tap.h"

static void earliest_first_equal_in_order(void **state)
{
	enum { COUNT = 20000 };
	struct random_stream stream;
	struct wan_queue queue;
	uint64_t last_due = 0, last_sequence = 0;

	(void)state;
	random_stream_seed(&stream, 1);
	assert_int_equal(wan_queue_init(&queue, COUNT), 0);
	assert_null(wan_queue_first(&queue));
	for (uint32_t i = 0; i < COUNT; i++)
		assert_true(
		    wan_queue_push(&queue, random_stream_below(&stream, COUNT / 4), i));
	assert_false(wan_queue_push(&queue, 0, 0));
	for (uint32_t i = 0; i < COUNT; i++) {
		struct wan_queue_entry first = *wan_queue_first(&queue);

		assert_true(first.due_ns > last_due ||
			    (first.due_ns == last_due &&
				(i == 0 || first.sequence > last_sequence)));
		assert_int_equal(first.sequence, first.item);
		assert_int_equal(wan_queue_pop(&queue), first.item);
		last_due = first.due_ns;
		last_sequence = first.sequence;
	}
	assert_null(wan_queue_first(&queue));
	wan_queue_finish(&queue);
	wan_queue_finish(&queue);
}

/* Pushes between pops, against a plain array. */
static void as_a_sorted_array(void **state)
{
	enum { ROUNDS = 20000, MOST = 200 };
	uint64_t model[MOST];
	uint32_t length = 0;
	struct random_stream stream;
	struct wan_queue queue;

	(void)state;
	random_stream_seed(&stream, 2);
	assert_int_equal(wan_queue_init(&queue, MOST), 0);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t least = 0;

		if (length < MOST && (length == 0 || random_stream_below(&stream, 2))) {
			model[length++] = random_stream_below(&stream, 1000);
			wan_queue_push(&queue, model[length - 1], 0);
			continue;
		}
		for (uint32_t i = 1; i < length; i++)
			if (model[i] < model[least])
				least = i;
		assert_true(wan_queue_first(&queue)->due_ns == model[least]);
		wan_queue_pop(&queue);
		model[least] = model[--length];
	}
	wan_queue_finish(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(earliest_first_equal_in_order),
	    cmocka_unit_test(as_a_sorted_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Batches of products, through the workload's table as the harness runs it. */
#include "engine/memory_network.h"
#include "engine/multiplications.h"
#include "engine/share.h"
#include "tests/tap.h"

#include <string.h>

static int party_main(struct network *net, void *user, struct error *err)
{
	static _Thread_local struct workload_output out;
	int rc = workload_multiplications.run(net, user, &out, err);

	return rc < 0 ? rc : workload_multiplications.check(user, &out, err);
}

/* What a run took: rounds of party 0, bytes of all parties. */
static uint64_t rounds_taken, bytes_taken;

static int run_task(struct workload_task *task, uint32_t m, struct error *err)
{
	struct memory_network_options options = {.n_parties = m};
	struct memory_network *memory;
	int rc;

	assert_int_equal(memory_network_create(&memory, &options, err), 0);
	rc = memory_network_run(memory, party_main, task, NULL, err);
	rounds_taken = memory_network_counters(memory, 0)->rounds;
	bytes_taken = 0;
	for (uint32_t p = 0; p < m; p++)
		bytes_taken += memory_network_counters(memory, p)->bytes;
	memory_network_destroy(memory);
	return rc;
}

static void take(uint32_t m, const char *mode, const char *size, uint32_t bits)
{
	struct workload_task task = {
	    .size = size, .mode = mode, .field_bits = bits, .seed = 17 * m};
	struct error err;

	if (run_task(&task, m, &err) != 0)
		fail_msg("%u parties, mode %s, size %s, %u bits: %s", m,
		    mode == NULL ? "NULL" : mode, size, bits, err.text);
}

static void products_are_right(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= NETWORK_PARTIES_MAX; m++) {
		for (size_t i = 0; workload_multiplications.modes[i] != NULL; i++) {
			const char *mode = workload_multiplications.modes[i];

			take(m, mode, "1", 61);
			take(m, mode, "low", 61);
			take(m, mode, "77", 127);
		}
		take(m, NULL, "high", 61);
	}
}

/* Rounds beyond keys, input and the opening are those of ten batches. */
static void rounds_are_those_of_the_mode(void **state)
{
	static const uint64_t alone[] = {0, 0, 2, 3, 3, 3, 3, 3, 3, 3, 3};
	static const uint64_t by_kings[] = {0, 0, 0, 2, 2, 2, 2, 2, 3, 3, 3};

	(void)state;
	for (uint32_t m = 1; m <= NETWORK_PARTIES_MAX; m++) {
		uint64_t dealers = m < 3 ? 0 : 1;

		take(m, "dealers", "100", 61);
		assert_int_equal(
		    rounds_taken, alone[m] + MULTIPLICATIONS_BATCHES * dealers);
		take(m, "kings", "100", 61);
		assert_int_equal(
		    rounds_taken, alone[m] + MULTIPLICATIONS_BATCHES * by_kings[m]);
		take(m, "auto", "100", 61);
		assert_int_equal(
		    rounds_taken, alone[m] + MULTIPLICATIONS_BATCHES * dealers);
		take(m, "auto", "high", 61);
		assert_int_equal(rounds_taken,
		    alone[m] + MULTIPLICATIONS_BATCHES * (m < 5 ? dealers : by_kings[m]));
	}
}

/* Bytes that 315 values more take, a number that kings of 3, 5 and 7 share evenly. */
static uint64_t bytes_of_more(uint32_t m, const char *mode)
{
	uint64_t less;

	take(m, mode, "315", 61);
	less = bytes_taken;
	take(m, mode, "630", 61);
	return bytes_taken - less;
}

static void elements_are_those_of_the_mode(void **state)
{
	(void)state;
	for (uint32_t m = 2; m <= NETWORK_PARTIES_MAX; m++) {
		uint64_t t = (m - 1) / 2, inputs = 2 * (m - 1 - t);
		uint64_t dealers = t == 0 ? 0 : (2 * t + 1) * (m - 1 - t);
		uint64_t kings = t == 0 ? 0 : 2 * t + (m - 1 - t);

		assert_int_equal(bytes_of_more(m, "dealers"),
		    8 * 315 * (inputs + MULTIPLICATIONS_BATCHES * dealers));
		if (m <= 7) /* above, random sharings are dealt */
			assert_int_equal(bytes_of_more(m, "kings"),
			    8 * 315 * (inputs + MULTIPLICATIONS_BATCHES * kings));
	}
}

/* What check() takes for this task is one number, found in the clear by run() alone. */
static void one_answer_is_right(void **state)
{
	static struct workload_output out, nothing;
	struct workload_task task = {.size = "50", .field_bits = 61};
	struct error err;

	(void)state;
	for (task.seed = 0; task.seed < 20; task.seed++) {
		struct memory_network_options options = {.n_parties = 1};
		struct memory_network *memory;

		assert_int_equal(memory_network_create(&memory, &options, &err), 0);
		assert_int_equal(workload_multiplications.run(
				     memory_network_party(memory, 0), &task, &out, &err),
		    0);
		memory_network_destroy(memory);
		assert_int_equal(workload_multiplications.check(&task, &out, &err), 0);
		for (int bit = 0; bit < 60; bit++) {
			out.values[0] ^= INT64_C(1) << bit;
			assert_int_equal(
			    workload_multiplications.check(&task, &out, &err), -EBADMSG);
			out.values[0] ^= INT64_C(1) << bit;
		}
		assert_int_equal(
		    workload_multiplications.check(&task, &nothing, &err), -EBADMSG);
	}
}

static void refuses(void **state)
{
	struct workload_task task = {.size = "10000001", .field_bits = 61};
	struct error err;

	(void)state;
	assert_ptr_equal(workload_find("multiplications"), &workload_multiplications);
	assert_int_equal(run_task(&task, 3, &err), -EINVAL);
	assert_non_null(strstr(err.text, "multiplications takes 1 to 10000000"));
	task.size = "2";
	assert_int_equal(workload_accepts(&workload_multiplications, &task, &err), 0);
	task.field_bits = 60;
	assert_int_equal(
	    workload_accepts(&workload_multiplications, &task, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(products_are_right),
	    cmocka_unit_test(rounds_are_those_of_the_mode),
	    cmocka_unit_test(elements_are_those_of_the_mode),
	    cmocka_unit_test(one_answer_is_right),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

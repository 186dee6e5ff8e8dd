/* SPDX-License-Identifier: MIT */
/* Who is the richest, through the workload's table as the harness runs it. */
#include "engine/memory_network.h"
#include "engine/millionaires.h"
#include "tests/tap.h"

#include <string.h>

static int party_main(struct network *net, void *user, struct error *err)
{
	static _Thread_local struct workload_output out;
	int rc = workload_millionaires.run(net, user, &out, err);

	return rc < 0 ? rc : workload_millionaires.check(user, &out, err);
}

/* What it took stands in rounds_taken. */
static uint64_t rounds_taken;

static int run_task(struct workload_task *task, uint32_t m, struct error *err)
{
	struct memory_network_options options = {.n_parties = m};
	struct memory_network *memory;
	int rc;

	assert_int_equal(memory_network_create(&memory, &options, err), 0);
	rc = memory_network_run(memory, party_main, task, NULL, err);
	rounds_taken = memory_network_counters(memory, 0)->rounds;
	memory_network_destroy(memory);
	return rc;
}

static void richest_is_found(void **state)
{
	static const char *const sizes[] = {"2", "3", "low", "medium"};
	static const uint64_t rounds[] = {0, 0, 2, 10, 10, 10, 10, 10, 12, 12, 12};
	struct error err;

	(void)state;
	for (uint32_t m = 1; m <= NETWORK_PARTIES_MAX; m++) {
		for (uint32_t i = 0; i < 8; i++) {
			struct workload_task task = {
			    .size = sizes[i % 4], .field_bits = i == 1 ? 127 : 61};

			task.seed = 100 * m + i;
			if (run_task(&task, m, &err) != 0)
				fail_msg(
				    "%u parties, size %s: %s", m, task.size, err.text);
		}
		assert_int_equal(rounds_taken, rounds[m]);
	}
}

/* The answers that check() takes for this task, out of all. */
static uint32_t answers_taken(const struct workload_task *task, uint32_t n)
{
	static struct workload_output out = {.n_values = 1, .attempts = 1};
	struct error err;
	uint32_t taken = 0;

	for (out.values[0] = -1; out.values[0] <= n; out.values[0]++) {
		int rc = workload_millionaires.check(task, &out, &err);

		if (rc == 0)
			taken++;
		else
			assert_int_equal(rc, -EBADMSG);
	}
	return taken;
}

static void one_answer_is_right(void **state)
{
	static struct workload_output nothing;
	struct error err;

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct workload_task task = {.size = "low", .seed = seed};

		assert_int_equal(answers_taken(&task, 10), 1);
		assert_int_equal(
		    workload_millionaires.check(&task, &nothing, &err), -EBADMSG);
	}
}

static void refuses(void **state)
{
	struct workload_task task = {.size = "1", .field_bits = 61};
	struct error err;

	(void)state;
	assert_ptr_equal(workload_find("millionaires"), &workload_millionaires);
	assert_int_equal(run_task(&task, 3, &err), -EINVAL);
	assert_non_null(strstr(err.text, "millionaires takes 2 to 200, not 1"));
	task.size = "201";
	assert_int_equal(run_task(&task, 3, &err), -EINVAL);
	task.size = "2";
	assert_int_equal(workload_accepts(&workload_millionaires, &task, &err), 0);
	task.field_bits = 60;
	assert_int_equal(workload_accepts(&workload_millionaires, &task, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(richest_is_found),
	    cmocka_unit_test(one_answer_is_right),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

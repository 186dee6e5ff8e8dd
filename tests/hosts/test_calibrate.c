/* SPDX-License-Identifier: MIT */
/* Echoes over the loopback device. */
#include "base/units.h"
#include "harness/measure/calibrate.h"

#include "tests/tap.h"

#include <string.h>

static int run(const char *const *addresses, uint32_t n, uint32_t count,
    struct calibrate_pair *pairs, struct error *err)
{
	const struct calibrate_config config = {
	    .addresses = addresses,
	    .n_addresses = n,
	    .count = count,
	    .interval_ns = NS_PER_MS,
	    .patience_ns = 10 * NS_PER_S,
	};

	return calibrate_run(&config, pairs, err);
}

static void test_loopback(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "127.0.0.2", "127.0.0.1"};
	struct calibrate_pair pairs[3];
	struct error err = {0};
	int rc = run(addresses, 3, 40, pairs, &err);

	(void)state;
	if (rc == -EPERM || rc == -EACCES)
		skip_because("%s", err.text);
	assert_int_equal(rc, 0);
	for (int a = 0; a < 3; a++) {
		assert_int_equal(pairs[a].sent, 40);
		assert_int_equal(pairs[a].received, 40);
		assert_in_range(pairs[a].min_ns, 1, pairs[a].p50_ns);
		assert_in_range(pairs[a].p50_ns, pairs[a].min_ns, pairs[a].p99_ns);
		assert_in_range(pairs[a].p99_ns, pairs[a].p50_ns, 10 * NS_PER_S);
	}
}

static void test_bad_input(void **state)
{
	static const char *const name[] = {"host1"};
	static const char *const good[] = {"127.0.0.1"};
	struct calibrate_pair pair;
	struct error err = {0};

	(void)state;
	assert_int_equal(run(name, 1, 1, &pair, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'host1'"));
	assert_int_equal(run(good, 1, 0, &pair, &err), -EINVAL);
	assert_int_equal(run(good, 0, 1, &pair, &err), -EINVAL);
	assert_int_equal(run(good, 1, CALIBRATE_COUNT_MAX + 1, &pair, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_loopback),
	    cmocka_unit_test(test_bad_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

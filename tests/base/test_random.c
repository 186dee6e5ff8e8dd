/* SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "tests/tap.h"

static void same_seed_same_stream(void **state)
{
	struct random_stream a, b, c;
	int differs = 0;

	(void)state;
	random_stream_seed(&a, 7);
	random_stream_seed(&b, 7);
	random_stream_seed(&c, 8);
	for (int i = 0; i < 100; i++) {
		uint64_t value = random_stream_next(&a);

		assert_true(value == random_stream_next(&b));
		differs += value != random_stream_next(&c);
	}
	assert_int_equal(differs, 100);
}

static void below_is_uniform(void **state)
{
	struct random_stream stream;
	unsigned counts[6] = {0};
	double chi2 = 0;

	(void)state;
	random_stream_seed(&stream, 1);
	for (int i = 0; i < 60000; i++)
		counts[random_stream_below(&stream, 6)]++;
	for (int i = 0; i < 6; i++)
		chi2 += (counts[i] - 10000.0) * (counts[i] - 10000.0) / 10000.0;
	assert_true(chi2 < 20.5); /* p = 0.001 at 5 degrees */
}

static void unit_stays_below_one(void **state)
{
	struct random_stream stream;

	(void)state;
	random_stream_seed(&stream, 2);
	for (int i = 0; i < 1000; i++) {
		double u = random_stream_unit(&stream);

		assert_true(u >= 0 && u < 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_seed_same_stream),
	    cmocka_unit_test(below_is_uniform),
	    cmocka_unit_test(unit_stays_below_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

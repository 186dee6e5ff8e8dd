/* SPDX-License-Identifier: MIT */
#include "harness/link/spin.h"
#include "base/clock.h"
#include "base/units.h"
#include "tests/tap.h"

#define FOREVER_NS (100 * NS_PER_S)

/* A wait in which nothing comes. */
static void wait_in_vain(struct spin *spin)
{
	uint64_t deadline_ns = clock_monotonic_ns() + FOREVER_NS;

	while (spin_yield(spin))
		assert_true(clock_monotonic_ns() < deadline_ns);
}

/* How many waits block at once before the next one spins. */
static uint32_t skipped(struct spin *spin)
{
	uint32_t n = 0;

	while (!spin_begin(spin)) {
		n++;
		assert_true(n <= SPIN_SKIP_MAX);
	}
	return n;
}

static void vain_waits_spin_ever_more_rarely(void **state)
{
	struct spin spin;

	(void)state;
	spin_init(&spin, 3);
	for (uint32_t expected = SPIN_SKIP_FIRST; expected <= SPIN_SKIP_MAX;
	     expected *= 2) {
		assert_int_equal(skipped(&spin), expected);
		wait_in_vain(&spin);
		assert_true(spin.own_ns > 3 * SPIN_OWN_NS);
	}
	assert_int_equal(skipped(&spin), SPIN_SKIP_MAX);
}

static void waits_that_end_in_time_spin_again(void **state)
{
	struct spin spin;

	(void)state;
	spin_init(&spin, 3);
	assert_int_equal(skipped(&spin), SPIN_SKIP_FIRST);
	for (int i = 0; i < 3; i++) {
		assert_true(spin_yield(&spin));
		assert_int_equal(skipped(&spin), 0);
	}
	wait_in_vain(&spin);
	assert_int_equal(skipped(&spin), SPIN_SKIP_FIRST / 4);
	assert_true(spin_yield(&spin)); /* in time */
	assert_int_equal(skipped(&spin), 0);
	wait_in_vain(&spin);
	assert_int_equal(skipped(&spin), SPIN_SKIP_FIRST / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vain_waits_spin_ever_more_rarely),
	    cmocka_unit_test(waits_that_end_in_time_spin_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/units.h"

#include "tests/tap.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>

#define DISTURBANCES 300
#define DISTURBED_NS (200 * NS_PER_US)
#define TOLERANCE_NS (50 * (int64_t)NS_PER_US)
#define HANG_NS      (60 * NS_PER_S)

static volatile sig_atomic_t n_disturbed;

static void on_alarm(int number)
{
	uint64_t until_ns = clock_monotonic_ns() + DISTURBED_NS;

	(void)number;
	n_disturbed++;
	while (clock_monotonic_ns() < until_ns)
		;
}

static void alarm_every(uint64_t interval_ns)
{
	struct timeval every = {.tv_usec = (suseconds_t)(interval_ns / NS_PER_US)};
	struct itimerval timer = {.it_interval = every, .it_value = every};

	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Kept from its work at random moments, between its two clocks as well. */
static void test_wall_offset(void **state)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	int64_t calm_ns = clock_wall_offset_ns(), worst_ns = 0;
	uint64_t until_ns = clock_monotonic_ns() + HANG_NS;
	char text[CLOCK_RFC3339_BYTES];

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	alarm_every(3 * DISTURBED_NS);
	while (n_disturbed < DISTURBANCES && clock_monotonic_ns() < until_ns) {
		int64_t error_ns = clock_wall_offset_ns() - calm_ns;

		error_ns = error_ns < 0 ? -error_ns : error_ns;
		worst_ns = error_ns > worst_ns ? error_ns : worst_ns;
	}
	alarm_every(0);
	assert_true(n_disturbed >= DISTURBANCES);
	print_message("# the offset differed by at most %lld ns\n", (long long)worst_ns);
	assert_true(worst_ns < TOLERANCE_NS);
	clock_rfc3339(text, sizeof(text));
	assert_int_equal(strlen(text), CLOCK_RFC3339_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wall_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

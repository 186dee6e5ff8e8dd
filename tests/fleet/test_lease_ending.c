/* SPDX-License-Identifier: MIT */
/* What a lease sends to a program that must end, on a clock of the test's own. */
#include "harness/fleet/lease_ending.h"

#include "tests/tap.h"

#include <signal.h>

#define BEGAN_MS 1000000u

static const uint32_t stalls_ms[] = {0, 1, LEASE_SIGNAL_EVERY_MS, LEASE_TERM_GRACE_MS - 1,
    LEASE_TERM_GRACE_MS, LEASE_TERM_GRACE_MS + 1, 2 * LEASE_TERM_GRACE_MS - 1,
    2 * LEASE_TERM_GRACE_MS, 2 * LEASE_TERM_GRACE_MS + 1, 100 * LEASE_TERM_GRACE_MS};
#define N_STALLS (sizeof(stalls_ms) / sizeof(stalls_ms[0]))

/* What was sent up to the end, and when. */
struct sent {
	uint32_t n_terms, n_kills;
	uint64_t term_ms, kill_ms, over_ms; /* the first of each */
};

/* Looks every millisecond, but not for `stall_ms` from `stall_at_ms` on. */
static struct sent end_it(uint64_t stall_at_ms, uint64_t stall_ms)
{
	struct lease_ending ending;
	struct sent sent = {0};

	lease_ending_begin(&ending, BEGAN_MS);
	for (uint64_t now_ms = BEGAN_MS; sent.over_ms == 0; now_ms++) {
		int due;

		assert_true(now_ms < BEGAN_MS + stall_ms + 10 * LEASE_TERM_GRACE_MS);
		if (now_ms == stall_at_ms)
			now_ms += stall_ms;
		due = lease_ending_due(&ending, now_ms);
		if (due == SIGTERM && sent.n_terms++ == 0)
			sent.term_ms = now_ms;
		else if (due == SIGKILL && sent.n_kills++ == 0)
			sent.kill_ms = now_ms;
		else if (due == LEASE_ENDING_OVER)
			sent.over_ms = now_ms;
	}
	return sent;
}

static void test_course(void **state)
{
	struct sent sent = end_it(0, 0);

	(void)state;
	assert_int_equal(sent.term_ms, BEGAN_MS);
	assert_int_equal(sent.kill_ms, BEGAN_MS + LEASE_TERM_GRACE_MS);
	assert_int_equal(sent.over_ms, BEGAN_MS + 2 * LEASE_TERM_GRACE_MS);
	assert_int_equal(sent.n_terms, LEASE_TERM_GRACE_MS / LEASE_SIGNAL_EVERY_MS);
	assert_int_equal(sent.n_kills, LEASE_ENDING_KILLS_MAX);
}

/* A time read before the end began, be it by a tick, must not look like an end that has
 * lasted for ever: it is too early, and both signals follow. */
static void test_clock_read_before_the_end_began(void **state)
{
	static const uint64_t before_ms[] = {0, 1, 2, LEASE_TERM_GRACE_MS, BEGAN_MS};

	(void)state;
	for (size_t i = 0; i < sizeof(before_ms) / sizeof(before_ms[0]); i++) {
		struct lease_ending ending;
		int due;

		lease_ending_begin(&ending, BEGAN_MS);
		due = lease_ending_due(&ending, BEGAN_MS - before_ms[i]);
		assert_int_equal(due, before_ms[i] == 0 ? SIGTERM : 0);
		if (due == 0)
			assert_int_equal(lease_ending_due(&ending, BEGAN_MS), SIGTERM);
		assert_int_equal(lease_ending_due(&ending, BEGAN_MS), 0);
	}
}

/* A stall at any moment skips neither signal, and doesn't shorten the grace. */
static void test_stalls(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_STALLS; i++) {
		uint32_t stall_ms = stalls_ms[i];

		for (uint64_t at_ms = 0; at_ms <= 2 * LEASE_TERM_GRACE_MS; at_ms += 5) {
			struct sent sent = end_it(BEGAN_MS + at_ms, stall_ms);

			assert_true(sent.n_terms > 0);
			assert_true(sent.kill_ms >= sent.term_ms + LEASE_TERM_GRACE_MS);
			assert_int_equal(sent.n_kills, LEASE_ENDING_KILLS_MAX);
			assert_true(sent.over_ms > sent.kill_ms);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_course),
	    cmocka_unit_test(test_clock_read_before_the_end_began),
	    cmocka_unit_test(test_stalls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

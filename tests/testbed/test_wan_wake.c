/* SPDX-License-Identifier: MIT */
#include "testbed/wan_wake.h"
#include "tests/tap.h"

#define NOW (1000 * NS_PER_S)

static void short_waits_are_spun_or_slept_whole(void **state)
{
	struct wan_wake wake;

	(void)state;
	wan_wake_init(&wake);
	assert_false(wan_wake_sleeps(&wake, NOW, NOW + WAN_WAKE_SPIN_NS));
	assert_true(wan_wake_sleeps(&wake, NOW, NOW + NS_PER_MS / 4));
	assert_true(wake.target_ns == NOW + NS_PER_MS / 4);
	/* Woken by a packet shortly before: nothing was set early, so it sleeps again. */
	assert_true(wan_wake_sleeps(&wake, NOW + 220 * NS_PER_US, NOW + NS_PER_MS / 4));
}

static void long_waits_end_early_and_are_spun_out(void **state)
{
	uint64_t due = NOW + 40 * NS_PER_MS, lead;
	struct wan_wake wake;

	(void)state;
	wan_wake_init(&wake);
	lead = wake.lead_ns;
	assert_true(wan_wake_sleeps(&wake, NOW, due));
	assert_true(wake.target_ns == due - lead);
	/* Woken as asked, it spins, also when that made the next lead shorter. */
	wan_wake_woken(&wake, due - lead);
	assert_true(wake.lead_ns < lead);
	assert_false(wan_wake_sleeps(&wake, due - lead, due));
	/* An earlier one came meanwhile: it is slept for on its own. */
	assert_true(wan_wake_sleeps(&wake, NOW, NOW + NS_PER_MS / 4));
	assert_true(wake.target_ns == NOW + NS_PER_MS / 4);
}

static void lead_is_a_small_part(void **state)
{
	struct wan_wake wake;

	(void)state;
	for (uint64_t left = WAN_WAKE_SPIN_NS + 1; left < 10 * NS_PER_MS; left += 777) {
		wan_wake_init(&wake);
		assert_true(wan_wake_sleeps(&wake, NOW, NOW + left));
		assert_true(wake.target_ns > NOW && wake.target_ns <= NOW + left);
		assert_true(NOW + left - wake.target_ns <= left / WAN_WAKE_LEAD_PART);
	}
	assert_true(NOW + 10 * NS_PER_MS - wake.target_ns >= WAN_WAKE_LEAD_MIN_NS);
}

static void lead_follows_lateness_within_bounds(void **state)
{
	struct wan_wake wake;
	uint64_t due = NOW;

	(void)state;
	wan_wake_init(&wake);
	for (int i = 0; i < 1000; i++) {
		due += 10 * NS_PER_MS;
		assert_true(wan_wake_sleeps(&wake, due - 5 * NS_PER_MS, due));
		wan_wake_woken(&wake, wake.target_ns + NS_PER_MS);
	}
	assert_in_range(wake.lead_ns, WAN_WAKE_LEAD_MAX_NS - 10, WAN_WAKE_LEAD_MAX_NS);
	for (int i = 0; i < 1000; i++) {
		due += 10 * NS_PER_MS;
		assert_true(wan_wake_sleeps(&wake, due - 5 * NS_PER_MS, due));
		wan_wake_woken(&wake, wake.target_ns);
	}
	assert_true(wake.lead_ns == WAN_WAKE_LEAD_MIN_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(short_waits_are_spun_or_slept_whole),
	    cmocka_unit_test(long_waits_end_early_and_are_spun_out),
	    cmocka_unit_test(lead_is_a_small_part),
	    cmocka_unit_test(lead_follows_lateness_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

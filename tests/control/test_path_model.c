/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include "harness/control/path_model.h"
#include "tests/tap.h"

#define ONE_WAY (50 * NS_PER_MS)
#define RTT     (100 * NS_PER_MS)

static struct path new_path(uint64_t rate_bps)
{
	return (struct path){.one_way_ns = ONE_WAY, .rtt_ns = RTT, .rate_bps = rate_bps};
}

static void small_messages_take_one_way(void **state)
{
	struct path path = new_path(0);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(path_delay_ns(&path, i * ONE_WAY, 8) == ONE_WAY);
}

/* 14480 + 28960 + 57920 bytes need the windows of three round trips. */
static void slow_start_doubles_the_window(void **state)
{
	static const struct {
		uint64_t bytes, round_trips;
	} cases[] = {
	    {14476, 0}, {14477, 1}, {43436, 1}, {43437, 2}, {101356, 2}, {101357, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct path path = new_path(0);

		assert_true(path_delay_ns(&path, 0, cases[i].bytes) ==
			    ONE_WAY + cases[i].round_trips * RTT);
	}
}

static void a_window_once_reached_stays(void **state)
{
	struct path path = new_path(0);

	(void)state;
	path_delay_ns(&path, 0, 101356);
	assert_true(path_delay_ns(&path, NS_PER_S, 57000) == ONE_WAY);
}

static void messages_wait_for_those_before(void **state)
{
	struct path path = new_path(0);

	(void)state;
	assert_true(path_delay_ns(&path, 0, 101356) == ONE_WAY + 2 * RTT);
	assert_true(path_delay_ns(&path, RTT, 8) == ONE_WAY + RTT);
	assert_true(path_delay_ns(&path, 3 * RTT, 8) == ONE_WAY);
}

static void bytes_take_their_time_at_a_rate(void **state)
{
	struct path path = new_path(8000000);

	(void)state;
	assert_true(path_delay_ns(&path, 0, 996) == ONE_WAY + NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_messages_take_one_way),
	    cmocka_unit_test(slow_start_doubles_the_window),
	    cmocka_unit_test(a_window_once_reached_stays),
	    cmocka_unit_test(messages_wait_for_those_before),
	    cmocka_unit_test(bytes_take_their_time_at_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

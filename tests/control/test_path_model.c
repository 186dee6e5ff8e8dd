/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include "harness/control/path_model.h"
#include "tests/tap.h"

#include <stdlib.h>

#define ONE_WAY    (50 * NS_PER_MS)
#define RTT        (100 * NS_PER_MS)
#define TIMEOUT    (RTT + 200 * NS_PER_MS)
#define SOME_WHILE (10 * NS_PER_MS)

static struct path *new_path(enum congestion_kind kind, uint64_t rate_bps)
{
	struct path *path = malloc(sizeof(*path));

	assert_non_null(path);
	path_init(path, ONE_WAY, RTT - ONE_WAY, rate_bps, kind);
	return path;
}

static uint64_t delay_ns(struct path *path, uint64_t sent_ns, uint64_t bytes)
{
	return path_send(path, sent_ns, bytes).arrived_ns - sent_ns;
}

static void small_messages_take_one_way(void **state)
{
	(void)state;
	for (int kind = CONGESTION_SLOW_START; kind <= CONGESTION_BBR; kind++) {
		struct path *path = new_path((enum congestion_kind)kind, 0);

		for (uint64_t i = 0; i < 1000; i++) {
			struct path_times times = path_send(path, i * ONE_WAY, 8);

			assert_true(times.arrived_ns == (i + 1) * ONE_WAY);
			assert_true(times.left_ns == i * ONE_WAY);
		}
		free(path);
	}
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
		struct path *path = new_path(CONGESTION_SLOW_START, 0);

		assert_true(delay_ns(path, 0, cases[i].bytes) ==
			    ONE_WAY + cases[i].round_trips * RTT);
		free(path);
	}
}

/* The window is 80 segments when all 70 were acknowledged; each timeout halves it. */
static void silence_halves_the_window(void **state)
{
	static const struct {
		uint64_t silent_ns, window;
	} cases[] = {{TIMEOUT, 80}, {TIMEOUT + 1, 40}, {2 * TIMEOUT + 1, 20},
	    {3 * TIMEOUT + 1, 10}, {100 * TIMEOUT, 10}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t window_bytes = cases[i].window * CONGESTION_SEGMENT_BYTES - 4;
		struct path *path = new_path(CONGESTION_SLOW_START, 0);
		uint64_t last_ns = delay_ns(path, 0, 101356) - ONE_WAY;
		struct path *other = malloc(sizeof(*other));

		assert_non_null(other);
		*other = *path;
		assert_true(delay_ns(path, last_ns + cases[i].silent_ns, window_bytes) ==
			    ONE_WAY);
		assert_true(delay_ns(other, last_ns + cases[i].silent_ns,
				window_bytes + 1) == ONE_WAY + RTT);
		free(other);
		free(path);
	}
}

/* Small messages keep a connection awake, but not its window. */
static void what_is_not_used_is_lost(void **state)
{
	struct path *path = new_path(CONGESTION_SLOW_START, 0);

	(void)state;
	path_send(path, 0, 101356);
	for (uint64_t i = 1; i < 100; i++)
		path_send(path, NS_PER_S + i * RTT, 8);
	assert_int_equal(path->congestion.window_segments, 10);
	free(path);
}

static void bbr_forgets_nothing_in_silence(void **state)
{
	struct path *path = new_path(CONGESTION_BBR, 0);
	uint64_t window, sent_ns = delay_ns(path, 0, 1000000) + NS_PER_S;

	(void)state;
	path_send(path, sent_ns, 8);
	window = path->congestion.window_segments;
	path_send(path, sent_ns + 8 * NS_PER_S, 8);
	assert_true(window > 300);
	assert_true(path->congestion.window_segments >= window);
	free(path);
}

/* The first big message of a connection between emulated hosts on an idle machine, Linux
 * 6.18, as parties of the CNN have traced them. */
static void takes_as_long_as_linux(void **state)
{
	static const struct {
		enum congestion_kind kind;
		uint64_t rtt_us, at_ms, bytes, measured_us;
	} cases[] = {
	    {CONGESTION_BBR, 152000, 12, 2097152, 1203400},
	    {CONGESTION_BBR, 181500, 12, 2097152, 1434800},
	    {CONGESTION_BBR, 282000, 13, 2097152, 2244000},
	    {CONGESTION_BBR, 152000, 1894, 1888232, 1176700},
	    {CONGESTION_BBR, 152000, 2920, 1132936, 1071600},
	    {CONGESTION_SLOW_START, 152000, 11, 2097152, 1142800},
	    {CONGESTION_SLOW_START, 181500, 11, 2097152, 1363200},
	    {CONGESTION_SLOW_START, 152000, 1793, 1888232, 1146800},
	    {CONGESTION_SLOW_START, 171500, 1803, 1888240, 1287500},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t one_way_ns = cases[i].rtt_us * NS_PER_US / 2, model_us;
		struct path *path = malloc(sizeof(*path));

		assert_non_null(path);
		path_init(path, one_way_ns, one_way_ns, 0, cases[i].kind);
		path_send(path, 0, 16);
		model_us = delay_ns(path, cases[i].at_ms * NS_PER_MS, cases[i].bytes) /
			   NS_PER_US;
		if (llabs((long long)model_us - (long long)cases[i].measured_us) * 100 >
		    3 * (long long)cases[i].measured_us)
			fail_msg("case %zu: %llu us, measured %llu us", i,
			    (unsigned long long)model_us,
			    (unsigned long long)cases[i].measured_us);
		free(path);
	}
}

static void messages_wait_for_those_before(void **state)
{
	struct path *path = new_path(CONGESTION_SLOW_START, 0);

	(void)state;
	assert_true(delay_ns(path, 0, 101356) == ONE_WAY + 2 * RTT);
	assert_true(delay_ns(path, RTT, 8) == ONE_WAY + 2 * RTT);
	assert_true(delay_ns(path, 5 * RTT, 8) == ONE_WAY);
	free(path);
}

/* 1000 bytes of payload and length, 52 of headers. */
static void bytes_take_their_time_at_a_rate(void **state)
{
	struct path *path = new_path(CONGESTION_SLOW_START, 8416000);

	(void)state;
	assert_true(delay_ns(path, 0, 996) == ONE_WAY + NS_PER_MS);
	free(path);
}

/* BBR finds the rate, keeps it, and does not fill the queue before it. */
static void bbr_settles_at_the_rate(void **state)
{
	const uint64_t rate_bps = 80000000, bytes = 50000000;
	const uint64_t ideal_ns = bytes * BITS_PER_BYTE * NS_PER_S / rate_bps;
	const uint64_t holds =
	    rate_bps / BITS_PER_BYTE * RTT / NS_PER_S / CONGESTION_SEGMENT_BYTES;
	struct path *path = new_path(CONGESTION_BBR, rate_bps);
	uint64_t took_ns = delay_ns(path, 0, bytes);

	(void)state;
	assert_true(took_ns > ideal_ns);
	assert_true(took_ns < ideal_ns * 5 / 4);
	assert_in_range(path->congestion.window_segments, holds, 5 * holds / 2);
	free(path);
}

/* Ten seconds after the shortest round trip: four segments under way, for 0.2 s. What
 * else is sent meanwhile waits. */
static void bbr_looks_for_the_round_trip(void **state)
{
	struct path *path = new_path(CONGESTION_BBR, 8000000);
	uint64_t usual_ns = 0, longest_ns = 0;

	(void)state;
	for (uint64_t at_ns = 0; at_ns < 20 * NS_PER_S; at_ns += SOME_WHILE) {
		uint64_t took_ns = delay_ns(path, at_ns, 5000);

		if (at_ns > 5 * NS_PER_S && at_ns < 9 * NS_PER_S && took_ns > usual_ns)
			usual_ns = took_ns;
		if (at_ns > 9 * NS_PER_S && took_ns > longest_ns)
			longest_ns = took_ns;
	}
	assert_in_range(usual_ns, ONE_WAY, ONE_WAY + 2 * SOME_WHILE);
	assert_in_range(longest_ns, ONE_WAY + 200 * NS_PER_MS, ONE_WAY + 500 * NS_PER_MS);
	free(path);
}

/* Five sixths of 2 x 10 x 2304 bytes. */
static void what_fits_the_buffer_has_left(void **state)
{
	const uint64_t fits = 38400 - 4;
	struct path *path = new_path(CONGESTION_SLOW_START, 0);

	(void)state;
	assert_true(path_send(path, 0, fits).left_ns == 0);
	free(path);
	path = new_path(CONGESTION_SLOW_START, 0);
	assert_true(path_send(path, 0, fits + 1).left_ns == RTT);
	free(path);
	/* The last of 190 kB is sent after three round trips, but in the buffer after two.
	 * What follows finds room as early, though it is sent later. */
	for (int i = 0; i < 2; i++) {
		uint64_t sent_ns = (i == 0 ? RTT : 2 * RTT) + SOME_WHILE;
		struct path_times times;

		path = new_path(CONGESTION_SLOW_START, 0);
		times = path_send(path, 0, 190000);
		assert_true(times.left_ns == 2 * RTT);
		assert_true(times.arrived_ns == 3 * RTT + ONE_WAY);
		times = path_send(path, sent_ns, 8);
		assert_true(times.left_ns == (i == 0 ? 2 * RTT : sent_ns));
		assert_true(times.arrived_ns == 3 * RTT + ONE_WAY);
		free(path);
	}
}

/* Any messages: in order, none faster than light, none kept longer than sending takes. */
static void times_make_sense(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 200; seed++) {
		uint64_t rate_bps = seed % 3 == 0 ? 50000000 : 0, now_ns = 0;
		struct path *path = new_path(
		    seed % 2 == 0 ? CONGESTION_BBR : CONGESTION_SLOW_START, rate_bps);
		struct path_times before = {0};

		srand(seed);
		for (int i = 0; i < 100; i++) {
			uint64_t bytes = 1 + (uint64_t)rand() % (1u << rand() % 22);
			struct path_times times = path_send(path, now_ns, bytes);

			assert_true(times.left_ns >= now_ns);
			assert_true(times.arrived_ns >= now_ns + ONE_WAY);
			assert_true(times.arrived_ns >= before.arrived_ns);
			assert_true(times.left_ns >= before.left_ns || rate_bps == 0);
			assert_true(times.left_ns <= times.arrived_ns);
			before = times;
			now_ns += (uint64_t)rand() % 3 * (uint64_t)rand() % NS_PER_S;
		}
		free(path);
	}
}

/* Hosts that are no distance apart. */
static void no_delay_is_fine(void **state)
{
	(void)state;
	for (int kind = CONGESTION_SLOW_START; kind <= CONGESTION_BBR; kind++) {
		struct path *path = malloc(sizeof(*path));

		assert_non_null(path);
		path_init(path, 0, 0, 0, (enum congestion_kind)kind);
		assert_true(delay_ns(path, 0, 10000000) < NS_PER_MS);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_messages_take_one_way),
	    cmocka_unit_test(slow_start_doubles_the_window),
	    cmocka_unit_test(silence_halves_the_window),
	    cmocka_unit_test(what_is_not_used_is_lost),
	    cmocka_unit_test(bbr_forgets_nothing_in_silence),
	    cmocka_unit_test(takes_as_long_as_linux),
	    cmocka_unit_test(messages_wait_for_those_before),
	    cmocka_unit_test(bytes_take_their_time_at_a_rate),
	    cmocka_unit_test(bbr_settles_at_the_rate),
	    cmocka_unit_test(bbr_looks_for_the_round_trip),
	    cmocka_unit_test(what_fits_the_buffer_has_left),
	    cmocka_unit_test(times_make_sense),
	    cmocka_unit_test(no_delay_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

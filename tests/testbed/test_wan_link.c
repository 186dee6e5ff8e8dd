/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include "testbed/wan_link.h"
#include "tests/tap.h"

#include <math.h>
#include <string.h>

#define NOW  (1000 * NS_PER_S)
#define FULL 1500u

static struct wan_link link_of(struct testbed_link shape, uint64_t seed, uint32_t to)
{
	struct wan_link link;

	assert_int_equal(wan_link_check(&shape, NULL), 0);
	wan_link_init(&link, &shape, seed, 0, to);
	return link;
}

static void nonsense_is_refused(void **state)
{
	static const struct testbed_link nonsense[] = {
	    {.loss = -0.1},
	    {.loss = 1.1},
	    {.loss = NAN},
	    {.one_way_ns = UINT64_MAX},
	    {.jitter_ns = UINT64_MAX},
	    {.rate_bps = 1},
	    {.rate_bps = UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		struct error err = {0};

		assert_int_equal(wan_link_check(&nonsense[i], &err), -EINVAL);
		assert_true(err.text[0] != '\0');
	}
}

static void nothing_asked_nothing_done(void **state)
{
	struct wan_link link = link_of((struct testbed_link){0}, 1, 1);
	uint64_t left_ns;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(
		    wan_link_segment(&link, NOW, FULL, &left_ns), WAN_PASSES);
		assert_true(left_ns == NOW);
		assert_true(wan_link_due(&link, left_ns) == NOW);
	}
	assert_int_equal(wan_link_burst(&link, FULL), UINT32_MAX);
}

static uint32_t count_lost(struct wan_link *link, uint32_t n)
{
	uint32_t lost = 0;
	uint64_t left_ns;

	for (uint32_t i = 0; i < n; i++)
		lost += wan_link_segment(link, NOW, FULL, &left_ns) == WAN_LOST;
	return lost;
}

/* Five standard deviations of a binomial: false once in a million seeds; seeds are fixed.
 */
static void losses_are_as_many_as_asked(void **state)
{
	static const double losses[] = {0.0001, 0.001, 0.01, 0.1, 0.5, 0.99};
	enum { COUNT = 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
		double p = losses[i], sd = sqrt(COUNT * p * (1 - p));
		struct wan_link link = link_of((struct testbed_link){.loss = p}, i, 1);

		assert_true(fabs(count_lost(&link, COUNT) - COUNT * p) < 5 * sd);
	}
}

/* After a loss the next is lost as often as any: runs are geometric. */
static void losses_are_independent(void **state)
{
	enum { COUNT = 1000000 };
	struct wan_link link = link_of((struct testbed_link){.loss = 0.2}, 5, 1);
	uint32_t lost = 0, pairs = 0;
	int was_lost = 0;
	uint64_t left_ns;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		int is_lost = wan_link_segment(&link, NOW, FULL, &left_ns) == WAN_LOST;

		lost += (uint32_t)is_lost;
		pairs += (uint32_t)(is_lost && was_lost);
		was_lost = is_lost;
	}
	assert_true(fabs((double)pairs / lost - 0.2) < 0.005);
}

static void partitions_lose_all_and_end(void **state)
{
	static const struct testbed_link open = {0};
	struct wan_link link = link_of((struct testbed_link){.loss = 1}, 1, 1);

	(void)state;
	assert_int_equal(count_lost(&link, 1000), 1000);
	wan_link_change(&link, &open);
	assert_int_equal(count_lost(&link, 1000), 0);
}

static void fates_of(struct wan_link *link, unsigned char *fates, uint64_t *dues, int n)
{
	for (int i = 0; i < n; i++) {
		uint64_t left_ns = NOW + (uint64_t)i * NS_PER_MS;

		fates[i] = (unsigned char)wan_link_segment(link, left_ns, FULL, &left_ns);
		dues[i] = fates[i] == WAN_PASSES ? wan_link_due(link, left_ns) : 0;
	}
}

static void seeds_reproduce_pairs_differ(void **state)
{
	enum { COUNT = 5000 };
	static unsigned char fates[4][COUNT];
	static uint64_t dues[4][COUNT];
	struct testbed_link shape = {
	    .loss = 0.05, .one_way_ns = 20 * NS_PER_MS, .jitter_ns = NS_PER_MS};
	struct wan_link links[] = {link_of(shape, 7, 1), link_of(shape, 7, 1),
	    link_of(shape, 7, 2), link_of(shape, 8, 1)};

	(void)state;
	for (int i = 0; i < 4; i++)
		fates_of(&links[i], fates[i], dues[i], COUNT);
	assert_memory_equal(fates[0], fates[1], sizeof(fates[0]));
	assert_memory_equal(dues[0], dues[1], sizeof(dues[0]));
	assert_memory_not_equal(fates[0], fates[2], sizeof(fates[0]));
	assert_memory_not_equal(fates[0], fates[3], sizeof(fates[0]));
	shape.jitter_ns = 0;
	links[0] = link_of(shape, 7, 1);
	fates_of(&links[0], fates[1], dues[1], COUNT);
	assert_memory_equal(fates[0], fates[1], sizeof(fates[0]));
}

static void rate_is_exact_and_queue_bounded(void **state)
{
	struct wan_link link = link_of(
	    (struct testbed_link){.rate_bps = 12000000, .queue_bytes = 10 * FULL}, 1, 1);
	uint64_t left_ns = 0, passed = 0;

	(void)state;
	/* 12 Mbit/s is one full segment each ms. */
	for (uint32_t i = 1; i <= 10; i++) {
		assert_int_equal(
		    wan_link_segment(&link, NOW, FULL, &left_ns), WAN_PASSES);
		assert_true(left_ns == NOW + i * NS_PER_MS);
	}
	assert_int_equal(wan_link_segment(&link, NOW, FULL, &left_ns), WAN_NO_ROOM);
	assert_int_equal(wan_link_segment(&link, NOW, 1, &left_ns), WAN_NO_ROOM);
	assert_int_equal(
	    wan_link_segment(&link, NOW + NS_PER_MS, FULL, &left_ns), WAN_PASSES);
	assert_true(left_ns == NOW + 11 * NS_PER_MS);
	/* Offered four times the rate for ten seconds. */
	for (uint32_t i = 0; i < 40000; i++)
		passed += wan_link_segment(&link, NOW + 20 * NS_PER_S + i * NS_PER_MS / 4,
			      FULL, &left_ns) == WAN_PASSES;
	assert_in_range(passed, 9999, 10011);
}

static void default_queue_is_a_tenth_of_a_second(void **state)
{
	struct wan_link link =
	    link_of((struct testbed_link){.rate_bps = 1000000000}, 1, 1);
	uint64_t left_ns = NOW;
	uint32_t passed = 0;

	(void)state;
	while (wan_link_segment(&link, NOW, FULL, &left_ns) == WAN_PASSES)
		passed++;
	assert_in_range(left_ns - NOW, 99 * NS_PER_MS, 100 * NS_PER_MS);
	assert_in_range(passed, 8332, 8334);
}

static void bursts_are_a_quarter_of_a_ms(void **state)
{
	struct wan_link link =
	    link_of((struct testbed_link){.rate_bps = 1000000000}, 1, 1);

	(void)state;
	assert_int_equal(wan_link_burst(&link, FULL), 20);
	link = link_of((struct testbed_link){.rate_bps = 10000000}, 1, 1);
	assert_int_equal(wan_link_burst(&link, FULL), 1);
}

static void jitter_keeps_order_mean_and_sd(void **state)
{
	enum { COUNT = 20000 };
	struct wan_link link = link_of(
	    (struct testbed_link){.one_way_ns = 40 * NS_PER_MS, .jitter_ns = NS_PER_MS},
	    3, 1);
	double sum = 0, squares = 0, mean;
	uint64_t last_ns = 0;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		uint64_t left_ns = NOW + i * 100 * NS_PER_MS;
		uint64_t due_ns = wan_link_due(&link, left_ns);
		double delay = (double)(due_ns - left_ns);

		assert_true(due_ns >= last_ns);
		last_ns = due_ns;
		sum += delay;
		squares += delay * delay;
	}
	mean = sum / COUNT;
	assert_true(fabs(mean - 40e6) < 0.05e6);
	assert_true(fabs(sqrt(squares / COUNT - mean * mean) - 1e6) < 0.05e6);
	for (uint32_t i = 0; i < COUNT; i++) {
		uint64_t due_ns = wan_link_due(&link, last_ns + i);

		assert_true(due_ns >= last_ns);
		last_ns = due_ns;
	}
}

static void shorter_path_does_not_overtake(void **state)
{
	static const struct testbed_link shorter = {.one_way_ns = NS_PER_MS};
	struct wan_link link =
	    link_of((struct testbed_link){.one_way_ns = 50 * NS_PER_MS}, 1, 1);

	(void)state;
	assert_true(wan_link_due(&link, NOW) == NOW + 50 * NS_PER_MS);
	wan_link_change(&link, &shorter);
	assert_true(wan_link_due(&link, NOW + NS_PER_MS) == NOW + 50 * NS_PER_MS);
	assert_true(wan_link_due(&link, NOW + 60 * NS_PER_MS) == NOW + 61 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(nothing_asked_nothing_done),
	    cmocka_unit_test(losses_are_as_many_as_asked),
	    cmocka_unit_test(losses_are_independent),
	    cmocka_unit_test(partitions_lose_all_and_end),
	    cmocka_unit_test(seeds_reproduce_pairs_differ),
	    cmocka_unit_test(rate_is_exact_and_queue_bounded),
	    cmocka_unit_test(default_queue_is_a_tenth_of_a_second),
	    cmocka_unit_test(bursts_are_a_quarter_of_a_ms),
	    cmocka_unit_test(jitter_keeps_order_mean_and_sd),
	    cmocka_unit_test(shorter_path_does_not_overtake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"
#include "base/random.h"
#include "base/sort.h"
#include "tests/tap.h"

/* value, lowest and highest equivalent: as HdrHistogram with 3 digits and unit 1. */
static const struct {
	uint64_t value, lowest, highest;
} equivalents[] = {{0, 0, 0}, {1, 1, 1}, {2047, 2047, 2047}, {2048, 2048, 2049},
    {2049, 2048, 2049}, {4095, 4094, 4095}, {4096, 4096, 4099}, {10007, 10000, 10007}};

static void buckets_as_hdrhistogram(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(equivalents) / sizeof(*equivalents); i++) {
		uint32_t index = histogram_index(equivalents[i].value);

		assert_true(histogram_lowest(index) == equivalents[i].lowest);
		assert_true(histogram_highest(index) == equivalents[i].highest);
	}
}

static void buckets_tile_the_range(void **state)
{
	(void)state;
	for (uint32_t i = 0; i + 1 < HISTOGRAM_COUNTS; i++) {
		assert_true(histogram_highest(i) + 1 == histogram_lowest(i + 1));
		assert_int_equal(histogram_index(histogram_lowest(i)), i);
		assert_int_equal(histogram_index(histogram_highest(i)), i);
	}
	assert_true(histogram_index(HISTOGRAM_VALUE_MAX) < HISTOGRAM_COUNTS);
}

static void percentiles_within_a_thousandth(void **state)
{
	enum { COUNT = 10001 };
	static uint64_t values[COUNT];
	struct histogram *h = histogram_create();
	struct random_stream stream;

	(void)state;
	random_stream_seed(&stream, 3);
	for (int i = 0; i < COUNT; i++) {
		values[i] = random_stream_below(&stream, UINT64_C(1) << (1 + i % 40));
		histogram_record(h, values[i]);
	}
	sort_u64(values, COUNT);
	for (int percent = 1; percent <= 99; percent++) {
		uint64_t exact = values[(percent * COUNT + 99) / 100 - 1];
		uint64_t got = histogram_percentile(h, percent);

		assert_true(got >= exact);
		assert_true((double)(got - exact) <= (double)exact / 1000);
	}
	assert_true(histogram_percentile(h, 100) == values[COUNT - 1]);
	assert_true(h->min == values[0] && h->max == values[COUNT - 1]);
	histogram_destroy(h);
}

/* Nearest rank in integers, of all numbers of values: 99.9 % of 1000 is the 999th. */
static void percentiles_are_of_their_rank(void **state)
{
	static const uint64_t tenths[] = {1, 10, 500, 900, 990, 999, 1000};
	struct histogram *h = histogram_create();

	(void)state;
	for (uint64_t n = 1; n < HISTOGRAM_SUB_BUCKETS; n++) {
		histogram_record(h, n);
		for (size_t i = 0; i < sizeof(tenths) / sizeof(*tenths); i++)
			assert_int_equal(histogram_percentile(h, (double)tenths[i] / 10),
			    (tenths[i] * n + 999) / 1000);
	}
	histogram_destroy(h);
}

static void merge_is_the_union(void **state)
{
	struct histogram *a = histogram_create(), *b = histogram_create(),
			 *both = histogram_create();
	struct random_stream stream;

	(void)state;
	random_stream_seed(&stream, 4);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = random_stream_below(&stream, UINT64_C(1) << (i % 50));

		histogram_record(i % 3 ? a : b, value);
		histogram_record(both, value);
	}
	histogram_merge(a, b);
	assert_memory_equal(a->counts, both->counts, sizeof(a->counts));
	assert_true(
	    a->total == both->total && a->min == both->min && a->max == both->max);
	assert_true(a->overflow == both->overflow && a->overflow > 0);
	histogram_destroy(a);
	histogram_destroy(b);
	histogram_destroy(both);
}

static void empty_says_zero(void **state)
{
	struct histogram *h = histogram_create();

	(void)state;
	assert_true(histogram_percentile(h, 50) == 0);
	assert_true(histogram_mean(h) == 0);
	histogram_destroy(h);
	histogram_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buckets_as_hdrhistogram),
	    cmocka_unit_test(buckets_tile_the_range),
	    cmocka_unit_test(percentiles_within_a_thousandth),
	    cmocka_unit_test(percentiles_are_of_their_rank),
	    cmocka_unit_test(merge_is_the_union),
	    cmocka_unit_test(empty_says_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

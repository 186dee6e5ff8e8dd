/* SPDX-License-Identifier: MIT */
/* The measure itself: as many false alarms as its p-values say, and leaks of known size
 * are found. */
#include "base/random.h"
#include "tests/engine/chi_square.h"
#include "tests/engine/hull.h"
#include "tests/engine/views.h"
#include "tests/tap.h"

#include <math.h>
#include <string.h>

#define ROWS 2000u

/* Quantiles of R 4.2's qchisq(). */
static void tails(void **state)
{
	static const struct {
		double degrees, x, p;
	} known[] = {{1, 3.841458820694124, 0.05}, {1, 10.82756617046212, 1e-3},
	    {10, 18.30703805327515, 0.05}, {100, 149.4492527, 1e-3},
	    {4, 23.51274245, 1e-4}, {2, 2 * 14 * 2.302585092994046, 1e-14}};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		double p = chi_square_tail(known[i].degrees, known[i].x);

		if (fabs(p / known[i].p - 1) > 1e-5)
			fail_msg("%g degrees, %g: %g, not %g", known[i].degrees,
			    known[i].x, p, known[i].p);
	}
	assert_true(chi_square_tail(3, 0) == 1);
}

/* Samples of one distribution: p-values below u come with probability u. */
static void false_alarms(void **state)
{
	static const double limits[] = {1e-1, 1e-2, 1e-3, 1e-4};
	static const uint32_t cells[] = {2, 5, 25, 125, 250};
	enum { TRIALS = 8000 };
	struct random_stream random;

	(void)state;
	random_stream_seed(&random, 1);
	for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++) {
		uint32_t below[4] = {0};

		for (uint32_t i = 0; i < TRIALS; i++) {
			uint32_t counts[2][250] = {{0}};
			double p;

			for (uint32_t r = 0; r < 2 * ROWS; r++)
				counts[r % 2][random_stream_below(&random, cells[c])]++;
			p = chi_square_two_samples(
			    counts[0], counts[1], cells[c], VIEW_ROWS_A_CELL);
			for (uint32_t k = 0; k < 4; k++)
				below[k] += p < limits[k];
		}
		/* Six standard deviations of a binomial, and a third of slack for what
		 * is an approximation. */
		for (uint32_t k = 0; k < 4; k++) {
			double due = TRIALS * limits[k];

			if (below[k] > 1.33 * due + 6 * sqrt(due) + 1)
				fail_msg("%u cells: %u of %u below %g", cells[c],
				    below[k], TRIALS, limits[k]);
		}
	}
}

/* A view of n columns of uniform elements. */
static void make_view(
    struct view *view, uint64_t p, uint32_t n, struct random_stream *random)
{
	*view = (struct view){.p = p, .rows = ROWS};
	for (uint32_t c = 0; c < n; c++) {
		uint64_t *to = view_add(view, "column");

		for (size_t r = 0; r < ROWS; r++)
			to[r] = random_stream_below(random, p);
	}
}

static double compare(struct view *a, struct view *b)
{
	struct view_report report = {.p = 1};

	views_compare(a, b, &report);
	view_finish(a);
	view_finish(b);
	return report.p;
}

/* The last column of the views is the sum of all others and `offset[view]`. */
static double sums(uint64_t p, uint32_t n, const uint64_t *offset)
{
	struct random_stream random;
	struct view views[2];

	random_stream_seed(&random, 7);
	for (uint32_t w = 0; w < 2; w++) {
		struct view *view = &views[w];
		uint64_t *last;

		make_view(view, p, n, &random);
		last = view_add(view, "sum");
		for (size_t r = 0; r < ROWS; r++) {
			last[r] = offset[w];
			for (uint32_t c = 0; c < n; c++)
				last[r] = (last[r] + view->columns[c].elements[r]) % p;
		}
	}
	return compare(&views[0], &views[1]);
}

/* Relations among any number of columns: by their constants alone. */
static void relations_are_found(void **state)
{
	static const uint64_t same[] = {2, 2}, other[] = {2, 3};

	(void)state;
	for (uint32_t n = 1; n <= 50; n += 7) {
		assert_true(sums(5, n, same) > VIEW_P_LIMIT);
		assert_true(sums(5, n, other) < VIEW_P_LIMIT);
		assert_true(sums(31, n, same) > VIEW_P_LIMIT);
		assert_true(sums(31, n, other) < VIEW_P_LIMIT);
	}
}

/* An element that is 0 in one of five rows more often than it should be. */
static void bias_is_found(void **state)
{
	struct random_stream random;
	struct view views[2];

	(void)state;
	random_stream_seed(&random, 9);
	make_view(&views[0], 7, 3, &random);
	make_view(&views[1], 7, 3, &random);
	for (size_t r = 0; r < ROWS; r += 5)
		views[1].columns[1].elements[r] = 0;
	assert_true(compare(&views[0], &views[1]) < VIEW_P_LIMIT);
}

/* The product of two columns, a residue or none. */
static void products_are_found(void **state)
{
	struct random_stream random;
	struct view views[2];

	(void)state;
	random_stream_seed(&random, 11);
	for (uint32_t w = 0; w < 2; w++) {
		make_view(&views[w], 7, 3, &random);
		for (size_t r = 0; r < ROWS; r++)
			views[w].columns[2].elements[r] =
			    (1 + 2 * w) * views[w].columns[0].elements[r] *
			    views[w].columns[1].elements[r] % 7;
	}
	assert_true(compare(&views[0], &views[1]) < VIEW_P_LIMIT);
}

static void hulls(void **state)
{
	static const uint16_t vectors[][4] = {{1, 2, 3, 4}, {1, 3, 3, 4}, {1, 2, 4, 5}};
	static const uint16_t inside[] = {1, 3, 4, 5}, outside[] = {1, 3, 4, 6};
	struct hull hull;

	(void)state;
	hull_init(&hull, 181, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_false(hull_has(&hull, vectors[i]));
		hull_add(&hull, vectors[i]);
		hull_add(&hull, vectors[i]);
	}
	assert_int_equal(hull.rank, 3);
	assert_true(hull_has(&hull, inside));
	assert_false(hull_has(&hull, outside));
	hull_finish(&hull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tails),
	    cmocka_unit_test(false_alarms),
	    cmocka_unit_test(relations_are_found),
	    cmocka_unit_test(bias_is_found),
	    cmocka_unit_test(products_are_found),
	    cmocka_unit_test(hulls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

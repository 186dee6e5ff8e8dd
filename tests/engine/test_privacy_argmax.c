/* SPDX-License-Identifier: MIT */
/* Which number is the largest: nothing else is seen of them. In a small field a random
 * factor is often zero, and what it hides is done again; so columns are run one by one,
 * and those count that needed no second try. */
#include "engine/compare.h"
#include "engine/compare_mask.h"
#include "tests/engine/experiment.h"
#include "tests/tap.h"

#define ROWS       3u
#define WIDTH      3u
#define KEPT_OVER0 KEPT_UNSEEN
#define KEPT_OVER2 (KEPT_UNSEEN + 1)
/* Bits of 5-bit masks: two pairs and one. */
#define DIGITS     3u
#define PAIRS      2u

static int find_largest(struct trial *trial, struct error *err)
{
	struct compare_need need = {WIDTH, ROWS * (ROWS - 1) / 2};
	struct mpc *mpc = trial->mpc;
	uint64_t *z = mpc_vector(mpc, ROWS);
	struct compare *compare = NULL;
	const struct compare_mask *mask;
	uint32_t which;
	int rc;

	for (uint32_t r = 0; r < ROWS; r++)
		z[r] = trial->in[r][0];
	rc = compare_create(&compare, mpc, &need, 1, err);
	if (rc < 0)
		return rc;
	mask = compare_mask_of(compare, 0);
	trial_keep(trial, KEPT_OVER0, mask->over0, DIGITS * need.n);
	trial_keep(trial, KEPT_OVER2, mask->over2, PAIRS * need.n);
	rc = compare_argmax(compare, &which, z, ROWS, 1, err);
	if (rc == 0 && which != 0)
		rc = error_set(err, -EBADMSG, "row %u is the largest", which);
	compare_destroy(compare);
	return rc;
}

/* No mask is all ones (test_privacy_compare.c). */
static int has_exact_masks(const struct world *world, size_t run, size_t unit)
{
	size_t n = ROWS * (ROWS - 1) / 2;

	(void)unit;
	for (size_t i = 0; i < n; i++)
		if (world_value(world, KEPT_OVER2, (run * PAIRS) * n + i) == 1 &&
		    world_value(world, KEPT_OVER2, (run * PAIRS + 1) * n + i) == 1 &&
		    world_value(world, KEPT_OVER0, (run * DIGITS + 2) * n + i) == 1)
			return 0;
	return 1;
}

static void largest(void **state)
{
	struct experiment x = {.name = "argmax",
	    .m = 3,
	    .p = 31,
	    .rows = 900,
	    .n_inputs = ROWS,
	    .secrets = {{2, 1, -2}, {2, 0, 2}},
	    .is_sequential = 1,
	    .looks_inside = 1,
	    /* Bits, their products, the opening, levels, the winner. */
	    .run_rounds = 2 + 1 + 1 + 2 + 1,
	    .run = find_largest,
	    .has_row = has_exact_masks};

	(void)state;
	experiment_expect_sound(&x);
	experiment_expect_found(&x, UNIT_SETS, ALL_COALITIONS);
	experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
	x.m = 4;
	x.rows = 600;
	experiment_expect_sound(&x);
	experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
}

static void few_comparisons(void **state)
{
	(void)state;
	experiment_count_comparisons();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(largest),
	    cmocka_unit_test(few_comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Comparisons: what t parties see does not depend on the numbers compared.
 *
 * Under a full mask in a field of p = 2^k - 1 elements, k shared bits make the mask r, so
 * 0 comes of two patterns: the number opened is off uniform by 2^-k. Rows whose bits are
 * all ones are left out here; over the others nothing may differ. In 2^61-1, where masks
 * are bounded, views are compared by their elements modulo small numbers.
 */
#include "engine/compare.h"
#include "engine/compare_mask.h"
#include "tests/engine/experiment.h"
#include "tests/tap.h"

#define KEPT_OVER0 KEPT_UNSEEN
#define KEPT_OVER2 (KEPT_UNSEEN + 1)

/* What is special about a run. */
struct variant {
	uint32_t width;
	/* Masks are made before the view begins, which has the shares of them instead:
	 * of bits made by kings rows are out of line (test_privacy_random.c). */
	int is_online;
	void (*spoil)(struct compare *compare, const struct mpc *mpc);
};

static void keep_mask(struct trial *trial, const struct compare_mask *mask)
{
	const struct variant *variant = trial->x->user;
	size_t n = mask->n * mask->n_digits, pairs = mask->n * (mask->n_bits / 2);

	trial_keep(trial, KEPT_OVER0, mask->over0, n);
	trial_keep(trial, KEPT_OVER2, mask->over2, pairs);
	if (!variant->is_online)
		return;
	trial_keep(trial, 0, mask->over0, n);
	trial_keep(trial, 1, mask->over1, pairs);
	trial_keep(trial, 2, mask->over2, pairs);
	transcript_restart_run(trial->transcript);
}

/* Masks for `n_calls` comparisons of n numbers. */
static int make_masks(struct trial *trial, size_t n_calls, size_t n,
    struct compare **compare, struct error *err)
{
	const struct variant *variant = trial->x->user;
	struct compare_need needs[] = {{variant->width, n}, {variant->width, n}};
	int rc = compare_create(compare, trial->mpc, needs, n_calls, err);

	if (rc < 0)
		return rc;
	if (variant->spoil != NULL)
		variant->spoil(*compare, trial->mpc);
	keep_mask(trial, compare_mask_of(*compare, 0));
	return 0;
}

/* Not all bits of the mask are ones: neither both of a pair nor an odd one above. */
static int is_below_p(const struct world *world, size_t run, size_t i, size_t n)
{
	const struct kept *kept = &world->parties[0].kept;
	size_t digits = kept->n[KEPT_OVER0] / world->n_runs / n;
	size_t pairs = kept->n[KEPT_OVER2] / world->n_runs / n;

	for (size_t d = 0; d < pairs; d++)
		if (world_value(world, KEPT_OVER2, (run * pairs + d) * n + i) == 0)
			return 1;
	for (size_t d = pairs; d < digits; d++)
		if (world_value(world, KEPT_OVER0, (run * digits + d) * n + i) == 0)
			return 1;
	return 0;
}

static int has_exact_mask(const struct world *world, size_t run, size_t unit)
{
	return is_below_p(world, run, unit, world->units);
}

/* The larger of x y and 0: the product is reshared on the way, the result at the end. */
static int rectify(struct trial *trial, struct error *err)
{
	struct mpc *mpc = trial->mpc;
	uint64_t *product = mpc_vector(mpc, trial->n);
	uint64_t *out = mpc_vector(mpc, trial->n);
	struct compare *compare = NULL;
	int rc = make_masks(trial, 1, trial->n, &compare, err);

	field_mul(&mpc->field, product, trial->in[0], trial->in[1], trial->n);
	if (rc == 0)
		rc = compare_relu(compare, out, product, trial->n, err);
	if (rc == 0)
		rc = share_reshare(mpc, out, out, trial->n, err);
	trial_keep(trial, 3, out, trial->n);
	compare_destroy(compare);
	return rc;
}

/* Two numbers, one after the other. */
static int compare_two(struct trial *trial, struct error *err)
{
	uint64_t *bits = mpc_vector(trial->mpc, trial->n);
	struct compare *compare = NULL;
	int rc = make_masks(trial, 2, trial->n, &compare, err);

	for (uint32_t i = 0; i < 2 && rc == 0; i++)
		rc = compare_nonneg(compare, bits, trial->in[i], trial->n, NULL, 0, err);
	compare_destroy(compare);
	return rc;
}

static void use_mask_twice(struct compare *compare, const struct mpc *mpc)
{
	(void)mpc;
	*compare_mask_of(compare, 1) = *compare_mask_of(compare, 0);
}

static void cut_mask(struct compare *compare, const struct mpc *mpc)
{
	defect_cut_mask(compare_mask_of(compare, 0), mpc);
}

static void full_masks(void **state)
{
	static struct variant variant = {.width = 1};
	struct experiment x = {.name = "ReLU under a full mask",
	    .m = 3,
	    .p = 7,
	    .rows = 3000,
	    .n_inputs = 2,
	    .secrets = {{-1, 2}, {1, 1}},
	    .looks_inside = 1,
	    .run = rectify,
	    .has_row = has_exact_mask,
	    .user = &variant};

	(void)state;
	experiment_expect_sound(&x);
	experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
	experiment_expect_found(&x, NO_ZEROS, ALL_COALITIONS);
	experiment_expect_found(&x, BIASED_BITS, ALL_COALITIONS);
	/* The distance of 2^-3 that comes of 0 = 7. */
	x.has_row = NULL;
	experiment_expect_found(&x, SOUND, ALL_COALITIONS);
}

static void full_masks_of_more_parties(void **state)
{
	static const struct {
		uint32_t m, width;
		uint64_t p;
		size_t rows;
	} cases[] = {{4, 1, 7, 3000}, {5, 1, 7, 3000}, {7, 3, 31, 600}};
	static struct variant variant = {.is_online = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct experiment x = {.name = "ReLU under a full mask, online",
		    .m = cases[i].m,
		    .p = cases[i].p,
		    .rows = cases[i].rows,
		    .n_inputs = 2,
		    .secrets = {{-1, 2}, {1, 1}},
		    .run = rectify,
		    .has_row = has_exact_mask,
		    .user = &variant};

		variant.width = cases[i].width;
		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
	}
}

static void masks_used_twice(void **state)
{
	static struct variant variant = {.width = 1};
	struct experiment x = {.name = "two comparisons",
	    .m = 3,
	    .p = 7,
	    .rows = 3000,
	    .n_inputs = 2,
	    .secrets = {{0, 0}, {1, -2}},
	    .looks_inside = 1,
	    .run = compare_two,
	    .has_row = has_exact_mask,
	    .user = &variant};

	(void)state;
	variant.spoil = use_mask_twice;
	experiment_expect_found(&x, SOUND, ALL_COALITIONS);
	variant.spoil = NULL;
}

static void bounded_masks(void **state)
{
	/* Few enough products a level that they don't go through kings. */
	static const struct {
		uint32_t m, width;
		size_t rows;
	} cases[] = {{3, 15, 2000}, {5, 15, 600}, {8, 4, 300}};
	static struct variant variant;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t most = (int64_t)1 << cases[i].width;
		struct experiment x = {.name = "ReLU under a bounded mask",
		    .m = cases[i].m,
		    .rows = cases[i].rows,
		    .n_inputs = 2,
		    .secrets = {{most - 1, 1}, {-most / 2, 2}},
		    .looks_inside = cases[i].m == 3,
		    .run = rectify,
		    .user = &variant};

		variant = (struct variant){
		    .width = cases[i].width, .is_online = cases[i].m > 3};
		experiment_expect_sound(&x);
		/* m = 8: random values would all be zero, and bits be asked for for ever. */
		if (cases[i].m < 8)
			experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
		variant.spoil = cut_mask;
		experiment_expect_found(&x, SOUND, ALL_COALITIONS);
		variant.spoil = NULL;
		if (!variant.is_online)
			experiment_expect_found(&x, BIASED_BITS, ALL_COALITIONS);
	}
}

static void few_comparisons(void **state)
{
	(void)state;
	experiment_count_comparisons();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(full_masks),
	    cmocka_unit_test(full_masks_of_more_parties),
	    cmocka_unit_test(masks_used_twice),
	    cmocka_unit_test(bounded_masks),
	    cmocka_unit_test(few_comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

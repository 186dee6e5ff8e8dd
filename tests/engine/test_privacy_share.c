/* SPDX-License-Identifier: MIT */
/* What t parties see of dealing, multiplying and opening: the same whatever the secrets
 * are; and of the same primitives, broken, it is not. */
#include "engine/share.h"
#include "engine/share_king.h"
#include "tests/engine/experiment.h"
#include "tests/tap.h"

static const uint32_t some_parties[] = {3, 4, 5, 7};
#define N_SOME (sizeof(some_parties) / sizeof(some_parties[0]))

/* A prime above the number of parties. */
static uint64_t prime_for(uint32_t m)
{
	return m <= 4 ? 5 : m <= 6 ? 7 : 11;
}

static size_t rows_for(uint32_t m)
{
	return m <= 5 ? 1600 : 600;
}

static int deal(struct trial *trial, struct error *err)
{
	struct mpc *mpc = trial->mpc;
	uint32_t dealer = *(const uint32_t *)trial->x->user;
	uint64_t *clear = mpc_vector(mpc, trial->n), *out = mpc_vector(mpc, trial->n);
	size_t half = trial->n / 2;
	int rc;

	field_fill(&mpc->field, clear, trial_secret(trial, 0, 0), half);
	field_fill(&mpc->field, clear + half, trial_secret(trial, 0, 1), half);
	rc = share_input(mpc, dealer, out, clear, trial->n, err);
	trial_keep(trial, 0, out, trial->n);
	return rc;
}

static int is_without_dealer(const struct experiment *x, uint32_t coalition)
{
	return (coalition >> *(const uint32_t *)x->user & 1) == 0;
}

static void dealing(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SOME; i++) {
		uint32_t m = some_parties[i], dealer;
		struct experiment x = {.name = "deal",
		    .m = m,
		    .p = prime_for(m),
		    .rows = rows_for(m),
		    .secrets = {{0}, {3}},
		    .parts = 2,
		    .run = deal,
		    .has_coalition = is_without_dealer,
		    .user = &dealer};

		for (dealer = 0; dealer < m; dealer++)
			experiment_expect_sound(&x);
		dealer = m / 2;
		experiment_expect_found(&x, NO_POLYNOMIAL, 1);
		experiment_expect_found(&x, REUSED_POLYNOMIAL, 1);
	}
}

static int multiply(struct trial *trial, struct error *err)
{
	uint64_t *out = mpc_vector(trial->mpc, trial->n);
	struct share_job job =
	    share_job_mul(SHARE_RESHARE, out, trial->in[0], trial->in[1], trial->n);
	int rc = share_round(trial->mpc, &job, 1, err);

	trial_keep(trial, 0, out, trial->n);
	return rc;
}

static int multiply_by_kings(struct trial *trial, struct error *err)
{
	uint64_t *out = mpc_vector(trial->mpc, trial->n);
	struct share_job job =
	    share_job_mul(SHARE_RESHARE, out, trial->in[0], trial->in[1], trial->n);
	int rc = share_king_round(trial->mpc, &job, 1, err);

	trial_keep(trial, 0, out, trial->n);
	return rc;
}

static void multiplication(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SOME; i++) {
		uint32_t m = some_parties[i];
		struct experiment x = {.name = "multiply",
		    .m = m,
		    .p = prime_for(m),
		    .rows = rows_for(m),
		    .n_inputs = 2,
		    .secrets = {{0, 0}, {1, 2}},
		    .parts = 2,
		    .run = multiply};

		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
		experiment_expect_found(&x, REUSED_POLYNOMIAL, 1);
	}
}

/* A row has a product for each king. */
static void multiplication_by_kings(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SOME; i++) {
		uint32_t m = some_parties[i];
		struct experiment x = {.name = "multiply by kings",
		    .m = m,
		    .p = prime_for(m),
		    .rows = rows_for(m),
		    .n_inputs = 2,
		    .secrets = {{0, 0}, {1, 2}},
		    .parts = 2 * ((m - 1) / 2) + 1,
		    .run = multiply_by_kings};

		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_SETS, 1);
		experiment_expect_found(&x, REUSED_SETS, 1);
		experiment_expect_found(&x, KNOWN_SETS, 1);
		experiment_expect_found(&x, NO_ZEROS, 1);
		/* One king alone sees its own part only. */
		if (m >= 5)
			experiment_expect_found(&x, REUSED_ZEROS, 1);
	}
}

/* x + y, and the same again. */
static int open_sum(struct trial *trial, struct error *err)
{
	const struct field *f = &trial->mpc->field;
	uint64_t *out = mpc_vector(trial->mpc, trial->n);

	f->ops->add(f, out, trial->in[0], trial->in[1], trial->n);
	return share_open(trial->mpc, out, out, trial->n, err);
}

/* x y, and then 2 x y. */
static int open_products(struct trial *trial, struct error *err)
{
	const struct field *f = &trial->mpc->field;
	uint64_t *x = trial->in[0], *out = mpc_vector(trial->mpc, trial->n);
	struct share_job job =
	    share_job_mul(SHARE_OPEN_PRODUCT, out, x, trial->in[1], trial->n);
	int rc = share_round(trial->mpc, &job, 1, err);

	f->ops->add(f, x, x, x, trial->n);
	return rc == 0 ? share_round(trial->mpc, &job, 1, err) : rc;
}

/* What opens a product as if it were of degree t: no summands of zero. */
static int open_product_bare(struct trial *trial, struct error *err)
{
	uint64_t *out = mpc_vector(trial->mpc, trial->n);

	field_mul(&trial->mpc->field, out, trial->in[0], trial->in[1], trial->n);
	return share_open(trial->mpc, out, out, trial->n, err);
}

static void opening(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SOME; i++) {
		uint32_t m = some_parties[i];
		struct experiment x = {.name = "open a sum",
		    .m = m,
		    .p = prime_for(m),
		    .rows = rows_for(m),
		    .n_inputs = 2,
		    .secrets = {{1, 3}, {2, 2}},
		    .run = open_sum};

		experiment_expect_sound(&x);
		x.name = "open products";
		x.run = open_products;
		x.secrets[0][0] = 1;
		x.secrets[0][1] = 4;
		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_ZEROS, ALL_COALITIONS);
		experiment_expect_found(&x, REUSED_ZEROS, ALL_COALITIONS);
		x.name = "open a product like a sum";
		x.run = open_product_bare;
		experiment_expect_found(&x, SOUND, ALL_COALITIONS);
	}
}

/* Rows of three by one column: reshared, as every linear layer is. */
static int dot_products(struct trial *trial, struct error *err)
{
	enum { INNER = 3 };
	struct mpc *mpc = trial->mpc;
	uint64_t *out = mpc_vector(mpc, trial->n);
	uint64_t *rows = mpc_vector(mpc, INNER), *columns = mpc_vector(mpc, INNER);
	int rc;

	for (size_t i = 0; i < trial->n; i++) {
		for (uint32_t k = 0; k < INNER; k++) {
			rows[k] = trial->in[k][i];
			columns[k] = trial->in[INNER + k][i];
		}
		share_dots(mpc, out + i, rows, 1, columns, 1, INNER);
	}
	rc = share_reshare(mpc, out, out, trial->n, err);
	trial_keep(trial, 0, out, trial->n);
	return rc;
}

static void dots(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SOME; i++) {
		uint32_t m = some_parties[i];
		struct experiment x = {.name = "dot products, reshared",
		    .m = m,
		    .p = prime_for(m),
		    .rows = rows_for(m),
		    .n_inputs = 6,
		    .secrets = {{0, 0, 0, 0, 0, 0}, {1, 2, 3, 1, 4, 2}},
		    .run = dot_products};

		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
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
	    cmocka_unit_test(dealing),
	    cmocka_unit_test(multiplication),
	    cmocka_unit_test(multiplication_by_kings),
	    cmocka_unit_test(opening),
	    cmocka_unit_test(dots),
	    cmocka_unit_test(few_comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

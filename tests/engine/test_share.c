/* SPDX-License-Identifier: MIT */
/* Each primitive against cleartext for 1 to 10 parties in every field, with the exact
 * number of rounds and elements that its header states. */
#include "engine/random_share.h"
#include "engine/share.h"
#include "engine/share_king.h"
#include "tests/engine/parties.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

/* Not a multiple of anything, more than a block of 512 words. */
#define N 1037u

/* The same uniform values at every party. */
static void public_values(struct mpc *mpc, uint64_t *out, uint32_t index)
{
	unsigned char key[PRG_KEY_BYTES] = {77, (unsigned char)index};
	struct prg prg = {0};

	prg_init(&prg, key, NULL);
	mpc->field.ops->sample(&mpc->field, &prg, out, N);
	prg_finish(&prg);
}

struct vectors {
	uint64_t *clear[3], *shares[3], *out, *want;
};

/* Two shared vectors of known values; counters start after them. */
static int prepare(struct mpc *mpc, struct vectors *v, struct error *err)
{
	for (uint32_t i = 0; i < 3; i++) {
		v->clear[i] = mpc_vector(mpc, N);
		v->shares[i] = mpc_vector(mpc, N);
		public_values(mpc, v->clear[i], i);
	}
	v->out = mpc_vector(mpc, N);
	v->want = mpc_vector(mpc, N);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t dealer = i * 7 % mpc->n_parties;
		int rc = share_input(mpc, dealer, v->shares[i],
		    dealer == mpc->self ? v->clear[i] : NULL, N, err);

		if (rc < 0)
			return rc;
	}
	memset(&mpc->counters, 0, sizeof(mpc->counters));
	return 0;
}

/* Open and compare, outside the count. */
static int check(struct mpc *mpc, const char *what, const uint64_t *shares,
    const uint64_t *want, size_t n, struct error *err)
{
	struct mpc_counters kept = mpc->counters;
	uint64_t *opened = mpc_vector(mpc, n);
	int rc = share_open(mpc, opened, shares, n, err);

	if (rc == 0)
		rc = expect_equal(mpc, what, opened, want, n, err);
	mpc->counters = kept;
	return rc;
}

static int input_body(struct mpc *mpc, void *user, struct error *err)
{
	struct vectors v;
	uint32_t dealer = *(uint32_t *)user;
	int rc = prepare(mpc, &v, err);

	if (rc == 0)
		rc = share_input(
		    mpc, dealer, v.out, dealer == mpc->self ? v.clear[0] : NULL, N, err);
	return rc == 0 ? check(mpc, "input", v.out, v.clear[0], N, err) : rc;
}

static int open_body(struct mpc *mpc, void *user, struct error *err)
{
	struct vectors v;
	int rc = prepare(mpc, &v, err);

	(void)user;
	if (rc == 0)
		rc = share_open(mpc, v.shares[0], v.shares[0], N, err);
	return rc == 0 ? expect_equal(mpc, "open", v.shares[0], v.clear[0], N, err) : rc;
}

static int multiply_body(struct mpc *mpc, void *user, struct error *err)
{
	struct vectors v;
	int rc = prepare(mpc, &v, err);

	(void)user;
	field_mul(&mpc->field, v.want, v.clear[0], v.clear[1], N);
	if (rc == 0)
		rc = share_mul(mpc, v.shares[0], v.shares[0], v.shares[1], N, err);
	return rc == 0 ? check(mpc, "mul", v.shares[0], v.want, N, err) : rc;
}

static int open_product_body(struct mpc *mpc, void *user, struct error *err)
{
	struct vectors v;
	int rc = prepare(mpc, &v, err);

	(void)user;
	field_mul(&mpc->field, v.want, v.clear[0], v.clear[1], N);
	if (rc < 0)
		return rc;
	field_mul(&mpc->field, v.out, v.shares[0], v.shares[1], N);
	rc = share_open_product(mpc, v.out, v.out, N, err);
	return rc == 0 ? expect_equal(mpc, "open product", v.out, v.want, N, err) : rc;
}

/* One job of each kind, sums of products, one round. */
static int mixed_body(struct mpc *mpc, void *user, struct error *err)
{
	struct vectors v;
	int rc = prepare(mpc, &v, err);
	uint64_t *dealt = mpc_vector(mpc, N), *opened = mpc_vector(mpc, N);
	uint64_t *product = mpc_vector(mpc, N);
	const uint64_t *x[2] = {v.clear[0], v.clear[1]};
	const uint64_t *y[2] = {v.clear[1], v.clear[2]};
	struct share_job jobs[4];

	(void)user;
	if (rc < 0)
		return rc;
	jobs[0] = share_job_mul(SHARE_OPEN_PRODUCT, product, v.shares[0], v.shares[2], N);
	jobs[1] = share_job_mul(SHARE_RESHARE, v.out, v.shares[0], v.shares[1], N);
	jobs[1].in.x[1] = v.shares[1];
	jobs[1].in.y[1] = v.shares[2];
	jobs[1].in.n_terms = 2;
	jobs[2] = share_job(SHARE_OPEN, opened, v.shares[2], N);
	jobs[3] = share_job_deal(mpc->n_parties - 1, dealt, v.clear[1], N);
	rc = share_round(mpc, jobs, 4, err);
	if (rc < 0)
		return rc;
	field_mul(&mpc->field, v.want, v.clear[0], v.clear[2], N);
	rc = expect_equal(mpc, "mixed: product", product, v.want, N, err);
	if (rc == 0)
		rc = expect_equal(mpc, "mixed: opened", opened, v.clear[2], N, err);
	if (rc == 0)
		rc = check(mpc, "mixed: dealt", dealt, v.clear[1], N, err);
	mpc->field.ops->mulsum(&mpc->field, v.want, x, y, 2, N);
	return rc == 0 ? check(mpc, "mixed: reshared", v.out, v.want, N, err) : rc;
}

/* Two jobs of different lengths through kings. */
static int king_body(struct mpc *mpc, void *user, struct error *err)
{
	struct vectors v;
	struct share_job jobs[2];
	size_t limbs = mpc->field.limbs;
	int rc = prepare(mpc, &v, err);

	(void)user;
	if (rc < 0)
		return rc;
	field_mul(&mpc->field, v.want, v.clear[0], v.clear[1], N);
	jobs[0] = share_job_mul(SHARE_RESHARE, v.out, v.shares[0], v.shares[1], 37);
	jobs[1] = share_job_mul(SHARE_RESHARE, v.out + 37 * limbs,
	    v.shares[0] + 37 * limbs, v.shares[1] + 37 * limbs, N - 37);
	rc = share_king_round(mpc, jobs, 2, err);
	return rc == 0 ? check(mpc, "king", v.out, v.want, N, err) : rc;
}

/* Random values: consistent sharings, not all equal. */
static int random_body(struct mpc *mpc, void *user, struct error *err)
{
	uint64_t *r = mpc_vector(mpc, N), *product = mpc_vector(mpc, N);
	uint64_t *square = mpc_vector(mpc, N);
	struct mpc_counters kept;
	int rc = share_random(mpc, r, N, err);

	(void)user;
	kept = mpc->counters;
	if (rc == 0)
		rc = share_mul(mpc, product, r, r, N, err);
	if (rc == 0)
		rc = share_open(mpc, square, r, N, err);
	if (rc < 0)
		return rc;
	if (memcmp(square, square + mpc->field.limbs, N / 2 * sizeof(*square)) == 0)
		return error_set(err, -EBADMSG, "random: all values equal");
	field_mul(&mpc->field, square, square, square, N);
	rc = check(mpc, "random", product, square, N, err);
	mpc->counters = kept;
	return rc;
}

static int bits_body(struct mpc *mpc, void *user, struct error *err)
{
	enum share_bits_way way = *(enum share_bits_way *)user;
	uint64_t *bits = mpc_vector(mpc, N), *opened = mpc_vector(mpc, N);
	uint64_t zero[FIELD_LIMBS_MAX] = {0};
	size_t ones = 0, limbs = mpc->field.limbs;
	struct mpc_counters kept;
	int rc = share_random_bits(mpc, bits, N, way, err);

	kept = mpc->counters;
	if (rc == 0)
		rc = share_open(mpc, opened, bits, N, err);
	mpc->counters = kept;
	for (size_t i = 0; i < N && rc == 0; i++) {
		uint64_t one[FIELD_LIMBS_MAX], *bit = opened + i * limbs;

		field_fill(&mpc->field, one, 1, 1);
		if (memcmp(bit, one, limbs * sizeof(*bit)) == 0)
			ones++;
		else if (memcmp(bit, zero, limbs * sizeof(*bit)) != 0)
			return error_set(err, -EBADMSG, "bit %zu is no bit", i);
	}
	if (rc == 0 && (ones < N * 2 / 5 || ones > N * 3 / 5))
		return error_set(err, -EBADMSG, "%zu ones of %u bits", ones, N);
	return rc;
}

static int dots_body(struct mpc *mpc, void *user, struct error *err)
{
	struct vectors v;
	int rc = prepare(mpc, &v, err);

	(void)user;
	if (rc < 0)
		return rc;
	share_dots(mpc, v.want, v.clear[0], 12, v.clear[1], 11, 13);
	share_dots(mpc, v.out, v.shares[0], 12, v.shares[1], 11, 13);
	rc = share_reshare(mpc, v.out, v.out, 12 * 11, err);
	return rc == 0 ? check(mpc, "dots", v.out, v.want, 12 * 11, err) : rc;
}

/* Of all test fields; small ones may repeat rounds of random bits. */
static void in_every_field(uint32_t m, const char *what,
    int (*body)(struct mpc *mpc, void *user, struct error *err), void *user,
    uint64_t rounds, uint64_t elements, int is_exact_in_small)
{
	for (size_t i = 0; i < n_test_fields; i++) {
		struct parties parties = {.m = m,
		    .field = &test_fields[i],
		    .seed = 1000 * i + m,
		    .body = body,
		    .user = user};

		if (parties_run(&parties) != 0)
			fail_msg("%s, %u parties, %s: %s", what, m, test_fields[i].name,
			    parties.err.text);
		if (test_fields[i].prime != 0 && !is_exact_in_small)
			continue;
		if (parties_rounds(&parties) != rounds ||
		    parties_elements(&parties) != elements)
			fail_msg("%s, %u parties, %s: %llu rounds, %llu elements; "
				 "stated %llu, %llu",
			    what, m, test_fields[i].name,
			    (unsigned long long)parties_rounds(&parties),
			    (unsigned long long)parties_elements(&parties),
			    (unsigned long long)rounds, (unsigned long long)elements);
	}
}

static void input(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++) {
		uint32_t t = (m - 1) / 2;

		for (uint32_t dealer = 0; dealer < m; dealer += 3)
			in_every_field(m, "input", input_body, &dealer, m > 1,
			    (uint64_t)N * (m - 1 - t), 1);
	}
}

static void opening(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++)
		in_every_field(m, "open", open_body, NULL, m > 2,
		    m > 2 ? (uint64_t)N * m * (m - 1) : 0, 1);
}

static void multiplication(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++) {
		uint32_t t = (m - 1) / 2;

		in_every_field(m, "mul", multiply_body, NULL, m > 2,
		    m > 2 ? (uint64_t)N * (2 * t + 1) * (m - 1 - t) : 0, 1);
	}
}

static void opening_a_product(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++) {
		uint32_t t = (m - 1) / 2;

		in_every_field(m, "open product", open_product_body, NULL, m > 2,
		    m > 2 ? (uint64_t)N * (2 * t + 1) * (m - 1) : 0, 1);
	}
}

static void four_jobs_in_a_round(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++) {
		uint32_t t = (m - 1) / 2;
		uint64_t each = m - 1 - t;

		if (m > 2)
			each += (2 * t + 1) * (m - 1 - t) + m * (m - 1) +
				(2 * t + 1) * (m - 1);
		in_every_field(m, "mixed", mixed_body, NULL, m > 1, N * each, 1);
	}
}

/* Elements of share_random() for n values: whole rows of m - t. */
static uint64_t random_elements(uint32_t m, uint64_t n)
{
	uint32_t t = (m - 1) / 2;

	if (m <= SHARE_PRSS_MAX)
		return 0;
	return (n + m - t - 1) / (m - t) * m * (m - t - 2);
}

static void multiplication_by_kings(void **state)
{
	(void)state;
	for (uint32_t m = 3; m <= 10; m++) {
		uint32_t t = (m - 1) / 2;

		in_every_field(m, "king", king_body, NULL, 2 + (m > SHARE_PRSS_MAX),
		    (uint64_t)N * (2 * t + m - 1 - t) + random_elements(m, N), 1);
	}
}

static void random_values(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++)
		in_every_field(m, "random", random_body, NULL, m > SHARE_PRSS_MAX,
		    random_elements(m, N), 1);
}

static void random_bits(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++) {
		enum share_bits_way kings = SHARE_BITS_BY_KINGS,
				    once = SHARE_BITS_AT_ONCE;
		uint32_t t = (m - 1) / 2, extra = m > SHARE_PRSS_MAX;
		uint64_t base = random_elements(m, N), each = m == 3 ? 3 : 2 * t + m - 1;

		in_every_field(m, "bits by kings", bits_body, &kings,
		    (m > 2 ? 2 : 0) + extra, base + (m > 2 ? N * each : 0), m == 3);
		in_every_field(m, "bits at once", bits_body, &once, m > 2,
		    m > 2 ? (uint64_t)N * (2 * t + 1) * (m - 1) : 0, 0);
	}
}

static void dot_products(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++) {
		uint32_t t = (m - 1) / 2;

		in_every_field(m, "dots", dots_body, NULL, m > 2,
		    m > 2 ? (uint64_t)12 * 11 * (2 * t + 1) * (m - 1 - t) : 0, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(input),
	    cmocka_unit_test(opening),
	    cmocka_unit_test(multiplication),
	    cmocka_unit_test(opening_a_product),
	    cmocka_unit_test(four_jobs_in_a_round),
	    cmocka_unit_test(multiplication_by_kings),
	    cmocka_unit_test(random_values),
	    cmocka_unit_test(random_bits),
	    cmocka_unit_test(dot_products),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

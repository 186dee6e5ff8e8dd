/* SPDX-License-Identifier: MIT */
/* Comparisons against cleartext for 1 to 10 parties, their counts, and their plans. */
#include "engine/compare.h"
#include "engine/compare_plan.h"
#include "engine/random_share.h"
#include "tests/engine/parties.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

#define N 61u

/* Values of one width that all parties know; edges first. */
static void draw(int64_t *x, uint32_t width, size_t n, uint64_t seed)
{
	int64_t bound = (int64_t)1 << width;
	const int64_t edges[] = {0, -1, 1, bound - 1, -bound, bound / 2, -bound / 2 - 1};
	unsigned char key[PRG_KEY_BYTES] = {(unsigned char)seed, 1};
	struct prg prg = {0};

	prg_init(&prg, key, NULL);
	for (size_t i = 0; i < n; i++) {
		uint64_t word;

		prg_bytes(&prg, &word, sizeof(word));
		x[i] = i < 7 ? edges[i] : (int64_t)(word % (2 * (uint64_t)bound)) - bound;
	}
	prg_finish(&prg);
}

static int share_all(
    struct mpc *mpc, uint64_t *out, const int64_t *x, size_t n, struct error *err)
{
	uint64_t *clear = mpc_vector(mpc, n);

	mpc->field.ops->from_i64(&mpc->field, clear, x, n);
	return share_input(mpc, mpc->n_parties - 1, out, clear, n, err);
}

static int open_all(
    struct mpc *mpc, int64_t *out, const uint64_t *x, size_t n, struct error *err)
{
	struct mpc_counters kept = mpc->counters;
	uint64_t *opened = mpc_vector(mpc, n);
	int rc = share_open(mpc, opened, x, n, err);

	mpc->counters = kept;
	if (rc == 0 && field_to_i64(&mpc->field, out, opened, n) < 0)
		return error_set(err, -EBADMSG, "an opened value is too large");
	return rc;
}

static struct mpc_counters after_create[NETWORK_PARTIES_MAX];

/* x >= 0 where x is the unreduced product of shared +-1 and a shared magnitude. */
static int nonneg_body(struct mpc *mpc, void *user, struct error *err)
{
	uint32_t width = *(uint32_t *)user;
	struct compare_need needs[] = {{width, N}, {width, N}};
	uint64_t *shares = mpc_vector(mpc, N), *bits = mpc_vector(mpc, N);
	uint64_t *ones = mpc_vector(mpc, N);
	struct compare *compare;
	int64_t x[N], got[N], one[N];
	int rc;

	draw(x, width, N, width);
	for (size_t i = 0; i < N; i++)
		one[i] = 1;
	rc = share_all(mpc, shares, x, N, err);
	if (rc == 0)
		rc = share_all(mpc, ones, one, N, err);
	memset(&mpc->counters, 0, sizeof(mpc->counters));
	if (rc == 0)
		rc = compare_create(&compare, mpc, needs, 2, err);
	if (rc < 0)
		return rc;
	after_create[mpc->self] = mpc->counters;
	for (int is_product = 0; is_product < 2 && rc == 0; is_product++) {
		if (is_product)
			field_mul(&mpc->field, shares, shares, ones, N);
		rc = compare_nonneg(compare, bits, shares, N, NULL, 0, err);
		if (rc == 0)
			rc = open_all(mpc, got, bits, N, err);
		for (size_t i = 0; i < N && rc == 0; i++)
			if (got[i] != (x[i] >= 0))
				rc = error_set(err, -EBADMSG,
				    "%lld >= 0 gives %lld (width %u)", (long long)x[i],
				    (long long)got[i], width);
	}
	compare_destroy(compare);
	return rc;
}

static uint64_t random_elements(uint32_t m, uint64_t n)
{
	uint32_t t = (m - 1) / 2;

	if (m <= SHARE_PRSS_MAX)
		return 0;
	return (n + m - t - 1) / (m - t) * m * (m - t - 2);
}

/* Counts as the header states them, for 2 * N comparisons in two calls. */
static void assert_counts(const struct parties *parties, const struct field *f,
    uint32_t width, const char *what)
{
	uint64_t m = parties->m, t = (m - 1) / 2, each = (2 * t + 1) * (m - 1 - t);
	struct compare_cost cost = compare_cost(f, parties->m, width);
	int is_full = compare_security_bits(f, parties->m, width) == f->bits;
	uint64_t n_bits = 2 * N * cost.bits, before = 0, rounds = 0, elements = 0;

	for (uint32_t p = 0; p < m; p++)
		before += after_create[p].elements;
	if (m > 2) {
		elements = random_elements(parties->m, n_bits) +
			   n_bits * (m == 3 ? 3 : 2 * t + m - 1) +
			   2 * N * cost.products_before * each;
		rounds = 2 + (cost.products_before > 0) + (m > SHARE_PRSS_MAX);
		if (m > SHARE_PRSS_MAX && !is_full) {
			elements += 2 * N * (t + 1) * (m - 1 - t);
			rounds++;
		}
	}
	if (before != elements || after_create[0].rounds != rounds)
		fail_msg("%s: create: %llu elements, %llu rounds; stated %llu, %llu",
		    what, (unsigned long long)before,
		    (unsigned long long)after_create[0].rounds,
		    (unsigned long long)elements, (unsigned long long)rounds);
	if (m > 2) {
		elements += 2 * N * ((2 * t + 1) * (m - 1) + cost.products * each);
		rounds += 2 * (1 + cost.levels);
	}
	if (parties_elements(parties) != elements || parties_rounds(parties) != rounds)
		fail_msg("%s: %llu elements, %llu rounds; stated %llu, %llu", what,
		    (unsigned long long)parties_elements(parties),
		    (unsigned long long)parties_rounds(parties),
		    (unsigned long long)elements, (unsigned long long)rounds);
}

static void nonneg_in(uint32_t m, const struct test_field *field, uint32_t width)
{
	struct parties parties = {
	    .m = m, .field = field, .seed = m, .body = nonneg_body, .user = &width};
	struct field f;
	char what[80];

	snprintf(what, sizeof(what), "%u parties, %s, width %u", m, field->name, width);
	if (parties_run(&parties) != 0)
		fail_msg("%s: %s", what, parties.err.text);
	assert_int_equal(test_field_init(&f, field, NULL), 0);
	if (field->prime == 0)
		assert_counts(&parties, &f, width, what);
}

static void nonneg(void **state)
{
	static const uint32_t widths[] = {1, 2, 5, 16, 23, 30, 37, 59};
	static const struct test_field m127 = {"2^127-1", 127, 0};

	(void)state;
	for (uint32_t m = 1; m <= 10; m++)
		for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
			nonneg_in(m, &test_fields[0], widths[w]);
			if (m % 3 == 0)
				nonneg_in(m, &m127, widths[w]);
		}
	nonneg_in(4, &test_fields[2], 37);
}

static void nonneg_in_small_fields(void **state)
{
	static const struct test_field small[] = {
	    {"31", 0, 31}, {"127", 0, 127}, {"8191", 0, 8191}, {"2^31-1", 0, 2147483647}};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (uint32_t m = 1; m <= 10; m += 2) {
			nonneg_in(m, &small[i], 3);
			nonneg_in(m, &small[i], 2);
		}
}

/* max, relu and argmax of the same table. */
static int max_body(struct mpc *mpc, void *user, struct error *err)
{
	enum { ROWS = 10, COLUMNS = 3, ALL = ROWS * COLUMNS };
	struct compare_need needs[] = {{16, ALL / 2}, {23, ALL}, {37, 45 * COLUMNS}};
	uint64_t *z = mpc_vector(mpc, ALL), *out = mpc_vector(mpc, ALL);
	uint64_t *kept = mpc_vector(mpc, ALL);
	int64_t x[ALL], got[ALL];
	uint32_t which[COLUMNS];
	struct compare *compare;
	int rc;

	(void)user;
	draw(x, 15, ALL, 9);
	x[2 * COLUMNS + 1] = x[7 * COLUMNS + 1] = (1 << 15) - 1; /* a tie */
	rc = share_all(mpc, z, x, ALL, err);
	memcpy(kept, z, field_bytes(&mpc->field, ALL));
	if (rc == 0)
		rc = compare_create(&compare, mpc, needs, 3, err);
	if (rc < 0)
		return rc;
	rc = compare_max(compare, out, z, ALL / 2, err);
	if (rc == 0)
		rc = share_reshare(mpc, out, out, ALL / 2, err);
	if (rc == 0)
		rc = open_all(mpc, got, out, ALL / 2, err);
	for (size_t i = 0; i < ALL / 2 && rc == 0; i++)
		if (got[i] != (x[i] > x[i + ALL / 2] ? x[i] : x[i + ALL / 2]))
			rc = error_set(err, -EBADMSG, "maximum %zu is wrong", i);
	if (rc == 0)
		rc = compare_relu(compare, out, z, ALL, err);
	if (rc == 0)
		rc = share_reshare(mpc, out, out, ALL, err);
	if (rc == 0)
		rc = open_all(mpc, got, out, ALL, err);
	for (size_t i = 0; i < ALL && rc == 0; i++)
		if (got[i] != (x[i] > 0 ? x[i] : 0))
			rc = error_set(err, -EBADMSG, "relu %zu is wrong", i);
	if (rc == 0)
		rc = compare_argmax(compare, which, kept, ROWS, COLUMNS, err);
	for (uint32_t c = 0; c < COLUMNS && rc == 0; c++) {
		uint32_t best = 0;

		for (uint32_t r = 1; r < ROWS; r++)
			if (x[r * COLUMNS + c] > x[best * COLUMNS + c])
				best = r;
		if (which[c] != best)
			rc = error_set(
			    err, -EBADMSG, "argmax %u is %u, not %u", c, which[c], best);
	}
	if (rc == 0)
		rc = open_all(mpc, got, kept, ALL, err);
	for (size_t i = 0; i < ALL && rc == 0; i++)
		if (got[i] != x[i])
			rc = error_set(err, -EBADMSG, "argmax changed value %zu", i);
	compare_destroy(compare);
	return rc;
}

static void maxima(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 10; m++)
		for (size_t i = 0; i < 2; i++) {
			struct parties parties = {.m = m,
			    .field = &test_fields[i],
			    .seed = m,
			    .body = max_body};

			if (parties_run(&parties) != 0)
				fail_msg("%u parties, %s: %s", m, test_fields[i].name,
				    parties.err.text);
		}
}

/* What a plan computes with plain numbers equals the comparison, in the levels stated. */
static void plans(void **state)
{
	static struct compare_plan plan;
	static const uint32_t known[][2] = {{8, 8}, {12, 12}, {16, 19}, {32, 42}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		compare_plan(&plan, known[i][0]);
		assert_int_equal(plan.n_ops, known[i][1]);
	}
	for (uint32_t n = 1; n <= COMPARE_DIGITS_MAX; n++) {
		compare_plan(&plan, n);
		assert_true(1u << plan.n_levels >= n);
		assert_true(plan.n_levels == 0 || 1u << (plan.n_levels - 1) < n);
		for (uint32_t trial = 0; trial < 3 * n; trial++) {
			int64_t nodes[COMPARE_NODES_MAX], want = 0;
			uint32_t ready[COMPARE_NODES_MAX] = {0};

			/* Equal above digit trial / 3, then less, equal, greater. */
			for (uint32_t j = 0; j < n; j++) {
				nodes[2 * j] = j == trial / 3 && trial % 3 == 0;
				nodes[2 * j + 1] =
				    j < trial / 3 || (j == trial / 3 && trial % 3 == 1);
				nodes[2 * j] |= j > trial / 3;
			}
			want = trial % 3 == 0 || (trial % 3 == 1 && trial / 3 + 1 < n);
			for (uint32_t level = 1; level <= plan.n_levels; level++)
				for (uint32_t k = 0; k < plan.n_ops; k++) {
					const struct compare_op *op = &plan.ops[k];
					uint32_t node = 2 * n + k;

					if (op->level != level)
						continue;
					nodes[node] = op->plus < 0 ? 0 : nodes[op->plus];
					ready[node] = level;
					for (uint32_t t = 0; t < op->n_terms; t++) {
						assert_true(ready[op->x[t]] < level);
						assert_true(ready[op->y[t]] < level);
						nodes[node] +=
						    nodes[op->x[t]] * nodes[op->y[t]];
					}
				}
			assert_int_equal(nodes[plan.result], want);
		}
	}
}

static int wrong_call_body(struct mpc *mpc, void *user, struct error *err)
{
	struct compare_need need = {16, 4};
	uint64_t *x = mpc_vector(mpc, 5);
	struct compare *compare;
	int rc = compare_create(&compare, mpc, &need, 1, err);

	(void)user;
	if (rc < 0)
		return rc;
	memset(x, 0, field_bytes(&mpc->field, 5));
	rc = compare_nonneg(compare, x, x, 5, NULL, 0, err);
	if (rc == -EINVAL)
		rc = compare_nonneg(compare, x, x, 4, NULL, 0, err);
	if (rc == 0)
		rc = compare_nonneg(compare, x, x, 4, NULL, 0, err);
	compare_destroy(compare);
	return rc;
}

static int no_room_body(struct mpc *mpc, void *user, struct error *err)
{
	struct compare_need need = {*(uint32_t *)user, 4};
	struct compare *compare;

	return compare_create(&compare, mpc, &need, 1, err);
}

static void refuses(void **state)
{
	static const struct test_field f60 = {"60 bits", 60, 0};
	struct parties parties = {.m = 3, .body = wrong_call_body};
	uint32_t width = 30;

	(void)state;
	assert_int_equal(parties_run(&parties), -EINVAL);
	assert_non_null(strstr(parties.err.text, "announced"));
	parties =
	    (struct parties){.m = 3, .field = &f60, .body = no_room_body, .user = &width};
	assert_int_equal(parties_run(&parties), -EINVAL);
	assert_non_null(strstr(parties.err.text, "60 bits"));
	width = 60;
	parties.field = NULL;
	assert_int_equal(parties_run(&parties), -EINVAL);
}

static void security_is_stated(void **state)
{
	struct field f;

	(void)state;
	assert_int_equal(field_init(&f, 61, NULL), 0);
	assert_int_equal(compare_security_bits(&f, 3, 16), 41);
	assert_int_equal(compare_security_bits(&f, 3, 23), 34);
	assert_int_equal(compare_security_bits(&f, 3, 30), 61);
	assert_int_equal(compare_security_bits(&f, 3, 37), 61);
	for (uint32_t m = 1; m <= 10; m++)
		for (uint32_t width = 1; width <= 59; width++)
			assert_true(
			    compare_security_bits(&f, m, width) >= COMPARE_SECURITY_MIN);
	assert_int_equal(field_init(&f, 127, NULL), 0);
	assert_int_equal(compare_security_bits(&f, 10, 37), 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plans),
	    cmocka_unit_test(nonneg),
	    cmocka_unit_test(nonneg_in_small_fields),
	    cmocka_unit_test(maxima),
	    cmocka_unit_test(security_is_stated),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

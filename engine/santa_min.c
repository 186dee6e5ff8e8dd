/* SPDX-License-Identifier: MIT */
/* Secret Santa in few rounds: a product of secret permutations, many candidates at once.
 */
#include "base/bytes.h"
#include "engine/random_share.h"
#include "engine/santa.h"
#include "engine/share.h"

#include <string.h>

#define K       SANTA_CANDIDATES
#define FACTORS ((NETWORK_PARTIES_MAX - 1) / 2 + 1)

/* A factor of the product, for each candidate. The last one is kept as the permutation it
 * makes of 0 .. n-1 (n elements), the others as matrices (n * n). */
struct factor {
	uint64_t *matrix; /* of P; rows, or columns if it stands on the right */
	uint64_t *scaled; /* of r P, always n * n; the same way */
};

struct santa_tree {
	struct mpc *mpc;
	uint32_t n, n_factors;
	size_t square; /* n * n */
	struct factor factors[FACTORS];
	uint64_t *opened; /* K traces, then K permutations */
};

static uint64_t *at(const struct santa_tree *s, uint64_t *vector, size_t i)
{
	return vector + i * s->mpc->field.limbs;
}

/* Whether factor i of n is next multiplied from the left, so it is wanted by columns. */
static int is_right(uint32_t i, uint32_t n)
{
	return i % 2 == 1 || i + 1 == n;
}

static size_t matrix_size(const struct santa_tree *s, uint32_t i)
{
	return i + 1 == s->n_factors ? s->n : s->square;
}

/* Uniform in [0, bound) from our own stream. */
static uint64_t below(struct mpc *mpc, uint64_t bound)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % bound, value;
	unsigned char bytes[8];

	do {
		prg_bytes(&mpc->own, bytes, sizeof(bytes));
		value = bytes_load_le64(bytes);
	} while (value >= limit);
	return value % bound;
}

static void nonzero(struct mpc *mpc, uint64_t *out)
{
	static const uint64_t zero[FIELD_LIMBS_MAX];

	do
		mpc->field.ops->sample(&mpc->field, &mpc->own, out, 1);
	while (memcmp(out, zero, field_bytes(&mpc->field, 1)) == 0);
}

/* One candidate of ours, in the clear: row i of P has its 1 at column pi[i]. */
static void choose(struct santa_tree *s, uint64_t *matrix, uint64_t *scaled)
{
	struct mpc *mpc = s->mpc;
	uint32_t pi[SANTA_N_MAX];
	uint64_t r[FIELD_LIMBS_MAX];
	int by_columns = is_right(mpc->self, s->n_factors);
	int is_last = mpc->self + 1 == s->n_factors;

	for (uint32_t i = 0; i < s->n; i++)
		pi[i] = i;
	for (uint32_t i = s->n - 1; i > 0; i--) {
		uint32_t j = (uint32_t)below(mpc, i + 1), kept = pi[i];

		pi[i] = pi[j];
		pi[j] = kept;
	}
	nonzero(mpc, r);
	memset(matrix, 0, field_bytes(&mpc->field, matrix_size(s, mpc->self)));
	memset(scaled, 0, field_bytes(&mpc->field, s->square));
	for (uint32_t i = 0; i < s->n; i++) {
		size_t place =
		    by_columns ? pi[i] * (size_t)s->n + i : i * (size_t)s->n + pi[i];

		memcpy(at(s, scaled, place), r, field_bytes(&mpc->field, 1));
		if (is_last)
			field_fill(&mpc->field, at(s, matrix, i), pi[i], 1);
		else
			field_fill(&mpc->field, at(s, matrix, place), 1, 1);
	}
}

/* The first round: parties 0 .. t share their candidates. */
static int deal(struct santa_tree *s, struct error *err)
{
	struct share_job jobs[2 * FACTORS];
	struct mpc *mpc = s->mpc;

	for (uint32_t d = 0; d < s->n_factors; d++) {
		size_t n_matrix = K * matrix_size(s, d), n_scaled = K * s->square;
		struct factor *factor = &s->factors[d];

		factor->matrix = mpc_vector(mpc, n_matrix);
		factor->scaled = mpc_vector(mpc, n_scaled);
		if (factor->matrix == NULL || factor->scaled == NULL)
			return mpc_no_memory(err);
		for (uint32_t k = 0; k < K && d == mpc->self; k++)
			choose(s, at(s, factor->matrix, k * matrix_size(s, d)),
			    at(s, factor->scaled, k * s->square));
		jobs[2 * d] = share_job_deal(d, factor->matrix, factor->matrix, n_matrix);
		jobs[2 * d + 1] =
		    share_job_deal(d, factor->scaled, factor->scaled, n_scaled);
	}
	network_mark(mpc->net, "deal");
	return share_round(mpc, jobs, (size_t)2 * s->n_factors, err);
}

/* out = left * right for each candidate, unreduced: left by rows, right by columns of
 * which it has `columns`; out by columns or by rows. */
static void multiply(const struct santa_tree *s, uint64_t *out, const uint64_t *left,
    const uint64_t *right, size_t columns, int by_columns)
{
	const struct field *f = &s->mpc->field;
	size_t n = s->n, limbs = f->limbs;

	for (size_t k = 0; k < K; k++)
		for (size_t c = 0; c < columns; c++)
			f->ops->dots(f,
			    at(s, out, k * n * columns + (by_columns ? c * n : c)),
			    by_columns ? 1 : columns, left + k * s->square * limbs, n,
			    right + (k * n * columns + c * n) * limbs, n);
}

/* A level of the tree: neighbours are multiplied and reshared. */
static int level(struct santa_tree *s, struct error *err)
{
	struct share_job jobs[FACTORS];
	struct mpc *mpc = s->mpc;
	uint32_t n_next = (s->n_factors + 1) / 2, n_jobs = 0;

	for (uint32_t i = 0; i < s->n_factors / 2; i++) {
		const struct factor *left = &s->factors[2 * i], *right = left + 1;
		size_t n_matrix = matrix_size(s, 2 * i + 1);
		uint64_t *matrix = mpc_vector(mpc, K * n_matrix);
		uint64_t *scaled = mpc_vector(mpc, K * s->square);
		int by_columns = is_right(i, n_next);

		if (matrix == NULL || scaled == NULL)
			return mpc_no_memory(err);
		multiply(
		    s, matrix, left->matrix, right->matrix, n_matrix / s->n, by_columns);
		multiply(s, scaled, left->scaled, right->scaled, s->n, by_columns);
		jobs[n_jobs++] = share_job(SHARE_RESHARE, matrix, matrix, K * n_matrix);
		jobs[n_jobs++] = share_job(SHARE_RESHARE, scaled, scaled, K * s->square);
		s->factors[i] = (struct factor){matrix, scaled};
	}
	if (s->n_factors % 2 == 1)
		s->factors[n_next - 1] = s->factors[s->n_factors - 1];
	s->n_factors = n_next;
	return share_round(mpc, jobs, n_jobs, err);
}

/* The last round: traces and permutations of the products of two (or one) factors. */
static int open_all(struct santa_tree *s, struct error *err)
{
	const struct field *f = &s->mpc->field;
	const struct factor *left = &s->factors[0], *right = left + 1;
	size_t n = (size_t)K * (s->n + 1);
	uint64_t *permutations = at(s, s->opened, K);

	if (s->n_factors == 2) {
		for (size_t k = 0; k < K; k++)
			f->ops->dots(f, at(s, s->opened, k), 1,
			    at(s, left->scaled, k * s->square), 1,
			    at(s, right->scaled, k * s->square), s->square);
		multiply(s, permutations, left->matrix, right->matrix, 1, 1);
		return share_open_product(s->mpc, s->opened, s->opened, n, err);
	}
	memset(s->opened, 0, field_bytes(f, K));
	for (size_t k = 0; k < K; k++)
		for (size_t i = 0; i < s->n; i++)
			f->ops->add(f, at(s, s->opened, k), at(s, s->opened, k),
			    at(s, left->scaled, k * s->square + i * (s->n + 1)), 1);
	memcpy(permutations, left->matrix, field_bytes(f, (size_t)K * s->n));
	return share_open(s->mpc, s->opened, s->opened, n, err);
}

/* The first candidate without fixed points, K if there is none. */
static uint32_t first_good(const struct santa_tree *s)
{
	static const uint64_t zero[FIELD_LIMBS_MAX];
	uint32_t k = 0;

	while (k < K &&
	       memcmp(at(s, s->opened, k), zero, field_bytes(&s->mpc->field, 1)) != 0)
		k++;
	return k;
}

static int candidates(struct santa_tree *s, struct error *err)
{
	int rc;

	s->n_factors = s->mpc->threshold + 1;
	s->opened = mpc_vector(s->mpc, (size_t)K * (s->n + 1));
	if (s->opened == NULL)
		return mpc_no_memory(err);
	rc = deal(s, err);
	if (rc == 0 && s->n_factors > 2)
		network_mark(s->mpc->net, "multiply");
	while (rc == 0 && s->n_factors > 2)
		rc = level(s, err);
	if (rc < 0)
		return rc;
	network_mark(s->mpc->net, "open");
	return open_all(s, err);
}

int santa_min(struct mpc *mpc, uint32_t n, int64_t *p, struct santa_result *result,
    struct error *err)
{
	struct mpc_memory *mark = mpc_mark(mpc);
	struct santa_tree s = {.mpc = mpc, .n = n, .square = (size_t)n * n};
	uint32_t good = K;
	int rc = 0;

	result->attempts = 0;
	while (good == K && rc == 0) {
		mpc_release(mpc, mark);
		if (result->attempts >= SANTA_ATTEMPTS_MAX * K) {
			rc = santa_gives_up(err);
			break;
		}
		rc = candidates(&s, err);
		if (rc < 0)
			break;
		good = first_good(&s);
		result->attempts += good == K ? K : good + 1;
	}
	if (rc == 0)
		rc = santa_decode(mpc, p, at(&s, s.opened, K + (size_t)good * n), n, err);
	mpc_release(mpc, mark);
	return rc;
}

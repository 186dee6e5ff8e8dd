/* SPDX-License-Identifier: MIT */
/* Which row of a column is the largest: a tournament of all pairs at once. */
#include "engine/compare_mask.h"
#include "engine/random_share.h"
#include "engine/share_block.h"

#include <string.h>

struct table {
	struct mpc *mpc;
	uint64_t *z; /* rows of n columns */
	uint32_t rows;
	size_t n;
};

static uint64_t *row(const struct table *t, uint64_t *vector, size_t r)
{
	return share_at(t->mpc, vector, r * t->n);
}

/* Pairs (i, j), i < j, in a fixed order: the differences row i - row j. */
static void differences(const struct table *t, uint64_t *out)
{
	const struct field *f = &t->mpc->field;
	size_t pair = 0;

	for (uint32_t i = 0; i < t->rows; i++)
		for (uint32_t j = i + 1; j < t->rows; j++)
			f->ops->sub(f, row(t, out, pair++), row(t, t->z, i),
			    row(t, t->z, j), t->n);
}

/* Wins of each row less rows - 1: 0 for the first of the largest only. */
static void count_wins(const struct table *t, uint64_t *wins, uint64_t *bits)
{
	const struct field *f = &t->mpc->field;
	size_t pair = 0;

	/* Row j wins against the j above it unless they do: start with j. */
	for (uint32_t j = 0; j < t->rows; j++)
		field_fill(f, row(t, wins, j), (int64_t)j - (t->rows - 1), t->n);
	for (uint32_t i = 0; i < t->rows; i++)
		for (uint32_t j = i + 1; j < t->rows; j++, pair++) {
			uint64_t *bit = row(t, bits, pair);

			f->ops->add(f, row(t, wins, i), row(t, wins, i), bit, t->n);
			f->ops->sub(f, row(t, wins, j), row(t, wins, j), bit, t->n);
		}
}

/* The zero of each column. 1 if each has exactly one, 0 if some has more; -EPROTO if one
 * has none. */
static int read_winners(
    const struct table *t, uint32_t *which, const uint64_t *opened, struct error *err)
{
	static const uint64_t zero[FIELD_LIMBS_MAX];
	size_t one = field_bytes(&t->mpc->field, 1);
	int is_clear = 1;

	for (size_t c = 0; c < t->n; c++) {
		uint32_t zeros = 0;

		for (uint32_t r = 0; r < t->rows; r++) {
			const uint64_t *value = share_of(t->mpc, opened, r * t->n + c);

			if (memcmp(value, zero, one) != 0)
				continue;
			which[c] = r;
			zeros++;
		}
		if (zeros == 0)
			return error_set(err, -EPROTO,
			    "no row of column %zu is the largest: values exceed the "
			    "width announced, or a party left the protocol",
			    c);
		is_clear &= zeros == 1;
	}
	return is_clear;
}

/* Open random multiples of wins; again if a random factor was zero. */
static int find_winners(
    const struct table *t, uint32_t *which, const uint64_t *wins, struct error *err)
{
	size_t n = t->rows * t->n;
	uint64_t *random = mpc_vector(t->mpc, n), *opened = mpc_vector(t->mpc, n);
	struct share_job job;
	int is_clear = 0, rc = 0;

	if (random == NULL || opened == NULL)
		return mpc_no_memory(err);
	job = share_job_mul(SHARE_OPEN_PRODUCT, opened, wins, random, n);
	while (!is_clear && rc == 0) {
		share_random_from_sets(t->mpc, random, n);
		rc = share_round(t->mpc, &job, 1, err);
		if (rc == 0)
			is_clear = read_winners(t, which, opened, err);
		if (is_clear < 0)
			rc = is_clear;
	}
	return rc;
}

int compare_argmax(struct compare *compare, uint32_t *which, uint64_t *z, uint32_t rows,
    size_t n, struct error *err)
{
	struct mpc *mpc = compare_mpc(compare);
	struct table table = {.mpc = mpc, .z = z, .rows = rows, .n = n};
	size_t n_pairs = (size_t)rows * (rows - 1) / 2 * n;
	struct mpc_memory *mark = mpc_mark(mpc);
	struct share_job reshare = share_job(SHARE_RESHARE, z, z, rows * n);
	uint64_t *pairs = mpc_vector(mpc, n_pairs), *wins = mpc_vector(mpc, rows * n);
	int rc = pairs == NULL || wins == NULL ? mpc_no_memory(err) : 0;

	if (rc == 0) {
		differences(&table, pairs);
		rc = compare_nonneg(compare, pairs, pairs, n_pairs, &reshare, 1, err);
	}
	if (rc == 0) {
		count_wins(&table, wins, pairs);
		rc = find_winners(&table, which, wins, err);
	}
	mpc_release(mpc, mark);
	return rc;
}

/* SPDX-License-Identifier: MIT */
/* Bits from the inverse roots of random squares. */
#include "engine/random_bits_three.h"
#include "engine/random_share.h"
#include "engine/share_block.h"
#include "engine/share_king.h"
#include "engine/tables.h"

#include <string.h>

/* From squares to half their inverse roots. */
static void half_roots(const struct mpc *mpc, uint64_t *squares, size_t n)
{
	mpc->field.ops->inverse_root(&mpc->field, squares, squares, n);
	mpc->field.ops->scale(&mpc->field, squares, squares, mpc->tables->half, n);
}

/* bits = r * roots + 1/2, a block. */
static void bits_of(const struct mpc *mpc, uint64_t *bits, const uint64_t *r,
    const uint64_t *roots, size_t n)
{
	field_mul(&mpc->field, bits, r, roots, n);
	mpc->field.ops->add(&mpc->field, bits, bits, mpc->halves, n);
}

void share_bits_finish(
    const struct mpc *mpc, uint64_t *bits, const uint64_t *r, uint64_t *squares, size_t n)
{
	half_roots(mpc, squares, n);
	for (size_t at = 0; at < n; at += mpc_block(mpc))
		bits_of(mpc, share_at(mpc, bits, at), share_of(mpc, r, at),
		    share_of(mpc, squares, at), share_block_at(mpc, at, n));
}

/* roots = half an inverse root of each r^2, 0 for r = 0, the same at all parties. */
static int open_roots(struct mpc *mpc, uint64_t *roots, const uint64_t *r, size_t n,
    enum share_bits_way way, struct error *err)
{
	struct share_job square = share_job_mul(SHARE_OPEN_PRODUCT, roots, r, r, n);
	uint64_t *part;
	int rc;

	if (way == SHARE_BITS_AT_ONCE || mpc->threshold == 0) {
		rc = share_round(mpc, &square, 1, err);
		if (rc == 0)
			half_roots(mpc, roots, n);
		return rc;
	}
	part = mpc_vector(mpc, share_king_part(mpc, n, mpc->self));
	if (part == NULL)
		return mpc_no_memory(err);
	rc = share_king_gather(mpc, part, &square, 1, NULL, err);
	if (rc < 0)
		return rc;
	half_roots(mpc, part, share_king_part(mpc, n, mpc->self));
	return share_king_scatter(mpc, roots, part, n, 0, err);
}

static int is_zero(const struct mpc *mpc, const uint64_t *element)
{
	uint64_t any = 0;

	for (uint32_t w = 0; w < mpc->field.limbs; w++)
		any |= element[w];
	return any == 0;
}

/* bits[i] = bits[i] roots[i] + 1/2, without those whose root is 0. Returns how many. */
static size_t keep_bits(
    const struct mpc *mpc, uint64_t *bits, const uint64_t *roots, size_t n)
{
	size_t kept = 0;

	for (size_t at = 0; at < n; at += mpc_block(mpc)) {
		uint64_t *block = mpc_scratch(mpc, 0);
		size_t part = share_block_at(mpc, at, n), begin = 0;

		bits_of(
		    mpc, block, share_of(mpc, bits, at), share_of(mpc, roots, at), part);
		for (size_t i = 0; i <= part; i++) {
			if (i < part && !is_zero(mpc, share_of(mpc, roots, at + i)))
				continue;
			memcpy(share_at(mpc, bits, kept), share_at(mpc, block, begin),
			    field_bytes(&mpc->field, i - begin));
			kept += i - begin;
			begin = i + 1;
		}
	}
	return kept;
}

int share_random_bits(
    struct mpc *mpc, uint64_t *out, size_t n, enum share_bits_way way, struct error *err)
{
	struct mpc_memory *mark = mpc_mark(mpc);
	uint64_t *roots;
	int rc = 0;

	if (mpc->n_parties == 3 && way == SHARE_BITS_BY_KINGS)
		return share_bits_of_three(mpc, out, n, err);
	roots = mpc_vector(mpc, n);
	if (roots == NULL)
		return mpc_no_memory(err);
	while (n > 0 && rc == 0) {
		size_t kept;

		if (way == SHARE_BITS_AT_ONCE)
			share_random_from_sets(mpc, out, n);
		else
			rc = share_random(mpc, out, n, err);
		if (rc == 0)
			rc = open_roots(mpc, roots, out, n, way, err);
		if (rc < 0)
			break;
		kept = keep_bits(mpc, out, roots, n);
		out += kept * mpc->field.limbs;
		n -= kept;
	}
	mpc_release(mpc, mark);
	return rc;
}

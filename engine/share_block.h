/* SPDX-License-Identifier: MIT */
/* Inside of share*.c: one block of a vector of products, small enough for the cache. */
#ifndef ENGINE_SHARE_BLOCK_H
#define ENGINE_SHARE_BLOCK_H

#include "engine/share.h"

/* How many of n elements the block that begins at `at` has. */
static inline size_t share_block_at(const struct mpc *mpc, size_t at, size_t n)
{
	size_t block = mpc_block(mpc);

	return n - at < block ? n - at : block;
}

static inline uint64_t *share_at(const struct mpc *mpc, uint64_t *vector, size_t i)
{
	return vector + i * mpc->field.limbs;
}

static inline const uint64_t *share_of(
    const struct mpc *mpc, const uint64_t *vector, size_t i)
{
	return vector + i * mpc->field.limbs;
}

/* Values [at, at + n) of a product, n at most a block; if they have to be computed, in
 * scratch row 0. */
const uint64_t *share_values(
    const struct mpc *mpc, const struct share_product *in, size_t at, size_t n);

/* What a dealer contributes to a sum that equals values [at, at + n) of in + plus: its
 * weighted shares and its summands of zero, into out. `plus` may be NULL. Takes scratch
 * rows 0 .. 2t. */
void share_summand(struct mpc *mpc, uint64_t *out, const struct share_product *in,
    const uint64_t *plus, size_t at, size_t n);

/* out = the sum of n values from each dealer; that of party d stands in in[d]. -EPROTO
 * that names the party whose elements are not of the field. */
int share_add_up(struct mpc *mpc, uint64_t *out, const uint64_t *const *in, size_t n,
    struct error *err);

#endif

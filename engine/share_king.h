/* SPDX-License-Identifier: MIT */
/*
 * Large batches through kings: two rounds, few elements. The kings are the first 2t + 1
 * parties (the last one of an even m is none); king k serves the k-th of 2t + 1 equal
 * parts of a batch.
 *
 * Multiplication (Damgard, Nielsen, CRYPTO 2007, section 3, "Mult"): the parties hold a
 * random sharing [r] (random_share.h); the first 2t + 1 send the king their weighted
 * shares of xy + r plus summands of zero from the keys of pairs, in place of the second
 * sharing of r of degree 2t; the king adds up d = xy + r and deals it with the shares of
 * the t parties after it fixed to 0, so it sends m - 1 - t elements. Everyone's share of
 * xy is that of d less that of r.
 *
 *   rounds 2 (3 for m >= 8), elements 2t + (m - 1 - t) for a value, those of
 *   share_random() on top; nothing with t = 0.
 */
#ifndef ENGINE_SHARE_KING_H
#define ENGINE_SHARE_KING_H

#include "engine/share.h"

/* Jobs of kind SHARE_RESHARE; outputs as share_round(). */
int share_king_round(
    struct mpc *mpc, const struct share_job *jobs, size_t n_jobs, struct error *err);

/* First round of the above, t > 0: the king of each part of the batch (the values of all
 * jobs end to end, plus `mask`, shares of degree t, unless NULL) adds up its part. `sums`
 * has room for share_king_part(mpc, n, self) elements. */
int share_king_gather(struct mpc *mpc, uint64_t *sums, const struct share_job *jobs,
    size_t n_jobs, const uint64_t *mask, struct error *err);
/* Second round: every king sends `part`, its part of n values, to the m - 1 - `silent`
 * parties that stand more than `silent` after it; they and it fill their places of `out`,
 * the other parties leave theirs alone. */
int share_king_scatter(struct mpc *mpc, uint64_t *out, const uint64_t *part, size_t n,
    uint32_t silent, struct error *err);

/* Where king k's part of n values begins, and its length: 0 for parties that are none. */
static inline size_t share_king_begin(const struct mpc *mpc, size_t n, uint32_t king)
{
	uint32_t kings = mpc->n_dealers;

	return king >= kings ? n : n / kings * king + n % kings * king / kings;
}

static inline size_t share_king_part(const struct mpc *mpc, size_t n, uint32_t king)
{
	return share_king_begin(mpc, n, king + 1) - share_king_begin(mpc, n, king);
}

#endif

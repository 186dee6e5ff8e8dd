/* SPDX-License-Identifier: MIT */
#include "engine/random_share.h"

#include "engine/share_block.h"
#include "engine/share_king.h"
#include "engine/tables.h"

#include <string.h>

void share_random_from_sets(struct mpc *mpc, uint64_t *out, size_t n)
{
	const uint64_t *in[MPC_SETS_MAX];

	for (uint32_t s = 0; s < mpc->n_sets; s++)
		in[s] = mpc_scratch(mpc, s);
	for (size_t at = 0; at < n; at += mpc_block(mpc)) {
		size_t part = share_block_at(mpc, at, n);
		uint64_t *to = out + at * mpc->field.limbs;

		for (uint32_t s = 0; s < mpc->n_sets; s++)
			mpc->field.ops->sample(
			    &mpc->field, &mpc->sets[s], mpc_scratch(mpc, s), part);
		mpc->field.ops->combine(
		    &mpc->field, &to, 1, in, mpc->n_sets, mpc->tables->small_sets, part);
	}
}

/* Deal `n` random values of our own: those t + 1 after us derive, the others are sent
 * theirs; `own` takes our shares. */
static void deal_random(struct mpc *mpc, uint64_t *const *frames, uint64_t *own, size_t n)
{
	uint32_t m = mpc->n_parties, t = mpc->threshold;
	const uint64_t *in[NETWORK_PARTIES_MAX];
	uint64_t *out[NETWORK_PARTIES_MAX];

	for (uint32_t k = 1; k <= t + 1; k++)
		in[k - 1] = mpc_scratch(mpc, k - 1);
	for (size_t at = 0; at < n; at += mpc_block(mpc)) {
		size_t part = share_block_at(mpc, at, n);

		for (uint32_t k = 1; k <= t + 1; k++)
			mpc->field.ops->sample(&mpc->field,
			    &mpc->deal_to[(mpc->self + k) % m], mpc_scratch(mpc, k - 1),
			    part);
		for (uint32_t k = t + 2; k < m; k++)
			out[k - t - 2] =
			    frames[(mpc->self + k) % m] + at * mpc->field.limbs;
		out[m - t - 2] = own + at * mpc->field.limbs;
		mpc->field.ops->combine(&mpc->field, out, m - t - 1, in, t + 1,
		    mpc->tables->deal_random, part);
	}
}

/* m dealt vectors of `n` become m - t in rows of `n`; the last row may be cut short. */
static int extract(struct mpc *mpc, uint64_t *out, size_t n_out, const uint64_t *own,
    uint64_t *const *frames, size_t n, struct error *err)
{
	uint32_t m = mpc->n_parties, t = mpc->threshold, rows = m - t;
	const uint64_t *in[NETWORK_PARTIES_MAX];
	uint64_t *to[NETWORK_PARTIES_MAX];

	for (size_t at = 0; at < n; at += mpc_block(mpc)) {
		size_t part = share_block_at(mpc, at, n);

		for (uint32_t d = 0; d < m; d++) {
			if (d == mpc->self) {
				in[d] = own + at * mpc->field.limbs;
			} else if (tables_distance(m, d, mpc->self) > t + 1) {
				in[d] = frames[d] + at * mpc->field.limbs;
				if (mpc_check(mpc, d, in[d], part, err) < 0)
					return -EPROTO;
			} else {
				in[d] = mpc_scratch(mpc, d);
				mpc->field.ops->sample(&mpc->field, &mpc->deal_from[d],
				    mpc_scratch(mpc, d), part);
			}
		}
		for (uint32_t r = 0; r < rows; r++)
			to[r] = mpc_scratch(mpc, m + r);
		mpc->field.ops->combine(
		    &mpc->field, to, rows, in, m, mpc->tables->extract, part);
		for (uint32_t r = 0; r < rows; r++) {
			size_t begin = r * n + at;
			size_t kept = begin >= n_out         ? 0
				      : n_out - begin < part ? n_out - begin
							     : part;

			memcpy(out + begin * mpc->field.limbs, to[r],
			    field_bytes(&mpc->field, kept));
		}
	}
	return 0;
}

static int by_extraction(struct mpc *mpc, uint64_t *out, size_t n_out, struct error *err)
{
	uint32_t m = mpc->n_parties, t = mpc->threshold;
	size_t n = (n_out + m - t - 1) / (m - t), bytes = field_bytes(&mpc->field, n);
	uint64_t *out_frames[NETWORK_PARTIES_MAX], *in_frames[NETWORK_PARTIES_MAX];
	struct mpc_memory *mark = mpc_mark(mpc);
	uint64_t *own = mpc_vector(mpc, n);
	struct network_round round = {0};
	unsigned char *to, *from;
	int rc;

	if (own == NULL)
		return mpc_no_memory(err);
	rc = mpc_frames(mpc, m * bytes, m * bytes, &to, &from, err);
	for (uint32_t p = 0; p < m && rc == 0; p++) {
		out_frames[p] = (uint64_t *)(to + p * bytes);
		in_frames[p] = (uint64_t *)(from + p * bytes);
		round.out[p].base = out_frames[p];
		round.in[p].base = in_frames[p];
		if (tables_distance(m, mpc->self, p) > t + 1)
			round.out[p].len = bytes;
		if (tables_distance(m, p, mpc->self) > t + 1)
			round.in[p].len = bytes;
	}
	if (rc == 0) {
		deal_random(mpc, out_frames, own, n);
		rc = mpc_exchange(mpc, &round, err);
	}
	if (rc == 0)
		rc = extract(mpc, out, n_out, own, in_frames, n, err);
	mpc_release(mpc, mark);
	return rc;
}

int share_random(struct mpc *mpc, uint64_t *out, size_t n, struct error *err)
{
	if (mpc->n_parties > SHARE_PRSS_MAX)
		return by_extraction(mpc, out, n, err);
	share_random_from_sets(mpc, out, n);
	return 0;
}

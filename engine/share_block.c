/* SPDX-License-Identifier: MIT */
#include "engine/share_block.h"

#include "engine/tables.h"

#include <string.h>

const uint64_t *share_values(
    const struct mpc *mpc, const struct share_product *in, size_t at, size_t n)
{
	const uint64_t *x[FIELD_TERMS_MAX], *y[FIELD_TERMS_MAX];

	if (in->n_terms == 0)
		return share_of(mpc, in->x[0], at);
	for (unsigned t = 0; t < in->n_terms; t++) {
		x[t] = share_of(mpc, in->x[t], at);
		y[t] = share_of(mpc, in->y[t], at);
	}
	mpc->field.ops->mulsum(&mpc->field, mpc_scratch(mpc, 0), x, y, in->n_terms, n);
	return mpc_scratch(mpc, 0);
}

static void summand_block(struct mpc *mpc, uint64_t *out, const struct share_product *in,
    const uint64_t *plus, size_t at, size_t n)
{
	uint64_t coef[(NETWORK_PARTIES_MAX + 2) * FIELD_LIMBS_MAX];
	const uint64_t *row[NETWORK_PARTIES_MAX + 2];
	const struct field *f = &mpc->field;
	size_t one = field_bytes(f, 1);
	uint32_t n_rows = 0;

	memcpy(coef, share_of(mpc, mpc->tables->product, mpc->self), one);
	row[n_rows++] = share_values(mpc, in, at, n);
	if (plus != NULL) {
		memcpy(share_at(mpc, coef, n_rows), coef, one);
		row[n_rows++] = share_of(mpc, plus, at);
	}
	for (uint32_t p = 0; p < mpc->n_dealers; p++) {
		if (p == mpc->self)
			continue;
		f->ops->sample(f, &mpc->zero[p], mpc_scratch(mpc, p + 1), n);
		memcpy(share_at(mpc, coef, n_rows),
		    p < mpc->self ? mpc->tables->one : mpc->tables->minus_one, one);
		row[n_rows++] = mpc_scratch(mpc, p + 1);
	}
	f->ops->combine(f, &out, 1, row, n_rows, coef, n);
}

void share_summand(struct mpc *mpc, uint64_t *out, const struct share_product *in,
    const uint64_t *plus, size_t at, size_t n)
{
	for (size_t done = 0; done < n; done += mpc_block(mpc))
		summand_block(mpc, share_at(mpc, out, done), in, plus, at + done,
		    share_block_at(mpc, done, n));
}

int share_add_up(struct mpc *mpc, uint64_t *out, const uint64_t *const *in, size_t n,
    struct error *err)
{
	for (size_t at = 0; at < n; at += mpc_block(mpc)) {
		const uint64_t *block[NETWORK_PARTIES_MAX];
		size_t part = share_block_at(mpc, at, n);

		for (uint32_t p = 0; p < mpc->n_dealers; p++) {
			block[p] = share_of(mpc, in[p], at);
			if (mpc_check(mpc, p, block[p], part, err) < 0)
				return -EPROTO;
		}
		mpc->field.ops->sum(
		    &mpc->field, share_at(mpc, out, at), block, mpc->n_dealers, part);
	}
	return 0;
}

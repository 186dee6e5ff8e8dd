/* SPDX-License-Identifier: MIT */
#include "engine/compare_mask.h"

#include "engine/random_share.h"
#include "engine/share_block.h"
#include "engine/tables.h"

#include <string.h>

/* More would not fit what is computed in 64 bits. */
#define TOP_BITS_MAX 50u
/* x + 2^width + r mod 2^width spans less than 3 * 2^width. */
#define SPAN         3u

/* Parties whose summands make up the part of a mask above 2^width. */
static uint32_t summands(uint32_t m)
{
	uint32_t t = (m - 1) / 2, n = 0;

	if (m > SHARE_PRSS_MAX)
		return t + 1;
	for (uint32_t set = tables_first_set(m, t); set != 0;
	     set = tables_next_set(m, set))
		n++;
	return n;
}

/* Largest k with summands * 2^k + SPAN <= p / 2^width, at most TOP_BITS_MAX. */
static uint32_t top_bits(const struct field *f, uint32_t m, uint32_t width)
{
	uint32_t k = TOP_BITS_MAX;

	if (width >= f->bits)
		return 0;
	if (f->bits - width <= 60) {
		uint64_t room = f->p[width / 64] >> width % 64;

		if (width % 64 != 0 && width / 64 + 1 < f->limbs)
			room |= f->p[width / 64 + 1] << (64 - width % 64);
		while (k > 0 && ((uint64_t)summands(m) << k) + SPAN > room)
			k--;
	}
	return k;
}

uint32_t compare_security_bits(const struct field *f, uint32_t m, uint32_t width)
{
	struct compare_mask mask;

	if (compare_mask_shape(&mask, f, m, width, NULL) < 0)
		return 0;
	return mask.is_full ? (f->bits < 61 ? f->bits : 61) : mask.top_bits - 2;
}

struct compare_cost compare_cost(const struct field *f, uint32_t m, uint32_t width)
{
	struct compare_cost cost = {0};
	struct compare_mask mask;

	if (compare_mask_shape(&mask, f, m, width, NULL) < 0)
		return cost;
	cost.bits = mask.n_bits;
	cost.products_before = mask.n_bits / 2;
	cost.products = mask.plan.n_ops;
	cost.levels = mask.plan.n_levels;
	return cost;
}

int compare_mask_shape(struct compare_mask *mask, const struct field *f, uint32_t m,
    uint32_t width, struct error *err)
{
	memset(mask, 0, sizeof(*mask));
	mask->width = mask->n_bits = width;
	mask->top_bits = top_bits(f, m, width);
	if (width == 0 || width > 61)
		return error_set(
		    err, -EINVAL, "a comparison of %u bits: 1 to 61 are offered", width);
	if (mask->top_bits < COMPARE_SECURITY_MIN + 2) {
		mask->is_full = 1;
		mask->n_bits = f->bits;
		if (!field_is_mersenne(f) || width + 2 > f->bits || f->bits > 64)
			return error_set(err, -EINVAL,
			    "a field of %u bits is too small to compare numbers of %u "
			    "bits: take at least %u bits, or 61 (2^61-1)",
			    f->bits, width, width + COMPARE_SECURITY_MIN + 10);
	}
	mask->n_digits = (mask->n_bits + 1) / 2;
	compare_plan(&mask->plan, mask->n_digits + (uint32_t)mask->is_full);
	return 0;
}

/* Rows of n elements. */
static uint64_t *row(
    const struct mpc *mpc, const struct compare_mask *mask, uint64_t *vector, uint32_t r)
{
	return share_at(mpc, vector, r * mask->n);
}

/* Vectors of all masks. Their bits stand in one piece, for one batch: over0, the low bits
 * of digits, then over1, the high ones for now. */
static int draw_bits(
    struct mpc *mpc, struct compare_mask *masks, size_t n_masks, struct error *err)
{
	uint64_t *bits;
	size_t n = 0;

	for (size_t i = 0; i < n_masks; i++)
		n += masks[i].n * masks[i].n_bits;
	bits = mpc_vector(mpc, n);
	for (size_t i = 0; i < n_masks && bits != NULL; i++) {
		struct compare_mask *mask = &masks[i];
		size_t pairs = mask->n * (mask->n_bits / 2);

		mask->over0 = bits;
		mask->over1 = bits = share_at(mpc, bits, mask->n * mask->n_digits);
		bits = share_at(mpc, bits, pairs);
		mask->over2 = mpc_vector(mpc, pairs);
		mask->sum = mpc_vector(mpc, mask->n);
		mask->top = mask->lowest = mpc_vector(mpc, mask->n);
		mask->sign = mask->is_full ? mpc_vector(mpc, mask->n) : mask->top;
		if (mask->over2 == NULL || mask->sum == NULL || mask->top == NULL ||
		    mask->sign == NULL)
			bits = NULL;
	}
	if (bits == NULL)
		return mpc_no_memory(err);
	return share_random_bits(mpc, masks[0].over0, n, SHARE_BITS_BY_KINGS, err);
}

/* `bits` random bits as an element. */
static void small_values(
    const struct mpc *mpc, struct prg *prg, uint64_t *out, uint32_t bits, size_t n)
{
	for (size_t at = 0; at < n; at += mpc_block(mpc)) {
		int64_t drawn[MPC_BLOCK_WORDS];
		size_t part = share_block_at(mpc, at, n);

		prg_bytes(prg, drawn, part * sizeof(*drawn));
		for (size_t i = 0; i < part; i++)
			drawn[i] &= ((int64_t)1 << bits) - 1;
		mpc->field.ops->from_i64(
		    &mpc->field, share_at(mpc, out, at), drawn, part);
	}
}

static void tops_from_sets(struct mpc *mpc, const struct compare_mask *mask)
{
	const struct field *f = &mpc->field;

	memset(mask->top, 0, field_bytes(f, mask->n));
	for (uint32_t s = 0; s < mpc->n_sets; s++)
		for (size_t at = 0; at < mask->n; at += mpc_block(mpc)) {
			size_t part = share_block_at(mpc, at, mask->n);
			uint64_t *drawn = mpc_scratch(mpc, 0);
			uint64_t *top = share_at(mpc, mask->top, at);

			small_values(mpc, &mpc->sets[s], drawn, mask->top_bits, part);
			f->ops->scale(
			    f, drawn, drawn, share_of(mpc, mpc->tables->sets, s), part);
			f->ops->add(f, top, top, drawn, part);
		}
}

/* Parties 0 .. t deal summands: all masks in one round. */
static int deal_tops(
    struct mpc *mpc, struct compare_mask *masks, size_t n_masks, struct error *err)
{
	struct share_job jobs[(NETWORK_PARTIES_MAX / 2) * COMPARE_NEEDS_MAX];
	struct mpc_memory *mark = mpc_mark(mpc);
	size_t n_jobs = 0, job = 0;
	int rc;

	for (size_t i = 0; i < n_masks; i++)
		for (uint32_t d = 0; d <= mpc->threshold && !masks[i].is_full; d++) {
			uint64_t *part =
			    d == 0 ? masks[i].top : mpc_vector(mpc, masks[i].n);

			if (part == NULL)
				return mpc_no_memory(err);
			if (d == mpc->self)
				small_values(
				    mpc, &mpc->own, part, masks[i].top_bits, masks[i].n);
			jobs[n_jobs++] = share_job_deal(d, part, part, masks[i].n);
		}
	rc = share_round(mpc, jobs, n_jobs, err);
	for (size_t i = 0; i < n_masks && rc == 0; i++)
		for (uint32_t d = 0; d <= mpc->threshold && !masks[i].is_full; d++, job++)
			if (d > 0)
				mpc->field.ops->add(&mpc->field, masks[i].top,
				    masks[i].top, jobs[job].out, masks[i].n);
	mpc_release(mpc, mark);
	return rc;
}

/* sum = the bits at their places, and what is above them. */
static void add_up(struct mpc *mpc, const struct compare_mask *mask)
{
	const struct field *f = &mpc->field;
	uint64_t coef[(64 + 2) * FIELD_LIMBS_MAX];
	uint32_t n_in = mask->n_bits;

	for (uint32_t b = 0; b <= mask->n_bits; b++)
		field_fill(f, share_at(mpc, coef, b), (int64_t)1 << b, 1);
	for (size_t at = 0; at < mask->n; at += mpc_block(mpc)) {
		size_t part = share_block_at(mpc, at, mask->n);
		uint64_t *sum = share_at(mpc, mask->sum, at);
		const uint64_t *in[66];

		for (uint32_t b = 0; b < mask->n_bits; b++)
			in[b] = share_at(mpc,
			    row(mpc, mask, b % 2 == 0 ? mask->over0 : mask->over1, b / 2),
			    at);
		in[n_in] = share_of(mpc, mask->top, at);
		f->ops->combine(
		    f, &sum, 1, in, n_in + (uint32_t)!mask->is_full, coef, part);
		if (mask->is_full)
			continue;
		field_fill(f, mpc_scratch(mpc, 0), (int64_t)1 << mask->width, part);
		f->ops->add(f, sum, sum, mpc_scratch(mpc, 0), part);
	}
}

/* From the bits of digits to the values they exceed: 0 (either bit), 1 (the high one), 2
 * (both). */
static int pair_bits(
    struct mpc *mpc, struct compare_mask *masks, size_t n_masks, struct error *err)
{
	struct share_job jobs[COMPARE_NEEDS_MAX];
	const struct field *f = &mpc->field;
	int rc;

	jobs[0] = (struct share_job){.n = 0};
	for (size_t i = 0; i < n_masks; i++)
		jobs[i] = share_job_mul(SHARE_RESHARE, masks[i].over2, masks[i].over0,
		    masks[i].over1, masks[i].n * (masks[i].n_bits / 2));
	rc = share_multiply(mpc, jobs, n_masks, err);
	for (size_t i = 0; i < n_masks && rc == 0; i++) {
		const struct compare_mask *mask = &masks[i];

		f->ops->add(f, mask->over0, mask->over0, mask->over1, jobs[i].n);
		f->ops->sub(f, mask->over0, mask->over0, mask->over2, jobs[i].n);
	}
	return rc;
}

static void keep_lowest(struct mpc *mpc, const struct compare_mask *mask)
{
	const struct field *f = &mpc->field;

	memcpy(mask->lowest, mask->over0, field_bytes(f, mask->n));
	field_fill(f, mask->sign, 1, mask->n);
	f->ops->sub(f, mask->sign, mask->sign, mask->lowest, mask->n);
	f->ops->sub(f, mask->sign, mask->sign, mask->lowest, mask->n);
}

int compare_masks_make(
    struct mpc *mpc, struct compare_mask *masks, size_t n_masks, struct error *err)
{
	int rc, n_bounded = 0;

	if (n_masks == 0)
		return 0;
	for (size_t i = 0; i < n_masks; i++)
		n_bounded += !masks[i].is_full;
	rc = draw_bits(mpc, masks, n_masks, err);
	if (rc == 0 && mpc->n_parties > SHARE_PRSS_MAX && n_bounded > 0)
		rc = deal_tops(mpc, masks, n_masks, err);
	for (size_t i = 0; i < n_masks && rc == 0; i++) {
		if (masks[i].is_full)
			keep_lowest(mpc, &masks[i]);
		else if (mpc->n_parties <= SHARE_PRSS_MAX)
			tops_from_sets(mpc, &masks[i]);
		add_up(mpc, &masks[i]);
	}
	return rc < 0 ? rc : pair_bits(mpc, masks, n_masks, err);
}

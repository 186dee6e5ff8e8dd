/* SPDX-License-Identifier: MIT */
#include "engine/compare.h"

#include "engine/compare_mask.h"
#include "engine/random_share.h"
#include "engine/share_block.h"
#include "engine/tables.h"

#include <stdlib.h>
#include <string.h>

#define ALSO_MAX 8u

struct compare {
	struct mpc *mpc;
	size_t n_masks, next;
	struct compare_mask masks[COMPARE_NEEDS_MAX];
};

/* One call under way. */
struct call {
	struct mpc *mpc;
	const struct compare_mask *mask;
	size_t n;
	uint64_t *opened; /* c */
	uint64_t *low;    /* its bits that are compared, a word each */
	uint64_t *nodes[COMPARE_NODES_MAX];
};

int compare_create(struct compare **ret, struct mpc *mpc,
    const struct compare_need *needs, size_t n_needs, struct error *err)
{
	struct compare *compare;
	int rc = 0;

	if (n_needs > COMPARE_NEEDS_MAX)
		return error_set(err, -EINVAL, "%zu calls of comparisons: at most %u",
		    n_needs, COMPARE_NEEDS_MAX);
	compare = calloc(1, sizeof(*compare));
	if (compare == NULL)
		return mpc_no_memory(err);
	compare->mpc = mpc;
	compare->n_masks = n_needs;
	for (size_t i = 0; i < n_needs && rc == 0; i++) {
		rc = compare_mask_shape(
		    &compare->masks[i], &mpc->field, mpc->n_parties, needs[i].width, err);
		compare->masks[i].n = needs[i].n;
	}
	if (rc == 0)
		rc = compare_masks_make(mpc, compare->masks, n_needs, err);
	if (rc < 0)
		free(compare);
	else
		*ret = compare;
	return rc;
}

struct mpc *compare_mpc(const struct compare *compare)
{
	return compare->mpc;
}

struct compare_mask *compare_mask_of(struct compare *compare, size_t call)
{
	return &compare->masks[call];
}

void compare_destroy(struct compare *compare)
{
	free(compare);
}

/* x under its mask: x + sum, or 2x + sum if the mask is full. */
static void mask_values(struct call *call, const uint64_t *x)
{
	const struct field *f = &call->mpc->field;

	f->ops->add(f, call->opened, x, call->mask->sum, call->n);
	if (call->mask->is_full)
		f->ops->add(f, call->opened, call->opened, x, call->n);
}

static int open_masked(
    struct call *call, const struct share_job *also, size_t n_also, struct error *err)
{
	struct share_job jobs[ALSO_MAX + 1];

	if (n_also > ALSO_MAX)
		return error_set(err, -EINVAL, "%zu jobs beside a comparison: at most %u",
		    n_also, ALSO_MAX);
	if (n_also > 0)
		memcpy(jobs, also, n_also * sizeof(*jobs));
	jobs[n_also] = share_job(SHARE_OPEN_PRODUCT, call->opened, call->opened, call->n);
	return share_round(call->mpc, jobs, n_also + 1, err);
}

/* Words [0, 64) of c, and floor(c / 2^width) as an element in its place. */
static void split(struct call *call)
{
	const struct mpc *mpc = call->mpc;
	const struct field *f = &mpc->field;
	uint32_t width = call->mask->width, limbs = f->limbs;

	for (size_t at = 0; at < call->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, call->n);
		uint64_t *words = mpc_scratch(mpc, 0);
		uint64_t *c = share_at(mpc, call->opened, at);
		int64_t *above = (int64_t *)mpc_scratch(mpc, 1);

		f->ops->to_words(f, words, c, n);
		for (size_t i = 0; i < n; i++) {
			call->low[at + i] = words[i * limbs];
			above[i] = (int64_t)(words[i * limbs] >> width);
			if (limbs > 1)
				above[i] |=
				    (int64_t)(words[i * limbs + 1] << (63 - width) << 1);
		}
		if (!call->mask->is_full)
			f->ops->from_i64(f, c, above, n);
	}
}

/* Digit d of c, the same of r: is it less, are they equal? Both are sums of r's bits that
 * c chooses; c is public. */
static void leaves(struct call *call, uint32_t d, uint64_t *less, uint64_t *equal)
{
	const struct mpc *mpc = call->mpc;
	const struct compare_mask *mask = call->mask;
	static const uint64_t zero[FIELD_LIMBS_MAX];
	size_t limbs = mpc->field.limbs, first = d * mask->n * limbs;
	int has_pair = 2 * d + 1 < mask->n_bits;
	uint64_t digits = has_pair ? 3 : 1;
	/* What r's digit exceeds: -1 (always), 0, 1, 2, 3 (never); and steps from one
	 * comparison to the next. */
	const uint64_t *over[5] = {
	    mpc->tables->one, mask->over0 + first, zero, zero, zero};
	size_t step[5] = {0, limbs};

	if (has_pair) {
		over[2] = mask->over1 + first;
		over[3] = mask->over2 + first;
		step[2] = step[3] = limbs;
	}
	for (size_t i = 0; i < call->n; i++) {
		uint64_t digit = call->low[i] >> 2 * d & digits;
		const uint64_t *this = over[digit + 1] + i * step[digit + 1];
		const uint64_t *last = over[digit] + i * step[digit];

		for (size_t w = 0; w < limbs; w++) {
			less[i * limbs + w] = this[w];
			equal[i * limbs + w] = last[w];
		}
	}
	mpc->field.ops->sub(&mpc->field, equal, equal, less, call->n);
}

/* Nodes of the plan: highest digit first; above all of them the sign if the mask is full,
 * with nothing less. */
static int set_nodes(struct call *call, struct error *err)
{
	const struct compare_plan *plan = &call->mask->plan;
	uint32_t n_digits = call->mask->n_digits, full = (uint32_t)call->mask->is_full;

	for (uint32_t k = 2 * full; k < 2 * plan->n_digits + plan->n_ops; k++) {
		call->nodes[k] = mpc_vector(call->mpc, call->n);
		if (call->nodes[k] == NULL)
			return mpc_no_memory(err);
	}
	for (uint32_t d = 0; d < n_digits; d++) {
		uint32_t j = full + n_digits - 1 - d;

		leaves(call, d, call->nodes[2 * j], call->nodes[2 * j + 1]);
	}
	if (full == 1)
		call->nodes[1] = call->mask->sign;
	return 0;
}

static int run_level(struct call *call, uint32_t level, struct error *err)
{
	const struct compare_plan *plan = &call->mask->plan;
	struct share_job jobs[COMPARE_OPS_MAX];
	const uint64_t *plus[COMPARE_OPS_MAX];
	size_t n_jobs = 0;
	int rc;

	jobs[0] = (struct share_job){.n = 0};
	for (uint32_t k = 0; k < plan->n_ops; k++) {
		const struct compare_op *op = &plan->ops[k];
		struct share_job *job = &jobs[n_jobs];

		if (op->level != level)
			continue;
		plus[n_jobs++] = op->plus < 0 ? NULL : call->nodes[op->plus];
		*job = share_job(
		    SHARE_RESHARE, call->nodes[2 * plan->n_digits + k], NULL, call->n);
		job->in.n_terms = op->n_terms;
		for (uint32_t t = 0; t < op->n_terms; t++) {
			job->in.x[t] = call->nodes[op->x[t]];
			job->in.y[t] = call->nodes[op->y[t]];
		}
	}
	rc = share_multiply(call->mpc, jobs, n_jobs, err);
	for (size_t j = 0; j < n_jobs && rc == 0; j++)
		if (plus[j] != NULL)
			call->mpc->field.ops->add(&call->mpc->field, jobs[j].out,
			    jobs[j].out, plus[j], call->n);
	return rc;
}

/* floor(c / 2^width) - floor(r / 2^width) - less. */
static void finish_bounded(const struct call *call, uint64_t *bits, const uint64_t *less)
{
	const struct field *f = &call->mpc->field;

	f->ops->sub(f, bits, call->opened, call->mask->top, call->n);
	f->ops->sub(f, bits, bits, less, call->n);
}

/* The lowest bit of 2x is c_0 xor r_0 xor less; lowest + sign * less is r_0 xor less. */
static void finish_full(
    const struct call *call, uint64_t *bits, const uint64_t *signed_less)
{
	const struct mpc *mpc = call->mpc;
	const struct field *f = &mpc->field;

	f->ops->add(f, bits, call->mask->lowest, signed_less, call->n);
	for (size_t i = 0; i < call->n; i++)
		if ((call->low[i] & 1) == 0)
			f->ops->sub(f, share_at(mpc, bits, i), mpc->tables->one,
			    share_of(mpc, bits, i), 1);
}

static int nonneg(struct call *call, uint64_t *bits, const uint64_t *x,
    const struct share_job *also, size_t n_also, struct error *err)
{
	const struct compare_plan *plan = &call->mask->plan;
	int rc;

	call->opened = mpc_vector(call->mpc, call->n);
	call->low = mpc_vector(call->mpc, call->n);
	if (call->opened == NULL || call->low == NULL)
		return mpc_no_memory(err);
	mask_values(call, x);
	rc = open_masked(call, also, n_also, err);
	if (rc < 0)
		return rc;
	split(call);
	rc = set_nodes(call, err);
	for (uint32_t level = 1; level <= plan->n_levels && rc == 0; level++)
		rc = run_level(call, level, err);
	if (rc < 0)
		return rc;
	if (call->mask->is_full)
		finish_full(call, bits, call->nodes[plan->result]);
	else
		finish_bounded(call, bits, call->nodes[plan->result]);
	return 0;
}

int compare_nonneg(struct compare *compare, uint64_t *bits, const uint64_t *x, size_t n,
    const struct share_job *also, size_t n_also, struct error *err)
{
	struct mpc_memory *mark = mpc_mark(compare->mpc);
	struct call call = {.mpc = compare->mpc, .n = n};
	int rc;

	if (compare->next == compare->n_masks || compare->masks[compare->next].n != n)
		return error_set(err, -EINVAL,
		    "call %zu compares %zu numbers: not what was announced",
		    compare->next, n);
	call.mask = &compare->masks[compare->next++];
	rc = nonneg(&call, bits, x, also, n_also, err);
	mpc_release(compare->mpc, mark);
	return rc;
}

int compare_max(
    struct compare *compare, uint64_t *larger, uint64_t *z, size_t n, struct error *err)
{
	struct mpc *mpc = compare->mpc;
	const struct field *f = &mpc->field;
	struct mpc_memory *mark = mpc_mark(mpc);
	struct share_job reshare = share_job(SHARE_RESHARE, z, z, 2 * n);
	uint64_t *bits = mpc_vector(mpc, n), *other = share_at(mpc, z, n);
	int rc;

	if (bits == NULL)
		return mpc_no_memory(err);
	f->ops->sub(f, larger, z, other, n);
	rc = compare_nonneg(compare, bits, larger, n, &reshare, 1, err);
	if (rc == 0) {
		f->ops->sub(f, larger, z, other, n);
		field_mul(f, larger, larger, bits, n);
		f->ops->add(f, larger, larger, other, n);
	}
	mpc_release(mpc, mark);
	return rc;
}

int compare_relu(
    struct compare *compare, uint64_t *positive, uint64_t *z, size_t n, struct error *err)
{
	struct mpc *mpc = compare->mpc;
	struct mpc_memory *mark = mpc_mark(mpc);
	struct share_job reshare = share_job(SHARE_RESHARE, z, z, n);
	uint64_t *bits = mpc_vector(mpc, n);
	int rc;

	if (bits == NULL)
		return mpc_no_memory(err);
	memcpy(positive, z, field_bytes(&mpc->field, n));
	rc = compare_nonneg(compare, bits, positive, n, &reshare, 1, err);
	if (rc == 0)
		field_mul(&mpc->field, positive, z, bits, n);
	mpc_release(mpc, mark);
	return rc;
}

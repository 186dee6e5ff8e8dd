/* SPDX-License-Identifier: MIT */
#include "engine/share.h"

#include "engine/share_block.h"
#include "engine/share_king.h"
#include "engine/tables.h"

#include <string.h>

/* A round under way. Frames hold the segments of all jobs, in order. */
struct run {
	struct mpc *mpc;
	const struct share_job *jobs;
	size_t n_jobs;
	struct network_round round;
	int is_shared; /* openings only: all peers get the same frame */
	uint64_t *out[NETWORK_PARTIES_MAX]; /* where the next segment goes */
	const uint64_t *in[NETWORK_PARTIES_MAX];
	const uint64_t
	    *sent;        /* what we sent all peers alike: the next opening's segment */
	uint64_t *direct; /* where a lone deal is received */
};

/* The peer whose frame `sent` reads. */
static uint32_t first_peer(const struct mpc *mpc)
{
	return mpc->self == 0 ? 1 : 0;
}

static int deals_in(const struct mpc *mpc, const struct share_job *job, uint32_t party)
{
	if (job->kind == SHARE_DEAL)
		return job->dealer == party;
	return job->kind == SHARE_RESHARE && mpc->threshold > 0 && party < mpc->n_dealers;
}

static int opens_in(const struct mpc *mpc, const struct share_job *job, uint32_t party)
{
	if (mpc->threshold == 0)
		return 0;
	return job->kind == SHARE_OPEN ||
	       (job->kind == SHARE_OPEN_PRODUCT && party < mpc->n_dealers);
}

/* Whether `from` sends `to` a segment of this job. */
static int sends(
    const struct mpc *mpc, const struct share_job *job, uint32_t from, uint32_t to)
{
	if (from == to)
		return 0;
	return opens_in(mpc, job, from) ||
	       (deals_in(mpc, job, from) &&
		   tables_distance(mpc->n_parties, from, to) > mpc->threshold);
}

/* Deal: derived shares come from keys, the others and our own are on the polynomial. */
static void deal(struct run *run, const struct share_job *job)
{
	struct mpc *mpc = run->mpc;
	uint32_t m = mpc->n_parties, t = mpc->threshold;
	const uint64_t *coef =
	    job->kind == SHARE_DEAL ? mpc->tables->deal : mpc->tables->reshare;

	for (size_t at = 0; at < job->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, job->n);
		const uint64_t *in[NETWORK_PARTIES_MAX];
		uint64_t *out[NETWORK_PARTIES_MAX];

		in[0] = share_values(mpc, &job->in, at, n);
		for (uint32_t k = 1; k <= t; k++) {
			in[k] = mpc_scratch(mpc, k);
			mpc->field.ops->sample(&mpc->field,
			    &mpc->deal_to[(mpc->self + k) % m], mpc_scratch(mpc, k), n);
		}
		for (uint32_t k = t + 1; k < m; k++)
			out[k - t - 1] = share_at(mpc, run->out[(mpc->self + k) % m], at);
		out[m - t - 1] = share_at(mpc, job->out, at);
		mpc->field.ops->combine(&mpc->field, out, m - t, in, t + 1, coef, n);
	}
}

/* Nothing to deal: our share is the sum of what others deal, or with t = 0 the value. */
static void start_reshare(struct run *run, const struct share_job *job)
{
	struct mpc *mpc = run->mpc;

	for (size_t at = 0; at < job->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, job->n);

		if (mpc->threshold > 0)
			memset(
			    share_at(mpc, job->out, at), 0, field_bytes(&mpc->field, n));
		else
			memmove(share_at(mpc, job->out, at),
			    share_values(mpc, &job->in, at, n),
			    field_bytes(&mpc->field, n));
	}
}

/* An opening's segment: made once, copied where frames are not shared. */
static void open_out(struct run *run, const struct share_job *job)
{
	struct mpc *mpc = run->mpc;
	uint32_t first = first_peer(mpc);
	uint64_t *segment = run->out[first];

	if (job->kind == SHARE_OPEN)
		memcpy(segment, job->in.x[0], field_bytes(&mpc->field, job->n));
	else
		share_summand(mpc, segment, &job->in, NULL, 0, job->n);
	for (uint32_t p = first + 1; p < mpc->n_parties && !run->is_shared; p++)
		if (p != mpc->self)
			memcpy(run->out[p], segment, field_bytes(&mpc->field, job->n));
}

static void job_out(struct run *run, const struct share_job *job)
{
	struct mpc *mpc = run->mpc;

	if (deals_in(mpc, job, mpc->self))
		deal(run, job);
	else if (job->kind == SHARE_RESHARE)
		start_reshare(run, job);
	if (opens_in(mpc, job, mpc->self))
		open_out(run, job);
	for (uint32_t p = 0; p < mpc->n_parties; p++)
		if (sends(mpc, job, mpc->self, p))
			run->out[p] = share_at(mpc, run->out[p], job->n);
}

/* Sum of what all dealers deal: derived, received, and what we dealt ourselves. */
static int reshare_in(struct run *run, const struct share_job *job, struct error *err)
{
	struct mpc *mpc = run->mpc;
	const struct field *f = &mpc->field;

	for (size_t at = 0; at < job->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, job->n);
		const uint64_t *in[NETWORK_PARTIES_MAX];
		uint32_t n_in = 1;

		in[0] = share_at(mpc, job->out, at);
		for (uint32_t d = 0; d < mpc->n_dealers; d++) {
			if (d == mpc->self)
				continue;
			if (sends(mpc, job, d, mpc->self)) {
				in[n_in] = share_of(mpc, run->in[d], at);
				if (mpc_check(mpc, d, in[n_in], n, err) < 0)
					return -EPROTO;
			} else {
				in[n_in] = mpc_scratch(mpc, n_in);
				f->ops->sample(
				    f, &mpc->deal_from[d], mpc_scratch(mpc, n_in), n);
			}
			n_in++;
		}
		f->ops->sum(f, share_at(mpc, job->out, at), in, n_in, n);
	}
	return 0;
}

static int deal_in(struct run *run, const struct share_job *job, struct error *err)
{
	struct mpc *mpc = run->mpc;

	if (job->dealer == mpc->self)
		return 0;
	if (sends(mpc, job, job->dealer, mpc->self)) {
		if (run->direct == NULL)
			memcpy(job->out, run->in[job->dealer],
			    field_bytes(&mpc->field, job->n));
		return mpc_check(mpc, job->dealer, job->out, job->n, err);
	}
	for (size_t at = 0; at < job->n; at += mpc_block(mpc))
		mpc->field.ops->sample(&mpc->field, &mpc->deal_from[job->dealer],
		    share_at(mpc, job->out, at), share_block_at(mpc, at, job->n));
	return 0;
}

/* Interpolate at 0 from our share and the first t that arrived. */
static int open_in(struct run *run, const struct share_job *job, struct error *err)
{
	struct mpc *mpc = run->mpc;
	const uint64_t *in[NETWORK_PARTIES_MAX], *coef;
	uint32_t chosen = 1u << mpc->self, n_in = 0;

	for (uint32_t p = 0; p < mpc->n_parties; p++)
		if ((run->round.arrived >> p & 1) == 1 &&
		    (uint32_t)__builtin_popcount(chosen) <= mpc->threshold)
			chosen |= 1u << p;
	for (uint32_t p = 0; p < mpc->n_parties; p++) {
		if ((chosen >> p & 1) == 0)
			continue;
		in[n_in] = p == mpc->self ? job->in.x[0] : run->in[p];
		if (mpc_check(mpc, p, in[n_in++], job->n, err) < 0)
			return -EPROTO;
	}
	coef = tables_open(mpc->tables, &mpc->field, chosen);
	mpc->field.ops->combine(&mpc->field, &job->out, 1, in, n_in, coef, job->n);
	return 0;
}

static int open_product_in(
    struct run *run, const struct share_job *job, struct error *err)
{
	const struct mpc *mpc = run->mpc;
	const uint64_t *in[NETWORK_PARTIES_MAX];

	for (uint32_t p = 0; p < mpc->n_dealers; p++)
		in[p] = p == mpc->self ? run->sent : run->in[p];
	return share_add_up(run->mpc, job->out, in, job->n, err);
}

/* With t = 0 our share is the value. */
static void open_alone(struct run *run, const struct share_job *job)
{
	struct mpc *mpc = run->mpc;

	for (size_t at = 0; at < job->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, job->n);

		memmove(share_at(mpc, job->out, at), share_values(mpc, &job->in, at, n),
		    field_bytes(&mpc->field, n));
	}
}

static int job_in(struct run *run, const struct share_job *job, struct error *err)
{
	struct mpc *mpc = run->mpc;
	int rc = 0;

	if (job->kind == SHARE_DEAL)
		rc = deal_in(run, job, err);
	else if (job->kind == SHARE_RESHARE)
		rc = mpc->threshold > 0 ? reshare_in(run, job, err) : 0;
	else if (mpc->threshold == 0)
		open_alone(run, job);
	else if (job->kind == SHARE_OPEN)
		rc = open_in(run, job, err);
	else
		rc = open_product_in(run, job, err);
	for (uint32_t p = 0; p < mpc->n_parties; p++)
		if (sends(mpc, job, p, mpc->self))
			run->in[p] = share_of(mpc, run->in[p], job->n);
	if (mpc->n_parties > 1 && sends(mpc, job, mpc->self, first_peer(mpc)))
		run->sent = share_of(mpc, run->sent, job->n);
	return rc;
}

/* Lengths of all frames, and how many of them the round needs. */
static void measure(struct run *run)
{
	struct mpc *mpc = run->mpc;
	int opens_only = 1;

	run->is_shared = 1;
	for (size_t j = 0; j < run->n_jobs; j++) {
		const struct share_job *job = &run->jobs[j];
		size_t bytes = field_bytes(&mpc->field, job->n);

		for (uint32_t p = 0; p < mpc->n_parties; p++) {
			if (sends(mpc, job, mpc->self, p))
				run->round.out[p].len += bytes;
			if (sends(mpc, job, p, mpc->self))
				run->round.in[p].len += bytes;
		}
		run->is_shared &=
		    job->kind == SHARE_OPEN || job->kind == SHARE_OPEN_PRODUCT;
		opens_only &= job->kind == SHARE_OPEN;
	}
	run->round.needed = opens_only ? mpc->threshold : 0;
}

static int place_frames(struct run *run, struct error *err)
{
	struct mpc *mpc = run->mpc;
	size_t out_bytes = 0, in_bytes = 0;
	unsigned char *out, *in;
	int rc;

	if (run->n_jobs == 1 && run->jobs[0].kind == SHARE_DEAL)
		run->direct = run->jobs[0].out;
	for (uint32_t p = 0; p < mpc->n_parties; p++) {
		size_t len = run->round.out[p].len;

		out_bytes = run->is_shared ? (len > out_bytes ? len : out_bytes)
					   : out_bytes + len;
		in_bytes += run->direct == NULL ? run->round.in[p].len : 0;
	}
	rc = mpc_frames(mpc, out_bytes, in_bytes, &out, &in, err);
	if (rc < 0)
		return rc;
	for (uint32_t p = 0; p < mpc->n_parties; p++) {
		run->round.out[p].base = out;
		run->out[p] = (uint64_t *)out;
		if (mpc->n_parties > 1 && p == first_peer(mpc))
			run->sent = run->out[p];
		out += run->is_shared ? 0 : run->round.out[p].len;
		run->round.in[p].base = run->direct == NULL ? in : (void *)run->direct;
		run->in[p] = run->round.in[p].base;
		in += run->direct == NULL ? run->round.in[p].len : 0;
	}
	return 0;
}

int share_round(
    struct mpc *mpc, const struct share_job *jobs, size_t n_jobs, struct error *err)
{
	struct run run = {.mpc = mpc, .jobs = jobs, .n_jobs = n_jobs};
	int rc;

	measure(&run);
	rc = place_frames(&run, err);
	if (rc < 0)
		return rc;
	for (size_t j = 0; j < n_jobs; j++)
		job_out(&run, &jobs[j]);
	rc = mpc_exchange(mpc, &run.round, err);
	for (size_t j = 0; j < n_jobs && rc == 0; j++)
		rc = job_in(&run, &jobs[j], err);
	return rc;
}

int share_multiply(
    struct mpc *mpc, const struct share_job *jobs, size_t n_jobs, struct error *err)
{
	size_t n = 0;

	for (size_t j = 0; j < n_jobs; j++)
		n += jobs[j].n;
	if (share_goes_by_kings(mpc->n_parties, n))
		return share_king_round(mpc, jobs, n_jobs, err);
	return share_round(mpc, jobs, n_jobs, err);
}

int share_input(struct mpc *mpc, uint32_t dealer, uint64_t *out, const uint64_t *clear,
    size_t n, struct error *err)
{
	struct share_job job = share_job_deal(dealer, out, clear, n);

	return share_round(mpc, &job, 1, err);
}

int share_reshare(
    struct mpc *mpc, uint64_t *out, const uint64_t *products, size_t n, struct error *err)
{
	struct share_job job = share_job(SHARE_RESHARE, out, products, n);

	return share_multiply(mpc, &job, 1, err);
}

int share_open(
    struct mpc *mpc, uint64_t *out, const uint64_t *shares, size_t n, struct error *err)
{
	struct share_job job = share_job(SHARE_OPEN, out, shares, n);

	return share_round(mpc, &job, 1, err);
}

int share_open_product(
    struct mpc *mpc, uint64_t *out, const uint64_t *products, size_t n, struct error *err)
{
	struct share_job job = share_job(SHARE_OPEN_PRODUCT, out, products, n);

	return share_round(mpc, &job, 1, err);
}

int share_mul(struct mpc *mpc, uint64_t *out, const uint64_t *x, const uint64_t *y,
    size_t n, struct error *err)
{
	struct share_job job = share_job_mul(SHARE_RESHARE, out, x, y, n);

	return share_multiply(mpc, &job, 1, err);
}

void share_dots(const struct mpc *mpc, uint64_t *out, const uint64_t *a, size_t rows,
    const uint64_t *b, size_t cols, size_t inner)
{
	size_t limbs = mpc->field.limbs;

	for (size_t c = 0; c < cols; c++)
		mpc->field.ops->dots(&mpc->field, out + c * rows * limbs, 1, a, rows,
		    b + c * inner * limbs, inner);
}

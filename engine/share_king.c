/* SPDX-License-Identifier: MIT */
#include "engine/share_king.h"

#include "engine/random_share.h"
#include "engine/share_block.h"
#include "engine/tables.h"

#include <string.h>

/* Frames of all parties in one piece of memory, king p's part to and from p. */
static int gather_frames(
    struct mpc *mpc, struct network_round *round, size_t n, struct error *err)
{
	size_t own = field_bytes(&mpc->field, share_king_part(mpc, n, mpc->self));
	size_t all = field_bytes(&mpc->field, n);
	unsigned char *out, *in;
	int rc = mpc_frames(mpc, all, mpc->n_dealers * own, &out, &in, err);

	for (uint32_t p = 0; p < mpc->n_parties && rc == 0; p++) {
		size_t part = field_bytes(&mpc->field, share_king_part(mpc, n, p));

		round->out[p].base = out;
		out += part;
		if (p != mpc->self && mpc->self < mpc->n_dealers)
			round->out[p].len = part;
		if (p >= mpc->n_dealers)
			continue;
		round->in[p].base = in;
		in += own;
		if (p != mpc->self)
			round->in[p].len = own;
	}
	return rc;
}

/* Our summands of values [begin, begin + n) of all jobs laid end to end. */
static void summands(struct mpc *mpc, uint64_t *out, const struct share_job *jobs,
    const uint64_t *mask, size_t begin, size_t n)
{
	size_t base = 0;

	for (size_t done = 0; done < n; base += jobs++->n) {
		size_t at = begin + done - base, left = n - done, part;

		if (at >= jobs->n)
			continue;
		part = jobs->n - at < left ? jobs->n - at : left;
		share_summand(mpc, share_at(mpc, out, done), &jobs->in,
		    mask == NULL ? NULL : share_of(mpc, mask, base), at, part);
		done += part;
	}
}

static size_t total(const struct share_job *jobs, size_t n_jobs)
{
	size_t n = 0;

	for (size_t j = 0; j < n_jobs; j++)
		n += jobs[j].n;
	return n;
}

int share_king_gather(struct mpc *mpc, uint64_t *sums, const struct share_job *jobs,
    size_t n_jobs, const uint64_t *mask, struct error *err)
{
	size_t n = total(jobs, n_jobs);
	const uint64_t *in[NETWORK_PARTIES_MAX];
	struct network_round round = {0};
	int rc = gather_frames(mpc, &round, n, err);

	if (rc < 0)
		return rc;
	for (uint32_t k = 0; k < mpc->n_parties && mpc->self < mpc->n_dealers; k++)
		summands(mpc, (uint64_t *)round.out[k].base, jobs, mask,
		    share_king_begin(mpc, n, k), share_king_part(mpc, n, k));
	rc = mpc_exchange(mpc, &round, err);
	if (rc < 0)
		return rc;
	for (uint32_t p = 0; p < mpc->n_dealers; p++)
		in[p] = p == mpc->self ? round.out[p].base : round.in[p].base;
	return share_add_up(mpc, sums, in, share_king_part(mpc, n, mpc->self), err);
}

int share_king_scatter(struct mpc *mpc, uint64_t *out, const uint64_t *part, size_t n,
    uint32_t silent, struct error *err)
{
	size_t own = share_king_part(mpc, n, mpc->self);
	uint32_t m = mpc->n_parties;
	struct network_round round = {0};
	unsigned char *frame, *unused;
	int rc = mpc_frames(mpc, field_bytes(&mpc->field, own), 0, &frame, &unused, err);

	if (rc < 0)
		return rc;
	if (own > 0)
		memcpy(frame, part, field_bytes(&mpc->field, own));
	for (uint32_t p = 0; p < m; p++) {
		uint64_t *place = share_at(mpc, out, share_king_begin(mpc, n, p));

		round.out[p].base = frame;
		round.in[p].base = place;
		if (tables_distance(m, mpc->self, p) > silent)
			round.out[p].len = field_bytes(&mpc->field, own);
		if (tables_distance(m, p, mpc->self) > silent)
			round.in[p].len =
			    field_bytes(&mpc->field, share_king_part(mpc, n, p));
	}
	rc = mpc_exchange(mpc, &round, err);
	if (rc < 0)
		return rc;
	if (own > 0)
		memcpy(share_at(mpc, out, share_king_begin(mpc, n, mpc->self)), part,
		    field_bytes(&mpc->field, own));
	for (uint32_t p = 0; p < m && rc == 0; p++)
		if (round.in[p].len > 0)
			rc = mpc_check(
			    mpc, p, round.in[p].base, share_king_part(mpc, n, p), err);
	return rc;
}

/* out = our share of n values d that king k dealt, less r. */
static void unmask(struct mpc *mpc, uint64_t *out, const uint64_t *d, const uint64_t *r,
    uint32_t king, size_t n)
{
	uint32_t distance = tables_distance(mpc->n_parties, king, mpc->self);
	int is_silent = distance >= 1 && distance <= mpc->threshold;
	const struct field *f = &mpc->field;
	uint64_t coef[2 * FIELD_LIMBS_MAX];
	const uint64_t *in[] = {r, d};

	memcpy(coef, mpc->tables->minus_one, field_bytes(f, 1));
	memcpy(share_at(mpc, coef, 1), share_of(mpc, mpc->tables->king, king),
	    field_bytes(f, 1));
	f->ops->combine(f, &out, 1, in, 2 - (unsigned)is_silent, coef, n);
}

static void unmask_job(struct mpc *mpc, const struct share_job *job, const uint64_t *d,
    const uint64_t *r, size_t base, size_t n)
{
	for (uint32_t k = 0; k < mpc->n_parties; k++) {
		size_t begin = share_king_begin(mpc, n, k);
		size_t end = share_king_begin(mpc, n, k + 1);

		begin = begin > base ? begin : base;
		end = end < base + job->n ? end : base + job->n;
		if (begin < end)
			unmask(mpc, share_at(mpc, job->out, begin - base),
			    share_of(mpc, d, begin), share_of(mpc, r, begin), k,
			    end - begin);
	}
}

int share_king_round(
    struct mpc *mpc, const struct share_job *jobs, size_t n_jobs, struct error *err)
{
	struct mpc_memory *mark = mpc_mark(mpc);
	size_t n = total(jobs, n_jobs), base = 0;
	uint64_t *r = mpc_vector(mpc, n), *d = mpc_vector(mpc, n);
	uint64_t *part = mpc_vector(mpc, share_king_part(mpc, n, mpc->self));
	int rc = r == NULL || d == NULL || part == NULL ? mpc_no_memory(err) : 0;

	if (rc == 0)
		rc = share_random(mpc, r, n, err);
	if (rc == 0)
		rc = share_king_gather(mpc, part, jobs, n_jobs, r, err);
	if (rc == 0)
		rc = share_king_scatter(mpc, d, part, n, mpc->threshold, err);
	for (size_t j = 0; j < n_jobs && rc == 0; base += jobs[j++].n)
		unmask_job(mpc, &jobs[j], d, r, base, n);
	mpc_release(mpc, mark);
	return rc;
}

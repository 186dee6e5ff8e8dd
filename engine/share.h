/* SPDX-License-Identifier: MIT */
/*
 * Computing on shares. A vector of shares holds this party's points of n sharings; local
 * (free) operations are those of the field: sums, differences, products with constants.
 * A product of two sharings of degree t is one of degree 2t ("unreduced"): it can be
 * added up and opened, but must be reshared before it is multiplied again.
 *
 * share_round() does any number of jobs in one dependent exchange. Elements sent by all
 * parties for one value of a job, with t = floor((m - 1) / 2):
 *
 *   SHARE_DEAL          m - 1 - t        a dealer shares a value of its own
 *   SHARE_RESHARE       (2t+1)(m-1-t)    an unreduced product becomes a fresh sharing
 *   SHARE_OPEN          m (m - 1)        all learn a value of degree t
 *   SHARE_OPEN_PRODUCT  (2t + 1)(m - 1)  all learn an unreduced product and nothing else
 *
 * and with t = 0 (m = 1, 2) nothing but for SHARE_DEAL: all parties hold all values.
 *
 * Sources.
 *   Deal: Shamir, CACM 22 (1979); the t parties after the dealer derive their shares from
 *   a key they have in common with it (CDI05, section 3, used with sets of two parties).
 *   Reshare: Gennaro, Rabin, Rabin: Simplified VSS and fast-track multiparty
 *   computations, PODC 1998, section 3, with the first 2t + 1 parties as the dealers.
 *   Open: a round of jobs of this kind alone ends with the first t shares that arrive.
 *   Open product: each of the 2t + 1 adds a summand of zero from keys of pairs to its weighted
 *   share, so that the receivers see summands of the value that are uniform but for their
 *   sum (pairwise zeros as in Ben-Or, Goldwasser, Wigderson, STOC 1988, made without
 *   interaction as in CDI05, section 4).
 */
#ifndef ENGINE_SHARE_H
#define ENGINE_SHARE_H

#include "engine/mpc.h"

enum share_kind {
	SHARE_DEAL,
	SHARE_RESHARE,
	SHARE_OPEN,
	SHARE_OPEN_PRODUCT,
};

/* n values x[0][i] y[0][i] + x[1][i] y[1][i] + ..., of degree 2t, made as they are used;
 * n_terms = 0: x[0] holds the values themselves (any degree up to 2t). */
struct share_product {
	const uint64_t *x[FIELD_TERMS_MAX], *y[FIELD_TERMS_MAX];
	unsigned n_terms;
};

struct share_job {
	enum share_kind kind;
	uint32_t dealer; /* of SHARE_DEAL */
	size_t n;
	/* Shares, or the values opened. May be an input of the same job, at the same
	 * place; not of another job of the round. */
	uint64_t *out;
	/* SHARE_DEAL: the dealer's values; NULL at the others. SHARE_OPEN: the shares. */
	struct share_product in;
};

/* All jobs in one exchange; every party gives the same jobs in the same order. */
int share_round(
    struct mpc *mpc, const struct share_job *jobs, size_t n_jobs, struct error *err);

static inline struct share_job share_job(
    enum share_kind kind, uint64_t *out, const uint64_t *in, size_t n)
{
	struct share_job job = {.kind = kind, .n = n, .out = out};

	job.in.x[0] = in;
	return job;
}

static inline struct share_job share_job_deal(
    uint32_t dealer, uint64_t *out, const uint64_t *clear, size_t n)
{
	struct share_job job = share_job(SHARE_DEAL, out, clear, n);

	job.dealer = dealer;
	return job;
}

/* kind: SHARE_RESHARE or SHARE_OPEN_PRODUCT of x * y. */
static inline struct share_job share_job_mul(
    enum share_kind kind, uint64_t *out, const uint64_t *x, const uint64_t *y, size_t n)
{
	struct share_job job = share_job(kind, out, x, n);

	job.in.y[0] = y;
	job.in.n_terms = 1;
	return job;
}

/* One job, one round. `clear` is read at the dealer only. */
int share_input(struct mpc *mpc, uint32_t dealer, uint64_t *out, const uint64_t *clear,
    size_t n, struct error *err);
int share_reshare(struct mpc *mpc, uint64_t *out, const uint64_t *products, size_t n,
    struct error *err);
int share_open(
    struct mpc *mpc, uint64_t *out, const uint64_t *shares, size_t n, struct error *err);
int share_open_product(struct mpc *mpc, uint64_t *out, const uint64_t *products, size_t n,
    struct error *err);

/* Jobs of kind SHARE_RESHARE only, by whichever protocol suits their number:
 * share_round(), or from SHARE_KING_MIN values on and with m >= 5 share_king_round()
 * (share_king.h): two rounds, fewer elements. */
#define SHARE_KING_MIN 65536u
static inline int share_goes_by_kings(uint32_t n_parties, size_t n)
{
	return n_parties >= 5 && n >= SHARE_KING_MIN;
}

int share_multiply(
    struct mpc *mpc, const struct share_job *jobs, size_t n_jobs, struct error *err);
/* out = x * y, values in between may be dropped: out may be x or y. */
int share_mul(struct mpc *mpc, uint64_t *out, const uint64_t *x, const uint64_t *y,
    size_t n, struct error *err);

/* Local: unreduced dot products of rows, as field's dots(): for each of `cols` vectors
 * b + c * inner, out[c * rows + r] = <a + r * inner, b + c * inner>. Reshare them. */
void share_dots(const struct mpc *mpc, uint64_t *out, const uint64_t *a, size_t rows,
    const uint64_t *b, size_t cols, size_t inner);

#endif

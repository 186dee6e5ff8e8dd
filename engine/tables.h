/* SPDX-License-Identifier: MIT */
/*
 * Public constants of sharing: what Lagrange's formula and Vandermonde's matrix give for
 * the points 1 .. m. Party i stands at i + 1, the secret at 0.
 *
 * A dealer d lets the t parties after it (d + 1, ..., d + t, modulo m) derive their
 * shares from keys; the m - 1 - t others get theirs by message. A dealer of a random
 * value lets t + 1 derive, which settles the polynomial.
 */
#ifndef ENGINE_TABLES_H
#define ENGINE_TABLES_H

#include "engine/field.h"
#include "engine/network.h"

struct mpc_tables {
	uint32_t m, t, self;
	/* Product of degree 2t at 0 from parties 0 .. 2t. */
	uint64_t *product; /* [2t + 1] */
	/* Shares dealt by self. Columns: the secret, shares t1 .. t of those who derive.
	 * Rows: those who get messages in order d + t + 1 .. d + m - 1, then self. */
	uint64_t *deal; /* [m - t][t + 1] */
	/* The same, the secret's column times product[self]; 0 if self is no dealer. */
	uint64_t *reshare;
	/* Columns: t + 1 who derive. Rows: d + t + 2 .. d + m - 1, self. No rows but
	 * self's for m <= t + 2. */
	uint64_t *deal_random; /* [m - t - 1][t + 1] */
	/* Weight of each set's key in self's share (CDI05), in the order of masks: of the
	 * polynomial of degree t that is 0 outside the set and 1 at 0 ... */
	uint64_t *sets;
	/* ... or some other small integer there, which will do where the sum is uniform
	 * anyway, and costs less. */
	uint64_t *small_sets;
	/* Vandermonde rows: m dealt values to m - t that no t dealers know. */
	uint64_t *extract; /* [m - t][m] */
	/* Share of party self when king k deals d with 0 for the t after it: d times
	 * this. 0 for those t. */
	uint64_t *king; /* [m] */
	/* 1, 1/2, -1. */
	uint64_t *one, *half, *minus_one;
	/* Of the last set of shares opened. */
	uint64_t *open; /* [t + 1] */
	uint32_t open_set;
	uint64_t *memory;
};

int tables_create(struct mpc_tables **ret, const struct field *f, uint32_t m, uint32_t t,
    uint32_t self, struct error *err);
void tables_destroy(struct mpc_tables *tables);

/* Weights of the shares of the parties of `set`, in their order, in the secret. Valid
 * until the next call. */
const uint64_t *tables_open(
    struct mpc_tables *tables, const struct field *f, uint32_t set);

/* out[i] = weight of the value at points[i] when the polynomial of degree n - 1 through
 * all n points is evaluated at `at`. Points are small integers, n <= NETWORK_PARTIES_MAX.
 */
void tables_lagrange(const struct field *f, uint64_t *out, const uint32_t *points,
    uint32_t n, uint32_t at);

/* Sets of m - t parties in increasing order of their masks: the first, the next, 0 at the
 * end. */
uint32_t tables_first_set(uint32_t m, uint32_t t);
uint32_t tables_next_set(uint32_t m, uint32_t set);

/* How far p is after d: 1 .. m - 1 for p != d. */
static inline uint32_t tables_distance(uint32_t m, uint32_t d, uint32_t p)
{
	return (p + m - d) % m;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Sharings of values that nobody knows.
 *
 * Up to SHARE_PRSS_MAX parties they cost no communication (pseudorandom secret sharing,
 * Cramer, Damgard, Ishai, TCC 2005, section 3); above, every party deals random values
 * and a Vandermonde matrix extracts m - t unknown ones from m dealt ones (Damgard,
 * Nielsen: Scalable and unconditionally secure multiparty computation, CRYPTO 2007,
 * section 3, "Random"), each dealer letting t + 1 parties derive their shares.
 *
 *                   rounds  elements for one value
 *   share_random    0       0                              m <= 7
 *                   1       m (m - t - 2) / (m - t)        m >= 8
 *
 * Random bits (Damgard, Fitzi, Kiltz, Nielsen, Toft: Unconditionally secure
 * constant-rounds multi-party computation ..., TCC 2006, section 4.2): open the square of
 * a random r, take the bit (r / root + 1) / 2. The square is not opened to all but summed
 * up by a king, who returns half the inverse root; kings take equal parts of the batch.
 * On top of the random values:
 *
 *   SHARE_BITS_BY_KINGS    2    2t + (m - 1)               elements for one bit
 *     the same, m = 3      2    3                          (random_bits_three.h)
 *   SHARE_BITS_AT_ONCE     1    (2t + 1)(m - 1)
 *
 * and nothing with t = 0. The latter takes its random values from the keys of sets
 * whatever the number of parties, so it is one round in all. A zero square (probability
 * 1/p) is dropped, and what is missing is made in further rounds.
 */
#ifndef ENGINE_RANDOM_SHARE_H
#define ENGINE_RANDOM_SHARE_H

#include "engine/mpc.h"

#define SHARE_PRSS_MAX 7u

/* n uniform elements without communication, from the keys of sets, for any number of
 * parties: C(m - 1, t) streams to go through. */
void share_random_from_sets(struct mpc *mpc, uint64_t *out, size_t n);

/* n uniform elements. */
int share_random(struct mpc *mpc, uint64_t *out, size_t n, struct error *err);

enum share_bits_way {
	SHARE_BITS_BY_KINGS, /* 2 rounds, fewest elements */
	SHARE_BITS_AT_ONCE,  /* 1 round */
};

/* n uniform bits. */
int share_random_bits(
    struct mpc *mpc, uint64_t *out, size_t n, enum share_bits_way way, struct error *err);

/* The pieces of SHARE_BITS_AT_ONCE, for those who have other jobs in the same round: draw
 * r by share_random_from_sets(), open r * r (SHARE_OPEN_PRODUCT), then make bits[i] of
 * r[i] and squares[i]. Where a square is 0 (it stays 0) there is no bit. bits may be r.
 */
void share_bits_finish(const struct mpc *mpc, uint64_t *bits, const uint64_t *r,
    uint64_t *squares, size_t n);

#endif

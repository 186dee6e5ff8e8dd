/* SPDX-License-Identifier: MIT */
/*
 * Secret Santa: a uniformly random permutation of n without fixed points, which nobody
 * knows before it is opened to all. Two algorithms of the same result.
 *
 * `mpyc`: that of MPyC's demo secretsanta.py (github.com/lschoe/mpyc, v0.11), with the
 * same dependent rounds, every independent message of a round in one frame a peer. An
 * attempt: random bits for unit vectors of lengths n, n - 1, ..., 2; the vectors, grown
 * by doubling (a level of even length takes 1 round; one of odd length 3, and starts that
 * vector again with probability 1 / (length + 1)); n - 1 secret swaps of 2 rounds; the
 * product of p[i] - i in ceil(log2 n) rounds; its test for zero. Vectors are grown side
 * by side and while swaps go on. Without such a restart
 *
 *   R(n) = 1 + U(n) + 2 (n - 1) + ceil(log2 n) + 1 rounds,
 *   U(n) = 0 for n = 1; U(n / 2) + 1, n even; U((n + 1) / 2) + 3, n odd;
 *   R = 12, 22, 40, 60, 74, 110 for n = 4, 8, 16, 24, 32, 48;
 *
 * the opening is one more. n! / D_n -> e attempts are expected.
 *
 * `min`: few rounds. Parties 0 .. t each share SANTA_CANDIDATES random permutation
 * matrices P_d and the same times a secret r_d != 0; the products over d are formed in a
 * tree; the trace of the second, r_0 ... r_t times the number of fixed points, is opened
 * together with the permutation itself, and the first candidate without fixed points is
 * taken. The permutations of the others become known too; they are independent of it.
 * (Rejection sampling; the product of permutations is uniform when one factor is.)
 *
 *   rounds: 1 + ceil(log2(t + 1)) with the opening: 2 for m = 3, 4; 3 for 5 .. 8; 4 for
 *   9, 10; 1 for m = 2, 0 for m = 1. None of 16 candidates will do with probability
 *   0.07 %; then again.
 *   Elements of such a run, K = SANTA_CANDIDATES: (m - 1 - t) K (t (2 n^2) + n^2 + n) to
 *   share; (2t + 1)(m - 1 - t) K (2 n^2) a product of two matrices in the tree, n^2 + n
 *   if the last factor is in it; (2t + 1)(m - 1) K (n + 1) to open.
 */
#ifndef ENGINE_SANTA_H
#define ENGINE_SANTA_H

#include "engine/mpc.h"
#include "engine/workload.h"

#define SANTA_N_MIN        2u
#define SANTA_N_MAX        200u
#define SANTA_CANDIDATES   16u
/* Honest parties need more tries than these less than once in 10^40 runs. */
#define SANTA_ATTEMPTS_MAX 256u /* of `mpyc`; of `min`: times SANTA_CANDIDATES */
#define SANTA_RESTARTS_MAX 256u /* `mpyc`: unit vectors started again, times n, in one */

struct santa_result {
	uint32_t attempts; /* permutations made, the accepted one included */
	uint32_t restarts; /* `mpyc`: unit vectors started again */
};

/* p[i] = whom i gives to. */
int santa_mpyc(struct mpc *mpc, uint32_t n, int64_t *p, struct santa_result *result,
    struct error *err);
int santa_min(struct mpc *mpc, uint32_t n, int64_t *p, struct santa_result *result,
    struct error *err);

/* Opened elements as numbers below n; -EPROTO if one is not: a party did not follow the
 * protocol. */
int santa_decode(const struct mpc *mpc, int64_t *p, const uint64_t *opened, uint32_t n,
    struct error *err);

/* -EPROTO: chance alone doesn't fail that often. */
int santa_gives_up(struct error *err);

/* R(n). */
uint32_t santa_mpyc_rounds(uint32_t n);

extern const struct workload workload_santa;

#endif

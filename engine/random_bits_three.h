/* SPDX-License-Identifier: MIT */
/*
 * Random bits among three parties, without roots: the bit is (s + 1) / 2 for s = u v, a
 * random sign u that one party chose and a sign v that the other two have in common.
 *
 * For a third of the batch each, B is party 0, 1, 2, and A, C those after it; v comes
 * from the key of A and C.
 *
 *   1. B splits u into x_a, from its key with A, and x_c = u - x_a, which it sends to C.
 * C sees a uniform element.
 *   2. A deals v x_a / 2, C deals v x_c / 2, each with the party after it deriving its
 *      share: one element each, uniform to the party that gets it. The sum of the
 * sharings and 1/2 is that of the bit.
 *
 * 2 rounds, 3 elements for one bit. (What one party knows times what the other two know,
 * as in Mohassel, Rindal: ABY3, CCS 2018, section 5.4.1, with a product of shares in
 * place of the oblivious transfer.)
 */
#ifndef ENGINE_RANDOM_BITS_THREE_H
#define ENGINE_RANDOM_BITS_THREE_H

#include "engine/mpc.h"

/* m = 3. n uniform bits. */
int share_bits_of_three(struct mpc *mpc, uint64_t *out, size_t n, struct error *err);

#endif

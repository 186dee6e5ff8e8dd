/* SPDX-License-Identifier: MIT */
/*
 * Multiplications and nothing else: ten batches of n, each product a factor of the next
 * batch, x[i] y[i]^10 in the end. What a large round costs, and a yardstick whose counts
 * are known beforehand. Parties 0 and 1 deal x and y; one weighted sum of the products is
 * opened, so that the opening weighs nothing.
 *
 *   auto     what suits the number of values and parties best: share_multiply()
 *   dealers  10 rounds of 2t + 1 dealers: share_round()
 *   kings    two rounds a batch, fewer elements: share_king_round()
 *
 * Rounds: keys, input, those of the batches, open. With 1 or 2 parties nothing is sent
 * for a product. The modes differ in how they multiply; the answer is the same.
 */
#ifndef ENGINE_MULTIPLICATIONS_H
#define ENGINE_MULTIPLICATIONS_H

#include "engine/workload.h"

#define MULTIPLICATIONS_BATCHES 10u
#define MULTIPLICATIONS_N_MAX   10000000u

extern const struct workload workload_multiplications;

#endif

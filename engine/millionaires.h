/* SPDX-License-Identifier: MIT */
/*
 * Yao's millionaires (Protocols for secure computations, FOCS 1982) for any number of
 * people: who is the richest? Person i of n lives at party i mod m, which alone knows the
 * fortune. All learn the number of the richest (the lowest such number) and nothing else,
 * by n (n - 1) / 2 comparisons at once.
 *
 * Fortunes follow from the seed, so that check() can work out the answer.
 * Rounds: keys, compare_create(), one in which all fortunes are shared, compare_argmax().
 */
#ifndef ENGINE_MILLIONAIRES_H
#define ENGINE_MILLIONAIRES_H

#include "engine/workload.h"

#define MILLIONAIRES_MAX  200u
#define MILLIONAIRES_BITS 16u /* fortunes of 0 .. 65535 millions */

extern const struct workload workload_millionaires;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Agreeing keys: one round. Party i sends each higher party j the 16-byte key of the pair
 * and those of the sets (of m - t parties) in which i is the lowest and j a member.
 *
 * The key of a pair gives three: what i deals to j, what j deals to i, summands of zero.
 */
#ifndef ENGINE_KEYS_H
#define ENGINE_KEYS_H

#include "engine/mpc.h"

/* Fills own, deal_to, deal_from, zero, sets. Marks phase "keys". Everything this party
 * chooses derives from `seed` and its number. */
int keys_agree(struct mpc *mpc, uint64_t seed, struct error *err);

/* Bytes that party `from` sends to party `to`; 0 if from > to. */
size_t keys_frame_bytes(uint32_t m, uint32_t t, uint32_t from, uint32_t to);

#endif

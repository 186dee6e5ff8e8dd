/* SPDX-License-Identifier: MIT */
/*
 * No computation at all: n rounds in each of which every party sends 8 bytes to every
 * other and waits for all. What a round costs, and a yardstick whose counts are known
 * beforehand: n rounds, n (m - 1) messages and 8 n (m - 1) bytes a party.
 */
#ifndef ENGINE_ROUNDS_H
#define ENGINE_ROUNDS_H

#include "engine/workload.h"

extern const struct workload workload_rounds;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How long a run would have taken in a network that does nothing but delay: the rounds
 * of all parties, as they were traced, replayed in virtual time. Every message travels
 * its configured one-way delay; work between rounds takes no time, or the time it took.
 *
 * For m parties that all wait for one another in every round this is rounds x longest
 * one-way delay; for other patterns it is the longest chain of messages that waited for
 * one another.
 */
#ifndef HARNESS_RESULT_NETWORK_FLOOR_H
#define HARNESS_RESULT_NETWORK_FLOOR_H

#include "harness/measure/trace.h"

struct network_model {
	uint32_t n_parties;
	const uint64_t (*one_way_ns)[NETWORK_PARTIES_MAX]; /* [from][to] */
	uint64_t rate_bps; /* a message of n bytes takes n * 8 / rate more; 0 = no more */
	/* What each party computed is part of it: between its rounds, and after the last
	 * until ended_ns[p]. NULL = all computing takes no time. */
	const uint64_t *ended_ns;
};

/* traces[p] of every party. Negative when no time can be told: -EINVAL if the traces
 * don't belong together (a message is due that nobody sent), -ENOMEM. */
int network_floor(const struct network_model *model, const struct trace_rounds *traces,
    uint64_t *floor_ns);

#endif

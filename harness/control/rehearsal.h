/* SPDX-License-Identifier: MIT */
/*
 * A cell without hosts and without a network: all parties in this process, a thread each.
 * Its counts are exact, since the same engine computes the same thing from the same seed;
 * its own time is what the engine costs; its virtual time is what the network would add.
 */
#ifndef HARNESS_CONTROL_REHEARSAL_H
#define HARNESS_CONTROL_REHEARSAL_H

#include "base/error.h"
#include "engine/network.h"

#include <stdint.h>

struct run_inputs;
struct plan;
struct plan_cell;

struct rehearsal_party {
	uint64_t rounds, messages, bytes; /* sent */
};

struct rehearsal {
	uint64_t wall_ns, cpu_ns; /* of all parties together, on this machine */
	uint64_t
	    network_ns; /* virtual: the last party's end, if computing took no time */
	uint32_t attempts;
	struct rehearsal_party parties[NETWORK_PARTIES_MAX];
};

/* has_network: with the scenario's delays and rate, over TCP connections that are new;
 * else messages take no time. -EBADMSG: the answer is wrong. */
int rehearse(const struct plan *plan, const struct plan_cell *cell,
    const struct run_inputs *inputs, int has_network, struct rehearsal *out,
    struct error *err);

#endif

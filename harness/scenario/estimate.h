/* SPDX-License-Identifier: MIT */
/*
 * About how long a cell takes: rounds x longest wait + bytes + computing + set-up. Rough
 * on purpose (a plan is read by people; a refusal leaves a margin). Rounds, bytes and
 * computing are the workload's own estimate (engine/workload.h).
 */
#ifndef HARNESS_SCENARIO_ESTIMATE_H
#define HARNESS_SCENARIO_ESTIMATE_H

#include "engine/workload.h"
#include "harness/scenario/scenario.h"

struct estimate {
	uint64_t rounds;     /* dependent exchanges, expected restarts included */
	uint64_t bytes;      /* from the busiest party to one peer */
	uint64_t round_ns;   /* the party that waits longest for the shares it needs */
	uint64_t setup_ns;   /* prepare, up, open, close, down, finalise */
	uint64_t network_ns; /* rounds and bytes */
	uint64_t compute_ns; /* all parties on this machine */
	uint64_t total_ns;
};

struct estimate_case {
	const struct workload *workload;
	const char *mode;
	uint32_t size; /* n or batch */
	uint32_t parties;
	int is_overlay; /* the transport has interfaces to make */
};

void estimate_cell(const struct scenario *scenario, const struct estimate_case *of,
    struct estimate *out);

/* All of it with the delays times `scale`. */
uint64_t estimate_scaled_ns(const struct estimate *estimate, double scale);

/* Time to move `bytes` over one TCP connection: slow start, then a full window an RTT or
 * the rate (0 = unlimited), without the first one-way delay. */
uint64_t estimate_transfer_ns(uint64_t bytes, uint64_t rtt_ns, uint64_t rate_bps);

#endif

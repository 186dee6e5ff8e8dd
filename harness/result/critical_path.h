/* SPDX-License-Identifier: MIT */
/*
 * Where the time of a run went: from the end of the last party backwards along the
 * messages that were waited for. Each stretch of the path is one of
 *
 *	latency    the configured one-way delay of a message
 *	transfer   what bytes took: a message beyond that delay, if its connection was
 *	           given more than an initial congestion window within a round trip
 *	           (bandwidth, growth of the window, copies); and a party held in a round
 *	           in which it sent more than that, though what it waited for was there
 *	compute    a party between its rounds
 *	rest       what a small message took beyond its delay; waking up; start skew
 *
 * so that their sum is the whole. Only for parties that read one clock.
 */
#ifndef HARNESS_RESULT_CRITICAL_PATH_H
#define HARNESS_RESULT_CRITICAL_PATH_H

#include "harness/measure/trace.h"

/* RFC 6928: ten segments of 1460 bytes. */
#define INITIAL_WINDOW_BYTES UINT64_C(14600)

struct critical_path {
	int64_t wall_ns; /* first begin to last end; the sum of the others */
	int64_t latency_ns, transfer_ns, compute_ns, rest_ns;
	uint32_t hops; /* messages on the path */
};

/* ended_ns[p]: end of party p's work. -EINVAL if the traces don't belong together. */
int critical_path(uint32_t n_parties, const struct trace_rounds *traces,
    const uint64_t *ended_ns, const uint64_t (*one_way_ns)[NETWORK_PARTIES_MAX],
    struct critical_path *out);

#endif

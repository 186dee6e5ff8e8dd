/* SPDX-License-Identifier: MIT */
/*
 * When a message of TCP arrives, predicted: one-way delay, plus what its bytes need.
 *
 * A connection may send its congestion window at once, then waits a round trip for the
 * acknowledgements and may send twice as much (slow start: RFC 5681 section 3.1, initial
 * window RFC 6928); a window once reached stays. A message waits until those before it
 * have been sent. Losses are not modelled.
 */
#ifndef HARNESS_CONTROL_PATH_MODEL_H
#define HARNESS_CONTROL_PATH_MODEL_H

#include "engine/network.h"

#include <stdint.h>

struct path {
	uint64_t one_way_ns, rtt_ns;
	uint64_t rate_bps;     /* 0 = unlimited */
	uint64_t window_bytes; /* 0 = a new connection */
	uint64_t free_ns;      /* when all bytes of earlier messages have been sent */
};

/* Delay of the next message of `bytes`, handed over at `sent_ns`; the window grows. */
uint64_t path_delay_ns(struct path *path, uint64_t sent_ns, uint64_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One direction of one path: which segments pass, and when they arrive.
 *
 *	wan_link_segment()  once for each segment of a packet: lost, no room, or passes,
 *	                    and when its last bit has left the bottleneck
 *	wan_link_due()      once for what is delivered as a whole: adds delay and jitter
 *
 * A lost segment takes no room in the bottleneck. No clock and no I/O: times are
 * arguments, so a seed and the same calls give the same fates. Rates count IP bytes,
 * header included.
 */
#ifndef TESTBED_WAN_LINK_H
#define TESTBED_WAN_LINK_H

#include "base/error.h"
#include "base/random.h"
#include "testbed/testbed.h"

#include <stdint.h>

enum wan_fate { WAN_PASSES, WAN_LOST, WAN_NO_ROOM };

struct wan_link {
	struct testbed_link shape;
	/* Two, so that switching jitter on does not change what is lost. */
	struct random_stream loss_stream, jitter_stream;
	uint64_t passing;       /* segments that pass before the next lost one */
	uint64_t busy_until_ns; /* of the bottleneck: when all that it holds has left */
	uint64_t last_due_ns;   /* order is kept: nothing is due before this */
	double spare_gauss;     /* second value of the polar method; NAN = none */
};

/* -EINVAL with a sentence for what no link can be. */
int wan_link_check(const struct testbed_link *shape, struct error *err);

/* `shape` has passed wan_link_check(). */
void wan_link_init(struct wan_link *link, const struct testbed_link *shape, uint64_t seed,
    uint32_t from, uint32_t to);
/* From now on; what is under way stays as it is. */
void wan_link_change(struct wan_link *link, const struct testbed_link *shape);

/* The fate of the next segment, of `bytes` at the bottleneck at `now_ns`. WAN_PASSES sets
 * *left_ns, the time its last bit leaves (now_ns without a rate). */
enum wan_fate wan_link_segment(
    struct wan_link *link, uint64_t now_ns, uint32_t bytes, uint64_t *left_ns);

/* When what left the bottleneck at `left_ns` arrives; never before what left earlier. The
 * jitter is Gaussian around one_way_ns, never below 0: since order is kept, packets that
 * follow each other more closely than jitter_ns arrive late rather than early. */
uint64_t wan_link_due(struct wan_link *link, uint64_t left_ns);

/* How many segments of `bytes` may be delivered as one packet so that the first does not
 * wait for more than 0.25 ms of link time; at least 1, UINT32_MAX without a rate. */
uint32_t wan_link_burst(const struct wan_link *link, uint32_t bytes);

#endif

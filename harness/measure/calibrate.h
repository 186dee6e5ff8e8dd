/* SPDX-License-Identifier: MIT */
/*
 * Round-trip times from this host to others, by ICMP echo: before a run, to compare what
 * the network does with what was configured.
 *
 * Echoes to all addresses are interleaved and paced. A reply's time is the kernel's
 * (SO_TIMESTAMPNS) where it gives one: this process' own waking up is no part of it.
 */
#ifndef HARNESS_MEASURE_CALIBRATE_H
#define HARNESS_MEASURE_CALIBRATE_H

#include "base/error.h"

#include <stdint.h>

#define CALIBRATE_ADDRESSES_MAX 64u
#define CALIBRATE_COUNT_MAX     10000u

struct calibrate_config {
	const char *const *addresses; /* numeric IPv4 or IPv6 */
	uint32_t n_addresses;         /* 1 .. CALIBRATE_ADDRESSES_MAX */
	uint32_t count;               /* echoes per address, 1 .. CALIBRATE_COUNT_MAX */
	uint64_t interval_ns;         /* between two echoes to one address */
	uint64_t patience_ns;         /* for replies, after the last echo */
};

/* A late or lost reply is sent - received; a duplicate counts once. */
struct calibrate_pair {
	uint32_t sent, received;
	uint64_t min_ns, p50_ns, p99_ns; /* valid if received > 0; nearest rank */
};

/* `pairs` takes n_addresses. Takes count * interval + patience at most. -EINVAL for a bad
 * address, -EPERM without a way to send echoes, -ENETUNREACH without a route: the
 * sentence names the address. */
int calibrate_run(const struct calibrate_config *config, struct calibrate_pair *pairs,
    struct error *err);

#endif

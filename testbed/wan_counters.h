/* SPDX-License-Identifier: MIT */
/*
 * What the emulator counts, in memory it shares with the process that spawned it: one
 * writes, the other looks whenever it likes, and the emulator never waits. Each number is
 * whole, but a snapshot taken under traffic may hold a packet in one and not yet in
 * another.
 */
#ifndef TESTBED_WAN_COUNTERS_H
#define TESTBED_WAN_COUNTERS_H

#include "testbed/testbed.h"
#include "testbed/wan.h"

#include <stdint.h>

struct wan_counters_shared {
	struct testbed_pair pairs[WAN_PORTS_MAX][WAN_PORTS_MAX]; /* [from][to] */
	uint64_t undeliverable;
	uint32_t removed_ports; /* bit p: the device of port p was removed */
	struct histogram lateness_ns;
};

/* NULL when out of memory. Survives fork() as one memory for both. */
struct wan_counters_shared *wan_counters_create(void);
void wan_counters_destroy(struct wan_counters_shared *shared);

/* All but cpu_ns and tun_dropped, of the ports below n_hosts. */
void wan_counters_snapshot(const struct wan_counters_shared *shared, uint32_t n_hosts,
    struct testbed_counters *out);

#endif

/* SPDX-License-Identifier: MIT */
/* What crossed the emulated WAN between two snapshots: counted outside of any plugin. */
#ifndef HARNESS_RESULT_WIRE_COUNTERS_H
#define HARNESS_RESULT_WIRE_COUNTERS_H

#include "testbed/testbed.h"

struct cJSON;

struct wire_counters {
	uint64_t packets, bytes; /* delivered, all ordered pairs */
	uint64_t dropped_loss, dropped_queue, dropped_emulator, tun_dropped;
	uint64_t undeliverable;
	uint64_t emulator_cpu_ns;
	struct histogram *lateness_ns; /* NULL when out of memory */
};

/* after - before, of the first n hosts. wire_counters_finish() frees. */
void wire_counters_between(const struct testbed_counters *before,
    const struct testbed_counters *after, uint32_t n_hosts, struct wire_counters *out);
void wire_counters_finish(struct wire_counters *wire);

/* {"packets","bytes",...,"pairs":[{"from","to","packets","bytes","dropped_loss",
 * "dropped_queue","dropped_emulator"}],"lateness":histogram}; NULL when out of memory. */
struct cJSON *wire_counters_json(const struct wire_counters *wire,
    const struct testbed_counters *before, const struct testbed_counters *after,
    uint32_t n_hosts);
/* emulator_late, emulator_drop, tun_drop, as they apply. */
void wire_counters_taints(struct cJSON *taints, const struct wire_counters *wire);

#endif

/* SPDX-License-Identifier: MIT */
/* What the network did before a run, as it stands in the document. */
#ifndef HARNESS_RESULT_CALIBRATION_JSON_H
#define HARNESS_RESULT_CALIBRATION_JSON_H

#include <stdint.h>

struct cJSON;
struct calibrate_pair;

/* {"from","to","configured_rtt_ns","sent","received","rtt_ns":{"min","p50","p99"}|null}
 */
struct cJSON *calibration_pair_json(uint32_t from, uint32_t to,
    uint64_t configured_rtt_ns, const struct calibrate_pair *measured);

/* rtt_off or probes_lost, as they apply. `inventory` gives hosts their names
 * and regions. */
void calibration_pair_taints(struct cJSON *taints, const struct cJSON *inventory,
    uint32_t from, uint32_t to, uint64_t configured_rtt_ns,
    const struct calibrate_pair *measured);

#endif

/* SPDX-License-Identifier: MIT */
/* Party x party: the round-trip times measured before the run, in milliseconds. */
#ifndef HARNESS_RESULT_RTT_HEATMAP_H
#define HARNESS_RESULT_RTT_HEATMAP_H

#include "harness/result/terminal.h"

struct cJSON;

/* p50 of every ordered pair (row to column), coloured from the least to the greatest;
 * '!' marks those that are off their configured value by more than max(0.5 ms, 1 %),
 * "lost" those that never answered. Regions come from the inventory. Nothing is printed
 * when nothing was measured. */
void rtt_heatmap_print(
    const struct cJSON *document, FILE *out, const struct terminal *terminal);

#endif

/* SPDX-License-Identifier: MIT */
/* One entry of /transports and of /workloads; for scenario.c only. */
#ifndef HARNESS_SCENARIO_SCENARIO_ITEM_H
#define HARNESS_SCENARIO_SCENARIO_ITEM_H

#include "harness/scenario/json_reader.h"

/* For json_read_array(); `into` is the struct scenario, the entry is appended. */
int scenario_read_transport(const struct json_scope *at, void *into, struct error *err);
int scenario_read_workload(const struct json_scope *at, void *into, struct error *err);

#endif

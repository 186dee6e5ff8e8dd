/* SPDX-License-Identifier: MIT */
/* What a plan refuses; for plan.c only. Each: 0, or a sentence that names file and key.
 */
#ifndef HARNESS_SCENARIO_PLAN_CHECK_H
#define HARNESS_SCENARIO_PLAN_CHECK_H

#include "harness/scenario/plan.h"

/* Does the filter name what the scenario has? */
int plan_check_filter(
    const struct scenario *scenario, const struct plan_filter *filter, struct error *err);

/* Do workloads, modes, sizes and transports exist, and do party counts and probes fit? */
int plan_check_scenario(
    const struct scenario *scenario, const struct plan_filter *filter, struct error *err);

/* Is there a cell, none of them twice, and does each end before its deadline? */
int plan_check_cells(const struct plan *plan, struct error *err);

/* Whether a transport makes interfaces; 0 also when it can't be loaded. */
int plan_check_overlay(const char *transport);

#endif

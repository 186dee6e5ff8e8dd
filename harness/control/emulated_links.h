/* SPDX-License-Identifier: MIT */
/* A scenario's network as the testbed takes it. */
#ifndef HARNESS_CONTROL_EMULATED_LINKS_H
#define HARNESS_CONTROL_EMULATED_LINKS_H

#include "harness/scenario/scenario.h"
#include "testbed/testbed.h"

/* Links, labels and seed of config->n_hosts parties. The labels are the scenario's. */
/* All delays times `scale`; jitter, rate and loss as they are. */
void emulated_links(
    const struct scenario *scenario, double scale, struct testbed_config *config);

#endif

/* SPDX-License-Identifier: MIT */
#include "harness/control/emulated_links.h"

#include <math.h>

void emulated_links(
    const struct scenario *scenario, double scale, struct testbed_config *config)
{
	config->seed = scenario->seed;
	for (uint32_t from = 0; from < config->n_hosts; from++) {
		config->label[from] = scenario->regions[scenario_region(scenario, from)];
		for (uint32_t to = 0; to < config->n_hosts; to++)
			config->links[from][to] = (struct testbed_link){
			    .one_way_ns = (uint64_t)llround(
				scale * (double)scenario_one_way_ns(scenario, from, to)),
			    .jitter_ns = scenario->jitter_ns,
			    .rate_bps = scenario->rate_bps,
			    .loss = scenario->loss,
			};
	}
}

/* SPDX-License-Identifier: MIT */
/* Where the parties are, and how far apart. */
#include "harness/scenario/scenario.h"

uint32_t scenario_region(const struct scenario *scenario, uint32_t party)
{
	return party % scenario->n_regions;
}

uint64_t scenario_one_way_ns(const struct scenario *scenario, uint32_t from, uint32_t to)
{
	uint32_t a = scenario->region_sites[scenario_region(scenario, from)];
	uint32_t b = scenario->region_sites[scenario_region(scenario, to)];

	if (from == to)
		return 0;
	if (a == b)
		return scenario->intra_region_one_way_ns;
	return scenario->matrix.rtt_ns[a][b] / 2;
}

uint64_t scenario_rtt_ns(const struct scenario *scenario, uint32_t a, uint32_t b)
{
	return scenario_one_way_ns(scenario, a, b) + scenario_one_way_ns(scenario, b, a);
}

uint32_t scenario_parties_max(const struct scenario *scenario)
{
	uint32_t max = 0;

	for (uint32_t i = 0; i < scenario->n_parties_counts; i++)
		if (scenario->parties[i] > max)
			max = scenario->parties[i];
	return max;
}

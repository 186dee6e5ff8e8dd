/* SPDX-License-Identifier: MIT */
#include "harness/scenario/estimate.h"

#include "base/sort.h"
#include "base/units.h"

#include <math.h>
#include <string.h>

#define TCP_FIRST_WINDOW_BYTES 14600.0    /* ten segments, RFC 6928 */
#define TCP_WINDOW_BYTES       32000000.0 /* half of the buffers of emulated hosts */

/* Measured in smoke and distant-4. */
#define PARTY_START_NS (100 * NS_PER_MS) /* a command over SSH on every host */
#define SETUP_RTTS     3u                /* open, barrier, close */
#define OVERLAY_UP_NS  (100 * NS_PER_MS)
#define OVERLAY_RTTS   2u

uint64_t estimate_transfer_ns(uint64_t bytes, uint64_t rtt_ns, uint64_t rate_bps)
{
	double left = (double)bytes, window = TCP_FIRST_WINDOW_BYTES, rtts = 0, ns;

	while (left > window && window < TCP_WINDOW_BYTES) {
		left -= window;
		window *= 2;
		rtts++;
	}
	if (left > window)
		rtts += left / TCP_WINDOW_BYTES;
	ns = rtts * (double)rtt_ns;
	if (rate_bps > 0)
		ns = fmax(ns, (double)bytes * BITS_PER_BYTE * 1e9 / (double)rate_bps);
	return (uint64_t)ns;
}

/* A round of one party ends with the 2t-th message that comes: 2t + 1 shares suffice. */
static uint64_t round_ns(const struct scenario *scenario, uint32_t parties)
{
	uint64_t incoming_ns[NETWORK_PARTIES_MAX], longest_ns = 0;
	uint32_t needed = 2 * ((parties - 1) / 2);

	if (needed == 0)
		needed = 1;
	for (uint32_t to = 0; parties > 1 && to < parties; to++) {
		uint32_t n = 0;

		for (uint32_t from = 0; from < parties; from++)
			if (from != to)
				incoming_ns[n++] =
				    scenario_rtt_ns(scenario, from, to) / 2;
		sort_u64(incoming_ns, n);
		if (incoming_ns[needed - 1] > longest_ns)
			longest_ns = incoming_ns[needed - 1];
	}
	return longest_ns;
}

static uint64_t longest_rtt_ns(const struct scenario *scenario, uint32_t parties)
{
	uint64_t longest = 0;

	for (uint32_t a = 0; a < parties; a++)
		for (uint32_t b = 0; b < a; b++)
			if (scenario_rtt_ns(scenario, a, b) > longest)
				longest = scenario_rtt_ns(scenario, a, b);
	return longest;
}

void estimate_cell(
    const struct scenario *scenario, const struct estimate_case *of, struct estimate *out)
{
	uint64_t rtt_ns = longest_rtt_ns(scenario, of->parties);
	struct workload_estimate itself = workload_estimate(
	    of->workload, &(struct workload_case){of->mode, of->size, of->parties});

	memset(out, 0, sizeof(*out));
	out->round_ns = round_ns(scenario, of->parties);
	out->rounds = itself.rounds;
	out->bytes = itself.bytes;
	out->compute_ns = itself.compute_ns;
	if (of->parties > 1)
		out->network_ns =
		    out->rounds * (out->round_ns + scenario->jitter_ns) +
		    estimate_transfer_ns(out->bytes, rtt_ns, scenario->rate_bps);
	else
		out->rounds = out->bytes = 0;
	out->setup_ns = PARTY_START_NS + SETUP_RTTS * rtt_ns +
			(of->is_overlay ? OVERLAY_UP_NS + OVERLAY_RTTS * rtt_ns : 0);
	out->total_ns = out->setup_ns + out->network_ns + out->compute_ns;
}

uint64_t estimate_scaled_ns(const struct estimate *estimate, double scale)
{
	return estimate->setup_ns + estimate->compute_ns +
	       (uint64_t)(scale * (double)estimate->network_ns);
}

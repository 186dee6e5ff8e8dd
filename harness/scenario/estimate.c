/* SPDX-License-Identifier: MIT */
#include "harness/scenario/estimate.h"

#include "base/units.h"
#include "engine/multiplications.h"
#include "engine/santa.h"
#include "engine/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TCP_FIRST_WINDOW_BYTES 14600.0    /* ten segments, RFC 6928 */
#define TCP_WINDOW_BYTES       32000000.0 /* half of the buffers of emulated hosts */

#define CNN_ROUNDS           62u /* keys, 13 of sharing the inputs, 48 of layers */
#define CNN_MODEL_BYTES      UINT64_C(26200000) /* 3.27 M weights of 8 bytes */
#define CNN_IMAGE_PEER_BYTES UINT64_C(6000000)  /* random bits, resharing, openings */
#define SANTA_ROUND_BYTES    32u                /* a place of a permutation, mode mpyc */
#define SANTA_PLACE_BYTES    256u /* 16 candidates, two values each, mode min */
#define RICHEST_BYTES        160u /* of one comparison of millionaires, to one peer */
#define RICHEST_COMPUTE_NS   (2 * NS_PER_US)
#define PRODUCT_COMPUTE_NS   2u /* of one product, times parties squared */

/* Measured in smoke and distant-4. */
#define PARTY_START_NS (100 * NS_PER_MS) /* a command over SSH on every host */
#define SETUP_RTTS     3u                /* open, barrier, close */
#define OVERLAY_UP_NS  (100 * NS_PER_MS)
#define OVERLAY_RTTS   2u

static uint32_t log2_up(uint32_t n)
{
	uint32_t bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

/* n! over the number of derangements: how many permutations it takes on average. */
static double attempts_expected(uint32_t n)
{
	double derangements = 0, term = 1;

	for (uint32_t k = 0; k <= n && k < 20; k++) {
		derangements += term;
		term = -term / (k + 1);
	}
	return derangements > 0 ? 1 / derangements : 1;
}

/* Agree on keys, deal, then multiply t + 1 permutations in a tree; the last product is
 * opened. */
static uint32_t santa_min_rounds(uint32_t parties)
{
	uint32_t dealers = (parties - 1) / 2 + 1, rounds = 1 + log2_up(dealers);

	return 1 + (rounds < 2 ? 2 : rounds);
}

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

static void estimate_santa(const struct estimate_case *of, struct estimate *out)
{
	uint64_t n = of->size;

	if (strcmp(of->mode, "min") == 0) {
		out->rounds = santa_min_rounds(of->parties);
		out->bytes = SANTA_PLACE_BYTES * n * n;
	} else {
		out->rounds = (uint64_t)ceil(
		    santa_mpyc_rounds(of->size) * attempts_expected(of->size));
		out->bytes = SANTA_ROUND_BYTES * n * out->rounds;
	}
	out->compute_ns = out->rounds * of->parties * 20 * NS_PER_US;
}

static void estimate_cnn(const struct estimate_case *of, struct estimate *out)
{
	out->rounds = CNN_ROUNDS;
	out->bytes = CNN_MODEL_BYTES + of->size * CNN_IMAGE_PEER_BYTES;
	/* About 0.02 CPU seconds a party, its square for the openings; two cores. */
	out->compute_ns =
	    (of->size * of->parties * (of->parties + 7) * 10 + of->parties * 100) *
	    NS_PER_MS / 2;
}

/* Keys, three for the masks' bits, fortunes, four for a comparison of 8 digits, the
 * winner; above 7 parties masks take two more. With 1 or 2 parties nothing is secret. */
static void estimate_millionaires(const struct estimate_case *of, struct estimate *out)
{
	uint64_t comparisons = (uint64_t)of->size * (of->size - 1) / 2;

	out->rounds = of->parties < 3 ? 2 : of->parties < 8 ? 10 : 12;
	out->bytes = of->parties < 3 ? 8 * of->size : RICHEST_BYTES * comparisons;
	out->compute_ns = comparisons * of->parties * RICHEST_COMPUTE_NS;
}

/* Keys, inputs, ten batches, the sum's opening. A king's part of a batch comes and goes;
 * above 7 parties its random sharings are dealt in a round of their own. */
static void estimate_multiplications(const struct estimate_case *of, struct estimate *out)
{
	uint64_t n = of->size, m = of->parties, products = n * MULTIPLICATIONS_BATCHES;
	int by_kings =
	    strcmp(of->mode, "kings") == 0 ||
	    (strcmp(of->mode, "auto") == 0 && share_goes_by_kings(of->parties, n));

	out->rounds = 3 + MULTIPLICATIONS_BATCHES * (!by_kings ? 1 : m < 8 ? 2 : 3);
	out->bytes = 8 * (n + (by_kings ? 2 * products / m : products));
	if (m < 3) {
		out->rounds = 2;
		out->bytes = 8 * n;
	}
	out->compute_ns = products * m * m * PRODUCT_COMPUTE_NS;
}

/* A workload that isn't known here: as if its size were its rounds. */
static void estimate_other(const struct estimate_case *of, struct estimate *out)
{
	out->rounds = of->size;
	out->bytes = 8 * out->rounds;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
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
		qsort(incoming_ns, n, sizeof(*incoming_ns), compare_ns);
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

	memset(out, 0, sizeof(*out));
	out->round_ns = round_ns(scenario, of->parties);
	if (strcmp(of->workload, "secret-santa") == 0)
		estimate_santa(of, out);
	else if (strcmp(of->workload, "cnn-mnist") == 0)
		estimate_cnn(of, out);
	else if (strcmp(of->workload, "millionaires") == 0)
		estimate_millionaires(of, out);
	else if (strcmp(of->workload, "multiplications") == 0)
		estimate_multiplications(of, out);
	else if (strcmp(of->workload, "rounds") == 0)
		out->rounds = of->size;
	else
		estimate_other(of, out);
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

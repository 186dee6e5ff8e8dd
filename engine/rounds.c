/* SPDX-License-Identifier: MIT */
#include "engine/rounds.h"

#include <string.h>

/* What party p says in round r: anything both sides can compute. */
static uint64_t word_of(uint64_t seed, uint32_t party, uint32_t round)
{
	uint64_t z =
	    seed + (((uint64_t)round << 8 | party) + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return z ^ z >> 27;
}

static uint64_t sum_of(uint64_t seed, uint32_t n_parties, uint32_t round)
{
	uint64_t sum = 0;

	for (uint32_t p = 0; p < n_parties; p++)
		sum += word_of(seed, p, round);
	return sum;
}

static int one_round(
    struct network *net, uint64_t *mine, uint64_t *theirs, struct error *err)
{
	struct network_round round = {.needed = 0};

	for (uint32_t p = 0; p < net->n_parties; p++) {
		if (p == net->self)
			continue;
		round.out[p] = (struct network_out){.base = mine, .len = sizeof(*mine)};
		round.in[p] =
		    (struct network_in){.base = &theirs[p], .len = sizeof(*theirs)};
	}
	return network_exchange(net, &round, err);
}

static int run(struct network *net, const struct workload_task *task,
    struct workload_output *out, struct error *err)
{
	uint64_t mine[2], theirs[NETWORK_PARTIES_MAX], digest = 0;
	uint32_t n_rounds;
	int rc = workload_size(&workload_rounds, task->size, &n_rounds, err);

	for (uint32_t r = 0; rc == 0 && r < n_rounds; r++) {
		uint64_t sum = mine[r % 2] = word_of(task->seed, net->self, r);

		rc = one_round(net, &mine[r % 2], theirs, err);
		for (uint32_t p = 0; p < net->n_parties; p++)
			sum += p == net->self ? 0 : theirs[p];
		digest = (digest ^ sum) * UINT64_C(0x100000001b3);
	}
	if (rc < 0)
		return rc;
	out->values[0] = (int64_t)(digest >> 12);
	out->n_values = 1;
	out->attempts = 1;
	return network_flush(net, err);
}

/* Needs the number of parties, which the answer does not hold: any that fits. */
static int check(const struct workload_task *task, const struct workload_output *out,
    struct error *err)
{
	uint32_t n_rounds;
	int rc = workload_size(&workload_rounds, task->size, &n_rounds, err);

	if (rc < 0)
		return rc;
	for (uint32_t m = 1; m <= NETWORK_PARTIES_MAX; m++) {
		uint64_t digest = 0;

		for (uint32_t r = 0; r < n_rounds; r++)
			digest =
			    (digest ^ sum_of(task->seed, m, r)) * UINT64_C(0x100000001b3);
		if (out->n_values == 1 && out->values[0] == (int64_t)(digest >> 12))
			return 0;
	}
	return error_set(
	    err, -EBADMSG, "the words that arrived are not those that were sent");
}

static struct workload_estimate estimate(const struct workload_case *of)
{
	return (struct workload_estimate){.rounds = of->size};
}

static const char *const modes[] = {"dependent", NULL};

const struct workload workload_rounds = {
    .name = "rounds",
    .summary = "dependent rounds of 8 bytes, all to all: the network alone",
    .modes = modes,
    .size_unit = "rounds",
    .sizes = {20, 100, 1000},
    .parties_min = 1,
    .parties_max = NETWORK_PARTIES_MAX,
    .estimate = estimate,
    .run = run,
    .check = check,
};

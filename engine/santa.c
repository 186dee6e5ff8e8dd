/* SPDX-License-Identifier: MIT */
/* The workload secret-santa. */
#include "engine/santa.h"

#include "base/units.h"

#include <math.h>
#include <string.h>

/* Of the estimate: a place of a permutation in a round of mode `mpyc`; 16 candidates, two
 * values each, in mode `min`. */
#define ROUND_BYTES      UINT64_C(32)
#define PLACE_BYTES      UINT64_C(256)
#define ROUND_COMPUTE_NS (20 * NS_PER_US) /* a party */

static int size_of(const struct workload_task *task, uint32_t *n, struct error *err)
{
	int rc = workload_size(&workload_santa, task->size, n, err);

	if (rc < 0)
		return rc;
	if (*n < SANTA_N_MIN || *n > SANTA_N_MAX)
		return error_set(err, -EINVAL, "%u players: secret-santa takes %u to %u",
		    *n, SANTA_N_MIN, SANTA_N_MAX);
	return 0;
}

int santa_decode(const struct mpc *mpc, int64_t *p, const uint64_t *opened, uint32_t n,
    struct error *err)
{
	uint64_t words[FIELD_LIMBS_MAX];

	for (uint32_t i = 0; i < n; i++) {
		uint64_t above = 0;

		mpc->field.ops->to_words(
		    &mpc->field, words, opened + (size_t)i * mpc->field.limbs, 1);
		for (uint32_t w = 1; w < mpc->field.limbs; w++)
			above |= words[w];
		if (above != 0 || words[0] >= n)
			return error_set(err, -EPROTO,
			    "player %u gives to nobody: a party left the protocol", i);
		p[i] = (int64_t)words[0];
	}
	return 0;
}

int santa_gives_up(struct error *err)
{
	return error_set(err, -EPROTO,
	    "no derangement after very many attempts: a party left the protocol");
}

static int play(struct mpc *mpc, const struct workload_task *task, uint32_t n,
    struct workload_output *out, struct error *err)
{
	struct santa_result result = {0};
	int rc;

	if (mpc->field.limbs == 1 && mpc->field.p[0] <= n)
		return error_set(err, -EINVAL,
		    "a field of %u bits is too small for %u players", mpc->field.bits, n);
	if (task->mode == NULL || strcmp(task->mode, "mpyc") == 0)
		rc = santa_mpyc(mpc, n, out->values, &result, err);
	else if (strcmp(task->mode, "min") == 0)
		rc = santa_min(mpc, n, out->values, &result, err);
	else
		rc = error_set(err, -EINVAL,
		    "'%s' is no mode of secret-santa: mpyc or min", task->mode);
	if (rc < 0)
		return rc;
	out->n_values = n;
	out->attempts = result.attempts;
	return 0;
}

static int run(struct network *net, const struct workload_task *task,
    struct workload_output *out, struct error *err)
{
	struct mpc mpc;
	uint32_t n;
	int rc = size_of(task, &n, err);

	if (rc < 0)
		return rc;
	rc = mpc_init(&mpc, net, task->field_bits, task->seed, err);
	if (rc == 0)
		rc = play(&mpc, task, n, out, err);
	if (rc == 0)
		rc = network_flush(net, err);
	mpc_finish(&mpc);
	return rc;
}

static int accepts(const struct workload_task *task, struct error *err)
{
	uint32_t n;
	int rc = size_of(task, &n, err);

	/* The prime is above 2^(bits-1). */
	if (rc == 0 && task->field_bits <= 32 &&
	    UINT64_C(1) << (task->field_bits - 1) < n)
		return error_set(err, -EINVAL,
		    "a field of %u bits is too small for %u players", task->field_bits,
		    n);
	return rc;
}

static int check(const struct workload_task *task, const struct workload_output *out,
    struct error *err)
{
	unsigned char is_taken[SANTA_N_MAX] = {0};
	uint32_t n;
	int rc = size_of(task, &n, err);

	if (rc < 0)
		return rc;
	if (out->n_values != n)
		return error_set(
		    err, -EBADMSG, "%u values for %u players", out->n_values, n);
	for (uint32_t i = 0; i < n; i++) {
		int64_t to = out->values[i];

		if (to < 0 || to >= (int64_t)n || is_taken[to])
			return error_set(err, -EBADMSG,
			    "no permutation: player %u gives to %lld", i, (long long)to);
		if (to == (int64_t)i)
			return error_set(err, -EBADMSG, "player %u gives to itself", i);
		is_taken[to] = 1;
	}
	return 0;
}

/* n! over the number of derangements: how many permutations it takes on average. */
static double attempts_expected(uint64_t n)
{
	double derangements = 0, term = 1;

	for (uint32_t k = 0; k <= n && k < 20; k++) {
		derangements += term;
		term = -term / (k + 1);
	}
	return derangements > 0 ? 1 / derangements : 1;
}

/* Agree on keys, deal, then multiply t + 1 permutations in a tree; the last product is
 * opened, for which two parties need no round. */
static uint64_t min_rounds(uint64_t m)
{
	uint64_t dealers = (m - 1) / 2 + 1, levels = 0;

	while (UINT64_C(1) << levels < dealers)
		levels++;
	return m < 3 ? 2 : levels == 0 ? 3 : 2 + levels;
}

static struct workload_estimate estimate(const struct workload_case *of)
{
	uint64_t n = of->size, m = of->parties;
	struct workload_estimate out;

	if (strcmp(of->mode, "min") == 0) {
		out.rounds = min_rounds(m);
		out.bytes = m < 3 ? PLACE_BYTES * n * n / 2 : PLACE_BYTES * n * n;
	} else if (m < 3) { /* t = 0: once keys are agreed on, nobody needs another */
		out.rounds = 1;
		out.bytes = ROUND_BYTES;
	} else {
		out.rounds =
		    (uint64_t)ceil(santa_mpyc_rounds((uint32_t)n) * attempts_expected(n));
		out.bytes = ROUND_BYTES * n * out.rounds;
	}
	out.compute_ns = out.rounds * m * ROUND_COMPUTE_NS;
	return out;
}

static const char *const modes[] = {"mpyc", "min", NULL};

const struct workload workload_santa = {
    .name = "secret-santa",
    .summary = "a random permutation without fixed points; many small rounds",
    .modes = modes,
    .size_unit = "n",
    .sizes = {8, 16, 48},
    .parties_min = 1,
    .parties_max = NETWORK_PARTIES_MAX,
    .accepts = accepts,
    .estimate = estimate,
    .run = run,
    .check = check,
};

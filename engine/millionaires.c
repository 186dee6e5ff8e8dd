/* SPDX-License-Identifier: MIT */
#include "engine/millionaires.h"
#include "engine/compare.h"

static int64_t fortune(const struct workload_task *task, uint32_t person)
{
	return (int64_t)((task->seed + person) * UINT64_C(0x9e3779b97f4a7c15) >> 48);
}

static struct workload_estimate estimate(const struct workload_case *of)
{
	uint64_t n = of->size, m = of->parties, rounds = m < 3 ? 2 : m < 8 ? 10 : 12;

	return (struct workload_estimate){
	    rounds, m < 3 ? 8 * n : 80 * n * n, n * n * m * 1000};
}

static int run(struct network *net, const struct workload_task *task,
    struct workload_output *out, struct error *err)
{
	struct compare_need need = {.width = MILLIONAIRES_BITS};
	struct share_job deals[MILLIONAIRES_MAX];
	struct compare *compare = NULL;
	struct mpc mpc = {0};
	uint64_t *z = NULL;
	uint32_t n = 0, richest = 0;
	int rc = workload_size(&workload_millionaires, task->size, &n, err);

	need.n = (size_t)n * (n - 1) / 2;
	rc = rc < 0 ? rc : mpc_init(&mpc, net, task->field_bits, task->seed, err);
	network_mark(net, "prepare");
	rc = rc < 0 ? rc : compare_create(&compare, &mpc, &need, 1, err);
	if (rc == 0 && (z = mpc_vector(&mpc, n)) == NULL)
		rc = mpc_no_memory(err);
	network_mark(net, "input");
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		uint64_t *place = z + i * mpc.field.limbs;

		if (i % net->n_parties == net->self)
			field_fill(&mpc.field, place, fortune(task, i), 1);
		deals[i] = share_job_deal(i % net->n_parties, place, place, 1);
	}
	rc = rc < 0 ? rc : share_round(&mpc, deals, n, err);
	network_mark(net, "compare");
	rc = rc < 0 ? rc : compare_argmax(compare, &richest, z, n, 1, err);
	rc = rc < 0 ? rc : network_flush(net, err);
	out->values[0] = richest;
	out->n_values = out->attempts = 1;
	compare_destroy(compare);
	mpc_finish(&mpc);
	return rc;
}

static int check(const struct workload_task *task, const struct workload_output *out,
    struct error *err)
{
	uint32_t n, richest = 0;
	int rc = workload_size(&workload_millionaires, task->size, &n, err);

	for (uint32_t i = 1; rc == 0 && i < n; i++)
		richest = fortune(task, i) > fortune(task, richest) ? i : richest;
	if (rc == 0 && (out->n_values != 1 || out->values[0] != richest))
		rc = error_set(err, -EBADMSG, "person %u is the richest", richest);
	return rc;
}

const struct workload workload_millionaires = {.name = "millionaires",
    .summary = "who is the richest of n, and nothing else: comparisons",
    .modes = (const char *const[]){"argmax", NULL},
    .size_unit = "n",
    .sizes = {10, 30, 100},
    .size_min = 2,
    .size_max = MILLIONAIRES_MAX,
    .parties_min = 1,
    .parties_max = NETWORK_PARTIES_MAX,
    .field_bits_min = 61,
    .estimate = estimate,
    .run = run,
    .check = check};

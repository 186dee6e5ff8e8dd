/* SPDX-License-Identifier: MIT */
#include "engine/multiplications.h"

#include "engine/share_king.h"

#include <string.h>

#define FILL_BLOCK         256u
#define PRODUCT_COMPUTE_NS 2u /* of one product, times parties squared */

/* Inputs are small, so that the answer is an integer below 2^60 in every field. */
static uint64_t bits_of(const struct workload_task *task, size_t i)
{
	uint64_t z = task->seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Of 16 bits. */
static int64_t x_of(const struct workload_task *task, size_t i)
{
	return (int16_t)bits_of(task, i);
}

/* One of -2, -1, 1, 2. */
static int64_t y_of(const struct workload_task *task, size_t i)
{
	int64_t y = (int64_t)(bits_of(task, i) >> 16 & 3) - 2;

	return y >= 0 ? y + 1 : y;
}

/* 1 to 256. */
static int64_t weight_of(const struct workload_task *task, size_t i)
{
	return (int64_t)(bits_of(task, i) >> 24 & 255) + 1;
}

static void fill(const struct field *f, uint64_t *out,
    int64_t (*of)(const struct workload_task *task, size_t i),
    const struct workload_task *task, size_t n)
{
	int64_t block[FILL_BLOCK];

	for (size_t at = 0; at < n; at += FILL_BLOCK) {
		size_t part = n - at < FILL_BLOCK ? n - at : FILL_BLOCK;

		for (size_t i = 0; i < part; i++)
			block[i] = of(task, at + i);
		f->ops->from_i64(f, out + at * f->limbs, block, part);
	}
}

static int input(struct mpc *mpc, const struct workload_task *task, uint64_t *x,
    uint64_t *y, size_t n, struct error *err)
{
	uint32_t of_y = 1 % mpc->n_parties;
	struct share_job deals[] = {
	    share_job_deal(0, x, x, n), share_job_deal(of_y, y, y, n)};

	network_mark(mpc->net, "input");
	if (mpc->self == 0)
		fill(&mpc->field, x, x_of, task, n);
	if (mpc->self == of_y)
		fill(&mpc->field, y, y_of, task, n);
	return share_round(mpc, deals, 2, err);
}

static int multiply(struct mpc *mpc, const char *mode, uint64_t *x, const uint64_t *y,
    size_t n, struct error *err)
{
	struct share_job job = share_job_mul(SHARE_RESHARE, x, x, y, n);
	int rc = 0;

	network_mark(mpc->net, "multiply");
	for (uint32_t b = 0; rc == 0 && b < MULTIPLICATIONS_BATCHES; b++)
		if (mode == NULL || strcmp(mode, "auto") == 0)
			rc = share_multiply(mpc, &job, 1, err);
		else if (strcmp(mode, "kings") == 0 && mpc->threshold > 0)
			rc = share_king_round(mpc, &job, 1, err);
		else
			rc = share_round(mpc, &job, 1, err);
	return rc;
}

/* `weights` takes them. */
static int open_sum(struct mpc *mpc, const struct workload_task *task, const uint64_t *x,
    uint64_t *weights, size_t n, int64_t *out, struct error *err)
{
	uint64_t sum[FIELD_LIMBS_MAX];
	int rc;

	network_mark(mpc->net, "open");
	fill(&mpc->field, weights, weight_of, task, n);
	share_dots(mpc, sum, x, 1, weights, 1, n);
	rc = share_open(mpc, sum, sum, 1, err);
	if (rc == 0 && field_to_i64(&mpc->field, out, sum, 1) < 0)
		rc = error_set(err, -EBADMSG, "the sum of the products is no integer");
	return rc;
}

static int run(struct network *net, const struct workload_task *task,
    struct workload_output *out, struct error *err)
{
	uint64_t *x = NULL, *y = NULL;
	struct mpc mpc = {0};
	uint32_t n = 0;
	int rc = workload_size(&workload_multiplications, task->size, &n, err);

	network_mark(net, "keys");
	rc = rc < 0 ? rc : mpc_init(&mpc, net, task->field_bits, task->seed, err);
	if (rc == 0 &&
	    ((x = mpc_vector(&mpc, n)) == NULL || (y = mpc_vector(&mpc, n)) == NULL))
		rc = mpc_no_memory(err);
	rc = rc < 0 ? rc : input(&mpc, task, x, y, n, err);
	rc = rc < 0 ? rc : multiply(&mpc, task->mode, x, y, n, err);
	rc = rc < 0 ? rc : open_sum(&mpc, task, x, y, n, &out->values[0], err);
	rc = rc < 0 ? rc : network_flush(net, err);
	out->n_values = out->attempts = 1;
	mpc_finish(&mpc);
	return rc;
}

static int check(const struct workload_task *task, const struct workload_output *out,
    struct error *err)
{
	int64_t sum = 0;
	uint32_t n;
	int rc = workload_size(&workload_multiplications, task->size, &n, err);

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		int64_t product = x_of(task, i);

		for (uint32_t b = 0; b < MULTIPLICATIONS_BATCHES; b++)
			product *= y_of(task, i);
		sum += weight_of(task, i) * product;
	}
	if (rc == 0 && (out->n_values != 1 || out->values[0] != sum))
		rc = error_set(err, -EBADMSG,
		    "the products' weighted sum is %lld, not what was opened",
		    (long long)sum);
	return rc;
}

/* Keys, inputs, the batches, the sum's opening. A king's part of a batch comes and goes;
 * above 7 parties its random sharings are dealt in a round of their own. */
static struct workload_estimate estimate(const struct workload_case *of)
{
	uint64_t n = of->size, m = of->parties, products = n * MULTIPLICATIONS_BATCHES;
	int by_kings = strcmp(of->mode, "kings") == 0 ||
		       (strcmp(of->mode, "auto") == 0 &&
			   share_goes_by_kings((uint32_t)m, (size_t)n));
	uint64_t batch_rounds = !by_kings ? 1 : m < 8 ? 2 : 3;
	uint64_t compute_ns = products * m * m * PRODUCT_COMPUTE_NS;

	if (m < 3)
		return (struct workload_estimate){
		    .rounds = 2, .bytes = 8 * n, .compute_ns = compute_ns};
	return (struct workload_estimate){
	    .rounds = 3 + MULTIPLICATIONS_BATCHES * batch_rounds,
	    .bytes = 8 * (n + (by_kings ? 2 * products / m : products)),
	    .compute_ns = compute_ns};
}

static const char *const modes[] = {"auto", "dealers", "kings", NULL};

const struct workload workload_multiplications = {
    .name = "multiplications",
    .summary = "ten batches of n dependent products: large rounds",
    .modes = modes,
    .size_unit = "n",
    .sizes = {1000, 10000, 100000},
    .size_min = 1,
    .size_max = MULTIPLICATIONS_N_MAX,
    .parties_min = 1,
    .parties_max = NETWORK_PARTIES_MAX,
    .field_bits_min = 61,
    .estimate = estimate,
    .run = run,
    .check = check,
};

/* SPDX-License-Identifier: MIT */
#include "tests/engine/protocols.h"

#include "engine/cnn_layers.h"
#include "engine/compare.h"
#include "engine/random_share.h"
#include "engine/santa.h"
#include "engine/share.h"
#include "engine/share_king.h"

#include <string.h>

#define N 9

static int expect(
    struct mpc *mpc, const uint64_t *shares, const int64_t *want, struct error *err)
{
	uint64_t *opened = mpc_vector(mpc, N);
	int64_t got[N];
	int rc = share_open(mpc, opened, shares, N, err);

	if (rc == 0 && (field_to_i64(&mpc->field, got, opened, N) < 0 ||
			   memcmp(got, want, sizeof(got)) != 0))
		rc = error_set(err, -EBADMSG, "the answer is wrong");
	return rc;
}

/* 0, 1, 4, ... from 0, 1, 2, ... */
static int square(struct mpc *mpc, struct error *err, int by_kings)
{
	uint64_t *x = mpc_vector(mpc, N);
	int64_t values[N], squares[N];
	struct share_job job = share_job_mul(SHARE_RESHARE, x, x, x, N);
	int rc;

	for (int i = 0; i < N; i++) {
		values[i] = i;
		squares[i] = i * i;
	}
	mpc->field.ops->from_i64(&mpc->field, x, values, N);
	rc = share_input(mpc, 1, x, x, N, err);
	if (rc == 0)
		rc = by_kings ? share_king_round(mpc, &job, 1, err)
			      : share_round(mpc, &job, 1, err);
	return rc == 0 ? expect(mpc, x, squares, err) : rc;
}

static int multiply(struct mpc *mpc, void *user, struct error *err)
{
	(void)user;
	return square(mpc, err, 0);
}

static int kings(struct mpc *mpc, void *user, struct error *err)
{
	(void)user;
	return square(mpc, err, 1);
}

/* b (b - 1) = 0 */
static int bits(struct mpc *mpc, enum share_bits_way way, struct error *err)
{
	uint64_t *b = mpc_vector(mpc, N), *less = mpc_vector(mpc, N);
	int64_t zeros[N] = {0};
	int rc = share_random_bits(mpc, b, N, way, err);

	field_fill(&mpc->field, less, 1, N);
	mpc->field.ops->sub(&mpc->field, less, b, less, N);
	if (rc == 0)
		rc = share_mul(mpc, b, b, less, N, err);
	return rc == 0 ? expect(mpc, b, zeros, err) : rc;
}

static int bits_by_kings(struct mpc *mpc, void *user, struct error *err)
{
	(void)user;
	return bits(mpc, SHARE_BITS_BY_KINGS, err);
}

static int bits_at_once(struct mpc *mpc, void *user, struct error *err)
{
	(void)user;
	return bits(mpc, SHARE_BITS_AT_ONCE, err);
}

static int largest(struct mpc *mpc, void *user, struct error *err)
{
	struct compare_need needs[] = {{16, N}, {37, 3 * 3}};
	int64_t values[N] = {-5, 0, 7, 1, -70, 7, 0, 60000, -1}, positive[N];
	uint64_t *x = mpc_vector(mpc, N), *out = mpc_vector(mpc, N);
	struct compare *compare = NULL;
	uint32_t which[3];
	int rc;

	(void)user;
	for (int i = 0; i < N; i++)
		positive[i] = values[i] > 0 ? values[i] : 0;
	mpc->field.ops->from_i64(&mpc->field, x, values, N);
	rc = share_input(mpc, 0, x, x, N, err);
	if (rc == 0)
		rc = compare_create(&compare, mpc, needs, 2, err);
	if (rc == 0)
		rc = compare_relu(compare, out, x, N, err);
	if (rc == 0)
		rc = share_reshare(mpc, out, out, N, err);
	if (rc == 0)
		rc = expect(mpc, out, positive, err);
	if (rc == 0)
		rc = compare_argmax(compare, which, x, 3, 3, err);
	if (rc == 0 && (which[0] != 1 || which[1] != 2 || which[2] != 0))
		rc = error_set(err, -EBADMSG, "the answer is wrong");
	compare_destroy(compare);
	return rc;
}

/* The layers of the classifier on the smallest shape there is; all weights and pixels 1.
 */
static int classify(struct mpc *mpc, void *user, struct error *err)
{
	static const struct cnn_shape shape = {4, 1, 1, 1, 2, {8, 11, 12, 14}};
	struct cnn_run run = {.mpc = mpc, .shape = &shape, .n_images = 1};
	uint64_t *ones = mpc_vector(mpc, 25), *logits = mpc_vector(mpc, 2);
	struct compare_need needs[CNN_NEEDS];
	int64_t opened[2];
	uint32_t which;
	int rc;

	(void)user;
	field_fill(&mpc->field, ones, 1, 25);
	rc = share_input(mpc, 0, ones, ones, 25, err);
	for (uint32_t layer = 0; layer < CNN_LAYERS; layer++)
		run.shares.weights[layer] = run.shares.biases[layer] = ones;
	run.shares.images = ones;
	cnn_layers_needs(&shape, 1, needs);
	if (rc == 0)
		rc = compare_create(&run.compare, mpc, needs, CNN_NEEDS, err);
	if (rc == 0)
		rc = cnn_layers_run(&run, &which, logits, err);
	compare_destroy(run.compare);
	/* 16 + 1 where a place sees all pixels, 4 * 17 + 1 = 69 of those, 70, 71. */
	if (rc == 0 && (field_to_i64(&mpc->field, opened, logits, 2) < 0 || which != 0 ||
			   opened[0] != 71 || opened[1] != 71))
		rc = error_set(err, -EBADMSG, "the answer is wrong");
	return rc;
}

static int santa(struct mpc *mpc, struct error *err,
    int (*algorithm)(struct mpc *mpc, uint32_t n, int64_t *p, struct santa_result *result,
	struct error *err))
{
	struct santa_result result;
	uint32_t taken = 0;
	int64_t p[5];
	int rc = algorithm(mpc, 5, p, &result, err);

	for (uint32_t i = 0; i < 5 && rc == 0; i++) {
		if (p[i] == i || (taken >> p[i] & 1) == 1)
			rc = error_set(err, -EBADMSG, "the answer is wrong");
		taken |= 1u << p[i];
	}
	return rc;
}

static int santa_in_few(struct mpc *mpc, void *user, struct error *err)
{
	(void)user;
	return santa(mpc, err, santa_min);
}

static int santa_in_many(struct mpc *mpc, void *user, struct error *err)
{
	(void)user;
	return santa(mpc, err, santa_mpyc);
}

const struct protocol protocols[] = {
    {"multiply", multiply},
    {"kings", kings},
    {"bits by kings", bits_by_kings},
    {"bits at once", bits_at_once},
    {"largest", largest},
    {"classify", classify},
    {"santa min", santa_in_few},
    {"santa mpyc", santa_in_many},
};
const size_t n_protocols = sizeof(protocols) / sizeof(protocols[0]);

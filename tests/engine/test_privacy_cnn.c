/* SPDX-License-Identifier: MIT */
/*
 * The classifier's layers, from shares of model and image to the opened logits, on the
 * smallest shape there is (4 x 4 pixels, one channel, one hidden value, two classes), in
 * 2^61-1: what t parties see is the same for two models and images with the same logits.
 */
#include "engine/cnn_layers.h"
#include "tests/engine/experiment.h"
#include "tests/tap.h"

#define CLASSES 2u

static const struct cnn_shape shape = {.side = 4,
    .n_channels1 = 1,
    .n_channels2 = 1,
    .n_hidden = 1,
    .n_outputs = CLASSES,
    .width_bits = {8, 10, 12, 10}};

enum { IMAGE, CONV1, BIAS1, CONV2, BIAS2, FC1, BIAS3, FC2, N_SECRETS };

/* All places of a vector hold the same secret. */
static uint64_t *fill(struct trial *trial, uint32_t input, size_t n)
{
	uint64_t *vector = mpc_vector(trial->mpc, n);

	for (size_t i = 0; i < n; i++)
		vector[i] = trial->in[input][0];
	return vector;
}

static void set_shares(struct trial *trial, struct cnn_shares *shares)
{
	static const uint32_t weights[] = {CONV1, CONV2, FC1, FC2};
	static const uint32_t biases[] = {BIAS1, BIAS2, BIAS3};

	shares->images = fill(trial, IMAGE, (size_t)shape.side * shape.side);
	for (uint32_t layer = 0; layer < CNN_LAYERS; layer++)
		shares->weights[layer] = fill(trial, weights[layer],
		    (size_t)cnn_shape_rows(&shape, layer) *
			cnn_shape_columns(&shape, layer));
	for (uint32_t layer = 0; layer < CNN_FC2; layer++)
		shares->biases[layer] =
		    fill(trial, biases[layer], cnn_shape_rows(&shape, layer));
	/* The logits, as ReLU leaves no hidden value: the same in both worlds. */
	shares->biases[CNN_FC2] = mpc_vector(trial->mpc, CLASSES);
	field_fill(&trial->mpc->field, shares->biases[CNN_FC2], 3, 1);
	field_fill(&trial->mpc->field, shares->biases[CNN_FC2] + 1, 7, 1);
}

static int classify(struct trial *trial, struct error *err)
{
	struct cnn_run run = {.mpc = trial->mpc, .shape = &shape, .n_images = 1};
	uint64_t *logits = mpc_vector(trial->mpc, CLASSES);
	struct compare_need needs[CNN_NEEDS];
	int64_t opened[CLASSES];
	uint32_t which;
	int rc;

	set_shares(trial, &run.shares);
	cnn_layers_needs(&shape, 1, needs);
	rc = compare_create(&run.compare, trial->mpc, needs, CNN_NEEDS, err);
	for (uint32_t call = 0; call < CNN_NEEDS && rc == 0 && trial->x->user != NULL;
	     call++)
		defect_cut_mask(compare_mask_of(run.compare, call), trial->mpc);
	if (rc == 0)
		rc = cnn_layers_run(&run, &which, logits, err);
	compare_destroy(run.compare);
	if (rc < 0)
		return rc;
	if (field_to_i64(&trial->mpc->field, opened, logits, CLASSES) < 0 || which != 1 ||
	    opened[0] != 3 || opened[1] != 7)
		return error_set(err, -EBADMSG, "not the class and logits expected");
	return 0;
}

static void layers(void **state)
{
	struct experiment x = {.name = "the classifier's layers",
	    .m = 3,
	    .rows = 400,
	    .n_inputs = N_SECRETS,
	    .secrets = {{0, 1, 0, 0, 0, 1, -1, 5}, {1, 1, 2, 3, -7, -1, -2, -9}},
	    .is_sequential = 1,
	    .looks_inside = 1,
	    .run = classify};

	(void)state;
	experiment_expect_sound(&x);
	experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
	x.user = &x; /* cut all masks */
	experiment_expect_found(&x, SOUND, ALL_COALITIONS);
	x.user = NULL;
	x.m = 4;
	x.rows = 250;
	experiment_expect_sound(&x);
}

static void few_comparisons(void **state)
{
	(void)state;
	experiment_count_comparisons();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layers),
	    cmocka_unit_test(few_comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

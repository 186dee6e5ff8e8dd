/* SPDX-License-Identifier: MIT */
#include "engine/cnn_clear.h"

#include "engine/cnn_gather.h"

#include <stdlib.h>

/* Buffers of one image, large enough for every layer. */
struct clear_run {
	const struct cnn_model *model;
	int64_t *inputs, *values;
	int64_t *column; /* what one dot product reads */
};

static size_t largest(const struct cnn_shape *shape)
{
	size_t most = (size_t)shape->side * shape->side;

	for (uint32_t i = 0; i < CNN_LAYERS; i++) {
		size_t side = cnn_shape_side(shape, i);
		size_t n = side * side * cnn_shape_rows(shape, i);

		most = n > most ? n : most;
		n = cnn_shape_columns(shape, i);
		most = n > most ? n : most;
	}
	return most;
}

/* Values stay below half of what the width holds, so that differences fit too. */
static int check_range(
    const struct clear_run *run, uint32_t layer, size_t n_values, struct error *err)
{
	const uint32_t width = run->model->shape.width_bits[layer];
	const int64_t limit = INT64_C(1) << (width - 2);

	for (size_t i = 0; i < n_values; i++)
		if (run->values[i] >= limit || run->values[i] <= -limit)
			return error_set(err, -ERANGE,
			    "a value of layer %u is %lld: too large for comparisons of "
			    "%u bits; this image does not suit this model",
			    layer + 1, (long long)run->values[i], width);
	return 0;
}

static int64_t dot(const int8_t *weights, const int64_t *values, uint32_t n)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += weights[i] * values[i];
	return sum;
}

/* A layer's values that read one column. */
static void multiply(
    const struct clear_run *run, uint32_t layer, int64_t *out, const int64_t *column)
{
	const struct cnn_layer *l = &run->model->layers[layer];

	for (uint32_t row = 0; row < l->n_rows; row++)
		out[row] =
		    cnn_layer_bias(l, row) +
		    dot(l->weights + (size_t)row * l->n_columns, column, l->n_columns);
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The largest of four quarters and 0: what max-pooling and ReLU leave. */
static void pool_and_rectify(int64_t *out, const int64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = larger(larger(larger(values[i], values[n + i]),
				    larger(values[2 * n + i], values[3 * n + i])),
		    0);
}

static int convolve(struct clear_run *run, uint32_t layer, struct error *err)
{
	const struct cnn_shape *shape = &run->model->shape;
	const uint32_t side = cnn_shape_side(shape, layer);
	const uint32_t rows = cnn_shape_rows(shape, layer);
	const size_t n_places = (size_t)side * side;
	int rc;

	for (size_t p = 0; p < n_places; p++) {
		cnn_gather_column((uint64_t *)run->column, (const uint64_t *)run->inputs,
		    cnn_gather_place(p, 1, side), side,
		    cnn_shape_columns(shape, layer) / (CNN_KERNEL * CNN_KERNEL), 1);
		multiply(run, layer, run->values + p * rows, run->column);
	}
	rc = check_range(run, layer, n_places * rows, err);
	if (rc == 0)
		pool_and_rectify(run->inputs, run->values, n_places * rows / 4);
	return rc;
}

static int full_layer(struct clear_run *run, uint32_t layer, struct error *err)
{
	multiply(run, layer, run->values, run->inputs);
	return check_range(run, layer, run->model->layers[layer].n_rows, err);
}

static int classify(struct clear_run *run, const unsigned char *image, struct error *err)
{
	const struct cnn_shape *shape = &run->model->shape;
	int rc;

	for (uint32_t i = 0; i < shape->side * shape->side; i++)
		run->inputs[i] = cnn_pixel(image[i]);
	rc = convolve(run, CNN_CONV1, err);
	if (rc == 0)
		rc = convolve(run, CNN_CONV2, err);
	if (rc == 0)
		rc = full_layer(run, CNN_FC1, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < shape->n_hidden; i++)
		run->inputs[i] = larger(run->values[i], 0);
	return full_layer(run, CNN_FC2, err);
}

int cnn_clear_classify(const struct cnn_model *model, const unsigned char *image,
    struct cnn_scores *scores, struct error *err)
{
	const size_t n = largest(&model->shape);
	struct clear_run run = {
	    .model = model,
	    .inputs = calloc(n, sizeof(int64_t)),
	    .values = calloc(n, sizeof(int64_t)),
	    .column = calloc(n, sizeof(int64_t)),
	};
	int rc = run.inputs != NULL && run.values != NULL && run.column != NULL
		     ? classify(&run, image, err)
		     : error_set(err, -ENOMEM, "no memory for the classifier");

	if (rc == 0) {
		*scores = (struct cnn_scores){0};
		for (uint32_t i = 0; i < model->shape.n_outputs; i++) {
			scores->logits[i] = run.values[i];
			if (run.values[i] > run.values[scores->best])
				scores->best = i;
		}
	}
	free(run.column);
	free(run.values);
	free(run.inputs);
	return rc;
}

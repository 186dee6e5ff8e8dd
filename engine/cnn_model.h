/* SPDX-License-Identifier: MIT */
/*
 * The classifier as integers: two 5x5 convolutions, each followed by 2x2 max-pooling and
 * ReLU, and two full layers with ReLU between. Weights and pixels are scaled by 2^6,
 * biases of layer i by 2^(6 (i + 2)); nothing is ever truncated, so the logits are scaled
 * by 2^30. docs/cnn.md has the file format.
 */
#ifndef ENGINE_CNN_MODEL_H
#define ENGINE_CNN_MODEL_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum cnn_layer_index { CNN_CONV1, CNN_CONV2, CNN_FC1, CNN_FC2, CNN_LAYERS };

#define CNN_SIDE_MAX        28u
#define CNN_OUTPUTS_MAX     16u
#define CNN_KERNEL          5u
#define CNN_UNIT_BITS       6u /* pixels and weights are multiples of 2^-6 */
#define CNN_MODEL_BYTES_MAX (8u << 20)

/* What every party knows of a model. */
struct cnn_shape {
	uint32_t side;        /* of the square images; a multiple of 4 */
	uint32_t n_channels1; /* outputs of conv1 */
	uint32_t n_channels2; /* outputs of conv2 */
	uint32_t n_hidden;    /* outputs of fc1 */
	uint32_t n_outputs;   /* outputs of fc2: the classes */
	/* Of a layer: differences of two values lie in [-2^(width - 1), 2^(width - 1)),
	 * as |values| stay below 2^(width - 2). */
	uint32_t width_bits[CNN_LAYERS];
};

/* 28x28, 32, 64, 1024, 10; widths 16, 23, 30, 37. */
extern const struct cnn_shape cnn_shape_standard;

int cnn_shape_equal(const struct cnn_shape *a, const struct cnn_shape *b);

/* Rows (one an output) and columns of a layer's weight matrix; a convolution's columns
 * are (ky, kx, input channel). fc1 reads the pooled conv2 as (y, x, channel). */
uint32_t cnn_shape_rows(const struct cnn_shape *shape, uint32_t layer);
uint32_t cnn_shape_columns(const struct cnn_shape *shape, uint32_t layer);
/* Side of the image a convolution reads, 1 for the full layers. */
uint32_t cnn_shape_side(const struct cnn_shape *shape, uint32_t layer);
/* All weights and biases. */
size_t cnn_shape_parameters(const struct cnn_shape *shape);

struct cnn_layer {
	uint32_t n_rows, n_columns;
	const int8_t *weights;       /* [row][column], in the caller's bytes */
	const unsigned char *biases; /* n_rows x int32 little endian; cnn_layer_bias() */
};

struct cnn_model {
	struct cnn_shape shape;
	struct cnn_layer layers[CNN_LAYERS];
};

/* Check and index `len` bytes of a model file, which stay the caller's and must outlive
 * the model. -EINVAL (no model, unsupported version or shape), -EMSGSIZE (wrong length),
 * -EBADMSG (its digest differs), with a sentence. */
int cnn_model_parse(
    struct cnn_model *model, const void *bytes, size_t len, struct error *err);

int32_t cnn_layer_bias(const struct cnn_layer *layer, uint32_t row);

/* A grey value as the model reads it: rint(p / 255 * 64), 0 .. 64. */
uint32_t cnn_pixel(unsigned char grey);

#endif

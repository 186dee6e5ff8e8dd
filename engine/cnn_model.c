/* SPDX-License-Identifier: MIT */
#include "engine/cnn_model.h"

#include "base/bytes.h"

#include <openssl/evp.h>
#include <string.h>

#define MAGIC        "E3CNNMDL"
#define MAGIC_BYTES  8u
#define FIXED_BYTES  (MAGIC_BYTES + 4 * 4)
#define LAYER_BYTES  (5 * 4)
#define HEADER_BYTES (FIXED_BYTES + CNN_LAYERS * LAYER_BYTES)
#define DIGEST_BYTES 32u
#define VERSION      1u
#define CHANNELS_MAX 256u
#define HIDDEN_MAX   4096u
#define WIDTH_MIN    3u
#define WIDTH_MAX    40u /* then no sum of a layer leaves 63 bits */

static const char *const layer_names[CNN_LAYERS] = {"conv1", "conv2", "fc1", "fc2"};

const struct cnn_shape cnn_shape_standard = {
    .side = 28,
    .n_channels1 = 32,
    .n_channels2 = 64,
    .n_hidden = 1024,
    .n_outputs = 10,
    .width_bits = {16, 23, 30, 37},
};

int cnn_shape_equal(const struct cnn_shape *a, const struct cnn_shape *b)
{
	for (int i = 0; i < CNN_LAYERS; i++)
		if (a->width_bits[i] != b->width_bits[i])
			return 0;
	return a->side == b->side && a->n_channels1 == b->n_channels1 &&
	       a->n_channels2 == b->n_channels2 && a->n_hidden == b->n_hidden &&
	       a->n_outputs == b->n_outputs;
}

uint32_t cnn_shape_rows(const struct cnn_shape *shape, uint32_t layer)
{
	const uint32_t rows[CNN_LAYERS] = {
	    shape->n_channels1, shape->n_channels2, shape->n_hidden, shape->n_outputs};

	return rows[layer];
}

uint32_t cnn_shape_side(const struct cnn_shape *shape, uint32_t layer)
{
	return layer == CNN_CONV1   ? shape->side
	       : layer == CNN_CONV2 ? shape->side / 2
				    : 1;
}

static uint32_t layer_inputs(const struct cnn_shape *shape, uint32_t layer)
{
	const uint32_t pooled_side = shape->side / 4;
	const uint32_t inputs[CNN_LAYERS] = {1, shape->n_channels1,
	    shape->n_channels2 * pooled_side * pooled_side, shape->n_hidden};

	return inputs[layer];
}

static uint32_t layer_kernel(uint32_t layer)
{
	return layer <= CNN_CONV2 ? CNN_KERNEL : 1;
}

uint32_t cnn_shape_columns(const struct cnn_shape *shape, uint32_t layer)
{
	return layer_inputs(shape, layer) * layer_kernel(layer) * layer_kernel(layer);
}

size_t cnn_shape_parameters(const struct cnn_shape *shape)
{
	size_t n = 0;

	for (uint32_t i = 0; i < CNN_LAYERS; i++)
		n += (size_t)cnn_shape_rows(shape, i) * (cnn_shape_columns(shape, i) + 1);
	return n;
}

static uint32_t word(const unsigned char *at, uint32_t index)
{
	return bytes_load_le32(at + 4 * (size_t)index);
}

/* The shape the header tells; within bounds, so that no product below overflows. */
static int parse_shape(struct cnn_shape *shape, const unsigned char *fixed,
    const unsigned char *layers, struct error *err)
{
	uint32_t *const outputs[CNN_LAYERS] = {&shape->n_channels1, &shape->n_channels2,
	    &shape->n_hidden, &shape->n_outputs};
	const uint32_t max[CNN_LAYERS] = {
	    CHANNELS_MAX, CHANNELS_MAX, HIDDEN_MAX, CNN_OUTPUTS_MAX};

	shape->side = word(fixed, 1);
	if (shape->side < 4 || shape->side > CNN_SIDE_MAX || shape->side % 4 != 0)
		return error_set(err, -EINVAL,
		    "model: images of side %u: must be a multiple of 4 up to %u",
		    shape->side, CNN_SIDE_MAX);
	for (uint32_t i = 0; i < CNN_LAYERS; i++) {
		const unsigned char *at = layers + (size_t)i * LAYER_BYTES;

		*outputs[i] = word(at, 0);
		shape->width_bits[i] = word(at, 4);
		if (*outputs[i] < 1 || *outputs[i] > max[i])
			return error_set(err, -EINVAL,
			    "model: layer %s has %u outputs: must be 1 to %u",
			    layer_names[i], *outputs[i], max[i]);
		if (shape->width_bits[i] < WIDTH_MIN || shape->width_bits[i] > WIDTH_MAX)
			return error_set(err, -EINVAL,
			    "model: layer %s compares %u bits: must be %u to %u",
			    layer_names[i], shape->width_bits[i], WIDTH_MIN, WIDTH_MAX);
	}
	return 0;
}

static int check_layers(
    const struct cnn_shape *shape, const unsigned char *layers, struct error *err)
{
	for (uint32_t i = 0; i < CNN_LAYERS; i++) {
		const unsigned char *at = layers + (size_t)i * LAYER_BYTES;

		if (word(at, 1) != layer_inputs(shape, i) ||
		    word(at, 2) != layer_kernel(i))
			return error_set(err, -EINVAL,
			    "model: layer %s has %u inputs and kernel %u, but %u and %u "
			    "fit the layer before",
			    layer_names[i], word(at, 1), word(at, 2),
			    layer_inputs(shape, i), layer_kernel(i));
		if (word(at, 3) != CNN_UNIT_BITS * (i + 2))
			return error_set(err, -EINVAL,
			    "model: biases of layer %s are scaled by 2^%u, not 2^%u",
			    layer_names[i], word(at, 3), CNN_UNIT_BITS * (i + 2));
	}
	return 0;
}

static int check_digest(const unsigned char *bytes, size_t len, struct error *err)
{
	const unsigned char *body = bytes + HEADER_BYTES + DIGEST_BYTES;
	unsigned char digest[DIGEST_BYTES];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		 EVP_DigestUpdate(ctx, bytes, HEADER_BYTES) &&
		 EVP_DigestUpdate(ctx, body, len - HEADER_BYTES - DIGEST_BYTES) &&
		 EVP_DigestFinal_ex(ctx, digest, NULL);

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return error_set(err, -ENOMEM, "model: SHA-256 is not available");
	if (memcmp(digest, bytes + HEADER_BYTES, DIGEST_BYTES) != 0)
		return error_set(err, -EBADMSG,
		    "model: its digest does not fit its content: the file is damaged");
	return 0;
}

int cnn_model_parse(
    struct cnn_model *model, const void *bytes, size_t len, struct error *err)
{
	const unsigned char *file = bytes, *at = file + HEADER_BYTES + DIGEST_BYTES;
	struct cnn_model parsed;
	size_t due;
	int rc;

	if (len < HEADER_BYTES + DIGEST_BYTES || memcmp(file, MAGIC, MAGIC_BYTES) != 0)
		return error_set(err, -EINVAL,
		    "model: not a model file of cnn-mnist (tools/train_cnn.py writes "
		    "one)");
	if (word(file + MAGIC_BYTES, 0) != VERSION ||
	    word(file + MAGIC_BYTES, 2) != CNN_UNIT_BITS ||
	    word(file + MAGIC_BYTES, 3) != CNN_LAYERS)
		return error_set(err, -EINVAL,
		    "model: version %u, scale 2^%u, %u layers: only version %u, 2^%u, %u "
		    "is known",
		    word(file + MAGIC_BYTES, 0), word(file + MAGIC_BYTES, 2),
		    word(file + MAGIC_BYTES, 3), VERSION, CNN_UNIT_BITS, CNN_LAYERS);
	rc = parse_shape(&parsed.shape, file + MAGIC_BYTES, file + FIXED_BYTES, err);
	if (rc == 0)
		rc = check_layers(&parsed.shape, file + FIXED_BYTES, err);
	if (rc < 0)
		return rc;
	due = HEADER_BYTES + DIGEST_BYTES;
	for (uint32_t i = 0; i < CNN_LAYERS; i++)
		due += (size_t)cnn_shape_rows(&parsed.shape, i) *
		       (cnn_shape_columns(&parsed.shape, i) + 4);
	if (len != due)
		return error_set(err, -EMSGSIZE,
		    "model: %zu bytes, but its layers need %zu", len, due);
	rc = check_digest(file, len, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < CNN_LAYERS; i++) {
		struct cnn_layer *layer = &parsed.layers[i];

		layer->n_rows = cnn_shape_rows(&parsed.shape, i);
		layer->n_columns = cnn_shape_columns(&parsed.shape, i);
		layer->weights = (const int8_t *)at;
		at += (size_t)layer->n_rows * layer->n_columns;
		layer->biases = at;
		at += (size_t)layer->n_rows * 4;
	}
	*model = parsed;
	return 0;
}

int32_t cnn_layer_bias(const struct cnn_layer *layer, uint32_t row)
{
	return (int32_t)bytes_load_le32(layer->biases + 4 * (size_t)row);
}

uint32_t cnn_pixel(unsigned char grey)
{
	/* No grey value lies at a half: 128 p = 255 (2k + 1) has no solution. */
	return (grey * 64u + 127u) / 255u;
}

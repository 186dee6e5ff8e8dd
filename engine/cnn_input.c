/* SPDX-License-Identifier: MIT */
#include "engine/cnn_input.h"

#define MODEL_OWNER  0u
/* Values of one frame: 2 MB to each party that can't derive its shares. */
#define FRAME_VALUES (1u << 18)
#define BLOCK_VALUES 512u

/* Walks through all parameters: the weights of a layer, its biases, the next layer. */
struct parameter_cursor {
	const struct cnn_model *model;
	uint32_t layer;
	size_t index; /* below rows * columns: a weight, then a bias */
};

static int64_t next_parameter(struct parameter_cursor *at)
{
	const struct cnn_layer *layer = &at->model->layers[at->layer];
	const size_t n_weights = (size_t)layer->n_rows * layer->n_columns;
	const size_t index = at->index++;

	if (index < n_weights)
		return layer->weights[index];
	if (at->index == n_weights + layer->n_rows) {
		at->index = 0;
		at->layer++;
	}
	return cnn_layer_bias(layer, (uint32_t)(index - n_weights));
}

static void encode_parameters(
    const struct field *f, uint64_t *out, struct parameter_cursor *cursor, size_t n)
{
	int64_t block[BLOCK_VALUES];

	for (size_t at = 0; at < n; at += BLOCK_VALUES) {
		size_t len = n - at < BLOCK_VALUES ? n - at : BLOCK_VALUES;

		for (size_t i = 0; i < len; i++)
			block[i] = next_parameter(cursor);
		f->ops->from_i64(f, out + at * f->limbs, block, len);
	}
}

static void encode_images(
    const struct field *f, uint64_t *out, const unsigned char *grey, size_t n)
{
	int64_t block[BLOCK_VALUES];

	for (size_t at = 0; at < n; at += BLOCK_VALUES) {
		size_t len = n - at < BLOCK_VALUES ? n - at : BLOCK_VALUES;

		for (size_t i = 0; i < len; i++)
			block[i] = cnn_pixel(grey[at + i]);
		f->ops->from_i64(f, out + at * f->limbs, block, len);
	}
}

/* All parameters into one vector; the images travel with the first frame. */
static int deal_all(struct mpc *mpc, struct share_job *images,
    const struct cnn_model *model, size_t n_parameters, uint64_t *out, struct error *err)
{
	struct parameter_cursor cursor = {.model = model};
	uint64_t *clear = NULL;
	int rc = 0;

	if (model != NULL && (clear = mpc_vector(mpc, FRAME_VALUES)) == NULL)
		return mpc_no_memory(err);
	for (size_t done = 0; rc == 0 && done < n_parameters; done += FRAME_VALUES) {
		size_t left = n_parameters - done;
		struct share_job jobs[2] = {
		    share_job_deal(MODEL_OWNER, out + done * mpc->field.limbs, clear,
			left < FRAME_VALUES ? left : FRAME_VALUES),
		    *images,
		};

		if (model != NULL)
			encode_parameters(&mpc->field, clear, &cursor, jobs[0].n);
		rc = share_round(mpc, jobs, done == 0 ? 2 : 1, err);
	}
	return rc;
}

static void index_parameters(const struct mpc *mpc, const struct cnn_shape *shape,
    uint64_t *parameters, struct cnn_shares *shares)
{
	for (uint32_t i = 0; i < CNN_LAYERS; i++) {
		const size_t rows = cnn_shape_rows(shape, i);

		shares->weights[i] = parameters;
		parameters += rows * cnn_shape_columns(shape, i) * mpc->field.limbs;
		shares->biases[i] = parameters;
		parameters += rows * mpc->field.limbs;
	}
}

int cnn_input(struct mpc *mpc, const struct cnn_shape *shape,
    const struct cnn_model *model, const unsigned char *images, uint32_t n_images,
    struct cnn_shares *shares, struct error *err)
{
	const size_t n_parameters = cnn_shape_parameters(shape);
	const size_t n_pixels = (size_t)n_images * shape->side * shape->side;
	uint64_t *parameters = mpc_vector(mpc, n_parameters);
	struct mpc_memory *mark;
	struct share_job job;
	uint64_t *clear = NULL;
	int rc;

	network_mark(mpc->net, "input");
	shares->images = mpc_vector(mpc, n_pixels);
	mark = mpc_mark(mpc);
	if (mpc->self == cnn_image_owner(mpc))
		clear = mpc_vector(mpc, n_pixels);
	if (parameters == NULL || shares->images == NULL ||
	    (mpc->self == cnn_image_owner(mpc) && clear == NULL))
		return mpc_no_memory(err);
	if (clear != NULL)
		encode_images(&mpc->field, clear, images, n_pixels);
	job = share_job_deal(cnn_image_owner(mpc), shares->images, clear, n_pixels);
	rc = deal_all(mpc, &job, mpc->self == MODEL_OWNER ? model : NULL, n_parameters,
	    parameters, err);
	mpc_release(mpc, mark);
	index_parameters(mpc, shape, parameters, shares);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "engine/cnn_layers.h"

#include "engine/cnn_gather.h"

/* Rows of a full layer's matrix that stay in the cache while all images pass. */
#define ROWS_AT_ONCE 16u

/* Values of a convolution after its max-pooling. */
static size_t pooled_values(
    const struct cnn_shape *shape, uint32_t layer, uint32_t n_images)
{
	const size_t half = cnn_shape_side(shape, layer) / 2;

	return half * half * cnn_shape_rows(shape, layer) * n_images;
}

void cnn_layers_needs(const struct cnn_shape *shape, uint32_t n_images,
    struct compare_need needs[CNN_NEEDS])
{
	const size_t outputs = shape->n_outputs;
	uint32_t width[CNN_LAYERS];

	/* Differences of two values; a value alone, as ReLU takes it, has a bit less
	 * (cnn_clear.h checks that). A need of w bits takes [-2^w, 2^w). */
	for (uint32_t i = 0; i < CNN_LAYERS; i++)
		width[i] = shape->width_bits[i] - 1;
	for (uint32_t layer = CNN_CONV1; layer <= CNN_CONV2; layer++) {
		const size_t n = pooled_values(shape, layer, n_images);

		*needs++ = (struct compare_need){width[layer], 2 * n};
		*needs++ = (struct compare_need){width[layer], n};
		*needs++ = (struct compare_need){width[layer] - 1, n};
	}
	*needs++ =
	    (struct compare_need){width[CNN_FC1], (size_t)shape->n_hidden * n_images};
	*needs++ =
	    (struct compare_need){width[CNN_FC2], outputs * (outputs - 1) / 2 * n_images};
}

/* Unreduced values of a convolution, in the order of cnn_gather.h. */
static int convolve(struct cnn_run *run, uint32_t layer, uint64_t *values,
    const uint64_t *images, struct error *err)
{
	struct mpc *mpc = run->mpc;
	const struct field *f = &mpc->field;
	const uint32_t side = cnn_shape_side(run->shape, layer);
	const uint32_t rows = cnn_shape_rows(run->shape, layer);
	const uint32_t columns = cnn_shape_columns(run->shape, layer);
	const size_t n_places = (size_t)side * side * run->n_images;
	struct mpc_memory *mark = mpc_mark(mpc);
	uint64_t *column = mpc_vector(mpc, columns);

	if (column == NULL)
		return mpc_no_memory(err);
	for (size_t p = 0; p < n_places; p++) {
		uint64_t *out = values + p * rows * f->limbs;

		cnn_gather_column(column, images,
		    cnn_gather_place(p, run->n_images, side), side,
		    columns / (CNN_KERNEL * CNN_KERNEL), f->limbs);
		f->ops->dots(
		    f, out, 1, run->shares.weights[layer], rows, column, columns);
		f->ops->add(f, out, out, run->shares.biases[layer], rows);
	}
	mpc_release(mpc, mark);
	return 0;
}

/* Max-pooling and ReLU of `values`, reshared into `pooled`. */
static int pool(struct cnn_run *run, uint32_t layer, uint64_t *pooled, uint64_t *values,
    struct error *err)
{
	struct mpc *mpc = run->mpc;
	const size_t n = pooled_values(run->shape, layer, run->n_images);
	uint64_t *halves = mpc_vector(mpc, 2 * n), *quarters = mpc_vector(mpc, n);
	int rc = halves != NULL && quarters != NULL ? 0 : mpc_no_memory(err);

	if (rc == 0)
		rc = compare_max(run->compare, halves, values, 2 * n, err);
	if (rc == 0)
		rc = compare_max(run->compare, quarters, halves, n, err);
	if (rc == 0)
		rc = compare_relu(run->compare, pooled, quarters, n, err);
	if (rc == 0)
		rc = share_reshare(mpc, pooled, pooled, n, err);
	return rc;
}

/* Convolution, max-pooling, ReLU: images to images of half the side. */
static int convolve_and_pool(struct cnn_run *run, uint32_t layer, uint64_t *pooled,
    const uint64_t *images, struct error *err)
{
	static const char *const names[][2] = {{"conv1", "pool1"}, {"conv2", "pool2"}};
	struct mpc *mpc = run->mpc;
	struct mpc_memory *mark = mpc_mark(mpc);
	uint64_t *values =
	    mpc_vector(mpc, 4 * pooled_values(run->shape, layer, run->n_images));
	int rc = values != NULL ? 0 : mpc_no_memory(err);

	network_mark(mpc->net, names[layer][0]);
	if (rc == 0)
		rc = convolve(run, layer, values, images, err);
	network_mark(mpc->net, names[layer][1]);
	if (rc == 0)
		rc = pool(run, layer, pooled, values, err);
	mpc_release(mpc, mark);
	return rc;
}

/* values[row * row_step + image * image_step] of a full layer, unreduced. */
static void multiply(const struct cnn_run *run, uint32_t layer, uint64_t *values,
    size_t row_step, size_t image_step, const uint64_t *inputs)
{
	const struct field *f = &run->mpc->field;
	const size_t limbs = f->limbs, columns = cnn_shape_columns(run->shape, layer);
	const size_t n_rows = cnn_shape_rows(run->shape, layer);

	for (size_t row = 0; row < n_rows; row += ROWS_AT_ONCE)
		for (size_t image = 0; image < run->n_images; image++) {
			size_t n =
			    n_rows - row < ROWS_AT_ONCE ? n_rows - row : ROWS_AT_ONCE;

			f->ops->dots(f,
			    values + (row * row_step + image * image_step) * limbs,
			    row_step, run->shares.weights[layer] + row * columns * limbs,
			    n, inputs + image * columns * limbs, columns);
		}
}

static int full_and_rectify(
    struct cnn_run *run, uint64_t *out, const uint64_t *inputs, struct error *err)
{
	struct mpc *mpc = run->mpc;
	const struct field *f = &mpc->field;
	const size_t n_hidden = run->shape->n_hidden, n = n_hidden * run->n_images;
	struct mpc_memory *mark = mpc_mark(mpc);
	uint64_t *values = mpc_vector(mpc, n);
	int rc = values != NULL ? 0 : mpc_no_memory(err);

	network_mark(mpc->net, "fc1");
	if (rc == 0) {
		multiply(run, CNN_FC1, values, 1, n_hidden, inputs);
		for (size_t image = 0; image < run->n_images; image++) {
			uint64_t *at = values + image * n_hidden * f->limbs;

			f->ops->add(f, at, at, run->shares.biases[CNN_FC1], n_hidden);
		}
		rc = compare_relu(run->compare, out, values, n, err);
	}
	if (rc == 0)
		rc = share_reshare(mpc, out, out, n, err);
	mpc_release(mpc, mark);
	return rc;
}

/* Unreduced logits [output][image]. */
static void score(const struct cnn_run *run, uint64_t *logits, const uint64_t *inputs)
{
	const struct field *f = &run->mpc->field;
	const size_t n_images = run->n_images;

	network_mark(run->mpc->net, "fc2");
	multiply(run, CNN_FC2, logits, n_images, 1, inputs);
	for (size_t i = 0; i < run->shape->n_outputs * n_images; i++) {
		uint64_t *at = logits + i * f->limbs;

		f->ops->add(
		    f, at, at, run->shares.biases[CNN_FC2] + i / n_images * f->limbs, 1);
	}
}

int cnn_layers_run(
    struct cnn_run *run, uint32_t *which, uint64_t *logits, struct error *err)
{
	struct mpc *mpc = run->mpc;
	const struct cnn_shape *shape = run->shape;
	const size_t n_logits = (size_t)shape->n_outputs * run->n_images;
	uint64_t *pool1 = mpc_vector(mpc, pooled_values(shape, CNN_CONV1, run->n_images));
	uint64_t *pool2 = mpc_vector(mpc, pooled_values(shape, CNN_CONV2, run->n_images));
	uint64_t *hidden = mpc_vector(mpc, (size_t)shape->n_hidden * run->n_images);
	int rc =
	    pool1 != NULL && pool2 != NULL && hidden != NULL ? 0 : mpc_no_memory(err);

	if (rc == 0)
		rc = convolve_and_pool(run, CNN_CONV1, pool1, run->shares.images, err);
	if (rc == 0)
		rc = convolve_and_pool(run, CNN_CONV2, pool2, pool1, err);
	if (rc == 0)
		rc = full_and_rectify(run, hidden, pool2, err);
	if (rc < 0)
		return rc;
	score(run, logits, hidden);
	network_mark(mpc->net, "argmax");
	rc = compare_argmax(
	    run->compare, which, logits, shape->n_outputs, run->n_images, err);
	network_mark(mpc->net, "output");
	return rc < 0 ? rc : share_open(mpc, logits, logits, n_logits, err);
}

/* SPDX-License-Identifier: MIT */
/* Integer inference against a slow second implementation, and how well the committed
 * model reads digits. */
#include "tests/tap.h"

#include "base/random.h"
#include "engine/cnn_clear.h"
#include "harness/party/idx_file.h"
#include "tests/cnn/cnn_example.h"

#include <stdlib.h>
#include <string.h>

#define HELD_OUT_FIRST 6400u /* tools/train_cnn.py never reads images from here on */
#define HELD_OUT_MAX   1600u

struct picture {
	const __int128 *values; /* [y][x][channel] */
	int side, channels;
};

static __int128 at(struct picture in, int y, int x, int channel)
{
	return y < 0 || x < 0 || y >= in.side || x >= in.side
		   ? 0
		   : in.values[(y * in.side + x) * in.channels + channel];
}

static __int128 slow_value(
    const struct cnn_layer *layer, struct picture in, int out, int y, int x)
{
	__int128 sum = cnn_layer_bias(layer, (uint32_t)out);

	for (int ky = 0; ky < 5; ky++)
		for (int kx = 0; kx < 5; kx++)
			for (int c = 0; c < in.channels; c++)
				sum += layer->weights[((out * 5 + ky) * 5 + kx) *
							  in.channels +
						      c] *
				       at(in, y + ky - 2, x + kx - 2, c);
	return sum;
}

/* Convolution, then the largest of each 2x2 block and of 0, as the definition reads. */
static __int128 *slow_block(const struct cnn_layer *layer, const __int128 *in, int side)
{
	const struct picture picture = {in, side, (int)layer->n_columns / 25};
	const int channels = (int)layer->n_rows, half = side / 2;
	__int128 *out = calloc((size_t)(channels * half * half), sizeof *out);

	assert_non_null(out);
	for (int o = 0; o < channels; o++)
		for (int y = 0; y < side; y++)
			for (int x = 0; x < side; x++) {
				__int128 *best =
				    &out[((y / 2) * half + x / 2) * channels + o];
				__int128 value = slow_value(layer, picture, o, y, x);

				if (value > *best)
					*best = value;
			}
	return out;
}

static __int128 *slow_full(const struct cnn_layer *layer, const __int128 *in, int rectify)
{
	__int128 *out = calloc(layer->n_rows, sizeof *out);

	assert_non_null(out);
	for (uint32_t o = 0; o < layer->n_rows; o++) {
		out[o] = cnn_layer_bias(layer, o);
		for (uint32_t i = 0; i < layer->n_columns; i++)
			out[o] += layer->weights[o * layer->n_columns + i] * in[i];
		if (rectify && out[o] < 0)
			out[o] = 0;
	}
	return out;
}

static void assert_same_as_slow(const struct cnn_model *model, const unsigned char *image)
{
	const int side = (int)model->shape.side;
	__int128 pixels[CNN_SIDE_MAX * CNN_SIDE_MAX], *a, *b, *c, *d;
	struct cnn_scores scores;
	struct error err;

	for (int i = 0; i < side * side; i++)
		pixels[i] = cnn_pixel(image[i]);
	a = slow_block(&model->layers[0], pixels, side);
	b = slow_block(&model->layers[1], a, side / 2);
	c = slow_full(&model->layers[2], b, 1);
	d = slow_full(&model->layers[3], c, 0);
	assert_int_equal(cnn_clear_classify(model, image, &scores, &err), 0);
	for (uint32_t i = 0; i < model->shape.n_outputs; i++) {
		assert_true(scores.logits[i] == d[i]);
		assert_true(d[i] <= d[scores.best]);
		assert_true(i >= scores.best || d[i] < d[scores.best]);
	}
	free(a);
	free(b);
	free(c);
	free(d);
}

static void test_small_models(void **state)
{
	unsigned char image[64];
	struct random_stream rng;
	struct error err;

	(void)state;
	random_stream_seed(&rng, 1);
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct cnn_example example = cnn_example_make(&cnn_example_small, seed);
		struct cnn_model model;

		for (size_t i = 0; i < sizeof image; i++)
			image[i] = (unsigned char)random_stream_next(&rng);
		assert_int_equal(
		    cnn_model_parse(&model, example.bytes, example.len, &err), 0);
		assert_same_as_slow(&model, image);
		cnn_example_finish(&example);
	}
}

/* Extreme weights are refused by range, never overflow. */
static void test_range(void **state)
{
	struct cnn_example example = cnn_example_make(&cnn_example_small, 1);
	const size_t skip = CNN_EXAMPLE_HEADER_BYTES + CNN_EXAMPLE_DIGEST_BYTES;
	unsigned char image[64];
	struct cnn_scores scores;
	struct cnn_model model;
	struct error err;

	(void)state;
	memset(image, 255, sizeof image);
	memset(example.bytes + skip, 127, example.len - skip);
	cnn_example_sign(&example);
	assert_int_equal(cnn_model_parse(&model, example.bytes, example.len, &err), 0);
	assert_int_equal(cnn_clear_classify(&model, image, &scores, &err), -ERANGE);
	assert_non_null(strstr(err.text, "layer 1"));
	cnn_example_finish(&example);
}

static void test_drawn_digits(void **state)
{
	struct cnn_example model_file = cnn_example_read("data/cnn/model.bin");
	struct cnn_example images = cnn_example_read("data/cnn/digits.idx");
	struct cnn_example labels = cnn_example_read("data/cnn/digits-labels.idx");
	struct cnn_model model;
	struct cnn_scores scores;
	uint32_t n_right = 0, n_images;
	struct error err;

	(void)state;
	assert_int_equal(
	    cnn_model_parse(&model, model_file.bytes, model_file.len, &err), 0);
	assert_true(images.len > 16 && labels.len > 8);
	n_images = (uint32_t)(labels.len - 8);
	assert_int_equal(images.len, 16 + 784 * (size_t)n_images);
	for (uint32_t i = 0; i < n_images; i++) {
		const unsigned char *image = images.bytes + 16 + (size_t)784 * i;

		assert_int_equal(cnn_clear_classify(&model, image, &scores, &err), 0);
		n_right += scores.best == labels.bytes[8 + i];
	}
	assert_same_as_slow(&model, images.bytes + 16);
	printf("# %u of %u drawn digits right\n", n_right, n_images);
	assert_true(n_right * 10 >= n_images * 9);
	cnn_example_finish(&labels);
	cnn_example_finish(&images);
	cnn_example_finish(&model_file);
}

static void test_held_out(void **state)
{
	static const char *const image_names[] = {"train-images-idx3-ubyte", NULL};
	static const char *const label_names[] = {"train-labels-idx1-ubyte", NULL};
	const char *folder = getenv("E3_MNIST");
	struct cnn_example model_file;
	struct idx_file images, labels;
	struct cnn_scores scores;
	struct cnn_model model;
	uint32_t n_right = 0, n = 0;
	struct error err;

	(void)state;
	if (folder == NULL || folder[0] == '\0')
		skip_because("E3_MNIST names no folder with MNIST files");
	assert_int_equal(idx_file_read_first(&images, folder, image_names,
			     HELD_OUT_FIRST + HELD_OUT_MAX, &err),
	    0);
	assert_int_equal(idx_file_read_first(&labels, folder, label_names,
			     HELD_OUT_FIRST + HELD_OUT_MAX, &err),
	    0);
	model_file = cnn_example_read("data/cnn/model.bin");
	assert_int_equal(
	    cnn_model_parse(&model, model_file.bytes, model_file.len, &err), 0);
	assert_int_equal(images.n_items, labels.n_items);
	for (uint32_t i = HELD_OUT_FIRST; i < images.n_items; i++, n++) {
		assert_int_equal(cnn_clear_classify(&model,
				     images.bytes + (size_t)784 * i, &scores, &err),
		    0);
		n_right += scores.best == labels.bytes[i];
	}
	printf("# %u of %u held-out images right\n", n_right, n);
	assert_true(n >= 1500);
	assert_true(n_right * 1000 >= n * 975);
	cnn_example_finish(&model_file);
	idx_file_finish(&labels);
	idx_file_finish(&images);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_small_models),
	    cmocka_unit_test(test_range),
	    cmocka_unit_test(test_drawn_digits),
	    cmocka_unit_test(test_held_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A model file is taken whole or refused with a sentence, whatever its bytes. */
#include "tests/tap.h"

#include "base/bytes.h"
#include "base/random.h"
#include "tests/cnn/cnn_example.h"

#include <stdlib.h>
#include <string.h>

/* On the heap and exactly as long, so that a sanitizer sees every read beyond. */
static int parse_copy(const unsigned char *bytes, size_t len, struct error *err)
{
	unsigned char *copy = malloc(len > 0 ? len : 1);
	struct cnn_model model;
	int rc;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	err->code = 0;
	err->text[0] = '\0';
	rc = cnn_model_parse(&model, copy, len, err);
	if (rc == 0)
		for (uint32_t i = 0; i < CNN_LAYERS; i++)
			assert_ptr_equal(model.layers[i].biases,
			    (const unsigned char *)model.layers[i].weights +
				(size_t)model.layers[i].n_rows *
				    model.layers[i].n_columns);
	else
		assert_int_equal(err->code, rc);
	free(copy);
	return rc;
}

static void test_good(void **state)
{
	struct cnn_example example = cnn_example_make(&cnn_example_small, 1);
	struct cnn_model model;
	struct error err;

	(void)state;
	assert_int_equal(cnn_model_parse(&model, example.bytes, example.len, &err), 0);
	assert_true(cnn_shape_equal(&model.shape, &cnn_example_small));
	assert_false(cnn_shape_equal(&model.shape, &cnn_shape_standard));
	assert_int_equal(model.layers[CNN_CONV2].n_rows, 5);
	assert_int_equal(model.layers[CNN_CONV2].n_columns, 75);
	assert_int_equal(model.layers[CNN_FC1].n_columns, 20);
	assert_ptr_equal(model.layers[CNN_FC2].biases + 40, example.bytes + example.len);
	cnn_example_finish(&example);
}

static void test_committed(void **state)
{
	struct cnn_example example = cnn_example_read("data/cnn/model.bin");
	struct cnn_model model;
	struct error err;

	(void)state;
	assert_non_null(example.bytes);
	assert_int_equal(cnn_model_parse(&model, example.bytes, example.len, &err), 0);
	assert_true(cnn_shape_equal(&model.shape, &cnn_shape_standard));
	assert_int_equal(cnn_shape_parameters(&model.shape), 3274634);
	assert_true(example.len <= 3500000);
	cnn_example_finish(&example);
}

static void test_truncated(void **state)
{
	struct cnn_example example = cnn_example_make(&cnn_example_small, 2);
	unsigned char *longer = malloc(example.len + 1);
	struct error err;

	(void)state;
	for (size_t len = 0; len < example.len; len++)
		assert_true(parse_copy(example.bytes, len, &err) < 0);
	assert_int_equal(parse_copy(example.bytes, example.len - 1, &err), -EMSGSIZE);
	assert_non_null(longer);
	memcpy(longer, example.bytes, example.len);
	longer[example.len] = 0;
	assert_int_equal(parse_copy(longer, example.len + 1, &err), -EMSGSIZE);
	free(longer);
	cnn_example_finish(&example);
}

static void test_bit_flips(void **state)
{
	struct cnn_example example = cnn_example_make(&cnn_example_small, 3);
	struct error err;

	(void)state;
	for (size_t bit = 0; bit < 8 * example.len; bit++) {
		example.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_true(parse_copy(example.bytes, example.len, &err) < 0);
		assert_true(strlen(err.text) > 20);
		example.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_int_equal(parse_copy(example.bytes, example.len, &err), 0);
	cnn_example_finish(&example);
}

/* Headers that lie, correctly signed. */
static void test_lies(void **state)
{
	static const struct lie {
		uint32_t word, value; /* of the header, after the magic */
		int code;
	} lies[] = {
	    {0, 2, -EINVAL}, /* version */
	    {1, 0, -EINVAL}, /* side */
	    {1, 9, -EINVAL},
	    {1, 0xfffffffcu, -EINVAL},
	    {1, 12, -EINVAL}, /* does not fit fc1 */
	    {2, 7, -EINVAL},  /* scale */
	    {3, 3, -EINVAL},  /* layers */
	    {4, 0, -EINVAL},  /* outputs of conv1 */
	    {4, 0xffffffffu, -EINVAL},
	    {4, 4, -EINVAL},
	    {5, 2, -EINVAL},  /* its inputs */
	    {6, 3, -EINVAL},  /* kernel */
	    {7, 18, -EINVAL}, /* scale of its biases */
	    {8, 2, -EINVAL},  /* width */
	    {8, 41, -EINVAL},
	    {14, 8, -EINVAL},   /* fc1 outputs 8, fc2 reads 7 */
	    {19, 9, -EMSGSIZE}, /* classes: a shape of its own */
	    {19, 17, -EINVAL},
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct cnn_example example = cnn_example_make(&cnn_example_small, 4);

		bytes_store_le32(example.bytes + 8 + 4 * lies[i].word, lies[i].value);
		cnn_example_sign(&example);
		assert_int_equal(
		    parse_copy(example.bytes, example.len, &err), lies[i].code);
		cnn_example_finish(&example);
	}
}

static void test_noise(void **state)
{
	struct random_stream rng;
	unsigned char noise[512];
	struct error err;

	(void)state;
	random_stream_seed(&rng, 5);
	for (int round = 0; round < 20000; round++) {
		size_t len = random_stream_below(&rng, sizeof noise);

		for (size_t i = 0; i < len; i++)
			noise[i] = (unsigned char)random_stream_next(&rng);
		if (len >= 24 && round % 2 == 0) {
			memcpy(noise, "E3CNNMDL", 8);
			bytes_store_le32(noise + 8, 1);
			bytes_store_le32(noise + 16, 6);
			bytes_store_le32(noise + 20, 4);
		}
		assert_true(parse_copy(noise, len, &err) < 0);
	}
}

static void test_pixels(void **state)
{
	(void)state;
	for (unsigned p = 0; p < 256; p++) {
		double exact = p / 255.0 * 64;
		double error = exact - cnn_pixel((unsigned char)p);

		assert_true(error < 0.5 && error > -0.5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_committed),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_bit_flips),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_noise),
	    cmocka_unit_test(test_pixels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

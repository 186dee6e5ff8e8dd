/* SPDX-License-Identifier: MIT */
/* The secret-shared classifier gives the integers of the clear one, at every number of
 * parties, and takes the exchanges and bytes that are promised. */
#include "tests/tap.h"

#include "base/random.h"
#include "tests/cnn/cnn_example.h"
#include "tests/cnn/cnn_parties.h"

#include <stdlib.h>
#include <string.h>

#define IMAGES_MAX 3u

struct small {
	struct cnn_parties parties;
	struct cnn_example model;
	unsigned char images[IMAGES_MAX * 64];
};

static struct small *small_create(uint32_t m, uint32_t n_images, uint64_t seed)
{
	struct small *small = calloc(1, sizeof *small);
	struct random_stream rng;

	assert_non_null(small);
	small->model = cnn_example_make(&cnn_example_small, seed);
	random_stream_seed(&rng, seed);
	for (size_t i = 0; i < sizeof small->images; i++)
		small->images[i] = (unsigned char)random_stream_next(&rng);
	small->parties.m = m;
	small->parties.n_images = n_images;
	small->parties.shape = &cnn_example_small;
	small->parties.task = (struct workload_task){.field_bits = 61,
	    .seed = seed,
	    .model = small->model.bytes,
	    .model_bytes = small->model.len,
	    .images = small->images,
	    .n_images = IMAGES_MAX};
	return small;
}

static void small_destroy(struct small *small)
{
	cnn_example_finish(&small->model);
	free(small);
}

static void run_small(uint32_t m, uint32_t n_images, uint32_t field_bits, uint64_t seed)
{
	struct small *small = small_create(m, n_images, seed);

	small->parties.task.field_bits = field_bits;
	if (cnn_parties_run(&small->parties) < 0)
		fail_msg("%u parties, %u images, %u bits: %s", m, n_images, field_bits,
		    small->parties.err.text);
	small_destroy(small);
}

static void test_equals_clear(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= NETWORK_PARTIES_MAX; m++)
		for (uint32_t seed = 0; seed < IMAGES_MAX; seed++)
			run_small(m, 1 + seed, 61, seed + 100 * m);
}

static void test_other_fields(void **state)
{
	(void)state;
	run_small(3, 2, 127, 7);
	run_small(4, 1, 255, 8);
}

/* Dependent exchanges of each phase, whatever the size: cnn_layers.h and compare.h. */
static void test_rounds(void **state)
{
	static const struct {
		const char *phase;
		uint32_t rounds[3]; /* m = 1, 2; 3 .. 7; 8 .. 10 */
	} due[] = {
	    {"keys", {1, 1, 1}},
	    {"input", {1, 1, 1}},
	    {"bits", {0, 3, 5}},
	    {"conv1", {0, 0, 0}},
	    {"pool1", {0, 13, 13}},
	    {"conv2", {0, 0, 0}},
	    {"pool2", {0, 16, 16}},
	    {"fc1", {0, 7, 7}},
	    {"fc2", {0, 0, 0}},
	    {"argmax", {0, 7, 7}},
	    {"output", {0, 1, 1}},
	};

	(void)state;
	for (uint32_t m = 2; m <= NETWORK_PARTIES_MAX; m++) {
		struct small *small = small_create(m, 1, m);

		assert_int_equal(cnn_parties_run(&small->parties), 0);
		assert_int_equal(small->parties.n_phases, sizeof due / sizeof *due);
		for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
			const struct cnn_phase *phase =
			    cnn_parties_phase(&small->parties, due[i].phase);
			uint64_t most = 0;

			assert_non_null(phase);
			for (uint32_t p = 0; p < m; p++)
				if (phase->rounds[p] > most)
					most = phase->rounds[p];
			if (most != due[i].rounds[m > 2 ? m > 7 ? 2 : 1 : 0])
				fail_msg("%u parties, %s: %u rounds", m, due[i].phase,
				    (unsigned)most);
		}
		small_destroy(small);
	}
}

/* An owner without its input says so, and the others don't hang. */
static void expect_refusal(struct small *small, int code, const char *part)
{
	small->parties.err.text[0] = '\0';
	assert_int_equal(cnn_parties_run(&small->parties), code);
	if (strstr(small->parties.err.text, part) == NULL)
		fail_msg("'%s' does not say '%s'", small->parties.err.text, part);
	small_destroy(small);
}

static void test_refusals(void **state)
{
	struct small *small;

	(void)state;
	small = small_create(3, 2, 1);
	small->parties.task.model = NULL;
	expect_refusal(small, -EINVAL, "party 0 owns the model");
	small = small_create(3, 2, 1);
	small->parties.task.model_bytes--;
	expect_refusal(small, -EMSGSIZE, "its layers need");
	small = small_create(3, 2, 1);
	small->parties.shape = &cnn_shape_standard;
	expect_refusal(small, -EINVAL, "another shape");
	small = small_create(3, 2, 1);
	small->parties.task.n_images = 1;
	expect_refusal(small, -EINVAL, "party 1");
	small = small_create(3, 2, 1);
	small->parties.task.field_bits = 60;
	expect_refusal(small, -EINVAL, "61 bits or more");
	small = small_create(3, CNN_BATCH_MAX + 1, 1);
	expect_refusal(small, -EINVAL, "1 to 64 images");
}

/* A wrong logit or class is found. */
static void test_check(void **state)
{
	struct small *small = small_create(2, 2, 1);
	struct workload_output *out = &small->parties.out[0];

	(void)state;
	assert_int_equal(cnn_parties_run(&small->parties), 0);
	for (uint32_t i = 0; i < out->n_values; i++) {
		out->values[i]++;
		assert_int_equal(cnn_check(&small->parties.task, 2, out, NULL), -EBADMSG);
		out->values[i]--;
	}
	assert_int_equal(cnn_check(&small->parties.task, 2, out, NULL), 0);
	assert_int_equal(cnn_check(&small->parties.task, 1, out, NULL), -EBADMSG);
	small_destroy(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_equals_clear),
	    cmocka_unit_test(test_other_fields),
	    cmocka_unit_test(test_rounds),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

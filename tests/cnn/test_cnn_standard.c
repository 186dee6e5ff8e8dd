/* SPDX-License-Identifier: MIT */
/* The committed model on the drawn digits, secret-shared among 1 to 10 parties: right,
 * and within the exchanges, bytes and memory that the project promises at 3 parties. */
#include "tests/tap.h"

#include "harness/party/idx_file.h"
#include "tests/cnn/cnn_example.h"
#include "tests/cnn/cnn_parties.h"

#include <stdlib.h>
#include <string.h>

#define IDX_HEADER_BYTES 16u
#define BATCH            4u
#define ROUNDS_MAX       99u
#define BYTES_MAX        15000000u

struct standard {
	struct cnn_example model, digits;
	struct cnn_parties parties;
};

static int open_inputs(void **state)
{
	struct standard *standard = calloc(1, sizeof *standard);

	if (standard == NULL)
		return -1;
	standard->model = cnn_example_read("data/cnn/model.bin");
	standard->digits = cnn_example_read("data/cnn/digits.idx");
	*state = standard;
	return standard->model.bytes == NULL || standard->digits.bytes == NULL;
}

static int close_inputs(void **state)
{
	struct standard *standard = *state;

	cnn_example_finish(&standard->model);
	cnn_example_finish(&standard->digits);
	free(standard);
	return 0;
}

static struct cnn_parties *run_images(
    struct standard *standard, uint32_t m, const unsigned char *images, uint32_t n_images)
{
	struct cnn_parties *parties = &standard->parties;

	memset(parties, 0, sizeof *parties);
	parties->m = m;
	parties->n_images = n_images;
	parties->shape = &cnn_shape_standard;
	parties->task = (struct workload_task){.field_bits = 61,
	    .seed = 2026 + m,
	    .model = standard->model.bytes,
	    .model_bytes = standard->model.len,
	    .images = images,
	    .n_images = n_images};
	if (cnn_parties_run(parties) < 0)
		fail_msg("%u parties: %s", m, parties->err.text);
	return parties;
}

static struct cnn_parties *run_first(struct standard *standard, uint32_t m)
{
	return run_images(standard, m, standard->digits.bytes + IDX_HEADER_BYTES, 1);
}

static void test_party_counts(void **state)
{
	static const uint32_t counts[] = {1, 2, 4, 5, 7, 10};

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		run_first(*state, counts[i]);
}

static void test_all_digits(void **state)
{
	struct standard *standard = *state;
	const uint32_t n = (uint32_t)(standard->digits.len - IDX_HEADER_BYTES) / 784;

	assert_int_equal(n % BATCH, 0);
	for (uint32_t i = 0; i < n; i += BATCH)
		run_images(standard, 3,
		    standard->digits.bytes + IDX_HEADER_BYTES + (size_t)784 * i, BATCH);
}

static void test_real_images(void **state)
{
	static const char *const names[] = {
	    "train-images-idx3-ubyte", "t10k-images-idx3-ubyte", NULL};
	const char *folder = getenv("E3_MNIST");
	struct idx_file images;
	struct error err;

	if (folder == NULL || folder[0] == '\0')
		skip_because("E3_MNIST names no folder with MNIST files");
	if (idx_file_read_first(&images, folder, names, 4 * BATCH, &err) < 0)
		fail_msg("%s", err.text);
	for (uint32_t i = 0; i + BATCH <= images.n_items; i += BATCH)
		run_images(*state, 3, images.bytes + (size_t)784 * i, BATCH);
	idx_file_finish(&images);
}

/* Whatever the inputs were: rounds and bytes of every phase at 3 parties. */
static void test_counts(void **state)
{
	static const struct {
		const char *phase;
		uint32_t rounds, bytes; /* of the party that sends most */
	} due[] = {
	    {"bits", 3, 8404984},
	    {"conv1", 0, 0},
	    {"pool1", 13, 2308096},
	    {"conv2", 0, 0},
	    {"pool2", 16, 1404928},
	    {"fc1", 7, 376832},
	    {"fc2", 0, 0},
	    {"argmax", 7, 16080},
	    {"output", 1, 160},
	};
	const struct cnn_parties *parties = run_first(*state, 3);
	uint64_t rounds = 0, bytes = 0;

	for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
		const struct cnn_phase *phase = cnn_parties_phase(parties, due[i].phase);
		uint64_t most_rounds = 0, most_bytes = 0;

		assert_non_null(phase);
		for (uint32_t p = 0; p < 3; p++) {
			if (phase->rounds[p] > most_rounds)
				most_rounds = phase->rounds[p];
			if (phase->bytes[p] > most_bytes)
				most_bytes = phase->bytes[p];
		}
		printf("# %-7s %3u rounds %9u bytes\n", due[i].phase,
		    (unsigned)most_rounds, (unsigned)most_bytes);
		assert_int_equal(most_rounds, due[i].rounds);
		assert_int_equal(most_bytes, due[i].bytes);
		rounds += most_rounds;
		bytes += most_bytes;
	}
	printf("# after the inputs %u rounds, %u bytes sent by a party\n",
	    (unsigned)rounds, (unsigned)bytes);
	assert_true(rounds <= ROUNDS_MAX);
	assert_true(bytes <= BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_all_digits),
	    cmocka_unit_test(test_real_images),
	    cmocka_unit_test(test_party_counts),
	};

	return cmocka_run_group_tests(tests, open_inputs, close_inputs);
}

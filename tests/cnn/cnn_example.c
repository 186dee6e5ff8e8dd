/* SPDX-License-Identifier: MIT */
#include "tests/cnn/cnn_example.h"

#include "base/bytes.h"
#include "base/random.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct cnn_shape cnn_example_small = {
    .side = 8,
    .n_channels1 = 3,
    .n_channels2 = 5,
    .n_hidden = 7,
    .n_outputs = 10,
    .width_bits = {16, 23, 30, 37},
};

void cnn_example_sign(struct cnn_example *example)
{
	const size_t skip = CNN_EXAMPLE_HEADER_BYTES + CNN_EXAMPLE_DIGEST_BYTES;
	unsigned char *joined = malloc(example->len);

	if (joined == NULL)
		abort();
	memcpy(joined, example->bytes, CNN_EXAMPLE_HEADER_BYTES);
	memcpy(joined + CNN_EXAMPLE_HEADER_BYTES, example->bytes + skip,
	    example->len - skip);
	SHA256(joined, example->len - CNN_EXAMPLE_DIGEST_BYTES,
	    example->bytes + CNN_EXAMPLE_HEADER_BYTES);
	free(joined);
}

static unsigned char *put_word(unsigned char *at, uint32_t word)
{
	bytes_store_le32(at, word);
	return at + 4;
}

static unsigned char *put_layer(unsigned char *at, const struct cnn_shape *shape,
    uint32_t i, struct random_stream *rng)
{
	const uint32_t rows = cnn_shape_rows(shape, i);
	const uint32_t columns = cnn_shape_columns(shape, i);

	for (uint32_t k = 0; k < rows * columns; k++)
		*at++ = (unsigned char)(int8_t)((int)random_stream_below(rng, 7) - 3);
	for (uint32_t k = 0; k < rows; k++) {
		int64_t spread = INT64_C(64) << 6 * i;

		at = put_word(at,
		    (uint32_t)((int64_t)random_stream_below(rng, 2 * (uint64_t)spread) -
			       spread));
	}
	return at;
}

struct cnn_example cnn_example_make(const struct cnn_shape *shape, uint64_t seed)
{
	struct cnn_example example = {
	    .len = CNN_EXAMPLE_HEADER_BYTES + CNN_EXAMPLE_DIGEST_BYTES};
	struct random_stream rng;
	unsigned char *at;

	for (uint32_t i = 0; i < CNN_LAYERS; i++)
		example.len +=
		    (size_t)cnn_shape_rows(shape, i) * (cnn_shape_columns(shape, i) + 4);
	example.bytes = malloc(example.len);
	if (example.bytes == NULL)
		abort();
	random_stream_seed(&rng, seed);
	memcpy(example.bytes, "E3CNNMDL", 8);
	at = put_word(example.bytes + 8, 1);
	at = put_word(at, shape->side);
	at = put_word(at, 6);
	at = put_word(at, CNN_LAYERS);
	for (uint32_t i = 0; i < CNN_LAYERS; i++) {
		uint32_t kernel = i < 2 ? 5 : 1;

		at = put_word(at, cnn_shape_rows(shape, i));
		at = put_word(at, cnn_shape_columns(shape, i) / (kernel * kernel));
		at = put_word(at, kernel);
		at = put_word(at, 6 * (i + 2));
		at = put_word(at, shape->width_bits[i]);
	}
	at += CNN_EXAMPLE_DIGEST_BYTES;
	for (uint32_t i = 0; i < CNN_LAYERS; i++)
		at = put_layer(at, shape, i, &rng);
	cnn_example_sign(&example);
	return example;
}

struct cnn_example cnn_example_read(const char *path)
{
	const char *home = getenv("E3_HOME");
	struct cnn_example example = {0};
	char full[4096];
	FILE *file;
	long len;

	snprintf(full, sizeof full, "%s/%s", home != NULL ? home : ".", path);
	file = fopen(full, "rb");
	if (file == NULL)
		return example;
	if (fseek(file, 0, SEEK_END) == 0 && (len = ftell(file)) > 0 &&
	    fseek(file, 0, SEEK_SET) == 0 &&
	    (example.bytes = malloc((size_t)len)) != NULL)
		example.len = fread(example.bytes, 1, (size_t)len, file);
	fclose(file);
	return example;
}

void cnn_example_finish(struct cnn_example *example)
{
	free(example->bytes);
	*example = (struct cnn_example){0};
}

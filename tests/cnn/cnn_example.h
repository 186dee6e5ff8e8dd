/* SPDX-License-Identifier: MIT */
/* Model files and images made by tests: any shape, random weights, and the committed one.
 */
#ifndef TESTS_CNN_EXAMPLE_H
#define TESTS_CNN_EXAMPLE_H

#include "engine/cnn_model.h"

/* A model small enough for sanitizers that takes the same paths: 8x8 images, odd counts.
 */
extern const struct cnn_shape cnn_example_small;

struct cnn_example {
	unsigned char *bytes; /* owned */
	size_t len;
};

/* A valid file of that shape, weights in [-3, 3]. Aborts when out of memory. */
struct cnn_example cnn_example_make(const struct cnn_shape *shape, uint64_t seed);
/* Sign the content anew after a change. */
void cnn_example_sign(struct cnn_example *example);
/* A whole file below E3_HOME (or the working directory); bytes NULL when unreadable. */
struct cnn_example cnn_example_read(const char *path);
void cnn_example_finish(struct cnn_example *example);

#define CNN_EXAMPLE_HEADER_BYTES 104u
#define CNN_EXAMPLE_DIGEST_BYTES 32u

#endif

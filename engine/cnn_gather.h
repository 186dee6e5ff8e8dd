/* SPDX-License-Identifier: MIT */
/*
 * The index work of the classifier, the same for integers in the clear and for shares: an
 * element is `limbs` words, and nothing here looks into it.
 *
 * Images are [image][y][x][channel]. The values of a convolution are ordered
 * [dy][dx][image][y / 2][x / 2][channel], dy and dx being the parities of y and x: then a
 * max-pooling takes the larger of its first and second half, twice, and leaves images.
 */
#ifndef ENGINE_CNN_GATHER_H
#define ENGINE_CNN_GATHER_H

#include <stddef.h>
#include <stdint.h>

struct cnn_place {
	uint32_t image, y, x;
};

/* Where value number `position` (channels not counted) of a convolution comes from. */
struct cnn_place cnn_gather_place(size_t position, uint32_t n_images, uint32_t side);

/* The 5x5 neighbourhood of a place, zero outside: out[ky][kx][channel]. */
void cnn_gather_column(uint64_t *out, const uint64_t *images, struct cnn_place place,
    uint32_t side, uint32_t n_channels, uint32_t limbs);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The inputs of the classifier as shares: party 0 deals the model, party 1 (party 0 when
 * it is alone) the images. Everybody knows the shape and the number of images.
 */
#ifndef ENGINE_CNN_INPUT_H
#define ENGINE_CNN_INPUT_H

#include "engine/cnn_model.h"
#include "engine/share.h"

struct cnn_shares {
	/* Matrices [row][column] and a vector of biases for each layer. */
	uint64_t *weights[CNN_LAYERS], *biases[CNN_LAYERS];
	uint64_t *images; /* [image][y][x] */
};

/* Phase "input". `model` at party 0 and `images` (n_images x side x side grey values) at
 * their owner, NULL elsewhere. The dealers wait for nobody, so that all of it is one
 * dependent exchange, cut into frames of bounded size. The shares live as mpc_vector()s.
 */
int cnn_input(struct mpc *mpc, const struct cnn_shape *shape,
    const struct cnn_model *model, const unsigned char *images, uint32_t n_images,
    struct cnn_shares *shares, struct error *err);

/* The party that deals the images. */
static inline uint32_t cnn_image_owner(const struct mpc *mpc)
{
	return mpc->n_parties > 1 ? 1 : 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The layers of the classifier on shares. A linear layer is local: dot products of shares
 * are unreduced products, and the round in which the next comparison opens its masked
 * differences reshares them as well (compare.h).
 *
 *                  dependent exchanges
 *   conv1, conv2   0
 *   pool1, pool2   2 compare_max(), 1 compare_relu(), 1 reshare
 *   fc1            1 compare_relu(), 1 reshare
 *   fc2            0
 *   argmax         1 compare_argmax()
 *   output         1
 */
#ifndef ENGINE_CNN_LAYERS_H
#define ENGINE_CNN_LAYERS_H

#include "engine/cnn_input.h"
#include "engine/compare.h"

/* Comparisons that a batch needs, in the order of the layers. */
#define CNN_NEEDS 8u
void cnn_layers_needs(const struct cnn_shape *shape, uint32_t n_images,
    struct compare_need needs[CNN_NEEDS]);

struct cnn_run {
	struct mpc *mpc;
	const struct cnn_shape *shape;
	uint32_t n_images;
	struct cnn_shares shares;
	struct compare *compare; /* made of cnn_layers_needs() */
};

/* From the shared inputs to open results: which[image], and the logits
 * [output][image], opened elements. Marks each layer as a phase. */
int cnn_layers_run(
    struct cnn_run *run, uint32_t *which, uint64_t *logits, struct error *err);

#endif

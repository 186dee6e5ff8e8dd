/* SPDX-License-Identifier: MIT */
/* The classifier in the clear: exact integers, what the secret-shared run must equal. */
#ifndef ENGINE_CNN_CLEAR_H
#define ENGINE_CNN_CLEAR_H

#include "engine/cnn_model.h"

struct cnn_scores {
	uint32_t best;                   /* the first index of the largest logit */
	int64_t logits[CNN_OUTPUTS_MAX]; /* x 2^30 */
};

/* Classify one image of side x side grey values. -ERANGE with a sentence when a value or
 * a difference that is compared leaves its layer's width (then a secret-shared run gives
 * nonsense), -ENOMEM. */
int cnn_clear_classify(const struct cnn_model *model, const unsigned char *image,
    struct cnn_scores *scores, struct error *err);

#endif

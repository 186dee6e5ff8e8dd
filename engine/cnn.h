/* SPDX-License-Identifier: MIT */
/*
 * The workload cnn-mnist: classify a batch of digit images that one party has with a
 * model that another has. Output: for each image the class, then the logits of all
 * classes.
 */
#ifndef ENGINE_CNN_H
#define ENGINE_CNN_H

#include "engine/cnn_model.h"
#include "engine/workload.h"

#define CNN_BATCH_MAX 64u

/* As the workload's run(), for a model of any shape: the owner's must have it. */
int cnn_run_shape(struct network *net, const struct cnn_shape *shape,
    const struct workload_task *task, uint32_t n_images, struct workload_output *out,
    struct error *err);

/* As the workload's check(), for n_images images. */
int cnn_check(const struct workload_task *task, uint32_t n_images,
    const struct workload_output *out, struct error *err);

extern const struct workload workload_cnn;

#endif

/* SPDX-License-Identifier: MIT */
/* The files a run feeds to its parties: the classifier and the images it reads. */
#ifndef HARNESS_CONTROL_RUN_INPUTS_H
#define HARNESS_CONTROL_RUN_INPUTS_H

#include "base/error.h"
#include "engine/workload.h"
#include "harness/party/idx_file.h"
#include "harness/scenario/plan.h"

#include <limits.h>

/* Names below the fleet's folder on a host. */
#define RUN_INPUTS_MODEL  "model.bin"
#define RUN_INPUTS_IMAGES "images.idx"

struct run_inputs {
	char model_path[PATH_MAX];  /* local */
	char images_path[PATH_MAX]; /* local; plain or compressed */
	unsigned char *model;
	size_t model_bytes;
	struct idx_file images;
};

/* The project's own model, and its digits or the IDX files of `mnist_folder` (NULL =
 * own). Keeps the first max_images. -ENOENT and -EINVAL name the file. */
int run_inputs_read(struct run_inputs *inputs, const char *mnist_folder,
    uint32_t max_images, struct error *err);
/* For the cells of a plan: nothing is read if none needs it. */
int run_inputs_for(struct run_inputs *inputs, const struct plan *plan,
    const char *mnist_folder, struct error *err);

/* Whether a workload reads the model and images. */
int run_inputs_are_for(const char *workload);

/* The cell's task with all inputs in the clear; borrows from plan and inputs. */
struct workload_task run_inputs_task(const struct run_inputs *inputs,
    const struct plan *plan, const struct plan_cell *cell);

void run_inputs_finish(struct run_inputs *inputs); /* zeroed is fine */

#endif

/* SPDX-License-Identifier: MIT */
/* Inside of experiment*.c: from what parties noted to what a coalition sees. */
#ifndef TESTS_ENGINE_EXPERIMENT_VIEW_H
#define TESTS_ENGINE_EXPERIMENT_VIEW_H

#include "tests/engine/chi_square.h"
#include "tests/engine/experiment.h"

/* Make world->weights and, after the runs, world->least. */
void world_weigh(struct world *world);
void world_find_least(struct world *world);
/* The view of `coalition`, the c-th that is looked at, with the hidden values: the true
 * ones in world 0, fresh ones in world 1. */
void world_view(
    const struct world *world, uint32_t coalition, uint32_t c, struct view *view);

#endif

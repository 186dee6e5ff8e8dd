/* SPDX-License-Identifier: MIT */
/* A block as a journal has it, read back into what its cell's figures are made of. */
#ifndef HARNESS_RESULT_RECOVERED_BLOCK_H
#define HARNESS_RESULT_RECOVERED_BLOCK_H

#include "base/error.h"
#include "harness/result/block_outcome.h"

/* The JSON that block_outcome_make() made; out->json is a copy of its own. -EINVAL with a
 * sentence that names the key, or -ENOMEM; *out is finished then. */
int recovered_block_read(
    const struct cJSON *json, struct block_outcome *out, struct error *err);

#endif

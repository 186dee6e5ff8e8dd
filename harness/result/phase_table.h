/* SPDX-License-Identifier: MIT */
/* Phases of a protocol below each other, transports side by side: one table for each
 * computation that has more than one phase. */
#ifndef HARNESS_RESULT_PHASE_TABLE_H
#define HARNESS_RESULT_PHASE_TABLE_H

#include "harness/result/terminal.h"

struct cJSON;

void phase_table_print(
    const struct cJSON *document, FILE *out, const struct terminal *terminal);

#endif

/* SPDX-License-Identifier: MIT */
/* The taints of a run in words: one line a code, with the worst case. */
#ifndef HARNESS_RESULT_TAINT_WORDS_H
#define HARNESS_RESULT_TAINT_WORDS_H

#include "harness/result/terminal.h"

struct cJSON;

/* Nothing is printed without a taint. */
void taint_words_print(
    const struct cJSON *document, FILE *out, const struct terminal *terminal);

#endif

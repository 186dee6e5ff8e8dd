/* SPDX-License-Identifier: MIT */
/* The tables at the end of a run: what each cell took, and where its time went. */
#ifndef HARNESS_RESULT_SUMMARY_TABLE_H
#define HARNESS_RESULT_SUMMARY_TABLE_H

#include "harness/result/terminal.h"

struct cJSON;

/* `document`: result_document(), or one read from a file. Nothing is printed without a
 * cell; the second's tables only with cells that were decomposed, or ran at several delay
 * scales. */
void summary_table_print(
    const struct cJSON *document, FILE *out, const struct terminal *terminal);
void summary_parts_print(
    const struct cJSON *document, FILE *out, const struct terminal *terminal);

#endif

/* SPDX-License-Identifier: MIT */
/* What a person sees at the end of a run; and the same for a program. */
#ifndef HARNESS_RESULT_SUMMARY_H
#define HARNESS_RESULT_SUMMARY_H

#include "harness/result/terminal.h"

struct cJSON;

/* Title, tables, heat map, what the harness itself costs, taints and errors in words,
 * notes, and where the document is. `path`: NULL if it was not written. */
void summary_print(const struct cJSON *document, const char *path, FILE *out,
    const struct terminal *terminal);

/* The document without blocks, payloads and provenance, and with "path": for `--json`. To
 * be freed with cJSON_Delete(); NULL when out of memory. */
struct cJSON *summary_json(const struct cJSON *document, const char *path);

#endif

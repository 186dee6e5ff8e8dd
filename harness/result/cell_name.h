/* SPDX-License-Identifier: MIT */
/* The "cell" object of a document: what people call it, and which ones belong together.
 */
#ifndef HARNESS_RESULT_CELL_NAME_H
#define HARNESS_RESULT_CELL_NAME_H

#include <stddef.h>

struct cJSON;

/* "secret-santa min low, 4 parties" into `out`; clean text. Returns `out`. */
char *cell_name_work(const struct cJSON *id, char *out, size_t out_bytes);
/* "tcp"; "?" if it has none. Not yet clean. */
const char *cell_name_transport(const struct cJSON *id);
/* The same computation, whatever the transport. */
int cell_name_is_same_work(const struct cJSON *a, const struct cJSON *b);
/* Whether no cell before `cell` in its array is of the same computation. */
int cell_name_is_first(const struct cJSON *cells, const struct cJSON *cell);

#endif

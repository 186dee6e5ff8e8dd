/* SPDX-License-Identifier: MIT */
/* The kinds of things that `e3 list` shows; for command_list.c only. Each appends to
 * `json` (an array) when it is not NULL, else prints a table. 0, or a negative errno. */
#ifndef HARNESS_COMMAND_LIST_KINDS_H
#define HARNESS_COMMAND_LIST_KINDS_H

#include "base/error.h"

struct cJSON;

int list_transports(struct cJSON *json, struct error *err);
int list_workloads(struct cJSON *json, struct error *err);
int list_scenarios(struct cJSON *json, struct error *err);
int list_regions(struct cJSON *json, struct error *err);

#endif

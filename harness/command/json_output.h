/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_COMMAND_JSON_OUTPUT_H
#define HARNESS_COMMAND_JSON_OUTPUT_H

struct cJSON;

/* A document for programs to standard output; frees `json` (NULL = out of memory).
 * Returns the exit code of the command. */
int json_output(struct cJSON *json);

#endif

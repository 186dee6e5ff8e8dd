/* SPDX-License-Identifier: MIT */
/* What a run says of itself: versions for the result, tables for people. */
#ifndef HARNESS_CONTROL_RUN_REPORT_H
#define HARNESS_CONTROL_RUN_REPORT_H

struct cJSON;
struct run;

/* {"e3": ..., "libuv": ..., ...}; the caller deletes it. */
struct cJSON *run_versions(void);

/* The tables, the heat map, taints, the path; or the same as JSON. is_written: the
 * document is where result_path() says. */
void run_report(struct run *run, int is_written);
/* The same of any document; path = where it is, NULL = nowhere. */
void run_report_print(const struct cJSON *document, const char *path, int is_json);

#endif

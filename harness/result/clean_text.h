/* SPDX-License-Identifier: MIT */
/* Text from hosts that goes into a document and onto a terminal: valid UTF-8 without
 * control characters, so that nobody can move a cursor or break a line with it. */
#ifndef HARNESS_RESULT_CLEAN_TEXT_H
#define HARNESS_RESULT_CLEAN_TEXT_H

#include <stddef.h>

struct cJSON;

/* 1 if `text` is clean. */
int clean_text_is(const char *text);
/* A copy that fits, with '?' for each byte that is not clean and a blank for line feeds
 * and tabs; cut between characters. Returns `out`. */
char *clean_text_copy(char *out, size_t out_bytes, const char *text);
/* Every text and key in a JSON document: '?' for each byte that is not UTF-8, which JSON
 * must be (RFC 8259, 8.1). Control characters stay: JSON escapes them. Returns `json`,
 * which may be NULL. */
struct cJSON *clean_text_json(struct cJSON *json);
/* Columns that clean UTF-8 takes on a terminal, one a code point. */
size_t clean_text_columns(const char *text);

#endif

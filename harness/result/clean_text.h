/* SPDX-License-Identifier: MIT */
/* Text from hosts that goes into a document and onto a terminal: valid UTF-8 without
 * control characters, so that nobody can move a cursor or break a line with it. */
#ifndef HARNESS_RESULT_CLEAN_TEXT_H
#define HARNESS_RESULT_CLEAN_TEXT_H

#include <stddef.h>

/* 1 if `text` is clean. */
int clean_text_is(const char *text);
/* A copy that fits, with '?' for each byte that is not clean and a blank for line feeds
 * and tabs; cut between characters. Returns `out`. */
char *clean_text_copy(char *out, size_t out_bytes, const char *text);
/* Columns that clean UTF-8 takes on a terminal, one a code point. */
size_t clean_text_columns(const char *text);

#endif

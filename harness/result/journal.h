/* SPDX-License-Identifier: MIT */
/* JSON lines, one an event, each with the kernel before the next is made: what a crash
 * of this process can't take back. */
#ifndef HARNESS_RESULT_JOURNAL_H
#define HARNESS_RESULT_JOURNAL_H

#include "base/error.h"

struct cJSON;
struct journal;

/* A new file: -EEXIST if there is one. */
int journal_create(const char *path, struct journal **out, struct error *err);

/* {"t":KIND,"at":RFC 3339 time,KIND:BODY} and a newline. The body is borrowed. A line
 * that does not fit (full disk) is taken back whole; the sentence names the file. */
int journal_add(struct journal *journal, const char *kind, const struct cJSON *body,
    struct error *err);

/* The file stays. NULL is fine. */
void journal_close(struct journal *journal);
/* The file goes. NULL is fine. */
void journal_remove(struct journal *journal);

#endif

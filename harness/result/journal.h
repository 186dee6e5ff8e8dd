/* SPDX-License-Identifier: MIT */
/*
 * JSON lines, one an event, each with the kernel before the next is made: what a crash of
 * this process can't take back.
 *
 * Whoever writes or recovers a journal has a POSIX lock on it, which ends with the
 * process, so that a journal left behind is told from one of a run that goes on. (On file
 * systems that know no locks every journal looks left behind.)
 */
#ifndef HARNESS_RESULT_JOURNAL_H
#define HARNESS_RESULT_JOURNAL_H

#include "base/error.h"

#include <stddef.h>

struct cJSON;
struct journal;

#define JOURNAL_SUFFIX ".journal.jsonl"

/* A new file: -EEXIST if there is one. */
int journal_create(const char *path, struct journal **out, struct error *err);
/* One that a process left behind, to be read and then removed. -EBUSY if that process
 * lives, -EINVAL for what is no regular file. */
int journal_adopt(const char *path, struct journal **out, struct error *err);

/* {"t":KIND,"at":RFC 3339 time,KIND:BODY} and a newline. The body is borrowed. A line
 * that does not fit (full disk) is taken back whole; the sentence names the file. */
int journal_add(struct journal *journal, const char *kind, const struct cJSON *body,
    struct error *err);

/* One line; everything is borrowed. A negative code ends the reading. */
typedef int (*journal_on_line)(void *user, const char *kind, const char *at,
    const struct cJSON *body, struct error *err);
/* Every whole line from the first. What follows the last one that is whole and JSON is
 * torn (a crash of the machine in the middle of a write): *torn_bytes of it are left out.
 * -EINVAL for a line in the middle that is none; the sentence names file and line. */
int journal_read(struct journal *journal, journal_on_line on_line, void *user,
    size_t *torn_bytes, struct error *err);

/* The journals in a folder whose writer is gone, in the order of their names; 0 if the
 * folder can't be read. Returns their number; calls `each` for every one of them. Not for
 * a process that has one of them open: it would lose its lock. */
size_t journal_left_behind(
    const char *folder, void (*each)(void *user, const char *path), void *user);

/* The file stays. NULL is fine. */
void journal_close(struct journal *journal);
/* The file goes. NULL is fine. */
void journal_remove(struct journal *journal);

#endif

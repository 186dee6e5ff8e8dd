/* SPDX-License-Identifier: MIT */
/* Making outcomes; their kinds and texts are in fleet.h. */
#ifndef HARNESS_FLEET_OUTCOME_H
#define HARNESS_FLEET_OUTCOME_H

#include "harness/fleet/fleet.h"

/* Fill in kind, number and the sentence (with the negative errno that goes with the
 * kind). For OUTCOME_OK the sentence is left empty and `fmt` may be "". */
void outcome_set(struct outcome *outcome, enum outcome_kind kind, int number,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The last STDERR_TAIL_BYTES that a remote program wrote to its standard error, as text:
 * NUL bytes are shown as '?'. Starts zeroed. */
#define STDERR_TAIL_BYTES 4096u
struct stderr_tail {
	size_t len;
	char text[STDERR_TAIL_BYTES + 1];
};
void stderr_tail_add(struct stderr_tail *tail, const char *bytes, size_t len);
/* Its last line that is not blank, without newline, for a sentence; "" when none. */
void stderr_tail_last_line(const struct stderr_tail *tail, char *out, size_t out_bytes);

#endif

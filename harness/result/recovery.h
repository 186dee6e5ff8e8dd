/* SPDX-License-Identifier: MIT */
/* A result from the journal of a run whose controller ended before it could write one. */
#ifndef HARNESS_RESULT_RECOVERY_H
#define HARNESS_RESULT_RECOVERY_H

#include "harness/result/result.h"

/* Everything of a journal, NAME.journal.jsonl: figures of cells are made again from their
 * blocks, a cell with blocks still to run is tainted, what is torn is left out and
 * noted. result_finish(*out, RESULT_PARTIAL, ...) then writes NAME.json and removes the
 * journal; without it the journal stays as it is.
 *
 * -EINVAL for what is no journal, -EBUSY while its run goes on, -EEXIST if there is a
 * NAME.json, -ENODATA if it has no whole line. */
int result_recover(const char *journal_path, struct result **out, struct error *err);

#endif

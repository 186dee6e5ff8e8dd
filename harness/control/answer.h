/* SPDX-License-Identifier: MIT */
/* Whether the parties' answers are the same and right: a wrong answer is a failed cell.
 */
#ifndef HARNESS_CONTROL_ANSWER_H
#define HARNESS_CONTROL_ANSWER_H

#include "engine/workload.h"

#include <cjson/cJSON.h>

/* reports[p] as in party_message.h ("output": values, attempts). `task` holds all inputs
 * in the clear. 0, or -EBADMSG naming the party and what is wrong, -EPROTO for no answer.
 */
int answer_check(const struct workload *workload, const struct workload_task *task,
    const cJSON *const *reports, uint32_t n_parties, struct error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The same engine without a network: all parties in this process, a thread each. What a
 * cell costs beyond its null run is the network's and the transport's. */
#ifndef HARNESS_CONTROL_NULL_RUN_H
#define HARNESS_CONTROL_NULL_RUN_H

#include "base/error.h"

struct run;

/* One null run for each distinct computation of the plan, into the result. A wrong answer
 * is a failed null run in the result; negative only when nothing could be measured at
 * all. */
int null_runs(struct run *run, struct error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* What the hosts' network really does, pair by pair, beside what was configured. */
#ifndef HARNESS_CONTROL_CALIBRATION_H
#define HARNESS_CONTROL_CALIBRATION_H

#include "base/error.h"

struct run;

/* Every host pings every other, all at once; into the result, with taints where a pair is
 * off by more than max(0.5 ms, 1 %) at the median. -EIO when a pair has no answer at all.
 */
int calibrate_pairs(struct run *run, struct error *err);

#endif

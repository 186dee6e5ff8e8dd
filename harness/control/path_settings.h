/* SPDX-License-Identifier: MIT */
/* What of a run's TCP is not in the model but in the scenario and on this machine. */
#ifndef HARNESS_CONTROL_PATH_SETTINGS_H
#define HARNESS_CONTROL_PATH_SETTINGS_H

#include "harness/control/congestion_model.h"
#include "harness/scenario/scenario.h"

#define PATH_CONGESTION_BYTES 32

/* The congestion control of the scenario's transport `tcp` (its first transport if it has
 * none): the option `congestion`, else that of the kernel, which emulated hosts inherit.
 * `root` is "" or the folder of a fake /proc. "unknown" if it can't be read. */
void path_settings_congestion(
    const struct scenario *scenario, const char *root, char out[PATH_CONGESTION_BYTES]);

/* The model for it. */
enum congestion_kind path_settings_kind(const char *congestion);

#endif

/* SPDX-License-Identifier: MIT */
/* Where the files lie that E3 comes with: scenarios/, docs/schema/, results/. */
#ifndef HARNESS_COMMAND_HOME_H
#define HARNESS_COMMAND_HOME_H

#include "base/error.h"

#include <limits.h>

/* Where results go unless another folder is named: in the current one. */
#define RESULTS_FOLDER "results"

/* Folder of $E3_HOME (the launcher sets it), else the one above that of the running
 * program. -ENOENT with a sentence if it has no scenarios/. */
int home_folder(char path[PATH_MAX], struct error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The process that holds the hosts of `e3 up`. */
#ifndef HARNESS_CONTROL_KEEPER_H
#define HARNESS_CONTROL_KEEPER_H

#include "base/error.h"
#include "harness/scenario/scenario.h"

/* Hosts of the first n_hosts parties, kept by a new process that outlives the caller.
 * Returns when they are up, with /run/e3/NAME/ssh_config written; on failure nothing is
 * left. The registry is locked by the caller. */
int keeper_start(const char *name, const struct scenario *scenario, uint32_t n_hosts,
    struct error *err);

/* Ends the keeper and its hosts, and waits until they and the folder are gone (20 s at
 * most). -ENOENT if no such hosts are up. The registry is locked by the caller. */
int keeper_stop(const char *name, struct error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The program under a lease, and everything that descends from it. */
#ifndef HARNESS_FLEET_LEASE_CHILD_H
#define HARNESS_FLEET_LEASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LEASE_CHILD_TOLD_MAX 256u

struct lease_child {
	pid_t pid;         /* also its process group; 0 = never started */
	int input, output; /* our ends of its pipes, non-blocking; -1 = closed */
	bool is_reaped;
	int status; /* of waitpid(), once reaped */
	bool is_group_told;
	size_t n_told; /* descendants that got SIGTERM already */
	pid_t told[LEASE_CHILD_TOLD_MAX];
};

/* Makes this process the reaper of its descendants, then starts argv, found in PATH, with
 * no signal blocked. -errno when it can't be started. */
int lease_child_start(struct lease_child *child, char *const *argv);

/* Reap what has ended. True when no descendant is left. */
bool lease_child_reap(struct lease_child *child);

/* SIGTERM, once each, or SIGKILL to the group and to every child of this process: those
 * that left the group come to us as their parents end. */
void lease_child_signal(struct lease_child *child, int signal_number);

/* Close our ends. */
void lease_child_finish(struct lease_child *child);

#endif

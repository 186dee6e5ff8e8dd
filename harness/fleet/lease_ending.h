/* SPDX-License-Identifier: MIT */
/*
 * When the program under a lease is told to end, and how firmly: SIGTERM at once; SIGKILL
 * LEASE_TERM_GRACE_MS after the first SIGTERM; both again and again, for descendants that
 * come to the lease as their parents end. It is over after LEASE_ENDING_KILLS_MAX times
 * SIGKILL, which nothing survives but what the kernel holds.
 *
 * Each step counts from the one before, not from the beginning: a lease that was stopped
 * for minutes still takes them all. Times are the caller's, in milliseconds.
 */
#ifndef HARNESS_FLEET_LEASE_ENDING_H
#define HARNESS_FLEET_LEASE_ENDING_H

#include "harness/fleet/lease.h"

#include <stdbool.h>
#include <stdint.h>

#define LEASE_SIGNAL_EVERY_MS  20u
#define LEASE_ENDING_KILLS_MAX (LEASE_TERM_GRACE_MS / LEASE_SIGNAL_EVERY_MS)
#define LEASE_ENDING_OVER      (-1)

struct lease_ending {
	uint64_t due_ms; /* of the next signal */
	bool is_told;
	uint64_t kill_due_ms; /* valid when is_told */
	uint32_t n_kills;
};

void lease_ending_begin(struct lease_ending *ending, uint64_t now_ms);

/* The signal to send now, 0 when none is due, or LEASE_ENDING_OVER. */
int lease_ending_due(struct lease_ending *ending, uint64_t now_ms);

#endif

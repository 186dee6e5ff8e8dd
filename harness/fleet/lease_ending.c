/* SPDX-License-Identifier: MIT */
#include "harness/fleet/lease_ending.h"

#include <signal.h>

void lease_ending_begin(struct lease_ending *ending, uint64_t now_ms)
{
	*ending = (struct lease_ending){.due_ms = now_ms};
}

int lease_ending_due(struct lease_ending *ending, uint64_t now_ms)
{
	/* Compared, never subtracted: a time before the beginning is just too early. */
	if (now_ms < ending->due_ms)
		return 0;
	ending->due_ms = now_ms + LEASE_SIGNAL_EVERY_MS;
	if (!ending->is_told) {
		ending->is_told = true;
		ending->kill_due_ms = now_ms + LEASE_TERM_GRACE_MS;
	}
	if (now_ms < ending->kill_due_ms)
		return SIGTERM;
	if (ending->n_kills == LEASE_ENDING_KILLS_MAX)
		return LEASE_ENDING_OVER;
	ending->n_kills++;
	return SIGKILL;
}

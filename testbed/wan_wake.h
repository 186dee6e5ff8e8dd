/* SPDX-License-Identifier: MIT */
/*
 * How to be awake at a due time. A timer wakes some microseconds late, more after a long
 * sleep. So it is set early by a lead that follows the lateness seen, and the rest is
 * spun away. The lead is a small part of the sleep, so that spinning costs little however
 * often it happens; a sleep of which that part is not worth it gets none. Times are
 * arguments: no clock here.
 */
#ifndef TESTBED_WAN_WAKE_H
#define TESTBED_WAN_WAKE_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

#define WAN_WAKE_LEAD_MIN_NS (20 * NS_PER_US)
#define WAN_WAKE_LEAD_MAX_NS (200 * NS_PER_US)
#define WAN_WAKE_LEAD_PART   16u              /* of the sleep, at most */
#define WAN_WAKE_SPIN_NS     (20 * NS_PER_US) /* less is not worth a timer */

struct wan_wake {
	uint64_t lead_ns;
	uint64_t target_ns; /* what the timer is set to; 0 = nothing yet */
	uint64_t
	    spin_until_ns; /* the due time for which it was set early; 0 = it was not */
};

void wan_wake_init(struct wan_wake *wake);

/* The next is due at due_ns > now_ns. True: sleep until wake->target_ns. False: spin. */
bool wan_wake_sleeps(struct wan_wake *wake, uint64_t now_ns, uint64_t due_ns);

/* The timer ended a sleep, noticed at now_ns. */
void wan_wake_woken(struct wan_wake *wake, uint64_t now_ns);

#endif

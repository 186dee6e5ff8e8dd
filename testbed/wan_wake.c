/* SPDX-License-Identifier: MIT */
#include "testbed/wan_wake.h"

/* What lies between the wake-up and the write, and the noise of the estimate. */
#define MARGIN_NS (10 * NS_PER_US)

/* Up at once by half of what was missing, down slowly: late once in 30 times is enough.
 */
#define UP_PART   2u
#define DOWN_PART 32u

void wan_wake_init(struct wan_wake *wake)
{
	*wake = (struct wan_wake){.lead_ns = 60 * NS_PER_US};
}

bool wan_wake_sleeps(struct wan_wake *wake, uint64_t now_ns, uint64_t due_ns)
{
	uint64_t left_ns = due_ns - now_ns, lead_ns;

	if (left_ns <= WAN_WAKE_SPIN_NS)
		return false;
	if (due_ns <= wake->spin_until_ns && now_ns >= wake->target_ns)
		return false;
	lead_ns = left_ns / WAN_WAKE_LEAD_PART;
	if (lead_ns > wake->lead_ns)
		lead_ns = wake->lead_ns;
	if (lead_ns < WAN_WAKE_LEAD_MIN_NS)
		lead_ns = 0;
	wake->target_ns = due_ns - lead_ns;
	wake->spin_until_ns = lead_ns > 0 ? due_ns : 0;
	return true;
}

void wan_wake_woken(struct wan_wake *wake, uint64_t now_ns)
{
	uint64_t wanted_ns;

	if (wake->spin_until_ns == 0 || now_ns < wake->target_ns)
		return;
	wanted_ns = now_ns - wake->target_ns + MARGIN_NS;
	if (wanted_ns > WAN_WAKE_LEAD_MAX_NS)
		wanted_ns = WAN_WAKE_LEAD_MAX_NS;
	if (wanted_ns > wake->lead_ns)
		wake->lead_ns += (wanted_ns - wake->lead_ns) / UP_PART;
	else
		wake->lead_ns -= (wake->lead_ns - wanted_ns) / DOWN_PART;
	if (wake->lead_ns < WAN_WAKE_LEAD_MIN_NS)
		wake->lead_ns = WAN_WAKE_LEAD_MIN_NS;
}

/* SPDX-License-Identifier: MIT */
/*
 * A cell without hosts and without a network: all parties in this process, a thread each,
 * their messages handed over in memory. Its counts are exact, since the same engine
 * computes the same thing from the same seed; its own time is what the engine costs; its
 * virtual time is what the network would take.
 */
#ifndef HARNESS_CONTROL_REHEARSAL_H
#define HARNESS_CONTROL_REHEARSAL_H

#include "base/error.h"
#include "engine/network.h"

#include <stdint.h>

struct machine_cost;
struct run_inputs;
struct plan;
struct plan_cell;

struct rehearsal_party {
	uint64_t rounds, messages, bytes; /* sent */
};

struct rehearsal {
	uint64_t wall_ns, cpu_ns; /* of all parties together, on this machine */
	uint64_t virtual_ns;      /* when the last party ends */
	uint32_t attempts;
	struct rehearsal_party parties[NETWORK_PARTIES_MAX];
};

/* What takes virtual time. */
enum rehearsal_time {
	REHEARSAL_TIMELESS,
	/* Messages, with the scenario's delays and rate, over TCP connections that are
	 * new (harness/control/path_model.h). Replays exactly. */
	REHEARSAL_NETWORK,
	/* And each party's computing, as if it had a core of its own. */
	REHEARSAL_NETWORK_AND_WORK,
	/* The same on the machine of `machine`, which emulates all hosts: parties work at
	 * the same time, so that m of them on c < m cores take m / c as long; messages
	 * cost what was measured, and pass the emulator one after another, those of all
	 * senders mixed. */
	REHEARSAL_MACHINE
};

/* -EBADMSG: the answer is wrong. `machine` is for REHEARSAL_MACHINE, else NULL. */
int rehearse(const struct plan *plan, const struct plan_cell *cell,
    const struct run_inputs *inputs, enum rehearsal_time time,
    const struct machine_cost *machine, struct rehearsal *out, struct error *err);

#endif

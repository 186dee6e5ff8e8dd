/* SPDX-License-Identifier: MIT */
/* What the forked child does: becomes "e3-wan" and forwards until its parent is gone. */
#ifndef TESTBED_WAN_PROCESS_H
#define TESTBED_WAN_PROCESS_H

#include "testbed/wan.h"
#include "testbed/wan_counters.h"

#include <sys/types.h>

struct wan_process {
	const struct wan_config *config;
	int tun_fds[WAN_PORTS_MAX];
	int control_fd; /* SOCK_SEQPACKET; its end of file ends the process */
	struct wan_counters_shared *shared;
	pid_t parent;
};

/* First message on control_fd: a struct error, code 0 when it forwards. Keeps none of the
 * inherited fds but its own and standard error. */
_Noreturn void wan_process_run(const struct wan_process *process);

#endif

/* SPDX-License-Identifier: MIT */
/* The process of a host as its parent holds it, and the calls on namespaces. */
#ifndef TESTBED_HOST_NAMESPACES_H
#define TESTBED_HOST_NAMESPACES_H

#include "testbed/host_init.h"

#include <sys/types.h>

struct host_process {
	pid_t pid;       /* PID 1 of the host, as seen from here; 0 = none */
	int pid_fd;      /* readable when it has ended */
	int netns_fd;    /* its network namespace */
	int lifeline_fd; /* closing it ends the host */
	int report_fd;   /* struct host_report; not blocking */
};

#define HOST_PROCESS_NONE                                                                \
	{                                                                                \
		0, -1, -1, -1, -1                                                        \
	}

/* A child in net, mount, pid, uts and ipc namespaces of its own that runs
 * host_init_main(). It is killed when the calling thread ends. spec's descriptors are
 * filled in. -EPERM with what to do where namespaces are refused. */
int host_process_start(
    struct host_process *process, struct host_spec *spec, struct error *err);

/* SIGKILL; the kernel ends every process of the host. Doesn't wait. */
void host_process_kill(struct host_process *process);
/* Wait status of one that has ended or is about to (1 s at most); it can be asked again.
 * -ETIMEDOUT while it lives. */
int host_process_status(const struct host_process *process);
/* Waits until it is gone, `deadline_ns` (monotonic) at most, and closes what is held.
 * HOST_PROCESS_NONE is fine. */
void host_process_finish(struct host_process *process, uint64_t deadline_ns);

/* The calling thread leaves the machine's network for a namespace of its own.
 * *before_fd: the namespace left, for host_network_return(). */
int host_network_leave(int *before_fd, struct error *err);
void host_network_return(int before_fd);

/* The calling thread's network namespace; the caller closes it. */
int host_network_open(struct error *err);

#endif

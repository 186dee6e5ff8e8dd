/* SPDX-License-Identifier: MIT */
/*
 * PID 1 of an emulated host. It prepares what the host sees, starts sshd, reaps, and ends
 * when its lifeline or sshd does; with it ends every process of the host.
 *
 * It is a copy of the controller made by clone3(), which may have had threads: nothing
 * here or below (host_files, host_sshd) allocates or takes a lock of libc.
 */
#ifndef TESTBED_HOST_INIT_H
#define TESTBED_HOST_INIT_H

#include "base/error.h"
#include "testbed/testbed.h"

#define HOST_INIT_DEADLINE_MS 15000

struct host_spec {
	const struct testbed_host *hosts; /* of all; name, address and port are set */
	uint32_t n_hosts;
	uint32_t index;
	const char *authorized_key;
	const char *label;              /* may be NULL */
	const char *controller_address; /* numeric */
	int lifeline_fd;                /* end of file = the controller is gone */
	int report_fd;
};

/* What PID 1 writes to its report pipe, at most one of each kind. */
enum host_report_kind {
	HOST_REPORT_READY = 1, /* sshd listens; text: "ssh-ed25519 AAAA..." */
	HOST_REPORT_FAILED,    /* code and sentence; it ends */
};

struct host_report {
	enum host_report_kind kind;
	int code;
	char text[ERROR_TEXT_BYTES];
};

/* Body of the child process; signals, descriptors and session of the controller are
 * dropped first. Does not return. */
_Noreturn void host_init_main(const struct host_spec *spec);

#endif

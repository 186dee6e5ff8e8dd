/* SPDX-License-Identifier: MIT */
/* A WAN of fresh network namespaces, and sockets in them for the test itself. Addresses
 * are 10.77.0.1 (port 0) and so on. */
#ifndef TESTS_WAN_FIXTURE_H
#define TESTS_WAN_FIXTURE_H

#include "testbed/wan.h"

#include <netinet/in.h>

struct wan_fixture {
	struct wan_config config; /* links may be set between make and start */
	struct wan *wan;
};

/* NULL when it worked, else why this machine can't (for skip_because). */
const char *wan_fixture_make(struct wan_fixture *fixture, uint32_t n_ports);
void wan_fixture_finish(struct wan_fixture *fixture);

/* The caller closes. Negative errno. */
int wan_fixture_socket(const struct wan_fixture *fixture, uint32_t port, int type);
/* Bound to `number` (0 = any) of the port's address. */
int wan_fixture_bound(
    const struct wan_fixture *fixture, uint32_t port, int type, uint16_t number);
struct sockaddr_in wan_fixture_address(uint32_t port, uint16_t number);
int wan_fixture_readable(int fd, int timeout_ms);
/* Has the namespace a wan0? */
int wan_fixture_has_device(const struct wan_fixture *fixture, uint32_t port);

/* The calling thread visits a port's namespace, and returns. */
int wan_fixture_enter(const struct wan_fixture *fixture, uint32_t port);
void wan_fixture_leave(int home);

#endif

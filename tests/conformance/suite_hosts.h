/* SPDX-License-Identifier: MIT */
/*
 * Hosts for overlays under test: a network namespace each, joined by a router in one of
 * its own, nothing of it visible outside, /run included. Host p is 10.99.p.2.
 */
#ifndef TESTS_CONFORMANCE_SUITE_HOSTS_H
#define TESTS_CONFORMANCE_SUITE_HOSTS_H

#include <stdint.h>

/* NULL when hosts can be made here, else why not. */
const char *suite_hosts_missing(void);
int suite_hosts_up(uint32_t n);
void suite_hosts_down(void);
/* The calling thread goes there. */
void suite_hosts_enter(uint32_t host);
void suite_hosts_leave(void);
const char *suite_hosts_address(uint32_t host);

/* From now on nothing goes to this host or comes from it, and nobody is told. */
void suite_hosts_cut(uint32_t host);

/* What an overlay might leave behind: interfaces, addresses, routes and rules of the
 * host, processes of this machine that descend from us, files in the given folders. A
 * text to compare; the caller's to free. */
char *suite_hosts_snapshot(uint32_t host, const char *const *folders);

#endif

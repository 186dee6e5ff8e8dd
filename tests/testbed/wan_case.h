/* SPDX-License-Identifier: MIT */
/* The WAN that a test case works with: the fixture, and what cmocka wants of it. */
#ifndef TESTS_WAN_CASE_H
#define TESTS_WAN_CASE_H

#include "tests/testbed/wan_fixture.h"

extern struct wan_fixture wan_case;

/* Namespaces; skips the test where this machine can't. */
void wan_case_make(uint32_t n_ports);
/* The emulator between them; fails the test if it won't start. */
void wan_case_start(void);
/* cmocka tear-down. */
int wan_case_finish(void **state);

#endif

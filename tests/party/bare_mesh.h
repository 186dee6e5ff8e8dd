/* SPDX-License-Identifier: MIT */
/* m processes joined by plain TCP on loopback: what a floor is measured with. No engine, no
 * harness. What can't be connected aborts: such a benchmark has nothing to say. */
#ifndef TESTS_PARTY_BARE_MESH_H
#define TESTS_PARTY_BARE_MESH_H

#include <stdint.h>

#define BARE_PARTIES_MAX 10

struct bare_party {
	int m, self;
	int fds[BARE_PARTIES_MAX]; /* to each peer; [self] is none */
};

/* Fork m processes that call `party`; the largest of what they return. */
uint64_t bare_mesh_run(
    int m, uint64_t (*party)(const struct bare_party *party, void *user), void *user);

/* Ends the process with what errno says, unless `result` is 0 or more. */
long bare_checked(long result, const char *what);

#endif

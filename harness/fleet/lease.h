/* SPDX-License-Identifier: MIT */
/*
 * The remote side of a fleet command: `e3 lease` runs a program on a host for as long as
 * the controller is there to want it. Frames: harness/fleet/lease_frame.h.
 *
 * The program gets a session and process group of its own, pipes for standard input and
 * output, and the caller's standard error. It ends when it wants to, or is ended
 * (SIGTERM, two seconds later SIGKILL) when the controller cancels, closes the lease's
 * standard input, breaks the framing, or is silent for `beat_timeout_ms`. With the
 * program end all its descendants, also those that left the group. Only then comes the
 * last frame.
 */
#ifndef HARNESS_FLEET_LEASE_H
#define HARNESS_FLEET_LEASE_H

#include <stdint.h>

#define LEASE_BEAT_MS           1000u
#define LEASE_BEAT_TIMEOUT_MS   10000u
#define LEASE_TERM_GRACE_MS     2000u
#define LEASE_INPUT_BYTES_MAX   (64u << 20) /* waiting for a program that does not read */
#define LEASE_EXIT_CANNOT_START 127 /* as a shell says it; standard error has why */

struct lease_config {
	const char *nonce;
	uint32_t beat_timeout_ms;
	char *const *argv; /* NULL-terminated; argv[0] is searched in PATH */
};

/* Runs to the end on descriptors 0, 1 and 2; the process should exit then. Returns 0
 * when the last frame was written, -EPIPE when nobody was there to read it. */
int lease_run(const struct lease_config *config);

#endif

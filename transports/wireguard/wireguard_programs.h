/* SPDX-License-Identifier: MIT */
/* What this host has for WireGuard: the kernel's, or the newest wireguard-go, and the
 * tools that set up either. */
#ifndef TRANSPORTS_WIREGUARD_WIREGUARD_PROGRAMS_H
#define TRANSPORTS_WIREGUARD_WIREGUARD_PROGRAMS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

enum wireguard_kind {
	WIREGUARD_ANY, /* the kernel's if it is there */
	WIREGUARD_KERNEL,
	WIREGUARD_GO,
};

#define WIREGUARD_VERSION_BYTES 64

struct wireguard_programs {
	char wg[PATH_MAX], ip[PATH_MAX];
	char go[PATH_MAX]; /* "" = none */
	char go_version[WIREGUARD_VERSION_BYTES];
};

/* Find them. `go_path` "" = the newest there is. 0, or -ENOTSUP with a sentence of what
 * is missing and how to get it. deadline_ms 0: none is asked for its version. */
int wireguard_programs_find(struct wireguard_programs *out, enum wireguard_kind kind,
    const char *go_path, uint64_t deadline_ms, char *reason, size_t reason_bytes);

/* Whether the running kernel has it, built in or as a module, as far as can be told
 * without making an interface. */
int wireguard_kernel_has_it(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the harness lends to a plugin. A plugin calls the harness only through
 * this table, so it links against nothing of ours and a test can fake it all.
 */
#ifndef E3_HOST_H
#define E3_HOST_H

#include <e3/types.h>

struct uv_loop_s;

#define E3_LOG_ERROR 0u
#define E3_LOG_WARN  1u
#define E3_LOG_INFO  2u
#define E3_LOG_DEBUG 3u

struct e3_host {
	uint32_t struct_size; /* sizeof(struct e3_host) on the harness side */
	/* Which endpoint of the party this is: 0 = the workload's; 1 = the probes', on a
	 * loop and thread of its own. All share the state folder. An overlay is prepared,
	 * brought up and taken down by endpoint 0; the others open channels over it
	 * meanwhile. A fixed port is endpoint 0's: the others take one 16 * endpoint
	 * above. */
	uint32_t endpoint;
	void *ctx; /* first argument of every call below */

	struct uv_loop_s *loop; /* the only loop; run by the harness */

	/* Monotonic time in ns. Use this, never the system clock: it may be
	 * virtual. [any thread] */
	e3_nanos (*now)(void *ctx);

	/* printf-like; one line, no newline. [any thread] */
	void (*log)(void *ctx, uint32_t level, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

	/* Folder of this transport on this host, mode 0700, absolute, made by the
	 * harness, removed after finalise. Private keys go here, mode 0600, and nowhere
	 * else. */
	const char *state_folder;

	/* Where party p can be reached without any overlay: numeric IPv4 or IPv6, of
	 * n_parties entries. The party's own entry is the address to bind to. */
	const char *const *addresses;

	/* Carry `msg` to the same plugin at `peer` over the control connection
	 * (addresses, SDP, ICE candidates). Reliable, ordered, not measured.
	 * Copies `msg`. 0, or -E2BIG above 64 KiB. [loop thread] */
	int (*signal)(void *ctx, e3_party peer, struct e3_iov msg);
};

#endif

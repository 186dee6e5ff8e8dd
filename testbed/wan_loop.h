/* SPDX-License-Identifier: MIT */
/*
 * The emulator's only thread: reads packets, decides, waits, writes.
 *
 *   1. epoll says which devices have packets. Up to 32 are read from each, and what is
 *      due is written between any two devices, so that no sender delays another's.
 *   2. A packet that has to wait is kept in the store and queued by due time.
 *   3. Waits end by an absolute timer, early enough to spin until the due time; see
 *      wan_wake.h.
 *
 * It ends when the control socket closes. A device removed by its host is reported in
 * the counters and left alone; packets that can't be written count as dropped_emulator.
 */
#ifndef TESTBED_WAN_LOOP_H
#define TESTBED_WAN_LOOP_H

#include "base/error.h"
#include "testbed/wan.h"
#include "testbed/wan_counters.h"

#include <stdint.h>

struct wan_loop;

/* A change of one link, and its answer (0), over the SOCK_SEQPACKET control socket. */
struct wan_loop_order {
	uint64_t sequence;
	uint32_t from, to;
	struct testbed_link link;
};

struct wan_loop_answer {
	uint64_t sequence;
	int32_t code;
};

/* The fds stay the caller's, open until destroy. Addresses in network byte order. */
struct wan_loop *wan_loop_create(const struct wan_config *config, const int *tun_fds,
    int control_fd, struct wan_counters_shared *shared, struct error *err);
void wan_loop_destroy(struct wan_loop *loop);

/* Returns 0 when the control socket has closed, else a negative errno. */
int wan_loop_run(struct wan_loop *loop);

#endif

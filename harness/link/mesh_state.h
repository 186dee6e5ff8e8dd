/* SPDX-License-Identifier: MIT */
/* What mesh.c (channels) and exchange.c (rounds) share; nobody else includes it. */
#ifndef HARNESS_LINK_MESH_STATE_H
#define HARNESS_LINK_MESH_STATE_H

#include "harness/link/channel_guard.h"
#include "harness/link/inbox.h"
#include "harness/link/mesh.h"
#include "harness/link/spin.h"
#include "harness/measure/recorder.h"

#define MESH_SENDS_MAX 8u /* pieces under way to one peer */
#define MESH_OUTS_MAX  2u /* rounds whose messages may wait */

/* One piece under way. */
struct mesh_send {
	struct link_request request;
	struct mesh_peer *peer;
	uint32_t round; /* number of the exchange it belongs to */
	int is_busy;
};

struct mesh_out {
	const unsigned char *base;
	size_t len, sent;
	uint32_t round;
};

struct mesh_peer {
	struct mesh *mesh;
	e3_party party;
	struct link *link;
	int is_opened, is_closing, is_closed, is_paused;
	struct inbox inbox;
	struct mesh_out outs[MESH_OUTS_MAX]; /* oldest first */
	uint32_t n_outs;
	int must_wait; /* channel refused: until writable */
	struct mesh_send sends[MESH_SENDS_MAX];
	uint32_t n_busy;
	uint64_t arrived_ns; /* last piece of what was due this round; 0 = not yet */
};

struct mesh {
	struct network network; /* first: the engine sees only this */
	struct mesh_config config;
	size_t piece_max;
	struct mesh_peer peers[NETWORK_PARTIES_MAX];
	struct error failure; /* code 0 while all is well */
	uv_timer_t watchdog;  /* ends an exchange that lasts longer than round_ms */
	int has_watchdog;
	uint32_t round;
	uint64_t round_began_ns; /* 0 between exchanges */
	uint32_t due, missing;   /* in this round; bit p = peer p */
	uint32_t n_may_miss;     /* the round ends with this many still missing */
	uint32_t n_missing;
	uint32_t unsent[2]; /* pieces not yet done, by parity of the round */
	struct spin spin;
	uint32_t turns_since_loop;
};

extern const struct network_ops exchange_ops;

/* Reports of mesh.c to exchange.c. */
void exchange_writable(struct mesh_peer *peer);
void exchange_message(struct mesh_peer *peer, struct e3_iov piece, uint64_t now_ns);
void exchange_sent(struct mesh_send *send, int status);

/* Remember the first failure as "party P WHAT". */
void mesh_fail(
    struct mesh *mesh, const struct mesh_peer *peer, int code, const char *what);

/* After a failure: close all channels, so that nothing more is written to the engine's
 * buffers, and wait until the plugin has given back those it still reads from. */
void mesh_hang_up(struct mesh *mesh);

#endif

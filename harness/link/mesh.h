/* SPDX-License-Identifier: MIT */
/*
 * The parties' full mesh over one transport: one channel to every peer, and on it the
 * engine's network. network_exchange() sends, then drives the loop until what is needed
 * has come; nothing else runs the loop meanwhile. Every exchange is told to the recorder.
 */
#ifndef HARNESS_LINK_MESH_H
#define HARNESS_LINK_MESH_H

#include "engine/network.h"

#include <e3/transport.h>
#include <uv.h>

struct mesh;
struct recorder;

struct mesh_config {
	uv_loop_t *loop;
	const struct e3_transport *transport; /* all borrowed until mesh_destroy() */
	struct e3_endpoint *endpoint;
	uint32_t self, n_parties;
	uint32_t lane;
	struct recorder *recorder; /* NULL: nothing is recorded */
	uint32_t round_ms;         /* deadline of one exchange */
};

int mesh_create(const struct mesh_config *config, struct mesh **out, struct error *err);

/* Open all channels; runs the loop. -ETIMEDOUT, or what a channel said, naming the peer.
 */
int mesh_open(struct mesh *mesh, uint32_t deadline_ms, struct error *err);

/* The engine's view; valid until mesh_destroy(). When an exchange fails, the channels are
 * closed before it returns (which waits for sends under way, some seconds at most): the
 * buffers are the engine's again. */
struct network *mesh_network(struct mesh *mesh);

/* The run must end: what waits in the mesh returns with this error. First one wins. */
void mesh_stop(struct mesh *mesh, const struct error *why);

/* Close all channels, pending sends first; runs the loop. -ETIMEDOUT names the peer. */
int mesh_close(struct mesh *mesh, uint32_t deadline_ms, struct error *err);

/* One object a peer: counters of the channel; the caller deletes it. */
struct cJSON *mesh_channels_json(struct mesh *mesh);

/* All channels must be closed. NULL is fine. */
void mesh_destroy(struct mesh *mesh);

#endif

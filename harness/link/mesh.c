/* SPDX-License-Identifier: MIT */
#include "harness/link/mesh_state.h"
#include "base/clock.h"
#include "base/units.h"
#include "harness/link/loop_wait.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define WATCHDOG_MS     100u
/* A plugin gives up sends of a closed channel after some seconds. */
#define HANG_UP_MS      10000u
/* A message the engine sends is cut into pieces no larger than this. */
#define PIECE_BYTES_MAX (16u << 20)

void mesh_fail(
    struct mesh *mesh, const struct mesh_peer *peer, int code, const char *what)
{
	if (mesh->failure.code == 0)
		error_set(&mesh->failure, code, "party %u %s", peer->party, what);
}

void mesh_stop(struct mesh *mesh, const struct error *why)
{
	if (mesh->failure.code == 0)
		mesh->failure = *why;
}

static void on_opened(void *user, int status)
{
	struct mesh_peer *peer = user;

	peer->is_opened = status == 0;
	if (status < 0)
		mesh_fail(peer->mesh, peer, status,
		    status == -ETIMEDOUT ? "did not answer while channels were opened"
					 : "could not be reached");
}

static void on_message(void *user, struct e3_iov piece, uint64_t now_ns)
{
	exchange_message(user, piece, now_ns);
}

static void on_writable(void *user)
{
	exchange_writable(user);
}

/* Whoever closes in order while others still wait has given up for a reason of its own:
 * that reason is the one to tell, so ours counts as a cancellation. */
static void on_lost(void *user, int status)
{
	struct mesh_peer *peer = user;
	char what[128];

	if (status == -ESHUTDOWN) {
		mesh_fail(peer->mesh, peer, -ECANCELED, "has left the run");
	} else if (status == -EPROTO) {
		mesh_fail(peer->mesh, peer, -EPROTO, "sent bytes that are no message");
	} else {
		snprintf(what, sizeof(what), "was lost (%s)", strerror(-status));
		mesh_fail(peer->mesh, peer, -ECONNRESET, what);
	}
}

static void on_violated(void *user, const struct error *why)
{
	struct mesh_peer *peer = user;

	mesh_stop(peer->mesh, why);
}

static void *on_place(void *user, size_t len)
{
	struct mesh_peer *peer = user;

	return inbox_place(&peer->inbox, len);
}

static void on_sent(struct link_request *request, int status)
{
	exchange_sent(container_of(request, struct mesh_send, request), status);
}

static const struct link_events peer_events = {
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
    .violated = on_violated,
    .place = on_place,
};

static void name_the_late(struct mesh *mesh)
{
	char late[64] = "";

	for (uint32_t p = 0; p < mesh->network.n_parties; p++) {
		struct mesh_peer *peer = &mesh->peers[p];
		size_t used = strlen(late);

		if (p != mesh->network.self && (!inbox_is_empty(&peer->inbox) ||
						   peer->n_outs > 0 || peer->n_busy > 0))
			snprintf(late + used, sizeof(late) - used, "%s%u",
			    used ? ", " : "", p);
	}
	error_set(&mesh->failure, -ETIMEDOUT,
	    "round %u: nothing from party %s within %u ms", mesh->round, late,
	    mesh->config.round_ms);
}

static void on_watchdog(uv_timer_t *timer)
{
	struct mesh *mesh = timer->data;

	if (mesh->round_began_ns == 0 || mesh->failure.code != 0)
		return;
	if (clock_monotonic_ns() - mesh->round_began_ns >
	    mesh->config.round_ms * NS_PER_MS)
		name_the_late(mesh);
}

static void init_peer(struct mesh *mesh, uint32_t p)
{
	struct mesh_peer *peer = &mesh->peers[p];

	peer->mesh = mesh;
	peer->party = p;
	peer->is_opened = peer->is_closed = p == mesh->network.self;
	inbox_init(&peer->inbox, mesh->piece_max);
	for (uint32_t i = 0; i < MESH_SENDS_MAX; i++)
		peer->sends[i] =
		    (struct mesh_send){.peer = peer, .request.done = on_sent};
}

int mesh_create(const struct mesh_config *config, struct mesh **out, struct error *err)
{
	struct mesh *mesh = calloc(1, sizeof(*mesh));

	if (mesh == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	mesh->config = *config;
	mesh->network = (struct network){
	    .ops = &exchange_ops, .self = config->self, .n_parties = config->n_parties};
	mesh->piece_max = config->transport->message_max < PIECE_BYTES_MAX
			      ? (size_t)config->transport->message_max
			      : PIECE_BYTES_MAX;
	spin_init(&mesh->spin, config->n_parties);
	for (uint32_t p = 0; p < config->n_parties; p++)
		init_peer(mesh, p);
	uv_timer_init(config->loop, &mesh->watchdog);
	mesh->watchdog.data = mesh;
	mesh->has_watchdog = 1;
	uv_timer_start(&mesh->watchdog, on_watchdog, WATCHDOG_MS, WATCHDOG_MS);
	*out = mesh;
	return 0;
}

static int is_open(void *user)
{
	struct mesh *mesh = user;

	if (mesh->failure.code != 0)
		return 1;
	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		if (!mesh->peers[p].is_opened)
			return 0;
	return 1;
}

static int open_timed_out(struct mesh *mesh, uint32_t deadline_ms, struct error *err)
{
	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		if (!mesh->peers[p].is_opened)
			return error_set(err, -ETIMEDOUT,
			    "no channel to party %u within %u ms", p, deadline_ms);
	return 0;
}

int mesh_open(struct mesh *mesh, uint32_t deadline_ms, struct error *err)
{
	for (uint32_t p = 0; p < mesh->network.n_parties; p++) {
		int rc;

		if (p == mesh->network.self)
			continue;
		rc = link_open(mesh->config.transport, mesh->config.endpoint, p,
		    mesh->config.lane, &peer_events, &mesh->peers[p],
		    &mesh->peers[p].link, err);
		if (rc < 0)
			return error_wrap(err, "channel to party %u", p);
	}
	if (loop_wait(mesh->config.loop, deadline_ms, is_open, mesh) < 0)
		return open_timed_out(mesh, deadline_ms, err);
	if (mesh->failure.code != 0) {
		if (err != NULL)
			*err = mesh->failure;
		return mesh->failure.code;
	}
	return 0;
}

struct network *mesh_network(struct mesh *mesh)
{
	return &mesh->network;
}

static void on_closed(void *user)
{
	struct mesh_peer *peer = user;

	peer->is_closed = 1;
	peer->link = NULL;
}

static int is_closed(void *user)
{
	struct mesh *mesh = user;

	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		if (mesh->peers[p].link != NULL)
			return 0;
	return !mesh->has_watchdog;
}

static void on_watchdog_closed(uv_handle_t *handle)
{
	((struct mesh *)handle->data)->has_watchdog = 0;
}

static void close_links(struct mesh *mesh)
{
	for (uint32_t p = 0; p < mesh->network.n_parties; p++) {
		struct mesh_peer *peer = &mesh->peers[p];

		if (peer->link == NULL || peer->is_closing)
			continue;
		peer->is_closing = 1;
		link_close(peer->link, on_closed);
	}
}

static int are_sends_done(void *user)
{
	struct mesh *mesh = user;

	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		if (mesh->peers[p].n_busy > 0)
			return 0;
	return 1;
}

void mesh_hang_up(struct mesh *mesh)
{
	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		mesh->peers[p].n_outs = 0;
	close_links(mesh);
	loop_wait(mesh->config.loop, HANG_UP_MS, are_sends_done, mesh);
}

int mesh_close(struct mesh *mesh, uint32_t deadline_ms, struct error *err)
{
	close_links(mesh);
	if (mesh->has_watchdog && !uv_is_closing((uv_handle_t *)&mesh->watchdog))
		uv_close((uv_handle_t *)&mesh->watchdog, on_watchdog_closed);
	if (loop_wait(mesh->config.loop, deadline_ms, is_closed, mesh) == 0)
		return 0;
	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		if (mesh->peers[p].link != NULL)
			return error_set(err, -ETIMEDOUT,
			    "the channel to party %u did not close within %u ms", p,
			    deadline_ms);
	return error_set(
	    err, -ETIMEDOUT, "the mesh did not close within %u ms", deadline_ms);
}

static void add_known(cJSON *json, const char *key, uint64_t value)
{
	if (value != E3_UNKNOWN)
		cJSON_AddNumberToObject(json, key, (double)value);
}

static cJSON *channel_json(const struct mesh_peer *peer, uint32_t lane)
{
	struct link_stats stats;
	cJSON *json = cJSON_CreateObject();

	memset(&stats, 0, sizeof(stats));
	link_stats(peer->link, &stats);
	cJSON_AddNumberToObject(json, "peer", peer->party);
	cJSON_AddNumberToObject(json, "lane", lane);
	cJSON_AddNumberToObject(json, "refusals", (double)stats.refusals);
	cJSON_AddNumberToObject(json, "blocked_ns", (double)stats.blocked_ns);
	add_known(json, "wire_bytes_sent", stats.wire.wire_bytes_sent);
	add_known(json, "wire_bytes_received", stats.wire.wire_bytes_received);
	add_known(json, "retransmits", stats.wire.retransmits);
	add_known(json, "rtt_ns", stats.wire.rtt_ns);
	return json;
}

cJSON *mesh_channels_json(struct mesh *mesh)
{
	cJSON *array = cJSON_CreateArray();

	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		if (mesh->peers[p].link != NULL)
			cJSON_AddItemToArray(
			    array, channel_json(&mesh->peers[p], mesh->config.lane));
	return array;
}

void mesh_destroy(struct mesh *mesh)
{
	if (mesh == NULL)
		return;
	for (uint32_t p = 0; p < mesh->network.n_parties; p++)
		inbox_finish(&mesh->peers[p].inbox);
	free(mesh);
}

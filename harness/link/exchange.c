/* SPDX-License-Identifier: MIT */
/*
 * One exchange over the mesh:
 *   1. What is due goes into the inboxes, which may already hold it.
 *   2. Every peer's bytes are offered to its channel, piece by piece; what is refused
 *      goes out when the channel says it is writable.
 *   3. Polled for a while if rounds have been short, else in the loop's own wait, until
 *      what is needed is here and the bytes of the round before have left the engine's
 *      buffers. It fails when a peer is lost, sends a wrong length, or the round's
 *      deadline passes; the sentence names the peer.
 */
#include "base/clock.h"
#include "harness/link/mesh_state.h"

#include <stdio.h>
#include <string.h>

#define POLL_TURNS_MAX 1024u /* then the loop must have a turn */

static struct mesh *mesh_of(struct network *net)
{
	return container_of(net, struct mesh, network);
}

static struct mesh_send *free_send(struct mesh_peer *peer)
{
	for (uint32_t i = 0; i < MESH_SENDS_MAX; i++)
		if (!peer->sends[i].is_busy)
			return &peer->sends[i];
	return NULL;
}

/* Offer one piece; 0 = taken. */
static int offer_piece(
    struct mesh_peer *peer, struct mesh_out *out, struct mesh_send *send)
{
	struct mesh *mesh = peer->mesh;
	size_t rest = out->len - out->sent;
	struct e3_iov iov = {
	    .base = out->base + out->sent,
	    .len = rest < mesh->piece_max ? rest : mesh->piece_max,
	};
	int rc;

	send->round = out->round;
	rc = link_send(peer->link, &send->request, &iov, 1);
	if (rc < 0)
		return rc;
	send->is_busy = 1;
	peer->n_busy++;
	out->sent += iov.len;
	return 0;
}

static void send_outs(struct mesh_peer *peer)
{
	struct mesh_send *send;

	while (peer->n_outs > 0 && !peer->must_wait && (send = free_send(peer)) != NULL) {
		int rc = offer_piece(peer, &peer->outs[0], send);

		if (rc == -EAGAIN) {
			peer->must_wait = 1;
		} else if (rc < 0) {
			mesh_fail(peer->mesh, peer, rc == -ENOTCONN ? -ECONNRESET : rc,
			    "could not be sent to");
			return;
		} else if (peer->outs[0].sent == peer->outs[0].len) {
			peer->n_outs--;
			memmove(&peer->outs[0], &peer->outs[1],
			    peer->n_outs * sizeof(peer->outs[0]));
		}
	}
}

void exchange_writable(struct mesh_peer *peer)
{
	peer->must_wait = 0;
	send_outs(peer);
}

void exchange_sent(struct mesh_send *send, int status)
{
	struct mesh *mesh = send->peer->mesh;

	send->is_busy = 0;
	send->peer->n_busy--;
	mesh->unsent[send->round & 1]--;
	if (mesh->failure.code != 0)
		return;
	if (status < 0)
		mesh_fail(mesh, send->peer, -ECONNRESET, "was lost while sending");
	else
		send_outs(send->peer);
}

/* The reader's brake: on while more lies here than the engine has asked for. */
static void brake(struct mesh_peer *peer)
{
	int must_pause = inbox_is_full(&peer->inbox);

	if (must_pause == peer->is_paused)
		return;
	peer->is_paused = must_pause;
	link_pause(peer->link, must_pause);
}

static int is_missing(const struct mesh_peer *peer)
{
	return peer->mesh->missing >> peer->party & 1;
}

void exchange_message(struct mesh_peer *peer, struct e3_iov piece, uint64_t now_ns)
{
	struct error
	    err; /* not cleared: its kilobyte would be most of a message's cost */
	int rc = inbox_piece(&peer->inbox, piece.base, piece.len, &err);

	if (rc < 0) {
		mesh_fail(peer->mesh, peer, rc, err.text);
		return;
	}
	if (inbox_is_empty(&peer->inbox) && is_missing(peer)) {
		peer->arrived_ns = now_ns;
		peer->mesh->missing &= ~(1u << peer->party);
		peer->mesh->n_missing--;
	}
	brake(peer);
}

static int expect_all(struct mesh *mesh, struct network_round *round)
{
	/* Buffers of a round that may end early must not be written to later. */
	int may_place = round->needed == 0;
	struct error err;
	uint32_t n_due = 0;

	mesh->due = mesh->missing = mesh->n_missing = 0;
	for (uint32_t p = 0; p < mesh->network.n_parties; p++) {
		struct mesh_peer *peer = &mesh->peers[p];
		struct network_in *in = &round->in[p];
		int rc;

		peer->arrived_ns = 0;
		if (p == mesh->network.self || in->len == 0)
			continue;
		rc = inbox_expect(&peer->inbox, in->base, in->len, may_place, &err);
		if (rc < 0) {
			mesh_fail(mesh, peer, rc, err.text);
			return rc;
		}
		n_due++;
		mesh->due |= 1u << p;
		if (inbox_is_empty(&peer->inbox)) {
			peer->arrived_ns = mesh->round_began_ns;
		} else {
			mesh->missing |= 1u << p;
			mesh->n_missing++;
		}
		brake(peer);
	}
	mesh->n_may_miss =
	    round->needed == 0 || round->needed > n_due ? 0 : n_due - round->needed;
	return 0;
}

static uint32_t n_pieces(const struct mesh *mesh, size_t len)
{
	/* A division in front of every small message would be most of its bookkeeping. */
	return len <= mesh->piece_max ? 1 : (uint32_t)((len - 1) / mesh->piece_max) + 1;
}

static void send_all(struct mesh *mesh, const struct network_round *round)
{
	uint32_t p = mesh->network.self;

	/* Each party begins with its successor: nobody is everybody's first. */
	for (uint32_t i = 1; i < mesh->network.n_parties; i++) {
		struct mesh_peer *peer;

		p = p + 1 == mesh->network.n_parties ? 0 : p + 1;
		peer = &mesh->peers[p];
		if (round->out[p].len == 0)
			continue;
		peer->outs[peer->n_outs++] = (struct mesh_out){.base = round->out[p].base,
		    .len = round->out[p].len,
		    .round = mesh->round};
		mesh->unsent[mesh->round & 1] += n_pieces(mesh, round->out[p].len);
		send_outs(peer);
	}
}

static int is_done(const struct mesh *mesh)
{
	return mesh->failure.code != 0 || (mesh->n_missing <= mesh->n_may_miss &&
					      mesh->unsent[(mesh->round + 1) & 1] == 0);
}

/* A poll also tells that a send is done; only those of the round before are waited for.
 */
static void poll_links(struct mesh *mesh)
{
	int needs_sends = mesh->unsent[(mesh->round + 1) & 1] > 0;

	for (uint32_t p = 0; p < mesh->network.n_parties; p++) {
		struct mesh_peer *peer = &mesh->peers[p];

		if (p != mesh->network.self &&
		    (is_missing(peer) || (needs_sends && peer->n_busy > 0)))
			link_poll(peer->link);
	}
}

static void turn_loop(struct mesh *mesh, int is_spinning)
{
	mesh->turns_since_loop = 0;
	if (mesh->config.recorder != NULL && !is_spinning)
		recorder_settle(mesh->config.recorder);
	uv_run(mesh->config.loop, is_spinning ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

static void wait_round(struct mesh *mesh)
{
	int is_spinning = !is_done(mesh) && spin_begin(&mesh->spin);

	while (!is_done(mesh)) {
		if (is_spinning && ++mesh->turns_since_loop < POLL_TURNS_MAX) {
			poll_links(mesh);
			if (is_done(mesh))
				break;
			is_spinning = spin_yield(&mesh->spin);
		} else {
			turn_loop(mesh, is_spinning);
		}
	}
}

static void record(
    struct mesh *mesh, const struct network_round *round, uint64_t ended_ns)
{
	struct recorder_round done; /* only the first n_parties of each array are set */

	if (mesh->config.recorder == NULL)
		return;
	done.started_ns = mesh->round_began_ns;
	done.ended_ns = ended_ns;
	done.needed = round->needed;
	for (uint32_t p = 0; p < mesh->network.n_parties; p++) {
		int is_peer = p != mesh->network.self;

		done.bytes_out[p] = is_peer ? round->out[p].len : 0;
		done.bytes_in[p] = is_peer ? round->in[p].len : 0;
		done.arrived_ns[p] = is_peer ? mesh->peers[p].arrived_ns : 0;
	}
	recorder_round(mesh->config.recorder, &done);
}

/* The engine frees its buffers as soon as it hears of the failure. */
static int fail(struct mesh *mesh, struct error *err)
{
	mesh_hang_up(mesh);
	mesh->round_began_ns = 0;
	if (err != NULL)
		*err = mesh->failure;
	return mesh->failure.code;
}

static int exchange(struct network *net, struct network_round *round, struct error *err)
{
	struct mesh *mesh = mesh_of(net);
	uint64_t ended_ns;

	if (mesh->failure.code != 0)
		return fail(mesh, err);
	mesh->round++;
	mesh->round_began_ns = clock_monotonic_ns();
	send_all(mesh, round);
	if (expect_all(mesh, round) == 0)
		wait_round(mesh);
	round->arrived = mesh->due & ~mesh->missing;
	ended_ns = clock_monotonic_ns();
	if (mesh->failure.code != 0)
		return fail(mesh, err);
	if (round->needed != 0)
		for (uint32_t p = 0; p < net->n_parties; p++)
			inbox_drop(&mesh->peers[p].inbox);
	record(mesh, round, ended_ns);
	mesh->round_began_ns = 0;
	return 0;
}

static int flush(struct network *net, struct error *err)
{
	struct mesh *mesh = mesh_of(net);

	mesh->round_began_ns = clock_monotonic_ns();
	while (mesh->failure.code == 0 && mesh->unsent[0] + mesh->unsent[1] > 0)
		uv_run(mesh->config.loop, UV_RUN_ONCE);
	mesh->round_began_ns = 0;
	return mesh->failure.code != 0 ? fail(mesh, err) : 0;
}

static void mark(struct network *net, const char *name)
{
	struct mesh *mesh = mesh_of(net);

	if (mesh->config.recorder == NULL)
		return;
	recorder_cpu(mesh->config.recorder, clock_process_cpu_ns());
	recorder_phase(mesh->config.recorder, name, clock_monotonic_ns());
}

const struct network_ops exchange_ops = {
    .exchange = exchange,
    .flush = flush,
    .mark = mark,
};

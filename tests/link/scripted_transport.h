/* SPDX-License-Identifier: MIT */
/*
 * A transport inside a test: no sockets, no peers. The test is told what was sent and
 * says what comes, when it likes; everything happens in turns of the loop (or of
 * channel_poll()). A send completes a turn later, and only then are its bytes read: a
 * sender that frees them too early is caught by the sanitizer.
 */
#ifndef TESTS_LINK_SCRIPTED_TRANSPORT_H
#define TESTS_LINK_SCRIPTED_TRANSPORT_H

#include "engine/network.h"

#include <e3/transport.h>
#include <uv.h>

#define SCRIPTED_SENDS_MAX 16u

struct scripted_send {
	struct e3_send *send;
	const unsigned char *base;
	size_t len;
};

struct e3_channel {
	struct e3_endpoint *endpoint;
	e3_party peer;
	const struct e3_channel_events *events;
	void *user;
	void (*closed)(void *user);
	int is_used, is_open, is_paused, is_lost, is_closing;
	int is_dead;    /* set: it never opens */
	int open_fails; /* set: opened() says this */
	int holds;      /* set: sends complete when the channel is closed */
	int is_full;    /* set: takes no send */
	int was_refused;
	struct scripted_send sends[SCRIPTED_SENDS_MAX];
	uint32_t n_sends;
	uint64_t n_delivered, n_pauses;
};

struct e3_endpoint {
	struct e3_transport table;
	uv_loop_t *loop;
	uv_idle_t idle;
	struct e3_channel channels[NETWORK_PARTIES_MAX]; /* by peer */
	int has_polled, is_inside;
	/* A message to `peer` has left. May be NULL. */
	void (*sent)(void *user, e3_party peer, const unsigned char *bytes, size_t len);
	/* Deliver what should come now; returns whether to be asked again at once. */
	int (*turn)(void *user, struct e3_endpoint *endpoint);
	void *user;
};

/* `message_max` of the transport; polls = 1: it has channel_poll(). Endpoints are the
 * test's business. */
struct e3_transport scripted_table(uint64_t message_max, int polls);
/* An endpoint with that table. */
void scripted_init(
    struct e3_endpoint *endpoint, uv_loop_t *loop, uint64_t message_max, int polls);
/* The loop must turn once more. */
void scripted_finish(struct e3_endpoint *endpoint);

/* Ask turn() again, even if it had nothing to say the last time. */
void scripted_wake(struct e3_endpoint *endpoint);
/* To be called from turn(). 1 if the message was taken; a channel that is not open, is
 * paused, lost or closed takes none. */
int scripted_deliver(struct e3_channel *channel, const void *bytes, size_t len);
void scripted_lose(struct e3_channel *channel, int status);

#endif

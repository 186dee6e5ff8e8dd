/* SPDX-License-Identifier: MIT */
/*
 * Between the harness and a plugin's channel. Every call notes that it is under way,
 * every event checks that it may happen now; the first breach is kept as a sentence and
 * ends the traffic of the link, later ones are only counted.
 *
 * The plugin never sees the caller's requests: it gets slots of a pool that lives as long
 * as the link and is used first in, first out, so that a second completion finds a slot
 * at rest instead of memory that belongs to someone else by then.
 */
#include "harness/link/channel_guard.h"

#include "base/clock.h"
#include "base/list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_A_BLOCK 64

struct slot {
	struct e3_send send; /* what the plugin sees */
	struct slot *next;   /* while at rest */
	struct link *link;
	struct link_request *request; /* NULL while at rest */
};

struct slot_block {
	struct slot_block *next;
	struct slot slots[SLOTS_A_BLOCK];
};

struct link {
	const struct e3_transport *table;
	struct e3_channel *channel; /* NULL until channel_open() returned 0 */
	e3_party peer;
	uint32_t lane;
	const struct link_events *events;
	void *user;
	void (*closed)(void *user);

	struct slot_block *blocks;
	struct slot *rest, **rest_tail;
	uint32_t n_rest, n_pending;

	const char *inside; /* the call under way that must not cause events, or NULL */
	int is_opened, is_lost, is_broken, is_closing, is_closed, is_paused;
	uint64_t blocked_since_ns; /* 0 = not refused */
	struct error why;
	struct link_stats stats;
};

__attribute__((format(printf, 2, 3))) static void violation(
    struct link *link, const char *fmt, ...)
{
	char text[256];
	va_list args;

	link->stats.violations++;
	if (link->is_broken)
		return;
	link->is_broken = 1;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	error_set(&link->why, -EPROTO,
	    "transport %s breaks its contract on the channel to party %u, lane %u: %s",
	    link->table->name, link->peer, link->lane, text);
	link->events->violated(link->user, &link->why);
}

/* Whether an event may be passed on now. */
static int may_happen(struct link *link, const char *event)
{
	if (link->inside != NULL)
		violation(link, "%s from inside %s", event, link->inside);
	else if (link->is_closing)
		violation(link, "%s after channel_close()", event);
	else if (link->is_lost)
		violation(link, "%s after lost()", event);
	return !link->is_broken && !link->is_closing;
}

static void on_opened(void *user, int status)
{
	struct link *link = user;

	if (!may_happen(link, "opened()"))
		return;
	if (link->is_opened) {
		violation(link, "opened() twice");
		return;
	}
	link->is_opened = 1;
	link->is_lost = status < 0;
	link->events->opened(link->user, status);
}

static int may_deliver(struct link *link, const char *event, size_t len)
{
	if (!may_happen(link, event))
		return 0;
	if (!link->is_opened)
		violation(link, "%s before opened()", event);
	else if (link->is_paused)
		violation(link, "%s while paused", event);
	else if (len > link->table->message_max)
		violation(link, "%s of %zu bytes, its maximum is %llu", event, len,
		    (unsigned long long)link->table->message_max);
	return !link->is_broken;
}

static void on_message(void *user, struct e3_iov message)
{
	struct link *link = user;

	if (!may_deliver(link, "message()", message.len))
		return;
	link->stats.messages_received++;
	link->stats.payload_bytes_received += message.len;
	link->events->message(link->user, message, clock_monotonic_ns());
}

static void *on_place(void *user, size_t len)
{
	struct link *link = user;

	return may_deliver(link, "place()", len) ? link->events->place(link->user, len)
						 : NULL;
}

static void unblock(struct link *link)
{
	if (link->blocked_since_ns == 0)
		return;
	link->stats.blocked_ns += clock_monotonic_ns() - link->blocked_since_ns;
	link->blocked_since_ns = 0;
}

static void on_writable(void *user)
{
	struct link *link = user;

	if (!may_happen(link, "writable()"))
		return;
	if (link->blocked_since_ns == 0) {
		violation(link, "writable() without a refused send");
		return;
	}
	unblock(link);
	link->events->writable(link->user);
}

static void on_lost(void *user, int status)
{
	struct link *link = user;

	if (!may_happen(link, "lost()"))
		return;
	if (!link->is_opened || status >= 0) {
		violation(link,
		    link->is_opened ? "lost(%d), which is no error"
				    : "lost(%d) before opened()",
		    status);
		return;
	}
	link->is_lost = 1;
	unblock(link);
	link->events->lost(link->user, status);
}

static const struct e3_channel_events guard_events = {
    .struct_size = sizeof(struct e3_channel_events),
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
    .place = on_place,
};

static const struct e3_channel_events guard_events_without_place = {
    .struct_size = sizeof(struct e3_channel_events),
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
};

static void slot_rests(struct link *link, struct slot *slot)
{
	slot->request = NULL;
	slot->next = NULL;
	*link->rest_tail = slot;
	link->rest_tail = &slot->next;
	link->n_rest++;
}

static void on_send_done(struct e3_send *send, int status)
{
	struct slot *slot = container_of(send, struct slot, send);
	struct link *link = slot->link;
	struct link_request *request = slot->request;

	if (request == NULL) {
		violation(link, "a send completed twice, or was refused and completed");
		return;
	}
	if (link->inside != NULL) { /* stays with the plugin, forgotten, until closed() */
		violation(link, "a send completed from inside %s", link->inside);
		return;
	}
	slot_rests(link, slot);
	link->n_pending--;
	request->done(request, status);
}

static int pool_grow(struct link *link)
{
	struct slot_block *block = calloc(1, sizeof(*block));

	if (block == NULL)
		return -ENOMEM;
	block->next = link->blocks;
	link->blocks = block;
	for (size_t i = 0; i < SLOTS_A_BLOCK; i++) {
		block->slots[i].link = link;
		block->slots[i].send.done = on_send_done;
		slot_rests(link, &block->slots[i]);
	}
	return 0;
}

/* Half a block stays at rest, so that no slot is used again soon after it completed. */
static struct slot *slot_take(struct link *link)
{
	struct slot *slot;

	if (link->n_rest <= SLOTS_A_BLOCK / 2 && pool_grow(link) < 0 && link->n_rest == 0)
		return NULL;
	slot = link->rest;
	link->rest = slot->next;
	if (link->rest == NULL)
		link->rest_tail = &link->rest;
	link->n_rest--;
	return slot;
}

static void link_free(struct link *link)
{
	struct slot_block *block;

	while ((block = link->blocks) != NULL) {
		link->blocks = block->next;
		free(block);
	}
	free(link);
}

/* Requests that a plugin forgot still belong to someone: give them back. */
static void complete_forgotten(struct link *link)
{
	for (struct slot_block *block = link->blocks; block != NULL; block = block->next)
		for (size_t i = 0; i < SLOTS_A_BLOCK; i++) {
			struct link_request *request = block->slots[i].request;

			block->slots[i].request = NULL;
			if (request != NULL)
				request->done(request, -ECANCELED);
		}
}

static void on_closed(void *user)
{
	struct link *link = user;

	if (!link->is_closing) {
		violation(link, "closed() without channel_close()");
		return;
	}
	if (link->inside != NULL) { /* link_close() goes on with it */
		link->is_closed = 1;
		violation(link, "closed() from inside %s", link->inside);
		return;
	}
	if (link->n_pending > 0) {
		violation(link, "closed() with %u sends not completed", link->n_pending);
		complete_forgotten(link);
	}
	if (link->closed != NULL)
		link->closed(link->user);
	link_free(link);
}

static int open_channel(
    struct link *link, struct e3_endpoint *endpoint, struct error *err)
{
	const struct e3_transport *table = link->table;
	struct e3_channel_config config = {
	    .struct_size = sizeof(config),
	    .peer = link->peer,
	    .lane = link->lane,
	    .events =
		link->events->place != NULL ? &guard_events : &guard_events_without_place,
	    .user = link,
	};
	int rc;

	link->inside = "channel_open()";
	rc = table->channel_open(endpoint, &config, &link->channel);
	link->inside = NULL;
	if (rc < 0)
		return error_set_errno(err, rc,
		    "transport %s cannot open a channel to party %u, lane %u",
		    table->name, link->peer, link->lane);
	if (link->channel == NULL)
		return error_set(err, -EPROTO,
		    "transport %s breaks its contract: channel_open() gave no channel",
		    table->name);
	return 0;
}

int link_open(const struct e3_transport *table, struct e3_endpoint *endpoint,
    e3_party peer, uint32_t lane, const struct link_events *events, void *user,
    struct link **out, struct error *err)
{
	struct link *link = calloc(1, sizeof(*link));
	int rc;

	if (link == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	link->table = table;
	link->peer = peer;
	link->lane = lane;
	link->events = events;
	link->user = user;
	link->rest_tail = &link->rest;
	rc = pool_grow(link);
	if (rc < 0)
		error_set(err, rc, "out of memory");
	else
		rc = open_channel(link, endpoint, err);
	if (rc < 0) {
		link_free(link);
		return rc;
	}
	*out = link;
	return 0;
}

int link_send(struct link *link, struct link_request *request, const struct e3_iov *iov,
    uint32_t n_iov)
{
	struct slot *slot;
	int rc;

	if (link->is_broken)
		return -EPROTO;
	if (!link->is_opened || link->is_lost || link->is_closing)
		return -ENOTCONN;
	slot = slot_take(link);
	if (slot == NULL)
		return -ENOMEM;
	slot->request = request;
	link->n_pending++;
	link->inside = "channel_send()";
	rc = link->table->channel_send(link->channel, &slot->send, iov, n_iov, 0);
	link->inside = NULL;
	if (rc < 0) {
		link->n_pending--;
		slot_rests(link, slot);
		if (rc == -EAGAIN) {
			link->stats.refusals++;
			if (link->blocked_since_ns == 0)
				link->blocked_since_ns = clock_monotonic_ns();
		}
		return rc;
	}
	link->stats.messages_sent++;
	for (uint32_t i = 0; i < n_iov; i++)
		link->stats.payload_bytes_sent += iov[i].len;
	return 0;
}

void link_pause(struct link *link, int paused)
{
	if (link->is_closing || link->is_broken)
		return;
	link->is_paused = paused;
	link->inside = "channel_pause()";
	link->table->channel_pause(link->channel, paused);
	link->inside = NULL;
}

void link_poll(struct link *link)
{
	if (link->table->channel_poll != NULL && link->is_opened && !link->is_closing &&
	    !link->is_broken)
		link->table->channel_poll(link->channel);
}

void link_close(struct link *link, void (*closed)(void *user))
{
	link->is_closing = 1;
	link->closed = closed;
	unblock(link);
	link->inside = "channel_close()";
	link->table->channel_close(link->channel, on_closed);
	link->inside = NULL;
	if (link->is_closed)
		on_closed(link);
}

void link_stats(struct link *link, struct link_stats *out)
{
	struct e3_channel_stats unknown = {
	    .struct_size = sizeof(unknown),
	    .wire_bytes_sent = E3_UNKNOWN,
	    .wire_bytes_received = E3_UNKNOWN,
	    .retransmits = E3_UNKNOWN,
	    .rtt_ns = E3_UNKNOWN,
	    .queued_bytes = E3_UNKNOWN,
	};
	struct e3_channel_stats wire = unknown;

	*out = link->stats;
	if (link->blocked_since_ns != 0)
		out->blocked_ns += clock_monotonic_ns() - link->blocked_since_ns;
	if (link->table->channel_stats == NULL ||
	    link->table->channel_stats(link->channel, &wire) < 0)
		wire = unknown;
	out->wire = wire;
}

e3_party link_peer(const struct link *link)
{
	return link->peer;
}

uint32_t link_lane(const struct link *link)
{
	return link->lane;
}

/* SPDX-License-Identifier: MIT */
/*
 * A link: one channel of a transport plugin, guarded.
 *
 * It passes calls and events on, counts them, stamps arrivals, and checks the plugin
 * against include/e3/transport.h: whatever a plugin does wrong becomes one sentence that
 * names it, and never reaches the harness as an event it does not expect. Tens of
 * nanoseconds a message, no allocation once the pool of requests has grown.
 *
 * Loop thread only. Events come from the loop or from link_poll(), never from inside
 * another link call; `violated` alone may come from anywhere.
 */
#ifndef HARNESS_LINK_CHANNEL_GUARD_H
#define HARNESS_LINK_CHANNEL_GUARD_H

#include "base/error.h"

#include <e3/transport.h>

struct link;

/* One message on its way out. The caller's from link_send() == 0 until done(). */
struct link_request {
	/* Exactly once, not inside link_send(): 0 = with the kernel or the peer,
	 * -ECANCELED = link_close() came first, else why the link was lost. The request
	 * may be freed or sent again from inside. */
	void (*done)(struct link_request *request, int status);
};

struct link_events {
	/* Usable from now on (0) or never (negative). Exactly once, unless closed. */
	void (*opened)(void *user, int status);
	/* One whole message; `arrived_ns` is the monotonic clock as the plugin hands it
	 * over. Borrowed for the call; in `place` if that was asked and the plugin used
	 * it (compare message.base). */
	void (*message)(void *user, struct e3_iov message, uint64_t arrived_ns);
	/* After link_send() returned -EAGAIN: try again. */
	void (*writable)(void *user);
	/* The peer or the network is gone: -ESHUTDOWN = the peer has closed in order,
	 * after its last whole message; else how the connection broke. At most once; only
	 * link_close() is left to do. */
	void (*lost)(void *user, int status);
	/* The plugin has broken its contract; `why` names it and how. At most once, maybe
	 * from inside a link call: take note, call no link from inside. The link carries
	 * nothing any more; link_close() is due. (A plugin that calls closed() too early
	 * makes link_close() do the same.) */
	void (*violated)(void *user, const struct error *why);
	/* May be NULL; see struct e3_channel_events. */
	void *(*place)(void *user, size_t len);
};

struct link_stats {
	uint64_t messages_sent, payload_bytes_sent;         /* accepted by the plugin */
	uint64_t messages_received, payload_bytes_received; /* handed on */
	uint64_t refusals;   /* link_send() calls answered with -EAGAIN */
	uint64_t blocked_ns; /* from a first -EAGAIN until writable, summed */
	uint64_t violations;
	struct e3_channel_stats wire; /* E3_UNKNOWN in what the plugin can't tell */
};

/* Open the channel to `peer` on `lane`. `table` and `events` stay valid until closed.
 * Returns what channel_open() does, with a sentence. */
int link_open(const struct e3_transport *table, struct e3_endpoint *endpoint,
    e3_party peer, uint32_t lane, const struct link_events *events, void *user,
    struct link **out, struct error *err);

/* Send the pieces as one message; the bytes stay untouched until request->done().
 * -EAGAIN: full, nothing taken, writable() follows. -EMSGSIZE: above the transport's
 * maximum. -ENOTCONN: not open or lost. -EPROTO: the plugin broke its contract. */
int link_send(struct link *link, struct link_request *request, const struct e3_iov *iov,
    uint32_t n_iov);

/* Stop (1) or resume (0) message(): the brake, which reaches the peer. */
void link_pause(struct link *link, int paused);

/* Look once for bytes that have come, without waiting or turning the loop: message(),
 * done(), lost() may be called from inside. Does nothing if the plugin can't. */
void link_poll(struct link *link);

/* Legal in any state, once, also from inside an event other than violated(). No event
 * follows; requests still under way are done, then closed(user), then the link is gone.
 */
void link_close(struct link *link, void (*closed)(void *user));

/* Legal until closed(). */
void link_stats(struct link *link, struct link_stats *out);
e3_party link_peer(const struct link *link);
uint32_t link_lane(const struct link *link);

#endif

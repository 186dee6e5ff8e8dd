/* SPDX-License-Identifier: MIT */
/*
 * The engine's only way out: m parties that send to and wait for one another.
 *
 * Protocol code is straight-line: it calls network_exchange() and continues when what it
 * needs has come. Implementations: engine/memory_network (threads, virtual clock: tests
 * and the null run) and harness/link/exchange (transport channels driven by libuv).
 *
 * Messages of one ordered pair arrive in the order sent. A message belongs to the
 * receiver's next round that expects one from that peer, and its length must be the
 * expected one: lengths are public facts of the protocol.
 */
#ifndef ENGINE_NETWORK_H
#define ENGINE_NETWORK_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define NETWORK_PARTIES_MAX 10u

/* One round of one party. Entry [self] is ignored. */
struct network_round {
	/* Bytes for peer p, len 0 = nothing. Borrowed until the exchange after this one
	 * returns or network_flush() does: keep the buffer untouched until then. */
	struct network_out {
		const void *base;
		size_t len;
	} out[NETWORK_PARTIES_MAX];
	/* Exactly len bytes due from peer p into base, len 0 = nothing due. */
	struct network_in {
		void *base;
		size_t len;
	} in[NETWORK_PARTIES_MAX];
	/* Return when this many of the messages due are here; 0 = all. The others are
	 * received later, checked for their length, and dropped: their buffers are not
	 * written to after the exchange returns. */
	uint32_t needed;
	/* Set by the exchange: bit p = in[p] is filled. At least `needed` bits. */
	uint32_t arrived;
};

struct network;

struct network_ops {
	/* Send all, wait for what is due. 0, or a negative errno with a sentence that
	 * names the peer: -ETIMEDOUT, -ECONNRESET (peer lost), -EPROTO (wrong length or
	 * malformed), -ECANCELED (run stopped). After an error the network is dead. */
	int (*exchange)(
	    struct network *net, struct network_round *round, struct error *err);
	/* All bytes of earlier rounds have left the caller's buffers. */
	int (*flush)(struct network *net, struct error *err);
	/* The protocol enters a phase ("input", "conv1", ...); for the figures only.
	 * `name` is a literal. May be NULL. */
	void (*mark)(struct network *net, const char *name);
};

/* Embed it first in an implementation. */
struct network {
	const struct network_ops *ops;
	uint32_t self, n_parties; /* 1 .. NETWORK_PARTIES_MAX */
};

static inline int network_exchange(
    struct network *net, struct network_round *round, struct error *err)
{
	return net->ops->exchange(net, round, err);
}

static inline int network_flush(struct network *net, struct error *err)
{
	return net->ops->flush(net, err);
}

static inline void network_mark(struct network *net, const char *name)
{
	if (net->ops->mark != NULL)
		net->ops->mark(net, name);
}

#endif

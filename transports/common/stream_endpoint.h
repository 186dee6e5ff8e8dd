/* SPDX-License-Identifier: MIT */
/*
 * One party's side of channels over TCP: a listener, what peers have signalled, and the
 * connections that say HELLO. Shared by the transport `tcp` and by every overlay, which
 * gives it the addresses of its virtual network.
 *
 * Of two parties one dials (the lower one, or the higher by option). The other listens,
 * makes two tokens for the dialer and signals them with its port (WHERE in hello.h) when
 * its first channel to that peer is opened.
 */
#ifndef TRANSPORTS_COMMON_STREAM_ENDPOINT_H
#define TRANSPORTS_COMMON_STREAM_ENDPOINT_H

#include "transports/common/greeting.h"
#include "transports/common/option_list.h"
#include "transports/common/stream_socket.h"

#include <e3/transport.h>

#define STREAM_MESSAGE_MAX  (UINT64_C(1) << 28)
#define STREAM_DEVICE_BYTES 16 /* IFNAMSIZ */

struct stream_options {
	uint32_t port;    /* party p listens at port + p; 0 = any that is free */
	uint32_t dialer;  /* 0 = the lower party, 1 = the higher */
	uint32_t open_ms; /* deadline of opening a channel */
	char congestion[STREAM_CONGESTION_BYTES]; /* "" = the host's default */
};

#define STREAM_OPTIONS_DEFAULT                                                           \
	{                                                                                \
		.open_ms = 10000                                                         \
	}

extern const char *const stream_dialer_choices[];

/* Rules of option_list.h for a struct that has a struct stream_options `member`. */
#define STREAM_OPTION_RULES(type, member)                                                \
	{.key = "port", .offset = offsetof(type, member.port), .max = 65000},            \
	    {.key = "dialer",                                                            \
		.offset = offsetof(type, member.dialer),                                 \
		.choices = stream_dialer_choices},                                       \
	    {.key = "open_ms",                                                           \
		.offset = offsetof(type, member.open_ms),                                \
		.min = 10,                                                               \
		.max = 600000},                                                          \
	{                                                                                \
		.key = "congestion", .offset = offsetof(type, member.congestion),        \
		.text_bytes = STREAM_CONGESTION_BYTES                                    \
	}

struct stream_peer {
	struct hello_where where; /* made by us or signalled by the peer */
	int is_where_known;       /* dialer: it has come; acceptor: it was sent */
};

struct stream_endpoint {
	const struct e3_host *host;
	const char *transport;
	e3_party self;
	uint32_t n_parties;
	struct stream_options options;
	const char *const *addresses; /* of n_parties; the owner's */
	struct stream_peer *peers;
	struct e3_channel *channels; /* linked by e3_channel.next */
	struct greeting *greetings;  /* of acceptors: under way, or held for a channel */
	uint32_t n_greetings;
	struct stream_socket_style style;
	char device[STREAM_DEVICE_BYTES];
	uint16_t port;
	struct stream_listener *listener; /* while listening */
};

/* `addresses` may be filled later, before stream_endpoint_listen(). Checks the options
 * that need this host. 0 or a negative errno, the sentence logged. */
int stream_endpoint_create(const struct e3_host *host, const char *transport,
    e3_party self, uint32_t n_parties, const struct stream_options *options,
    const char *const *addresses, struct stream_endpoint **out);

/* Listen at addresses[self]. Idempotent. With a device ("" = any) no channel ever leaves
 * by another: when an overlay's interface goes, its packets must not take the open road.
 */
int stream_endpoint_listen(struct stream_endpoint *endpoint, const char *device);

/* Close the listener and every connection that is no channel yet; forget what was
 * signalled by either side. Channels must have closed. */
void stream_endpoint_unlisten(struct stream_endpoint *endpoint);

/* Handles are gone when the loop has turned. NULL is fine. */
void stream_endpoint_destroy(struct stream_endpoint *endpoint);

void stream_endpoint_signal(
    struct stream_endpoint *endpoint, e3_party from, struct e3_iov message);

/* Facts of endpoint_facts(): one key=value a line. Returns 0 or -ENOSPC. */
int stream_endpoint_facts(struct stream_endpoint *endpoint, char *out, size_t out_bytes);

/* For the channel: */

int stream_endpoint_is_dialer(const struct stream_endpoint *endpoint, e3_party peer);

/* What `from` says to `to` with the tokens of the peer's WHERE. */
void stream_endpoint_hello(const struct stream_endpoint *endpoint, e3_party from,
    e3_party to, uint32_t lane, struct hello *out);

/* Acceptor: let the peer know where to dial, once. 0, or what host->signal() said. */
int stream_endpoint_tell(struct stream_endpoint *endpoint, e3_party peer);

/* Acceptor: a held connection of this peer and lane, taken out of the list, or NULL. */
struct greeting *stream_endpoint_held(
    struct stream_endpoint *endpoint, e3_party peer, uint32_t lane);

#endif

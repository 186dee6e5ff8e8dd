/* SPDX-License-Identifier: MIT */
/*
 * The channel over TCP: `struct e3_channel` of `tcp` and of every overlay. The calls have
 * the shape of struct e3_transport's; include/e3/transport.h is their contract.
 */
#ifndef TRANSPORTS_COMMON_STREAM_CHANNEL_H
#define TRANSPORTS_COMMON_STREAM_CHANNEL_H

#include "transports/common/stream_endpoint.h"

int stream_channel_open(struct stream_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out);
int stream_channel_send(struct e3_channel *channel, struct e3_send *send,
    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags);
void stream_channel_pause(struct e3_channel *channel, int paused);
void stream_channel_close(struct e3_channel *channel, void (*closed)(void *user));
int stream_channel_stats(struct e3_channel *channel, struct e3_channel_stats *out);
void stream_channel_poll(struct e3_channel *channel);

/* For the endpoint: */

/* The channel of this peer and lane that waits to be dialled, or NULL. */
struct e3_channel *stream_channel_waiting(
    struct stream_endpoint *endpoint, e3_party peer, uint32_t lane);
/* A connection that has said HELLO for it; taken. */
void stream_channel_accepted(struct e3_channel *channel, struct greeting *greeting);
/* For the owner of the endpoint: every open channel is lost, from the loop. */
void stream_channel_all_broken(struct stream_endpoint *endpoint, int status);
/* Channels that wait to dial `peer` may begin. */
void stream_channel_where_known(struct stream_endpoint *endpoint, e3_party peer);

#endif

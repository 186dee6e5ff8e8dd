/* SPDX-License-Identifier: MIT */
/* What the two halves of the TCP channel share: its opening and closing
 * (stream_channel.c), and the moving of messages (stream_traffic.c). */
#ifndef TRANSPORTS_COMMON_STREAM_CHANNEL_STATE_H
#define TRANSPORTS_COMMON_STREAM_CHANNEL_STATE_H

#include "transports/common/frame.h"
#include "transports/common/send_queue.h"
#include "transports/common/stream_channel.h"

enum stream_state {
	STREAM_OPENING,
	STREAM_OPEN,
	STREAM_LOST,    /* lost() or opened(negative) was said */
	STREAM_CLOSING, /* channel_close() was called: no event any more */
};

struct e3_channel {
	struct e3_channel *next; /* of the endpoint */
	struct stream_endpoint *endpoint;
	e3_party peer;
	uint32_t lane;
	const struct e3_channel_events *events;
	void *user;
	void (*closed)(void *user);

	enum stream_state state;
	struct greeting *greeting; /* while dialling */
	int last_dial_error;
	uint32_t retry_ms;
	uint64_t deadline_ms; /* of opening or closing, by uv_now() */

	int fd;           /* -1 until greeted */
	uv_poll_t poll;   /* once fd >= 0 */
	uv_timer_t timer; /* opening: next dial; open: watchdog; closing: drain */
	uv_idle_t later;  /* what must not happen inside a call */
	int n_handles;
	uv_prepare_t wait; /* runs once before the loop's next wait */
	uint32_t n_polls;  /* calls of channel_poll() since the loop's last wait */
	int watched;       /* events that `poll` waits for */
	int is_later, is_paused, is_receiving, is_shut, wants_writable;
	int broken;              /* error of a send; what has come is read first */
	uint32_t n_silent_ticks; /* of the watchdog, in a row */

	struct frame_reader in;
	struct send_queue out;
};

/* Deliver and complete from the loop, soon. */
void stream_later(struct e3_channel *channel);
/* What `poll` waits for, by the state of the channel. */
void stream_watch(struct e3_channel *channel);
/* The connection is of no use any more: complete, then lost(status). Not inside a call.
 */
void stream_lose(struct e3_channel *channel, int status);

/* channel_poll() was called: while it is called again and again, the loop need not watch
 * the socket. Whatever it has to watch is watched again when it waits. */
void stream_polled(struct e3_channel *channel);

/* Send what is queued; loses the channel when that fails. Not inside a call. */
void stream_flush(struct e3_channel *channel);
/* Receive and deliver. Not inside a call. */
void stream_receive(struct e3_channel *channel);
/* Closing: read and forget. 0 = end of stream or error, 1 = the peer may send more. */
int stream_discard(struct e3_channel *channel);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * When the messages of one TCP connection arrive, predicted: every chunk that Linux would
 * send and its acknowledgement, in virtual time.
 *
 * A chunk leaves when the congestion control allows (harness/control/congestion_model.h),
 * takes its time at the path's rate, arrives a one-way delay later, and is acknowledged
 * at once. Messages follow one another; a message has left the sender when the rest of it
 * is in the socket's buffer, which Linux keeps at two (BBR: three) windows of segments of
 * 2304 bytes with their bookkeeping (tcp_sndbuf_expand(), tcp_wmem). Its writer is woken
 * when a third of it is free (sk_stream_is_writeable()): on average it is full to five
 * sixths.
 *
 * Not modelled: losses, receive windows (autotuning stays ahead of a sender that doubles
 * in a round trip, but can cost a connection that sends in bursts one round trip), delayed
 * acknowledgements, the hosts' own time for the bytes.
 */
#ifndef HARNESS_CONTROL_PATH_MODEL_H
#define HARNESS_CONTROL_PATH_MODEL_H

#include "harness/control/congestion_model.h"

#include <stdint.h>

#define PATH_CHUNKS_MAX 1024u /* under way; as many of 64 KB fill the largest window */

struct path_chunk {
	uint64_t segments, end; /* of the stream, in bytes */
	uint64_t sent_ns, acked_ns;
	uint64_t delivered_before, delivered_at_ns, flight_began_ns;
	uint64_t buffer_bytes; /* of the socket, once this is acknowledged */
	int lacked_data, after_silence;
};

struct path {
	uint64_t one_way_ns, back_ns;
	uint64_t rate_bps; /* 0 = unlimited */
	struct congestion congestion;
	uint64_t now_ns;          /* all messages so far have been sent */
	uint64_t may_send_ns;     /* by the congestion control's rate */
	uint64_t link_free_ns;    /* by the path's */
	uint64_t written, acked;  /* bytes of the stream */
	uint64_t segments;        /* sent so far */
	uint64_t under_way;       /* segments */
	uint64_t delivered_at_ns; /* the latest acknowledgement */
	uint64_t flight_began_ns; /* when what it acknowledged was sent */
	uint64_t lacked_until; /* segments: what was sent before lacked data; 0 = none */
	struct path_chunk chunks[PATH_CHUNKS_MAX]; /* ring; those before first: acked */
	uint32_t first, n_chunks;
};

struct path_times {
	uint64_t left_ns;    /* the sender's buffer is free */
	uint64_t arrived_ns; /* the whole message is there */
};

/* A connection that was made at virtual time 0. */
void path_init(struct path *path, uint64_t one_way_ns, uint64_t back_ns,
    uint64_t rate_bps, enum congestion_kind kind);

/* The next message, handed over at `sent_ns`, not before the one before. */
struct path_times path_send(struct path *path, uint64_t sent_ns, uint64_t bytes);

#endif

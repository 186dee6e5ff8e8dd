/* SPDX-License-Identifier: MIT */
/* Sockets of the stream transports: non-blocking, closed on exec, without delay. */
#ifndef TRANSPORTS_COMMON_STREAM_SOCKET_H
#define TRANSPORTS_COMMON_STREAM_SOCKET_H

#include <e3/transport.h>

#define STREAM_CONGESTION_BYTES 16

/* Whether this kernel offers the congestion control; 0, or -EINVAL with a sentence of
 * what there is in the log. The empty name is the host's default. */
int stream_socket_congestion_check(
    const struct e3_host *host, const char *transport, const char *congestion);

/* What every socket of an endpoint has. */
struct stream_socket_style {
	const char *congestion; /* "" = the host's default */
	const char *device;     /* "" = any; else nothing leaves or comes by another */
};

/* Listen at a numeric address; port 0 = one that is free. Returns the descriptor and the
 * port, or a negative errno having logged a sentence that names both. */
int stream_socket_listen(const struct e3_host *host, const char *transport,
    const char *address, uint16_t port, const struct stream_socket_style *style,
    uint16_t *out_port);

/* Begin to connect, from `own` to `address`. Returns the descriptor (writable when done)
 * or a negative errno. */
int stream_socket_connect(const char *own, const char *address, uint16_t port,
    const struct stream_socket_style *style);

/* Accept one connection. -EAGAIN: none waits. */
int stream_socket_accept(int listener);

/* The error that the socket holds, taken: 0 or a negative errno. */
int stream_socket_error(int fd);

/* Bytes sent that the peer has not acknowledged, its end of stream included. */
int stream_socket_unacked(int fd);

/* Whether the peer owes an answer and has given none for `silent_ms`: one look proves
 * nothing (what is owed may be young), several in a row do. */
int stream_socket_is_silent(int fd, uint32_t silent_ms);

/* All but queued_bytes; E3_UNKNOWN where the kernel is too old to tell. */
int stream_socket_stats(int fd, struct e3_channel_stats *out);

/* Name of the congestion control in use; "unknown" if it can't be told. */
void stream_socket_congestion(int fd, char out[STREAM_CONGESTION_BYTES]);

#endif

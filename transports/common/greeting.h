/* SPDX-License-Identifier: MIT */
/*
 * A connection until both sides know who they are.
 *
 *   dialer    connect, send HELLO, read the acceptor's HELLO, compare: greeted(0)
 *   acceptor  read HELLO: greeted(0); its user looks who it is, holds it until the
 *             channel is wanted, then greeting_answer() and greeting_take()
 *
 * Anything else (refused, closed, not a HELLO, another token, bytes too early, no answer
 * in time) is greeted(negative), also later while an acceptor holds it. After greeted()
 * the user calls greeting_close(), at once or when it has taken the descriptor.
 */
#ifndef TRANSPORTS_COMMON_GREETING_H
#define TRANSPORTS_COMMON_GREETING_H

#include "transports/common/hello.h"

#include <uv.h>

struct greeting {
	struct greeting *next; /* the user's */
	void *user;
	void (*greeted)(struct greeting *greeting, int status);

	uv_poll_t poll;
	uv_timer_t timer;
	int n_handles;
	int fd;
	int is_dialer, is_connected, is_whole, is_closing;
	struct hello mine;  /* dialer: to be sent */
	struct hello other; /* dialer: what must come; acceptor: what has come */
	unsigned char bytes[HELLO_BYTES];
	size_t have;
};

/* Both take `fd`, also on failure. NULL when out of memory or descriptors. The first
 * event comes from the loop. */
struct greeting *greeting_dial(struct uv_loop_s *loop, int fd, const struct hello *mine,
    const struct hello *expected, uint32_t deadline_ms);
struct greeting *greeting_accept(struct uv_loop_s *loop, int fd, uint32_t deadline_ms);

/* Acceptor, greeted: answer. 0 or a negative errno. */
int greeting_answer(struct greeting *greeting, const struct hello *mine);

/* The descriptor is the caller's from now on; nothing watches it. */
int greeting_take(struct greeting *greeting);

/* Ends it in any state, without an event; the memory goes with the next loop turn. NULL
 * is fine. */
void greeting_close(struct greeting *greeting);

#endif

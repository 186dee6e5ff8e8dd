/* SPDX-License-Identifier: MIT */
/*
 * Who is calling: the first bytes of a stream in either direction, and the signal that
 * tells a dialer where to and with which tokens.
 *
 *   WHERE  acceptor -> dialer, by host->signal(), 40 bytes
 *          "E3W1" | port | dial token 16 | answer token 16
 *   HELLO  first on the stream: the dialer's with the dial token, then the acceptor's
 *          with the answer token, 36 bytes
 *          "E3H1" | party | for party | number of parties | lane | token 16
 *
 * Integers have four bytes, little endian. Tokens are random, made by the acceptor for
 * one dialer; who has not been told by signal cannot occupy a channel, nor answer on one.
 */
#ifndef TRANSPORTS_COMMON_HELLO_H
#define TRANSPORTS_COMMON_HELLO_H

#include <e3/types.h>

#define HELLO_TOKEN_BYTES 16u
#define HELLO_BYTES       36u
#define HELLO_WHERE_BYTES 40u

struct hello {
	e3_party party, for_party;
	uint32_t n_parties, lane;
	unsigned char token[HELLO_TOKEN_BYTES];
};

struct hello_where {
	uint16_t port; /* never 0 */
	unsigned char dial_token[HELLO_TOKEN_BYTES];
	unsigned char answer_token[HELLO_TOKEN_BYTES];
};

void hello_encode(unsigned char out[HELLO_BYTES], const struct hello *hello);
/* 0, or -EPROTO when it isn't one. */
int hello_decode(struct hello *out, const unsigned char bytes[HELLO_BYTES]);
/* Whether both say the same; takes as long for any two tokens. */
int hello_equal(const struct hello *a, const struct hello *b);

void hello_where_encode(
    unsigned char out[HELLO_WHERE_BYTES], const struct hello_where *where);
/* 0, or -EPROTO: wrong length, not a WHERE, port 0 or above 65535. */
int hello_where_decode(struct hello_where *out, struct e3_iov message);

/* Port 0, fresh tokens. 0 or the errno of getrandom(). */
int hello_where_make(struct hello_where *out);

#endif

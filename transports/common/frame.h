/* SPDX-License-Identifier: MIT */
/*
 * Messages on a byte stream: four bytes of length, little endian, then the payload.
 *
 * The reader owns a buffer for what is small and writes what is large where it belongs:
 * into the place its user names, or else into memory that grows with what has really
 * come, never with what a peer has announced. It does no I/O:
 *
 *	n = frame_room(&reader, iov);            receive into iov[0..n)
 *	frame_received(&reader, bytes);
 *	while ((rc = frame_next(&reader, &message)) > 0)
 *		use message                      until the next call on this reader
 */
#ifndef TRANSPORTS_COMMON_FRAME_H
#define TRANSPORTS_COMMON_FRAME_H

#include <e3/types.h>

#include <sys/uio.h>

#define FRAME_HEADER_BYTES 4u
#define FRAME_BUFFER_BYTES 65536u
/* A longer message not whole in the buffer is `large`. */
#define FRAME_SMALL_BYTES  16384u

struct frame_reader {
	uint64_t message_max;
	void *(*place)(void *user, size_t len); /* may be NULL, may return NULL */
	void *user;

	unsigned char *buffer; /* FRAME_BUFFER_BYTES */
	size_t begin, end;     /* what of it is not consumed yet */

	unsigned char *large; /* the large message that is being received, or NULL */
	size_t large_bytes;   /* of the whole message */
	size_t large_room;    /* of these, how many fit at `large` */
	size_t large_have;

	unsigned char *own; /* for large messages without a place */
	size_t own_bytes;
};

/* 0 or -ENOMEM. */
int frame_reader_init(struct frame_reader *reader, uint64_t message_max,
    void *(*place)(void *user, size_t len), void *user);
/* A zeroed reader is fine. */
void frame_reader_finish(struct frame_reader *reader);

/* Where to receive next, in one or two pieces. Returns their number and the sum of their
 * lengths in *bytes, which is never 0. */
int frame_room(struct frame_reader *reader, struct iovec iov[2], size_t *bytes);

/* So many bytes were written there. */
void frame_received(struct frame_reader *reader, size_t bytes);

/* 1 = a message, 0 = more bytes are needed, -EPROTO = the peer announced more than
 * message_max, -ENOMEM. After an error the reader is of no use. */
int frame_next(struct frame_reader *reader, struct e3_iov *message);

/* Whether the stream stands between two messages: its end here is no truncation. */
int frame_is_between(const struct frame_reader *reader);

#endif

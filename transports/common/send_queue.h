/* SPDX-License-Identifier: MIT */
/*
 * Sends that a plugin has accepted and not finished: the pieces still to go, in order,
 * and those to be completed from the loop. The bytes stay where the caller has them.
 * Items come from a free list: after the first few messages nothing is allocated.
 */
#ifndef TRANSPORTS_COMMON_SEND_QUEUE_H
#define TRANSPORTS_COMMON_SEND_QUEUE_H

#include <e3/transport.h>

#include <sys/uio.h>

struct send_item;

struct send_queue {
	struct send_item *first, **tail;
	struct send_item *rest; /* free list */
	uint64_t queued_bytes;  /* of the pieces still to go */
	/* Finished, to be completed: linked by send->plugin[0], status in plugin[1]. */
	struct e3_send *done_first, **done_tail;
};

struct send_item {
	struct send_item *next;
	struct e3_send *send;
	uint64_t left_bytes;
	uint32_t n_pieces, at_piece, room;
	unsigned char header[4];
	struct iovec pieces[];
};

void send_queue_init(struct send_queue *queue);
/* Frees the items; both lists must be empty. A zeroed queue is fine. */
void send_queue_finish(struct send_queue *queue);

/* Sum of the pieces, or UINT64_MAX when that overflows. */
uint64_t send_queue_bytes(const struct e3_iov *iov, uint32_t n_iov);

/* Append the message, `header_bytes` (0 to 4) of `header` in front, without the first
 * `skip` bytes of both. Returns the item, NULL when out of memory. */
struct send_item *send_queue_append(struct send_queue *queue, struct e3_send *send,
    const unsigned char *header, uint32_t header_bytes, const struct e3_iov *iov,
    uint32_t n_iov, uint64_t skip);

/* The next pieces to go, of as many messages as fit. */
uint32_t send_queue_gather(
    const struct send_queue *queue, struct iovec *out, uint32_t max);

/* So many bytes are gone: messages that are whole are finished with status 0. */
void send_queue_sent(struct send_queue *queue, uint64_t bytes);

/* The first message is finished, wherever it stands. */
void send_queue_first_done(struct send_queue *queue, int status);

/* Finish everything queued with this status. */
void send_queue_fail(struct send_queue *queue, int status);

/* `send`, which is not in the queue, is finished. */
void send_queue_done(struct send_queue *queue, struct e3_send *send, int status);

/* Call done() of those finished before this call. */
void send_queue_complete(struct send_queue *queue);

#endif

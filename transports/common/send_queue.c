/* SPDX-License-Identifier: MIT */
#include "transports/common/send_queue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PIECES_MIN 8u

void send_queue_init(struct send_queue *queue)
{
	memset(queue, 0, sizeof(*queue));
	queue->tail = &queue->first;
	queue->done_tail = &queue->done_first;
}

void send_queue_finish(struct send_queue *queue)
{
	struct send_item *item;

	while ((item = queue->rest) != NULL) {
		queue->rest = item->next;
		free(item);
	}
}

uint64_t send_queue_bytes(const struct e3_iov *iov, uint32_t n_iov)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < n_iov; i++) {
		if (iov[i].len > UINT64_MAX - bytes)
			return UINT64_MAX;
		bytes += iov[i].len;
	}
	return bytes;
}

static struct send_item *item_take(struct send_queue *queue, uint32_t n_pieces)
{
	struct send_item *item = queue->rest;
	uint32_t room = n_pieces < PIECES_MIN ? PIECES_MIN : n_pieces;

	if (item != NULL && item->room >= n_pieces) {
		queue->rest = item->next;
		return item;
	}
	item = malloc(sizeof(*item) + room * sizeof(item->pieces[0]));
	if (item != NULL)
		item->room = room;
	return item;
}

static void item_rests(struct send_queue *queue, struct send_item *item)
{
	item->next = queue->rest;
	queue->rest = item;
}

/* Go forward by at most `bytes`; returns how many that were. */
static uint64_t item_advance(struct send_item *item, uint64_t bytes)
{
	uint64_t gone = 0;

	while (item->at_piece < item->n_pieces) {
		struct iovec *piece = &item->pieces[item->at_piece];
		uint64_t step =
		    bytes - gone < piece->iov_len ? bytes - gone : piece->iov_len;

		piece->iov_base = (char *)piece->iov_base + step;
		piece->iov_len -= step;
		gone += step;
		if (piece->iov_len > 0)
			break;
		item->at_piece++;
	}
	item->left_bytes -= gone;
	return gone;
}

struct send_item *send_queue_append(struct send_queue *queue, struct e3_send *send,
    const unsigned char *header, uint32_t header_bytes, const struct e3_iov *iov,
    uint32_t n_iov, uint64_t skip)
{
	struct send_item *item = item_take(queue, n_iov + 1);
	uint32_t n = 0;

	if (item == NULL)
		return NULL;
	item->next = NULL;
	item->send = send;
	item->at_piece = 0;
	item->left_bytes = header_bytes + send_queue_bytes(iov, n_iov);
	if (header_bytes > 0) {
		memcpy(item->header, header, header_bytes);
		item->pieces[n].iov_base = item->header;
		item->pieces[n++].iov_len = header_bytes;
	}
	for (uint32_t i = 0; i < n_iov; i++) {
		item->pieces[n].iov_base = (void *)(uintptr_t)iov[i].base;
		item->pieces[n++].iov_len = iov[i].len;
	}
	item->n_pieces = n;
	item_advance(item, skip);
	*queue->tail = item;
	queue->tail = &item->next;
	queue->queued_bytes += item->left_bytes;
	return item;
}

uint32_t send_queue_gather(
    const struct send_queue *queue, struct iovec *out, uint32_t max)
{
	uint32_t n = 0;

	for (const struct send_item *item = queue->first; item != NULL; item = item->next)
		for (uint32_t i = item->at_piece; i < item->n_pieces; i++) {
			if (n == max)
				return n;
			out[n++] = item->pieces[i];
		}
	return n;
}

void send_queue_first_done(struct send_queue *queue, int status)
{
	struct send_item *item = queue->first;

	queue->first = item->next;
	if (queue->first == NULL)
		queue->tail = &queue->first;
	queue->queued_bytes -= item->left_bytes;
	send_queue_done(queue, item->send, status);
	item_rests(queue, item);
}

void send_queue_sent(struct send_queue *queue, uint64_t bytes)
{
	while (queue->first != NULL) {
		uint64_t gone = item_advance(queue->first, bytes);

		bytes -= gone;
		queue->queued_bytes -= gone;
		if (queue->first->at_piece < queue->first->n_pieces)
			return;
		send_queue_first_done(queue, 0);
	}
}

void send_queue_fail(struct send_queue *queue, int status)
{
	while (queue->first != NULL)
		send_queue_first_done(queue, status);
}

void send_queue_done(struct send_queue *queue, struct e3_send *send, int status)
{
	send->plugin[0] = NULL;
	send->plugin[1] = (void *)(intptr_t)status;
	*queue->done_tail = send;
	queue->done_tail = (struct e3_send **)&send->plugin[0];
}

void send_queue_complete(struct send_queue *queue)
{
	struct e3_send *send = queue->done_first;

	queue->done_first = NULL;
	queue->done_tail = &queue->done_first;
	while (send != NULL) {
		struct e3_send *next = send->plugin[0];

		send->done(send, (int)(intptr_t)send->plugin[1]);
		send = next;
	}
}

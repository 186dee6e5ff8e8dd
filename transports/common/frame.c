/* SPDX-License-Identifier: MIT */
#include "transports/common/frame.h"

#include "transports/common/wire_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OWN_BYTES_MIN (1u << 20)

int frame_reader_init(struct frame_reader *reader, uint64_t message_max,
    void *(*place)(void *user, size_t len), void *user)
{
	memset(reader, 0, sizeof(*reader));
	reader->message_max = message_max;
	reader->place = place;
	reader->user = user;
	reader->buffer = malloc(FRAME_BUFFER_BYTES);
	return reader->buffer == NULL ? -ENOMEM : 0;
}

void frame_reader_finish(struct frame_reader *reader)
{
	free(reader->buffer);
	free(reader->own);
	memset(reader, 0, sizeof(*reader));
}

int frame_room(struct frame_reader *reader, struct iovec iov[2], size_t *bytes)
{
	int n = 0;

	*bytes = 0;
	if (reader->large != NULL) { /* the buffer is empty then */
		iov[n].iov_base = reader->large + reader->large_have;
		iov[n].iov_len = reader->large_room - reader->large_have;
		*bytes += iov[n++].iov_len;
	}
	if (reader->begin > 0) {
		memmove(reader->buffer, reader->buffer + reader->begin,
		    reader->end - reader->begin);
		reader->end -= reader->begin;
		reader->begin = 0;
	}
	iov[n].iov_base = reader->buffer + reader->end;
	iov[n].iov_len = FRAME_BUFFER_BYTES - reader->end;
	*bytes += iov[n++].iov_len;
	return n;
}

void frame_received(struct frame_reader *reader, size_t bytes)
{
	if (reader->large != NULL) {
		size_t room = reader->large_room - reader->large_have;
		size_t taken = bytes < room ? bytes : room;

		reader->large_have += taken;
		bytes -= taken;
	}
	reader->end += bytes;
}

/* Move buffered bytes into the large message. */
static void large_fill(struct frame_reader *reader)
{
	size_t room = reader->large_room - reader->large_have;
	size_t have = reader->end - reader->begin;
	size_t taken = have < room ? have : room;

	memcpy(reader->large + reader->large_have, reader->buffer + reader->begin, taken);
	reader->large_have += taken;
	reader->begin += taken;
}

static int own_grow(struct frame_reader *reader)
{
	size_t room = 2 * reader->large_have;
	unsigned char *own;

	if (room < OWN_BYTES_MIN)
		room = OWN_BYTES_MIN;
	if (room > reader->large_bytes)
		room = reader->large_bytes;
	if (room > reader->own_bytes) {
		own = realloc(reader->own, room);
		if (own == NULL)
			return -ENOMEM;
		reader->own = own;
		reader->own_bytes = room;
	}
	reader->large = reader->own;
	reader->large_room = reader->own_bytes < reader->large_bytes
				 ? reader->own_bytes
				 : reader->large_bytes;
	return 0;
}

static int large_begin(struct frame_reader *reader, size_t len)
{
	reader->begin += FRAME_HEADER_BYTES;
	reader->large_bytes = len;
	reader->large_have = 0;
	reader->large_room = len;
	if (reader->place != NULL)
		reader->large = reader->place(reader->user, len);
	return reader->large != NULL ? 0 : own_grow(reader);
}

/* 1 = whole. */
static int large_next(struct frame_reader *reader, struct e3_iov *message)
{
	large_fill(reader);
	while (reader->large_have == reader->large_room &&
	       reader->large_room < reader->large_bytes) {
		int rc = own_grow(reader);

		if (rc < 0)
			return rc;
		large_fill(reader);
	}
	if (reader->large_have < reader->large_bytes)
		return 0;
	message->base = reader->large;
	message->len = reader->large_bytes;
	reader->large = NULL;
	return 1;
}

int frame_next(struct frame_reader *reader, struct e3_iov *message)
{
	size_t have = reader->end - reader->begin;
	const unsigned char *at = reader->buffer + reader->begin;
	uint32_t len;
	int rc;

	if (reader->large != NULL)
		return large_next(reader, message);
	if (have < FRAME_HEADER_BYTES)
		return 0;
	len = wire_load_32(at);
	if (len > reader->message_max)
		return -EPROTO;
	if (have - FRAME_HEADER_BYTES >= len) {
		message->base = at + FRAME_HEADER_BYTES;
		message->len = len;
		reader->begin += FRAME_HEADER_BYTES + len;
		return 1;
	}
	if (len <= FRAME_SMALL_BYTES)
		return 0;
	rc = large_begin(reader, len);
	return rc < 0 ? rc : large_next(reader, message);
}

int frame_is_between(const struct frame_reader *reader)
{
	return reader->large == NULL && reader->begin == reader->end;
}

/* SPDX-License-Identifier: MIT */
/*
 * Messages over an open TCP channel.
 *
 * A send goes to the kernel at once, header and pieces in one call; what the kernel does
 * not take is queued and follows when the socket is writable. Completions come from the
 * loop or from channel_poll(). One receive takes what there is: into the place of a large
 * message and behind it into the buffer. After every event the state is looked at again,
 * since its handler may have paused or closed the channel.
 *
 * A broken connection is noticed by a send or a receive. What had come before is
 * delivered first, then lost().
 */
#include "transports/common/stream_channel_state.h"

#include "transports/common/wire_bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE_HIGH_BYTES (4u << 20)
#define QUEUE_LOW_BYTES  (QUEUE_HIGH_BYTES / 2)
#define PIECES_A_CALL    64u
#define PIECES_DIRECT    16u
#define RECEIVES_A_TURN  32
#define SMALL_BYTES      512u

static ssize_t sent_or_errno(ssize_t sent)
{
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? 0 : -errno;
}

static ssize_t send_pieces(int fd, struct iovec *pieces, uint32_t n)
{
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = n};

	return sent_or_errno(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* For a small message a copy is cheaper than having the kernel gather pieces. */
static ssize_t send_small(
    int fd, const unsigned char *header, const struct e3_iov *iov, uint32_t n_iov)
{
	unsigned char bytes[FRAME_HEADER_BYTES + SMALL_BYTES];
	size_t len = FRAME_HEADER_BYTES;

	memcpy(bytes, header, FRAME_HEADER_BYTES);
	for (uint32_t i = 0; i < n_iov; i++) {
		if (iov[i].len > 0)
			memcpy(bytes + len, iov[i].base, iov[i].len);
		len += iov[i].len;
	}
	return sent_or_errno(send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* Returns how many bytes the kernel took, or a negative errno. */
static ssize_t send_direct(struct e3_channel *channel, unsigned char *header,
    const struct e3_iov *iov, uint32_t n_iov, uint64_t len)
{
	struct iovec pieces[PIECES_DIRECT + 1];

	if (channel->out.first != NULL || n_iov > PIECES_DIRECT)
		return 0;
	if (len <= SMALL_BYTES)
		return send_small(channel->fd, header, iov, n_iov);
	pieces[0].iov_base = header;
	pieces[0].iov_len = FRAME_HEADER_BYTES;
	for (uint32_t i = 0; i < n_iov; i++) {
		pieces[i + 1].iov_base = (void *)(uintptr_t)iov[i].base;
		pieces[i + 1].iov_len = iov[i].len;
	}
	return send_pieces(channel->fd, pieces, n_iov + 1);
}

int stream_channel_send(struct e3_channel *channel, struct e3_send *send,
    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags)
{
	uint64_t len = send_queue_bytes(iov, n_iov);
	unsigned char header[FRAME_HEADER_BYTES];
	ssize_t sent;

	if (flags != 0)
		return -EINVAL;
	if (len > STREAM_MESSAGE_MAX)
		return -EMSGSIZE;
	if (channel->state != STREAM_OPEN || channel->broken != 0)
		return -ENOTCONN;
	if (channel->out.first != NULL &&
	    channel->out.queued_bytes + len > QUEUE_HIGH_BYTES) {
		channel->wants_writable = 1;
		return -EAGAIN;
	}
	wire_store_32(header, (uint32_t)len);
	sent = send_direct(channel, header, iov, n_iov, len);
	if (sent < 0) {
		channel->broken = (int)sent;
		stream_later(channel);
		return -ENOTCONN;
	}
	if ((uint64_t)sent == FRAME_HEADER_BYTES + len) {
		send_queue_done(&channel->out, send, 0);
		stream_later(channel);
		return 0;
	}
	if (send_queue_append(&channel->out, send, header, FRAME_HEADER_BYTES, iov, n_iov,
		(uint64_t)sent) == NULL) {
		/* Half a message may be on its way: nothing sensible can follow it. */
		channel->broken = sent > 0 ? -ENOMEM : 0;
		stream_later(channel);
		return -ENOMEM;
	}
	if (n_iov > PIECES_DIRECT)
		stream_later(channel);
	stream_watch(channel);
	return 0;
}

void stream_flush(struct e3_channel *channel)
{
	struct iovec pieces[PIECES_A_CALL];
	uint64_t asked;
	ssize_t sent;

	do {
		uint32_t n = send_queue_gather(&channel->out, pieces, PIECES_A_CALL);

		if (n == 0)
			break;
		asked = 0;
		for (uint32_t i = 0; i < n; i++)
			asked += pieces[i].iov_len;
		sent = send_pieces(channel->fd, pieces, n);
		if (sent < 0) {
			channel->broken = (int)sent;
			break;
		}
		send_queue_sent(&channel->out, (uint64_t)sent);
	} while ((uint64_t)sent == asked);
	stream_watch(channel);
	send_queue_complete(&channel->out);
	if (channel->state == STREAM_OPEN && channel->wants_writable &&
	    channel->out.queued_bytes <= QUEUE_LOW_BYTES) {
		channel->wants_writable = 0;
		channel->events->writable(channel->user);
	}
}

/* 0, or the error of the reader. */
static int deliver(struct e3_channel *channel)
{
	while (channel->state == STREAM_OPEN && !channel->is_paused) {
		struct e3_iov message;
		int rc = frame_next(&channel->in, &message);

		if (rc <= 0)
			return rc;
		channel->events->message(channel->user, message);
	}
	return 0;
}

/* Receive once. 1 = there may be more, 0 = not now, negative = how it has ended. */
static int receive_once(struct e3_channel *channel)
{
	struct iovec pieces[2];
	size_t room;
	struct msghdr message = {.msg_iov = pieces};
	ssize_t n;
	int rc;

	message.msg_iovlen = (size_t)frame_room(&channel->in, pieces, &room);
	if (message.msg_iovlen == 1)
		n = recv(
		    channel->fd, pieces[0].iov_base, pieces[0].iov_len, MSG_DONTWAIT);
	else
		n = recvmsg(channel->fd, &message, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return frame_is_between(&channel->in) ? -ESHUTDOWN : -ECONNRESET;
	frame_received(&channel->in, (size_t)n);
	rc = deliver(channel);
	return rc < 0 ? rc : (size_t)n == room;
}

static int may_receive(const struct e3_channel *channel)
{
	return channel->state == STREAM_OPEN && !channel->is_paused;
}

void stream_receive(struct e3_channel *channel)
{
	int rc;

	if (channel->is_receiving)
		return;
	channel->is_receiving = 1;
	rc = deliver(channel); /* what a pause has left */
	for (int turn = 0; rc >= 0 && turn < RECEIVES_A_TURN && may_receive(channel);
	     turn++) {
		rc = receive_once(channel);
		if (rc == 0)
			break;
	}
	channel->is_receiving = 0;
	if (!may_receive(channel))
		return;
	if (rc == 0)
		rc = channel->broken;
	if (rc < 0)
		stream_lose(channel, rc);
	else if (channel->broken != 0)
		stream_later(channel);
}

int stream_discard(struct e3_channel *channel)
{
	for (int turn = 0; turn < RECEIVES_A_TURN; turn++) {
		ssize_t n = recv(
		    channel->fd, channel->in.buffer, FRAME_BUFFER_BYTES, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return 0;
		if (n < FRAME_BUFFER_BYTES)
			break;
	}
	return 1;
}

void stream_channel_pause(struct e3_channel *channel, int paused)
{
	channel->is_paused = paused;
	if (channel->state != STREAM_OPEN)
		return;
	stream_watch(channel);
	if (!paused)
		stream_later(channel);
}

void stream_channel_poll(struct e3_channel *channel)
{
	if (channel->state != STREAM_OPEN || channel->is_receiving)
		return;
	stream_polled(channel);
	if (channel->out.first != NULL)
		stream_flush(channel);
	else if (channel->out.done_first != NULL)
		send_queue_complete(&channel->out);
	if (channel->state == STREAM_OPEN && !channel->is_paused)
		stream_receive(channel);
}

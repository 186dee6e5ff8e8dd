/* SPDX-License-Identifier: MIT */
#include "tests/link/scripted_transport.h"

#include <assert.h>
#include <string.h>

static void on_idle(uv_idle_t *idle);

void scripted_wake(struct e3_endpoint *endpoint)
{
	uv_idle_start(&endpoint->idle, on_idle);
}

static int channel_open(struct e3_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	struct e3_channel *channel = &endpoint->channels[config->peer];

	channel->endpoint = endpoint;
	channel->peer = config->peer;
	channel->events = config->events;
	channel->user = config->user;
	channel->is_used = 1;
	*out = channel;
	scripted_wake(endpoint);
	return 0;
}

static int channel_send(struct e3_channel *channel, struct e3_send *send,
    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags)
{
	(void)flags;
	assert(n_iov == 1);
	if (!channel->is_open || channel->is_lost || channel->is_closing)
		return -ENOTCONN;
	if (iov->len > channel->endpoint->table.message_max)
		return -EMSGSIZE;
	scripted_wake(channel->endpoint);
	if (channel->is_full || channel->n_sends == SCRIPTED_SENDS_MAX) {
		channel->was_refused = 1;
		return -EAGAIN;
	}
	channel->sends[channel->n_sends++] =
	    (struct scripted_send){.send = send, .base = iov->base, .len = iov->len};
	return 0;
}

static void channel_pause(struct e3_channel *channel, int paused)
{
	channel->is_paused = paused;
	channel->n_pauses += (uint64_t)(paused != 0);
	if (!paused)
		scripted_wake(channel->endpoint);
}

static void channel_close(struct e3_channel *channel, void (*closed)(void *user))
{
	channel->is_closing = 1;
	channel->closed = closed;
	scripted_wake(channel->endpoint);
}

static void complete_sends(struct e3_channel *channel)
{
	struct scripted_send sends[SCRIPTED_SENDS_MAX];
	uint32_t n = channel->n_sends;
	const struct e3_endpoint *endpoint = channel->endpoint;

	memcpy(sends, channel->sends, sizeof(sends));
	channel->n_sends = 0;
	for (uint32_t i = 0; i < n; i++) {
		unsigned char copy[4096];

		for (size_t at = 0; at < sends[i].len; at += sizeof(copy))
			memcpy(copy, sends[i].base + at,
			    sends[i].len - at < sizeof(copy) ? sends[i].len - at
							     : sizeof(copy));
		if (endpoint->sent != NULL)
			endpoint->sent(
			    endpoint->user, channel->peer, sends[i].base, sends[i].len);
		sends[i].send->done(sends[i].send, 0);
	}
}

/* Whether anything happened. */
static int channel_turn(struct e3_channel *channel)
{
	if (!channel->is_open && !channel->is_closing && !channel->is_lost &&
	    !channel->is_dead) {
		channel->is_open = channel->open_fails == 0;
		channel->is_lost = channel->open_fails != 0;
		channel->events->opened(channel->user, channel->open_fails);
		return 1;
	}
	if (channel->n_sends > 0 && (!channel->holds || channel->is_closing)) {
		complete_sends(channel);
		return 1;
	}
	if (channel->is_closing) {
		channel->is_used = 0;
		channel->closed(channel->user);
		return 1;
	}
	if (channel->was_refused && !channel->is_lost && !channel->is_full) {
		channel->was_refused = 0;
		channel->events->writable(channel->user);
		return 1;
	}
	return 0;
}

static int one_turn(struct e3_endpoint *endpoint)
{
	int again = 0;

	if (endpoint->is_inside)
		return 1;
	endpoint->is_inside = 1;
	for (uint32_t p = 0; p < NETWORK_PARTIES_MAX; p++)
		if (endpoint->channels[p].is_used)
			again |= channel_turn(&endpoint->channels[p]);
	if (endpoint->turn != NULL)
		again |= endpoint->turn(endpoint->user, endpoint);
	endpoint->is_inside = 0;
	return again;
}

static void on_idle(uv_idle_t *idle)
{
	if (!one_turn(idle->data))
		uv_idle_stop(idle);
}

static void channel_poll(struct e3_channel *channel)
{
	channel->endpoint->has_polled = 1;
	one_turn(channel->endpoint);
}

struct e3_transport scripted_table(uint64_t message_max, int polls)
{
	return (struct e3_transport){
	    E3_TRANSPORT_HEADER,
	    .name = "scripted",
	    .summary = "what a test says",
	    .message_max = message_max,
	    .channel_open = channel_open,
	    .channel_send = channel_send,
	    .channel_pause = channel_pause,
	    .channel_close = channel_close,
	    .channel_poll = polls ? channel_poll : NULL,
	};
}

void scripted_init(
    struct e3_endpoint *endpoint, uv_loop_t *loop, uint64_t message_max, int polls)
{
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->table = scripted_table(message_max, polls);
	endpoint->loop = loop;
	uv_idle_init(loop, &endpoint->idle);
	endpoint->idle.data = endpoint;
}

void scripted_finish(struct e3_endpoint *endpoint)
{
	uv_close((uv_handle_t *)&endpoint->idle, NULL);
}

int scripted_deliver(struct e3_channel *channel, const void *bytes, size_t len)
{
	void *place = NULL;

	if (!channel->is_used || !channel->is_open || channel->is_paused ||
	    channel->is_lost || channel->is_closing)
		return 0;
	channel->n_delivered++;
	if (channel->events->place != NULL)
		place = channel->events->place(channel->user, len);
	if (place != NULL) {
		memcpy(place, bytes, len);
		bytes = place;
	}
	channel->events->message(
	    channel->user, (struct e3_iov){.base = bytes, .len = len});
	return 1;
}

void scripted_lose(struct e3_channel *channel, int status)
{
	if (!channel->is_used || !channel->is_open || channel->is_lost ||
	    channel->is_closing)
		return;
	channel->is_lost = 1;
	channel->events->lost(channel->user, status);
}

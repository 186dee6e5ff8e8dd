/* SPDX-License-Identifier: MIT */
/*
 * All parties in one process, on one loop: the reference transport, and the smallest one.
 *
 * Endpoints with the same `room` and number of parties meet. Two channels that name each
 * other on the same lane are joined. A message stays in the sender's memory until it is
 * handed over; only one of several pieces is copied, into the place the receiver names.
 * Each channel has a pump, an idle handle that runs while it has something to do.
 */
#include "transports/common/option_list.h"
#include "transports/common/send_queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define MESSAGE_MAX      (UINT64_C(1) << 28)
#define QUEUE_HIGH_BYTES (4u << 20)
#define QUEUE_LOW_BYTES  (QUEUE_HIGH_BYTES / 2)
#define MESSAGES_A_TURN  64
#define CLOSE_MS         5000u
#define ROOM_BYTES       64

enum loopback_state {
	LOOPBACK_OPENING,
	LOOPBACK_OPEN,
	LOOPBACK_LOST,
	LOOPBACK_CLOSING,
};

struct loopback_options {
	char room[ROOM_BYTES];
	uint32_t open_ms;
};

struct e3_endpoint {
	const struct e3_host *host;
	e3_party self;
	uint32_t n_parties;
	struct loopback_options options;
};

struct e3_channel {
	struct e3_channel *next; /* of all in this process */
	struct e3_endpoint *endpoint;
	e3_party peer_party;
	uint32_t lane;
	const struct e3_channel_events *events;
	void *user;
	void (*closed)(void *user);

	enum loopback_state state;
	struct e3_channel *peer; /* while both are joined */
	struct send_queue out;
	uint64_t bytes_sent, bytes_received;
	unsigned char *gathered; /* a message of several pieces that has no place */
	uint64_t gathered_bytes;
	int is_paused, is_peer_gone, is_delivering, wants_writable;
	uv_idle_t pump;
	uv_timer_t timer; /* deadline of opening, then of closing */
	int n_handles;
};

static struct e3_channel *channels;

static void on_pump(uv_idle_t *pump);

static void pump(struct e3_channel *channel)
{
	if (channel != NULL && !uv_is_closing((uv_handle_t *)&channel->pump))
		uv_idle_start(&channel->pump, on_pump);
}

static void *gather_into(struct e3_channel *to, uint64_t len)
{
	void *into = NULL;

	if (to->events->place != NULL)
		into = to->events->place(to->user, len);
	if (into != NULL)
		return into;
	if (len > to->gathered_bytes) {
		into = realloc(to->gathered, len);
		if (into == NULL)
			return NULL;
		to->gathered = into;
		to->gathered_bytes = len;
	}
	return to->gathered;
}

static int gather(struct e3_channel *to, const struct send_item *item, struct e3_iov *out)
{
	unsigned char *into = gather_into(to, item->left_bytes);
	size_t at = 0;

	if (into == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < item->n_pieces; i++) {
		size_t len = item->pieces[i].iov_len;

		if (len > 0)
			memcpy(into + at, item->pieces[i].iov_base, len);
		at += len;
	}
	*out = (struct e3_iov){into, at};
	return 0;
}

static void lose(struct e3_channel *channel, int status)
{
	channel->state = LOOPBACK_LOST;
	send_queue_fail(&channel->out, status);
	send_queue_complete(&channel->out);
	if (channel->state == LOOPBACK_LOST)
		channel->events->lost(channel->user, status);
}

static int may_deliver(const struct e3_channel *from)
{
	const struct e3_channel *to = from->peer;

	return to != NULL && from->out.first != NULL && to->state == LOOPBACK_OPEN &&
	       !to->is_paused && !to->is_delivering;
}

/* Hand over one message. Its bytes stay borrowed until the sender completes. */
static void deliver(struct e3_channel *from)
{
	struct e3_channel *to = from->peer;
	struct send_item *item = from->out.first;
	struct e3_iov message = {"", 0};
	int rc = 0;

	to->is_delivering = 1;
	if (item->n_pieces == 1)
		message =
		    (struct e3_iov){item->pieces[0].iov_base, item->pieces[0].iov_len};
	else if (item->left_bytes > 0)
		rc = gather(to, item, &message);
	if (to->state == LOOPBACK_OPEN && rc == 0) {
		from->bytes_sent += message.len;
		to->bytes_received += message.len;
		send_queue_first_done(&from->out, 0);
		to->events->message(to->user, message);
	} else if (to->state == LOOPBACK_OPEN) {
		lose(to, rc);
	}
	to->is_delivering = 0;
}

/* The end of every channel. */
static void on_handle_closed(uv_handle_t *handle)
{
	struct e3_channel *channel = handle->data;

	if (--channel->n_handles > 0)
		return;
	send_queue_complete(&channel->out);
	channel->closed(channel->user);
	send_queue_finish(&channel->out);
	free(channel->gathered);
	free(channel);
}

static void finish(struct e3_channel *channel)
{
	struct e3_channel **at = &channels;

	if (uv_is_closing((uv_handle_t *)&channel->pump))
		return;
	while (*at != channel)
		at = &(*at)->next;
	*at = channel->next;
	if (channel->peer != NULL) {
		channel->peer->is_peer_gone = 1;
		channel->peer->peer = NULL;
		pump(channel->peer);
		channel->peer = NULL;
	}
	send_queue_fail(&channel->out, -ECANCELED);
	uv_close((uv_handle_t *)&channel->pump, on_handle_closed);
	uv_close((uv_handle_t *)&channel->timer, on_handle_closed);
}

static int is_drained(const struct e3_channel *channel)
{
	return channel->out.first == NULL || channel->peer == NULL ||
	       channel->peer->state >= LOOPBACK_LOST;
}

static void on_pump(uv_idle_t *idle)
{
	struct e3_channel *channel = idle->data;

	if (channel->state == LOOPBACK_OPENING) {
		channel->state = LOOPBACK_OPEN;
		uv_timer_stop(&channel->timer);
		pump(channel->peer); /* what it has sent may come now */
		channel->events->opened(channel->user, 0);
		return;
	}
	for (int n = 0; n < MESSAGES_A_TURN && may_deliver(channel); n++)
		deliver(channel);
	send_queue_complete(&channel->out);
	if (channel->state == LOOPBACK_OPEN && channel->wants_writable &&
	    channel->out.queued_bytes <= QUEUE_LOW_BYTES) {
		channel->wants_writable = 0;
		channel->events->writable(channel->user);
	}
	if (channel->state == LOOPBACK_OPEN && channel->is_peer_gone)
		lose(channel, -ESHUTDOWN);
	if (channel->state == LOOPBACK_CLOSING && is_drained(channel))
		finish(channel);
	else if (!may_deliver(channel) && channel->out.done_first == NULL)
		uv_idle_stop(idle);
}

static const struct option_list_rule rules[] = {
    {.key = "room",
	.offset = offsetof(struct loopback_options, room),
	.text_bytes = ROOM_BYTES},
    {.key = "open_ms",
	.offset = offsetof(struct loopback_options, open_ms),
	.min = 10,
	.max = 600000},
    {.key = NULL},
};

static int loopback_endpoint_create(const struct e3_host *host, e3_party self,
    uint32_t n_parties, const char *const *options, struct e3_endpoint **out)
{
	struct e3_endpoint *endpoint;
	int rc;

	if (self >= n_parties)
		return -EINVAL;
	endpoint = calloc(1, sizeof(*endpoint));
	if (endpoint == NULL)
		return -ENOMEM;
	endpoint->host = host;
	endpoint->self = self;
	endpoint->n_parties = n_parties;
	endpoint->options.open_ms = 10000;
	rc = option_list_read(host, "loopback", rules, options, &endpoint->options);
	if (rc < 0) {
		free(endpoint);
		return rc;
	}
	*out = endpoint;
	return 0;
}

static int loopback_options_check(
    const char *const *options, char *reason, size_t reason_bytes)
{
	struct loopback_options read = {0};

	return option_list_check("loopback", rules, options, &read, reason, reason_bytes);
}

static void loopback_endpoint_destroy(struct e3_endpoint *endpoint)
{
	free(endpoint);
}

static void loopback_endpoint_signal(
    struct e3_endpoint *endpoint, e3_party from, struct e3_iov message)
{
	endpoint->host->log(endpoint->host->ctx, E3_LOG_WARN,
	    "transport loopback: ignored %zu bytes signalled by party %u", message.len,
	    from);
}

static int is_counterpart(const struct e3_channel *a, const struct e3_channel *b)
{
	return a->state == LOOPBACK_OPENING && a->peer == NULL &&
	       a->endpoint->self == b->peer_party && a->peer_party == b->endpoint->self &&
	       a->lane == b->lane && a->endpoint->n_parties == b->endpoint->n_parties &&
	       a->endpoint->host->loop == b->endpoint->host->loop &&
	       a->endpoint->host->endpoint == b->endpoint->host->endpoint &&
	       strcmp(a->endpoint->options.room, b->endpoint->options.room) == 0;
}

static int config_check(
    struct e3_endpoint *endpoint, const struct e3_channel_config *config)
{
	if (config->struct_size < sizeof(*config) ||
	    config->events->struct_size < sizeof(struct e3_channel_events) ||
	    config->peer >= endpoint->n_parties || config->peer == endpoint->self)
		return -EINVAL;
	for (struct e3_channel *at = channels; at != NULL; at = at->next)
		if (at->endpoint == endpoint && at->peer_party == config->peer &&
		    at->lane == config->lane && at->state != LOOPBACK_CLOSING)
			return -EEXIST;
	return 0;
}

static void on_open_deadline(uv_timer_t *timer)
{
	struct e3_channel *channel = timer->data;

	if (channel->peer != NULL)
		return; /* on_pump() is about to say opened() */
	channel->state = LOOPBACK_LOST;
	channel->events->opened(channel->user, -ETIMEDOUT);
}

static int loopback_channel_open(struct e3_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	struct e3_channel *channel;
	int rc = config_check(endpoint, config);

	if (rc < 0)
		return rc;
	channel = calloc(1, sizeof(*channel));
	if (channel == NULL)
		return -ENOMEM;
	channel->endpoint = endpoint;
	channel->peer_party = config->peer;
	channel->lane = config->lane;
	channel->events = config->events;
	channel->user = config->user;
	send_queue_init(&channel->out);
	uv_idle_init(endpoint->host->loop, &channel->pump);
	uv_timer_init(endpoint->host->loop, &channel->timer);
	channel->pump.data = channel;
	channel->timer.data = channel;
	channel->n_handles = 2;
	uv_timer_start(&channel->timer, on_open_deadline, endpoint->options.open_ms, 0);
	for (struct e3_channel *at = channels; at != NULL; at = at->next)
		if (is_counterpart(at, channel)) {
			channel->peer = at;
			at->peer = channel;
			pump(channel);
			pump(at);
			break;
		}
	channel->next = channels;
	channels = channel;
	*out = channel;
	return 0;
}

static int loopback_channel_send(struct e3_channel *channel, struct e3_send *send,
    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags)
{
	uint64_t len = send_queue_bytes(iov, n_iov);

	if (flags != 0)
		return -EINVAL;
	if (len > MESSAGE_MAX)
		return -EMSGSIZE;
	if (channel->state != LOOPBACK_OPEN)
		return -ENOTCONN;
	if (channel->out.first != NULL &&
	    channel->out.queued_bytes + len > QUEUE_HIGH_BYTES) {
		channel->wants_writable = 1;
		return -EAGAIN;
	}
	if (send_queue_append(&channel->out, send, NULL, 0, iov, n_iov, 0) == NULL)
		return -ENOMEM;
	pump(channel);
	return 0;
}

static void loopback_channel_pause(struct e3_channel *channel, int paused)
{
	channel->is_paused = paused;
	if (!paused)
		pump(channel->peer);
}

static void on_close_deadline(uv_timer_t *timer)
{
	finish(timer->data);
}

static void loopback_channel_close(struct e3_channel *channel, void (*closed)(void *user))
{
	int was_open = channel->state == LOOPBACK_OPEN;

	channel->state = LOOPBACK_CLOSING;
	channel->closed = closed;
	if (!was_open) {
		finish(channel);
		return;
	}
	uv_timer_start(&channel->timer, on_close_deadline, CLOSE_MS, 0);
	pump(channel);
	pump(channel->peer); /* if it waits for this one to close */
}

static int loopback_channel_stats(
    struct e3_channel *channel, struct e3_channel_stats *out)
{
	if (out->struct_size < sizeof(*out))
		return -EINVAL;
	out->wire_bytes_sent = channel->bytes_sent;
	out->wire_bytes_received = channel->bytes_received;
	out->retransmits = 0;
	out->rtt_ns = E3_UNKNOWN;
	out->queued_bytes = channel->out.queued_bytes;
	return 0;
}

static void loopback_channel_poll(struct e3_channel *channel)
{
	send_queue_complete(&channel->out);
	for (int n = 0; n < MESSAGES_A_TURN && channel->peer != NULL; n++) {
		if (!may_deliver(channel->peer))
			return;
		deliver(channel->peer);
	}
}

static int loopback_endpoint_facts(
    struct e3_endpoint *endpoint, char *out, size_t out_bytes)
{
	int n = snprintf(out, out_bytes, "room=%s\n", endpoint->options.room);

	return n < 0 || (size_t)n >= out_bytes ? -ENOSPC : 0;
}

static const struct e3_declared loopback_declared = {
    .struct_size = sizeof(struct e3_declared),
    .layer = "none (memory)",
    .needs = "all parties in one process",
    .third_parties = "none",
    .key_distribution = "none",
    .encryption = "none",
    .identity = "none",
    .steps = "none",
};

static const struct e3_transport loopback = {
    E3_TRANSPORT_HEADER,
    .name = "loopback",
    .summary = "all parties in one process; the reference",
    .caps = E3_CAP_LANES,
    .message_max = MESSAGE_MAX,
    .declared = &loopback_declared,
    .endpoint_create = loopback_endpoint_create,
    .endpoint_destroy = loopback_endpoint_destroy,
    .endpoint_signal = loopback_endpoint_signal,
    .channel_open = loopback_channel_open,
    .channel_send = loopback_channel_send,
    .channel_pause = loopback_channel_pause,
    .channel_close = loopback_channel_close,
    .channel_stats = loopback_channel_stats,
    .channel_poll = loopback_channel_poll,
    .endpoint_facts = loopback_endpoint_facts,
    .options_check = loopback_options_check,
};

E3_TRANSPORT_ENTRY(loopback);

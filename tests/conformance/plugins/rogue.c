/* SPDX-License-Identifier: MIT */
/*
 * A plugin for the tests of the guard: a channel that echoes what is sent on it, and
 * breaks the contract in the way that its option `rogue` names.
 */
#include <e3/transport.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define MESSAGE_MAX 1024

struct e3_endpoint {
	const struct e3_host *host;
	const char *rogue;
};

struct e3_channel {
	struct e3_endpoint *endpoint;
	const struct e3_channel_events *events;
	void *user;
	void (*closed)(void *user);
	struct e3_send *send;
	unsigned char bytes[MESSAGE_MAX + 1];
	size_t len;
	int is_open, has_message, turns;
	uv_idle_t pump;
};

static int is_rogue(const struct e3_channel *channel, const char *how)
{
	return strcmp(channel->endpoint->rogue, how) == 0;
}

static int rogue_endpoint_create(const struct e3_host *host, e3_party self,
    uint32_t n_parties, const char *const *options, struct e3_endpoint **out)
{
	struct e3_endpoint *endpoint = calloc(1, sizeof(*endpoint));

	(void)self, (void)n_parties;
	endpoint->host = host;
	endpoint->rogue = options[1];
	*out = endpoint;
	return 0;
}

static void rogue_endpoint_destroy(struct e3_endpoint *endpoint)
{
	free(endpoint);
}

static void rogue_endpoint_signal(
    struct e3_endpoint *endpoint, e3_party from, struct e3_iov message)
{
	(void)endpoint, (void)from, (void)message;
}

static void complete(struct e3_channel *channel, int status)
{
	struct e3_send *send = channel->send;

	if (send == NULL)
		return;
	channel->send = NULL;
	send->done(send, status);
	if (is_rogue(channel, "completes twice"))
		send->done(send, status);
}

static void echo(struct e3_channel *channel)
{
	struct e3_iov message = {channel->bytes, channel->len};

	if (is_rogue(channel, "oversize"))
		message.len = MESSAGE_MAX + 1;
	channel->has_message = 0;
	channel->events->message(channel->user, message);
	if (is_rogue(channel, "message while paused"))
		channel->events->message(channel->user, message);
}

static void on_pump(uv_idle_t *idle)
{
	struct e3_channel *channel = idle->data;

	if (!channel->is_open) {
		channel->is_open = 1;
		if (is_rogue(channel, "message before opened"))
			channel->events->message(channel->user, (struct e3_iov){"", 0});
		channel->events->opened(channel->user, 0);
		if (is_rogue(channel, "opened twice"))
			channel->events->opened(channel->user, 0);
		if (is_rogue(channel, "writable unasked"))
			channel->events->writable(channel->user);
		if (is_rogue(channel, "lost without error"))
			channel->events->lost(channel->user, 0);
		if (is_rogue(channel, "message after lost")) {
			channel->events->lost(channel->user, -ECONNRESET);
			channel->events->message(channel->user, (struct e3_iov){"", 0});
		}
		return;
	}
	complete(channel, 0);
	if (channel->has_message)
		echo(channel);
}

static int rogue_channel_open(struct e3_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	struct e3_channel *channel = calloc(1, sizeof(*channel));

	channel->endpoint = endpoint;
	channel->events = config->events;
	channel->user = config->user;
	if (is_rogue(channel, "opened inside")) {
		channel->is_open = 1;
		config->events->opened(config->user, 0);
	}
	uv_idle_init(endpoint->host->loop, &channel->pump);
	channel->pump.data = channel;
	uv_idle_start(&channel->pump, on_pump);
	*out = channel;
	return 0;
}

static int rogue_channel_send(struct e3_channel *channel, struct e3_send *send,
    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags)
{
	(void)flags;
	if (channel->has_message)
		return -EAGAIN;
	channel->len = 0;
	for (uint32_t i = 0; i < n_iov; i++) {
		memcpy(channel->bytes + channel->len, iov[i].base, iov[i].len);
		channel->len += iov[i].len;
	}
	channel->has_message = 1;
	channel->send = send;
	if (is_rogue(channel, "completes inside"))
		complete(channel, 0);
	if (is_rogue(channel, "message inside"))
		echo(channel);
	if (is_rogue(channel, "refuses and completes")) {
		complete(channel, 0);
		return -EIO;
	}
	return 0;
}

static void rogue_channel_pause(struct e3_channel *channel, int paused)
{
	(void)channel, (void)paused;
}

static void on_closed(uv_handle_t *handle)
{
	struct e3_channel *channel = handle->data;

	if (is_rogue(channel, "event after close"))
		channel->events->message(channel->user, (struct e3_iov){"", 0});
	if (!is_rogue(channel, "forgets a send"))
		complete(channel, -ECANCELED);
	if (!is_rogue(channel, "closed inside"))
		channel->closed(channel->user);
	free(channel);
}

static void rogue_channel_close(struct e3_channel *channel, void (*closed)(void *user))
{
	channel->closed = closed;
	uv_close((uv_handle_t *)&channel->pump, on_closed);
	if (is_rogue(channel, "closed inside"))
		closed(channel->user);
}

static const struct e3_declared rogue_declared = {
    .struct_size = sizeof(struct e3_declared),
    .layer = "none",
    .needs = "none",
    .third_parties = "none",
    .key_distribution = "none",
    .encryption = "none",
    .identity = "none",
    .steps = "none",
};

static const struct e3_transport rogue = {
    E3_TRANSPORT_HEADER,
    .name = "rogue",
    .summary = "breaks its contract on demand",
    .message_max = MESSAGE_MAX,
    .declared = &rogue_declared,
    .endpoint_create = rogue_endpoint_create,
    .endpoint_destroy = rogue_endpoint_destroy,
    .endpoint_signal = rogue_endpoint_signal,
    .channel_open = rogue_channel_open,
    .channel_send = rogue_channel_send,
    .channel_pause = rogue_channel_pause,
    .channel_close = rogue_channel_close,
};

E3_TRANSPORT_ENTRY(rogue);

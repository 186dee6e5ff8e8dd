/* SPDX-License-Identifier: MIT */
/*
 * Plugins for the test of the conformance suite: a real transport that claims what it
 * does not do, as its name says. The real one is linked in, its entry renamed to
 * real_transport_entry().
 */
#include <e3/transport.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIE_EVERY 400u /* messages */

const struct e3_transport *real_transport_entry(void);

/* The harness sees these; `real` is the channel of the real transport. */
struct e3_channel {
	struct e3_channel *real;
	const struct e3_channel_events *events;
	void *user;
	void (*closed)(void *user);
	uint32_t n_messages;
	unsigned char *held; /* a message kept back */
	size_t held_bytes;
	struct e3_channel *other; /* the one opened before */
};

static const struct e3_transport *real;
static struct e3_transport liar;
static struct e3_declared declared;
static struct e3_channel *last_opened;

static void on_opened(void *user, int status)
{
	struct e3_channel *channel = user;

	channel->events->opened(channel->user, status);
}

static unsigned char *copy_of(struct e3_iov message)
{
	unsigned char *copy = malloc(message.len + 1);

	if (copy == NULL)
		abort();
	memcpy(copy, message.base, message.len);
	return copy;
}

static int is_lie(const char *lie)
{
	return strcmp(liar.name, lie) == 0;
}

/* The message is one of those that the lie is told on. */
static void pass_wrong(struct e3_channel *channel, struct e3_iov message)
{
	unsigned char *copy = copy_of(message);

	if (is_lie("liar-unordered")) {
		channel->held = copy;
		channel->held_bytes = message.len;
		return;
	}
	if (is_lie("liar-damaged"))
		copy[message.len - 1] ^= 1;
	if (is_lie("liar-cut"))
		message.len -= message.len > 0;
	message.base = copy;
	if (is_lie("liar-twice"))
		channel->events->message(channel->user, message);
	if (!is_lie("liar-lossy"))
		channel->events->message(channel->user, message);
	free(copy);
}

static void on_message(void *user, struct e3_iov message)
{
	struct e3_channel *channel = user;

	if (++channel->n_messages % LIE_EVERY == 0) {
		pass_wrong(channel, message);
		return;
	}
	channel->events->message(channel->user, message);
	if (channel->held != NULL)
		channel->events->message(
		    channel->user, (struct e3_iov){channel->held, channel->held_bytes});
	free(channel->held);
	channel->held = NULL;
}

static void on_writable(void *user)
{
	struct e3_channel *channel = user;

	channel->events->writable(channel->user);
}

static void on_lost(void *user, int status)
{
	struct e3_channel *channel = user;

	channel->events->lost(channel->user, status);
}

static const struct e3_channel_events liar_events = {
    .struct_size = sizeof(struct e3_channel_events),
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
};

static int liar_channel_open(struct e3_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	struct e3_channel *channel = calloc(1, sizeof(*channel));
	struct e3_channel_config own = *config;
	int rc;

	if (channel == NULL)
		return -ENOMEM;
	channel->events = config->events;
	channel->user = config->user;
	own.events = &liar_events;
	own.user = channel;
	rc = real->channel_open(endpoint, &own, &channel->real);
	if (rc < 0) {
		free(channel);
		return rc;
	}
	channel->other = last_opened;
	last_opened = channel;
	*out = channel;
	return 0;
}

static int liar_channel_send(struct e3_channel *channel, struct e3_send *send,
    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags)
{
	return real->channel_send(channel->real, send, iov, n_iov, flags);
}

static void liar_channel_pause(struct e3_channel *channel, int paused)
{
	real->channel_pause(channel->real, paused);
	if (is_lie("liar-lanes"))
		for (struct e3_channel *at = last_opened; at != NULL; at = at->other)
			real->channel_pause(at->real, paused);
}

static void on_closed(void *user)
{
	struct e3_channel *channel = user, **at = &last_opened;

	channel->closed(channel->user);
	while (*at != NULL && *at != channel)
		at = &(*at)->other;
	if (*at != NULL)
		*at = channel->other;
	free(channel->held);
	free(channel);
}

static void liar_channel_close(struct e3_channel *channel, void (*closed)(void *user))
{
	channel->closed = closed;
	real->channel_close(channel->real, on_closed);
}

static int liar_channel_stats(struct e3_channel *channel, struct e3_channel_stats *out)
{
	return real->channel_stats(channel->real, out);
}

static void liar_channel_poll(struct e3_channel *channel)
{
	real->channel_poll(channel->real);
}

static void claim(void)
{
	if (is_lie("liar-long"))
		liar.message_max *= 2;
	if (is_lie("liar-sealed") || is_lie("liar-bare"))
		liar.caps |= E3_CAP_SECURE;
	if (is_lie("liar-sealed")) {
		declared.encryption = "ChaCha20-Poly1305";
		declared.identity = "a key";
	}
}

__attribute__((visibility("default"))) const struct e3_transport *e3_transport_entry(
    void);
const struct e3_transport *e3_transport_entry(void)
{
	real = real_transport_entry();
	liar = *real;
	declared = *real->declared;
	liar.name = LIAR_NAME;
	liar.declared = &declared;
	liar.channel_open = liar_channel_open;
	liar.channel_send = liar_channel_send;
	liar.channel_pause = liar_channel_pause;
	liar.channel_close = liar_channel_close;
	liar.channel_stats = real->channel_stats != NULL ? liar_channel_stats : NULL;
	liar.channel_poll = real->channel_poll != NULL ? liar_channel_poll : NULL;
	claim();
	return &liar;
}

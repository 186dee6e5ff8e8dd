/* SPDX-License-Identifier: MIT */
/*
 * Accepting: whoever connects has GREETING_MS to say HELLO with the token that was
 * signalled to exactly that party. Until then it costs one descriptor of GREETINGS_MAX;
 * when there are too many, the oldest goes, and a dialer that was meant tries again.
 */
#include "transports/common/stream_endpoint.h"

#include "transports/common/stream_channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GREETING_MS    5000u
#define GREETINGS_MAX  256u
#define ACCEPTS_A_TURN 16

/* Outlives the endpoint by a loop turn. */
struct stream_listener {
	struct stream_endpoint *endpoint;
	uv_poll_t poll;
	int fd;
};

const char *const stream_dialer_choices[] = {"lower", "higher", NULL};

int stream_endpoint_create(const struct e3_host *host, const char *transport,
    e3_party self, uint32_t n_parties, const struct stream_options *options,
    const char *const *addresses, struct stream_endpoint **out)
{
	struct stream_endpoint *endpoint;
	int rc;

	rc = stream_socket_congestion_check(host, transport, options->congestion);
	if (rc < 0)
		return rc;
	endpoint = calloc(1, sizeof(*endpoint));
	if (endpoint == NULL)
		return -ENOMEM;
	endpoint->host = host;
	endpoint->transport = transport;
	endpoint->self = self;
	endpoint->n_parties = n_parties;
	endpoint->options = *options;
	endpoint->style.congestion = endpoint->options.congestion;
	endpoint->style.device = endpoint->device;
	endpoint->addresses = addresses;
	endpoint->peers = calloc(n_parties, sizeof(endpoint->peers[0]));
	if (endpoint->peers == NULL) {
		free(endpoint);
		return -ENOMEM;
	}
	*out = endpoint;
	return 0;
}

static void greeting_forget(struct stream_endpoint *endpoint, struct greeting *greeting)
{
	struct greeting **at = &endpoint->greetings;

	while (*at != greeting)
		at = &(*at)->next;
	*at = greeting->next;
	endpoint->n_greetings--;
}

static void greeting_drop(struct stream_endpoint *endpoint, struct greeting *greeting)
{
	greeting_forget(endpoint, greeting);
	greeting_close(greeting);
}

static int is_for_us(const struct stream_endpoint *endpoint, const struct hello *came)
{
	struct hello expected;

	if (came->party >= endpoint->n_parties || came->party == endpoint->self ||
	    stream_endpoint_is_dialer(endpoint, came->party) ||
	    !endpoint->peers[came->party].is_where_known)
		return 0;
	stream_endpoint_hello(
	    endpoint, came->party, endpoint->self, came->lane, &expected);
	return hello_equal(came, &expected);
}

static void on_greeted(struct greeting *greeting, int status)
{
	struct stream_endpoint *endpoint = greeting->user;
	struct e3_channel *channel;

	if (status < 0) {
		greeting_drop(endpoint, greeting);
		return;
	}
	if (!is_for_us(endpoint, &greeting->other)) {
		endpoint->host->log(endpoint->host->ctx, E3_LOG_WARN,
		    "transport %s: refused a connection that claims to be party %u",
		    endpoint->transport, greeting->other.party);
		greeting_drop(endpoint, greeting);
		return;
	}
	channel =
	    stream_channel_waiting(endpoint, greeting->other.party, greeting->other.lane);
	if (channel == NULL)
		return; /* held until it is opened */
	greeting_forget(endpoint, greeting);
	stream_channel_accepted(channel, greeting);
}

/* The oldest of those that have not said who they are, else the oldest. */
static struct greeting *oldest(struct stream_endpoint *endpoint)
{
	struct greeting *unknown = NULL, *last = NULL;

	for (struct greeting *at = endpoint->greetings; at != NULL; at = at->next) {
		last = at;
		if (!at->is_whole)
			unknown = at;
	}
	return unknown != NULL ? unknown : last;
}

static void accepted(struct stream_endpoint *endpoint, int fd)
{
	struct greeting *greeting;

	if (endpoint->n_greetings == GREETINGS_MAX)
		greeting_drop(endpoint, oldest(endpoint));
	greeting = greeting_accept(endpoint->host->loop, fd, GREETING_MS);
	if (greeting == NULL)
		return;
	greeting->user = endpoint;
	greeting->greeted = on_greeted;
	greeting->next = endpoint->greetings;
	endpoint->greetings = greeting;
	endpoint->n_greetings++;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct stream_listener *listener = poll->data;
	struct stream_endpoint *endpoint = listener->endpoint;
	int fd = status < 0 ? -EBADF : 0;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN && fd >= 0; i++) {
		fd = stream_socket_accept(listener->fd);
		if (fd >= 0)
			accepted(endpoint, fd);
	}
	if (fd < 0 && fd != -EAGAIN) {
		endpoint->host->log(endpoint->host->ctx, E3_LOG_ERROR,
		    "transport %s: accepts no more connections: %s", endpoint->transport,
		    strerror(-fd));
		uv_poll_stop(poll);
	}
}

static int listener_start(struct stream_endpoint *endpoint, int fd)
{
	struct stream_listener *listener = calloc(1, sizeof(*listener));
	int rc = -ENOMEM;

	if (listener != NULL)
		rc = uv_poll_init(endpoint->host->loop, &listener->poll, fd);
	if (rc < 0) {
		free(listener);
		return rc;
	}
	listener->endpoint = endpoint;
	listener->fd = fd;
	listener->poll.data = listener;
	uv_poll_start(&listener->poll, UV_READABLE, on_connection);
	uv_unref((uv_handle_t *)&listener->poll);
	endpoint->listener = listener;
	return 0;
}

int stream_endpoint_listen(struct stream_endpoint *endpoint, const char *device)
{
	uint32_t base = endpoint->options.port;
	int fd, rc;

	if (endpoint->listener != NULL)
		return 0;
	snprintf(endpoint->device, sizeof(endpoint->device), "%s", device);
	fd = stream_socket_listen(endpoint->host, endpoint->transport,
	    endpoint->addresses[endpoint->self],
	    (uint16_t)(base == 0 ? 0
				 : base + endpoint->self + 16 * endpoint->host->endpoint),
	    &endpoint->style, &endpoint->port);
	if (fd < 0)
		return fd;
	rc = listener_start(endpoint, fd);
	if (rc < 0)
		close(fd);
	return rc;
}

static void on_listener_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void stream_endpoint_unlisten(struct stream_endpoint *endpoint)
{
	struct stream_listener *listener = endpoint->listener;

	while (endpoint->greetings != NULL)
		greeting_drop(endpoint, endpoint->greetings);
	memset(endpoint->peers, 0, endpoint->n_parties * sizeof(endpoint->peers[0]));
	if (listener == NULL)
		return;
	endpoint->listener = NULL;
	uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
	close(listener->fd);
}

void stream_endpoint_destroy(struct stream_endpoint *endpoint)
{
	if (endpoint == NULL)
		return;
	stream_endpoint_unlisten(endpoint);
	free(endpoint->peers);
	free(endpoint);
}

void stream_endpoint_signal(
    struct stream_endpoint *endpoint, e3_party from, struct e3_iov message)
{
	struct hello_where where;

	if (from >= endpoint->n_parties || from == endpoint->self ||
	    !stream_endpoint_is_dialer(endpoint, from) ||
	    hello_where_decode(&where, message) < 0) {
		endpoint->host->log(endpoint->host->ctx, E3_LOG_WARN,
		    "transport %s: ignored %zu bytes signalled by party %u: not an "
		    "address",
		    endpoint->transport, message.len, from);
		return;
	}
	endpoint->peers[from].where = where;
	endpoint->peers[from].is_where_known = 1;
	stream_channel_where_known(endpoint, from);
}

int stream_endpoint_facts(struct stream_endpoint *endpoint, char *out, size_t out_bytes)
{
	char congestion[STREAM_CONGESTION_BYTES] = "unknown";
	int n;

	if (endpoint->listener != NULL)
		stream_socket_congestion(endpoint->listener->fd, congestion);
	n = snprintf(out, out_bytes,
	    "congestion_control=%s\nnodelay=1\nport=%u\ndialer=%s\nframing=4 byte "
	    "length\n",
	    congestion, endpoint->port, stream_dialer_choices[endpoint->options.dialer]);
	return n < 0 || (size_t)n >= out_bytes ? -ENOSPC : 0;
}

int stream_endpoint_is_dialer(const struct stream_endpoint *endpoint, e3_party peer)
{
	return (endpoint->self < peer) == (endpoint->options.dialer == 0);
}

void stream_endpoint_hello(const struct stream_endpoint *endpoint, e3_party from,
    e3_party to, uint32_t lane, struct hello *out)
{
	e3_party peer = from == endpoint->self ? to : from;
	const struct hello_where *where = &endpoint->peers[peer].where;
	int is_from_dialer =
	    (from == endpoint->self) == stream_endpoint_is_dialer(endpoint, peer);

	out->party = from;
	out->for_party = to;
	out->n_parties = endpoint->n_parties;
	out->lane = lane;
	memcpy(out->token, is_from_dialer ? where->dial_token : where->answer_token,
	    HELLO_TOKEN_BYTES);
}

int stream_endpoint_tell(struct stream_endpoint *endpoint, e3_party peer)
{
	struct stream_peer *to = &endpoint->peers[peer];
	unsigned char bytes[HELLO_WHERE_BYTES];
	int rc;

	if (to->is_where_known)
		return 0;
	rc = hello_where_make(&to->where);
	if (rc < 0)
		return rc;
	to->where.port = endpoint->port;
	hello_where_encode(bytes, &to->where);
	/* Before the signal leaves: the answer may come while it is being sent. */
	to->is_where_known = 1;
	rc = endpoint->host->signal(
	    endpoint->host->ctx, peer, (struct e3_iov){bytes, sizeof(bytes)});
	if (rc < 0)
		to->is_where_known = 0;
	return rc;
}

struct greeting *stream_endpoint_held(
    struct stream_endpoint *endpoint, e3_party peer, uint32_t lane)
{
	struct greeting *greeting = endpoint->greetings;

	while (
	    greeting != NULL && (!greeting->is_whole || greeting->other.party != peer ||
				    greeting->other.lane != lane))
		greeting = greeting->next;
	if (greeting != NULL)
		greeting_forget(endpoint, greeting);
	return greeting;
}

/* SPDX-License-Identifier: MIT */
/*
 * Opening a channel over TCP:
 *   1. The acceptor signals where it listens and waits for a HELLO naming the dialer.
 *   2. The dialer connects as soon as it knows where, again and again until the deadline.
 *   3. The acceptor answers the HELLO when the channel is open on its side too:
 * opened(0). It fails with the last error of connecting, or -ETIMEDOUT when nothing was
 * heard.
 *
 * Closing: what is queued goes out, then the end of the stream, and when the peer's
 * kernel has acknowledged it the channel is gone. Meanwhile what comes is read and
 * forgotten: a socket closed with unread bytes would reset the connection and destroy
 * what is on its way. After CLOSE_MS the rest is given up.
 */
#include "transports/common/stream_channel_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_MIN_MS          20u
#define RETRY_MAX_MS          500u
#define CLOSE_MS              5000u
#define CLOSE_TICK_MS         1u
#define CLOSE_TICK_MAX_MS     64u
#define WATCH_MS              2000u
#define SILENT_TICKS          8u /* 16 s */
/* Then two epoll_ctl() cost less than what the kernel does to tell epoll of each segment.
 */
#define UNWATCHED_AFTER_POLLS 64u

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_open_timer(uv_timer_t *timer);

static uint64_t now_ms(struct e3_channel *channel)
{
	return uv_now(channel->timer.loop);
}

void stream_watch(struct e3_channel *channel)
{
	int wanted = 0;

	if (channel->state == STREAM_CLOSING ||
	    (channel->state == STREAM_OPEN && !channel->is_paused))
		wanted |= UV_READABLE;
	if (channel->state != STREAM_LOST && channel->out.first != NULL)
		wanted |= UV_WRITABLE;
	if (channel->broken != 0 ||
	    (channel->state == STREAM_OPEN && channel->n_polls >= UNWATCHED_AFTER_POLLS))
		wanted = 0;
	if (wanted == channel->watched)
		return;
	channel->watched = wanted;
	if (wanted != 0)
		uv_poll_start(&channel->poll, wanted, on_poll);
	else
		uv_poll_stop(&channel->poll);
}

static void on_wait(uv_prepare_t *wait)
{
	struct e3_channel *channel = wait->data;

	uv_prepare_stop(wait);
	channel->n_polls = 0;
	stream_watch(channel);
}

void stream_polled(struct e3_channel *channel)
{
	channel->n_polls++;
	if (channel->n_polls == 1)
		uv_prepare_start(&channel->wait, on_wait);
	else if (channel->n_polls == UNWATCHED_AFTER_POLLS)
		stream_watch(channel);
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
	frame_reader_finish(&channel->in);
	free(channel);
}

static void finish(struct e3_channel *channel)
{
	struct e3_channel **at = &channel->endpoint->channels;

	if (uv_is_closing((uv_handle_t *)&channel->timer))
		return;
	while (*at != channel)
		at = &(*at)->next;
	*at = channel->next;
	greeting_close(channel->greeting);
	send_queue_fail(&channel->out, -ECANCELED);
	uv_close((uv_handle_t *)&channel->timer, on_handle_closed);
	uv_close((uv_handle_t *)&channel->later, on_handle_closed);
	uv_close((uv_handle_t *)&channel->wait, on_handle_closed);
	if (channel->fd >= 0) {
		uv_close((uv_handle_t *)&channel->poll, on_handle_closed);
		close(channel->fd);
		channel->fd = -1;
	}
}

static void drain(struct e3_channel *channel);

static void on_close_timer(uv_timer_t *timer)
{
	drain(timer->data);
}

/* Closing: one look whether it may end. */
static void drain(struct e3_channel *channel)
{
	if (channel->out.first == NULL && !channel->is_shut) {
		channel->is_shut = 1;
		shutdown(channel->fd, SHUT_WR);
	}
	if (channel->broken != 0 || now_ms(channel) >= channel->deadline_ms ||
	    (channel->is_shut && stream_socket_unacked(channel->fd) == 0)) {
		finish(channel);
		return;
	}
	uv_timer_start(&channel->timer, on_close_timer, channel->retry_ms, 0);
	if (channel->retry_ms < CLOSE_TICK_MAX_MS)
		channel->retry_ms *= 2;
}

void stream_lose(struct e3_channel *channel, int status)
{
	channel->state = STREAM_LOST;
	uv_timer_stop(&channel->timer);
	stream_watch(channel);
	send_queue_fail(&channel->out, status);
	send_queue_complete(&channel->out);
	if (channel->state == STREAM_LOST)
		channel->events->lost(channel->user, status);
}

static void on_watch_timer(uv_timer_t *timer)
{
	struct e3_channel *channel = timer->data;

	if (!stream_socket_is_silent(channel->fd, WATCH_MS))
		channel->n_silent_ticks = 0;
	else if (++channel->n_silent_ticks == SILENT_TICKS)
		stream_lose(channel, -ETIMEDOUT);
}

static void opened(struct e3_channel *channel)
{
	channel->state = STREAM_OPEN;
	uv_timer_start(&channel->timer, on_watch_timer, WATCH_MS, WATCH_MS);
	stream_watch(channel);
	channel->events->opened(channel->user, 0);
}

static void on_later(uv_idle_t *idle)
{
	struct e3_channel *channel = idle->data;

	channel->is_later = 0;
	uv_idle_stop(idle);
	if (channel->state == STREAM_OPENING && channel->fd >= 0) {
		opened(channel);
		return;
	}
	if (channel->broken != 0)
		send_queue_fail(&channel->out, channel->broken);
	if (channel->out.first != NULL)
		stream_flush(channel);
	send_queue_complete(&channel->out);
	if (channel->state == STREAM_CLOSING)
		drain(channel);
	else if (channel->state == STREAM_OPEN && !channel->is_paused)
		stream_receive(channel);
}

void stream_later(struct e3_channel *channel)
{
	if (channel->is_later || uv_is_closing((uv_handle_t *)&channel->later))
		return;
	channel->is_later = 1;
	uv_idle_start(&channel->later, on_later);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct e3_channel *channel = poll->data;

	if (status < 0) { /* libuv has stopped it; recv() will say more */
		channel->watched = 0;
		channel->broken = -ECONNRESET;
		stream_later(channel);
		return;
	}
	if (events & UV_WRITABLE)
		stream_flush(channel);
	if (channel->state == STREAM_OPEN && (events & UV_READABLE)) {
		stream_receive(channel);
	} else if (channel->state == STREAM_CLOSING) {
		if ((events & UV_READABLE) && !stream_discard(channel))
			channel->broken = -ESHUTDOWN;
		drain(channel);
	}
	if (channel->broken != 0)
		stream_later(channel);
}

static int attach(struct e3_channel *channel, struct greeting *greeting)
{
	int fd = greeting_take(greeting);
	int rc;

	greeting_close(greeting);
	rc = uv_poll_init(channel->endpoint->host->loop, &channel->poll, fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	channel->poll.data = channel;
	channel->n_handles++;
	channel->fd = fd;
	stream_later(channel);
	return 0;
}

static void open_failed(struct e3_channel *channel, int status)
{
	const struct stream_endpoint *endpoint = channel->endpoint;
	const struct e3_host *host = endpoint->host;

	host->log(host->ctx, E3_LOG_ERROR,
	    "transport %s: no channel to party %u at %s, lane %u, within %u ms: %s",
	    endpoint->transport, channel->peer, endpoint->addresses[channel->peer],
	    channel->lane, endpoint->options.open_ms,
	    status == -ETIMEDOUT ? "it was not heard of" : strerror(-status));
	channel->state = STREAM_LOST;
	uv_timer_stop(&channel->timer);
	greeting_close(channel->greeting);
	channel->greeting = NULL;
	channel->events->opened(channel->user, status);
}

/* Wake up at the deadline, or after `ms` if that is earlier. */
static void open_timer(struct e3_channel *channel, uint64_t ms)
{
	uint64_t now = now_ms(channel);
	uint64_t left = now < channel->deadline_ms ? channel->deadline_ms - now : 0;

	uv_timer_start(&channel->timer, on_open_timer, ms < left ? ms : left, 0);
}

static void dial_failed(struct e3_channel *channel, int status)
{
	channel->last_dial_error = status;
	open_timer(channel, channel->retry_ms);
	if (channel->retry_ms < RETRY_MAX_MS)
		channel->retry_ms *= 2;
}

static void on_dialled(struct greeting *greeting, int status)
{
	struct e3_channel *channel = greeting->user;

	channel->greeting = NULL;
	if (status == 0) {
		status = attach(channel, greeting);
		if (status == 0)
			return;
	} else {
		greeting_close(greeting);
	}
	dial_failed(channel, status);
}

static void dial(struct e3_channel *channel)
{
	struct stream_endpoint *endpoint = channel->endpoint;
	struct hello mine, expected;
	uint64_t now = now_ms(channel);
	int fd;

	stream_endpoint_hello(
	    endpoint, endpoint->self, channel->peer, channel->lane, &mine);
	stream_endpoint_hello(
	    endpoint, channel->peer, endpoint->self, channel->lane, &expected);
	fd = stream_socket_connect(endpoint->addresses[endpoint->self],
	    endpoint->addresses[channel->peer], endpoint->peers[channel->peer].where.port,
	    &endpoint->style);
	if (fd < 0) {
		dial_failed(channel, fd);
		return;
	}
	channel->greeting = greeting_dial(endpoint->host->loop, fd, &mine, &expected,
	    (uint32_t)(channel->deadline_ms - now));
	if (channel->greeting == NULL) {
		dial_failed(channel, -ENOMEM);
		return;
	}
	channel->greeting->user = channel;
	channel->greeting->greeted = on_dialled;
	open_timer(channel, UINT64_MAX);
}

static int waits_to_dial(const struct e3_channel *channel)
{
	return channel->state == STREAM_OPENING && channel->fd < 0 &&
	       channel->greeting == NULL &&
	       stream_endpoint_is_dialer(channel->endpoint, channel->peer) &&
	       channel->endpoint->peers[channel->peer].is_where_known;
}

static void on_open_timer(uv_timer_t *timer)
{
	struct e3_channel *channel = timer->data;

	if (channel->fd >= 0)
		return; /* on_later() is about to say opened() */
	if (now_ms(channel) >= channel->deadline_ms)
		open_failed(channel,
		    channel->last_dial_error < 0 ? channel->last_dial_error : -ETIMEDOUT);
	else if (waits_to_dial(channel))
		dial(channel);
	else
		open_timer(channel, UINT64_MAX);
}

void stream_channel_where_known(struct stream_endpoint *endpoint, e3_party peer)
{
	for (struct e3_channel *at = endpoint->channels; at != NULL; at = at->next)
		if (at->peer == peer && waits_to_dial(at))
			dial(at);
}

struct e3_channel *stream_channel_waiting(
    struct stream_endpoint *endpoint, e3_party peer, uint32_t lane)
{
	struct e3_channel *at = endpoint->channels;

	while (at != NULL && (at->peer != peer || at->lane != lane ||
				 at->state != STREAM_OPENING || at->fd >= 0))
		at = at->next;
	return at;
}

void stream_channel_accepted(struct e3_channel *channel, struct greeting *greeting)
{
	struct hello answer;
	int rc;

	stream_endpoint_hello(channel->endpoint, channel->endpoint->self, channel->peer,
	    channel->lane, &answer);
	rc = greeting_answer(greeting, &answer);
	if (rc == 0)
		rc = attach(channel, greeting);
	else
		greeting_close(greeting);
	if (rc < 0) /* the dialer tries again */
		channel->last_dial_error = rc;
}

void stream_channel_all_broken(struct stream_endpoint *endpoint, int status)
{
	for (struct e3_channel *at = endpoint->channels; at != NULL; at = at->next) {
		if (at->state != STREAM_OPEN && at->state != STREAM_CLOSING)
			continue;
		at->broken = status;
		stream_later(at);
	}
}

static int config_check(
    struct stream_endpoint *endpoint, const struct e3_channel_config *config)
{
	if (config->struct_size < sizeof(*config) ||
	    config->events->struct_size < sizeof(struct e3_channel_events) ||
	    config->peer >= endpoint->n_parties || config->peer == endpoint->self)
		return -EINVAL;
	for (struct e3_channel *at = endpoint->channels; at != NULL; at = at->next)
		if (at->peer == config->peer && at->lane == config->lane &&
		    at->state != STREAM_CLOSING)
			return -EEXIST;
	return 0;
}

static struct e3_channel *channel_create(
    struct stream_endpoint *endpoint, const struct e3_channel_config *config)
{
	struct e3_channel *channel = calloc(1, sizeof(*channel));

	if (channel == NULL || frame_reader_init(&channel->in, STREAM_MESSAGE_MAX,
				   config->events->place, config->user) < 0) {
		free(channel);
		return NULL;
	}
	send_queue_init(&channel->out);
	channel->endpoint = endpoint;
	channel->peer = config->peer;
	channel->lane = config->lane;
	channel->events = config->events;
	channel->user = config->user;
	channel->fd = -1;
	channel->retry_ms = RETRY_MIN_MS;
	uv_timer_init(endpoint->host->loop, &channel->timer);
	uv_idle_init(endpoint->host->loop, &channel->later);
	uv_prepare_init(endpoint->host->loop, &channel->wait);
	channel->timer.data = channel;
	channel->later.data = channel;
	channel->wait.data = channel;
	channel->n_handles = 3;
	channel->next = endpoint->channels;
	endpoint->channels = channel;
	return channel;
}

int stream_channel_open(struct stream_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	struct e3_channel *channel;
	struct greeting *held;
	int is_dialer, rc;

	rc = config_check(endpoint, config);
	if (rc < 0)
		return rc;
	is_dialer = stream_endpoint_is_dialer(endpoint, config->peer);
	if (!is_dialer) {
		rc = stream_endpoint_tell(endpoint, config->peer);
		if (rc < 0)
			return rc;
	}
	channel = channel_create(endpoint, config);
	if (channel == NULL)
		return -ENOMEM;
	*out = channel;
	uv_update_time(endpoint->host->loop);
	channel->deadline_ms = now_ms(channel) + endpoint->options.open_ms;
	open_timer(channel, UINT64_MAX);
	if (waits_to_dial(channel)) {
		dial(channel);
	} else if (!is_dialer) {
		held = stream_endpoint_held(endpoint, config->peer, config->lane);
		if (held != NULL)
			stream_channel_accepted(channel, held);
	}
	return 0;
}

void stream_channel_close(struct e3_channel *channel, void (*closed)(void *user))
{
	int is_connected = channel->state == STREAM_OPEN;

	channel->state = STREAM_CLOSING;
	channel->closed = closed;
	uv_timer_stop(&channel->timer);
	if (!is_connected || channel->broken != 0) {
		finish(channel);
		return;
	}
	uv_update_time(channel->timer.loop);
	channel->deadline_ms = now_ms(channel) + CLOSE_MS;
	channel->retry_ms = CLOSE_TICK_MS;
	stream_watch(channel);
	stream_later(channel);
}

int stream_channel_stats(struct e3_channel *channel, struct e3_channel_stats *out)
{
	if (out->struct_size < sizeof(*out))
		return -EINVAL;
	if (channel->fd < 0)
		return -ENOTCONN;
	out->queued_bytes = channel->out.queued_bytes;
	return stream_socket_stats(channel->fd, out);
}

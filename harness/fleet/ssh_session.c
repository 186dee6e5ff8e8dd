/* SPDX-License-Identifier: MIT */
/*
 * A session's life:
 *   1. DIALLING: TCP connect.
 *   2. GREETING: banners and key exchange, then the host's key is compared with the
 *      pinned one, byte for byte.
 *   3. LOGIN: public key authentication.
 *   4. READY: channels.
 * It ends, from any state, with one outcome: no connection or no banner (UNREACHABLE), no
 * progress by the deadline (TIMEOUT), another key (HOSTKEY), our key refused (AUTH),
 * anything later (LOST), or what the owner says.
 */
#include "harness/fleet/ssh_session.h"

#include "base/clock.h"
#include "base/units.h"
#include "harness/fleet/outcome.h"
#include "harness/fleet/ssh_channel.h"
#include "harness/fleet/ssh_login.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMER_LATE_MS 50

#define KEEPALIVE_S 30 /* for the sake of NATs on the way */

uint64_t ssh_now_ms(void)
{
	return clock_monotonic_ns() / NS_PER_MS;
}

static int out_add(struct ssh_out *out, const void *bytes, size_t len)
{
	if (out->len + len > out->cap && out->at > 0) {
		memmove(out->bytes, out->bytes + out->at, out->len - out->at);
		out->len -= out->at;
		out->at = 0;
	}
	if (out->len + len > out->cap) {
		size_t cap = 2 * (out->len + len) + 4096;
		char *grown = realloc(out->bytes, cap);

		if (!grown)
			return -ENOMEM;
		out->bytes = grown;
		out->cap = cap;
	}
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
	return 0;
}

static ssize_t on_ssh_send(
    libssh2_socket_t fd, const void *bytes, size_t len, int flags, void **abstract)
{
	struct ssh_session *session = *abstract;

	(void)fd, (void)flags;
	if (session->state == SSH_ENDED)
		return (ssize_t)len;
	if (ssh_session_unsent(session) > SSH_OUT_BYTES_MAX)
		return -ENOBUFS;
	return out_add(&session->out, bytes, len) < 0 ? -ENOMEM : (ssize_t)len;
}

/* The end of the stream is not shown to libssh2, which would give up what it has not
 * delivered yet: we end the session once the channels have read everything. */
static ssize_t on_ssh_receive(
    libssh2_socket_t fd, void *bytes, size_t len, int flags, void **abstract)
{
	struct ssh_session *session = *abstract;
	size_t n = session->in_len - session->in_at;

	(void)fd, (void)flags;
	if (session->state == SSH_ENDED)
		return 0;
	if (n == 0)
		return -EAGAIN;
	if (n > len)
		n = len;
	memcpy(bytes, session->in + session->in_at, n);
	session->in_at += n;
	if (session->in_at == session->in_len)
		session->in_at = session->in_len = 0;
	return (ssize_t)n;
}

void ssh_session_kick(struct ssh_session *session)
{
	if (session->is_turning)
		session->is_again = true;
	else
		session->events.on_kick(session->events.user);
}

void ssh_session_end(struct ssh_session *session, const struct outcome *why)
{
	if (session->state == SSH_ENDED)
		return;
	session->state = SSH_ENDED;
	session->why = *why;
	ssh_session_kick(session);
}

void ssh_session_fail(
    struct ssh_session *session, enum outcome_kind kind, const char *what)
{
	struct outcome why;

	outcome_set(&why, kind, 0, "%s (%s): %s", session->config.name,
	    session->config.address_text, what);
	ssh_session_end(session, &why);
}

static void session_unreachable(struct ssh_session *session, int code)
{
	char text[128];

	snprintf(text, sizeof(text), "no TCP connection: %s; is sshd running there?",
	    strerror(code));
	ssh_session_fail(session, OUTCOME_UNREACHABLE, text);
}

/* The host has closed the connection. */
static void session_gone(struct ssh_session *session)
{
	ssh_session_fail(session,
	    ssh_login_has_banner(session) ? OUTCOME_LOST : OUTCOME_UNREACHABLE,
	    session->state == SSH_READY ? "connection closed by the host"
					: "connection closed during login");
}

const char *ssh_session_error_text(struct ssh_session *session)
{
	char *text = NULL;

	libssh2_session_last_error(session->ssh, &text, NULL, 0);
	return text ? text : "no reason given";
}

bool ssh_session_broke(struct ssh_session *session, int ssh_error)
{
	char text[256];

	switch (ssh_error) {
	case LIBSSH2_ERROR_CHANNEL_FAILURE:
	case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
	case LIBSSH2_ERROR_CHANNEL_UNKNOWN:
	case LIBSSH2_ERROR_CHANNEL_CLOSED:
	case LIBSSH2_ERROR_CHANNEL_EOF_SENT:
		return false;
	}
	snprintf(text, sizeof(text), "SSH connection broke: %.180s (libssh2 error %d)",
	    ssh_session_error_text(session), ssh_error);
	ssh_session_fail(session, OUTCOME_LOST, text);
	return true;
}

static uint64_t session_channels_time(struct ssh_session *session)
{
	uint64_t now = ssh_now_ms(), due = SSH_NEVER_MS;

	list_for_each(&session->channels, link, after)
	{
		uint64_t at = ssh_channel_time(ssh_channel_of_link(link), now);

		if (at < due)
			due = at;
	}
	return due;
}

static void session_channels_step(struct ssh_session *session)
{
	bool is_moving;

	do {
		is_moving = false;
		list_for_each(&session->channels, link, after)
		{
			if (session->state == SSH_ENDED)
				return;
			if (ssh_channel_step(ssh_channel_of_link(link)))
				is_moving = true;
		}
	} while (is_moving);
}

/* Something must always be reading, else libssh2 would not answer the host's keep-alive
 * while no command runs: a channel that runs nothing. */
static void session_ready(struct ssh_session *session)
{
	static const struct ssh_channel_events nothing;

	if (session->is_ready_told)
		return;
	session->is_ready_told = true;
	session->events.on_ready(session->events.user);
	ssh_channel_create(session, NULL, &nothing);
}

static uint64_t session_advance(struct ssh_session *session)
{
	uint64_t due = session->config.connect_due_ms;

	if (session->state < SSH_READY && ssh_now_ms() >= due)
		ssh_session_fail(session, OUTCOME_TIMEOUT,
		    session->state == SSH_DIALLING
			? "no answer to the TCP connection within the connect deadline"
			: "SSH login not complete within the connect deadline");
	if (session->state == SSH_GREETING)
		ssh_login_greet(session);
	if (session->state == SSH_LOGIN)
		ssh_login_prove(session);
	if (session->state == SSH_READY) {
		session_ready(session);
		due = session_channels_time(session);
		session_channels_step(session);
	}
	return due;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct ssh_session *session = handle->data;

	if (--session->n_handles > 0)
		return;
	if (session->fd >= 0)
		close(session->fd);
	session->events.on_closed(session->events.user);
	free(session->out.bytes);
	free(session);
}

static void session_finish(struct ssh_session *session)
{
	while (!list_empty(&session->channels))
		ssh_channel_drop(
		    ssh_channel_of_link(session->channels.next), &session->why);
	if (session->ssh) {
		/* With its input at an end nothing in libssh2 waits any more. */
		int rc = libssh2_session_free(session->ssh);

		assert(rc != LIBSSH2_ERROR_EAGAIN);
		session->ssh = NULL;
	}
	session->events.on_ended(session->events.user, &session->why);
	if (session->fd >= 0)
		uv_close((uv_handle_t *)&session->poll, on_handle_closed);
	uv_close((uv_handle_t *)&session->timer, on_handle_closed);
}

static void session_flush(struct ssh_session *session)
{
	struct ssh_out *out = &session->out;

	while (session->state > SSH_DIALLING && out->at < out->len) {
		ssize_t n = send(
		    session->fd, out->bytes + out->at, out->len - out->at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break; /* What has arrived before is still to be read. */
		out->at += (size_t)n;
		session->sent_bytes += (uint64_t)n;
	}
	out->at = out->len = 0;
}

/* Bytes that nobody takes stay in `in`; the socket is asked again when there is room. */
static void session_receive(struct ssh_session *session)
{
	ssize_t n = recv(session->fd, session->in + session->in_len,
	    sizeof(session->in) - session->in_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		session->is_eof = true;
		return;
	}
	session->in_len += (size_t)n;
	session->received_bytes += (uint64_t)n;
	session->received_ms = ssh_now_ms();
	if (session->state < SSH_READY &&
	    session->received_bytes > SSH_BYTES_BEFORE_TRUST)
		ssh_session_fail(session, OUTCOME_UNREACHABLE,
		    "what answers does not speak SSH: it sends without end");
}

static void session_dialled(struct ssh_session *session)
{
	socklen_t len = sizeof(int);
	int code = 0, yes = 1, idle_s = KEEPALIVE_S;

	if (getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		code = errno;
	if (code != 0) {
		session_unreachable(session, code);
		return;
	}
	setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(session->fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
	setsockopt(session->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	session->state = SSH_GREETING;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ssh_session *session = poll->data;

	/* libuv stops a handle whose socket has an error; there may be more to read. */
	if (status < 0)
		session->poll_events = 0;
	if (session->state == SSH_DIALLING)
		session_dialled(session);
	else if ((status < 0 || events & UV_READABLE) &&
		 session->in_len < sizeof(session->in))
		session_receive(session);
	ssh_session_turn(session);
}

static void session_poll(struct ssh_session *session)
{
	int events = 0;

	if (session->state == SSH_DIALLING || ssh_session_unsent(session) > 0)
		events |= UV_WRITABLE;
	if (session->state != SSH_DIALLING && session->in_len < sizeof(session->in))
		events |= UV_READABLE;
	if (events != session->poll_events)
		uv_poll_start(&session->poll, events, on_poll);
	session->poll_events = events;
}

static void on_timer(uv_timer_t *timer)
{
	struct ssh_session *session = timer->data;

	/* After a stall of this process the timers come before the input that has waited
	 * meanwhile: let that be read before anybody is called silent. */
	if (!session->is_timer_late &&
	    ssh_now_ms() > session->timer_due_ms + TIMER_LATE_MS) {
		session->is_timer_late = true;
		uv_timer_start(timer, on_timer, 1, 0);
		return;
	}
	session->is_timer_late = false;
	ssh_session_turn(session);
}

static void session_arm(struct ssh_session *session, uint64_t due_ms)
{
	uint64_t now = ssh_now_ms();

	if (due_ms == SSH_NEVER_MS) {
		uv_timer_stop(&session->timer);
		return;
	}
	session->timer_due_ms = due_ms;
	uv_update_time(session->config.loop);
	uv_timer_start(&session->timer, on_timer, due_ms > now ? due_ms - now : 0, 0);
}

void ssh_session_turn(struct ssh_session *session)
{
	uint64_t due;

	if (uv_is_closing((uv_handle_t *)&session->timer))
		return;
	assert(!session->is_turning);
	session->is_turning = true;
	do {
		session->is_again = session->is_full = false;
		due = session_advance(session);
		if (session->state != SSH_ENDED)
			session_flush(session);
		/* Who stopped for want of room may have it now, and no event would say
		 * so. */
		if (session->is_full && ssh_session_unsent(session) < SSH_OUT_BYTES_HIGH)
			session->is_again = true;
	} while (session->is_again && session->state != SSH_ENDED);
	if (session->is_eof)
		session_gone(session);
	if (session->state == SSH_ENDED) {
		session_finish(session);
	} else {
		session_arm(session, due);
		session_poll(session);
	}
	session->is_turning = false;
}

static int session_init(struct ssh_session *session)
{
	list_init(&session->channels);
	session->ssh = libssh2_session_init_ex(NULL, NULL, NULL, session);
	if (!session->ssh)
		return -ENOMEM;
	libssh2_session_set_blocking(session->ssh, 0);
	libssh2_session_callback_set(
	    session->ssh, LIBSSH2_CALLBACK_SEND, (void *)on_ssh_send);
	libssh2_session_callback_set(
	    session->ssh, LIBSSH2_CALLBACK_RECV, (void *)on_ssh_receive);
	return ssh_login_prefer(session);
}

/* Without a socket there is no poll handle, and `fd` is -1. */
static int session_dial(struct ssh_session *session)
{
	const struct sockaddr *address = session->config.address;
	socklen_t len = address->sa_family == AF_INET ? sizeof(struct sockaddr_in)
						      : sizeof(struct sockaddr_in6);
	int fd =
	    socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = uv_poll_init(session->config.loop, &session->poll, fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	session->fd = fd;
	session->n_handles++;
	return connect(fd, address, len) < 0 && errno != EINPROGRESS ? -errno : 0;
}

int ssh_session_create(const struct ssh_session_config *config,
    const struct ssh_session_events *events, struct ssh_session **out, struct error *err)
{
	struct ssh_session *session = calloc(1, sizeof(*session));
	int rc;

	if (!session)
		return error_set(err, -ENOMEM, "%s: out of memory", config->name);
	session->config = *config;
	session->events = *events;
	session->fd = -1;
	rc = session_init(session);
	if (rc < 0) {
		if (session->ssh)
			libssh2_session_free(session->ssh);
		free(session);
		return error_set_errno(err, rc, "%s: libssh2", config->name);
	}
	uv_timer_init(config->loop, &session->timer);
	session->timer.data = session->poll.data = session;
	session->n_handles = 1;
	rc = session_dial(session);
	if (rc < 0)
		session_unreachable(session, -rc);
	ssh_session_kick(session);
	*out = session;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "transports/common/greeting.h"

#include "transports/common/stream_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_handle_closed(uv_handle_t *handle)
{
	struct greeting *greeting = handle->data;

	if (--greeting->n_handles == 0)
		free(greeting);
}

static void greeted(struct greeting *greeting, int status)
{
	uv_timer_stop(&greeting->timer);
	if (status < 0)
		uv_poll_stop(&greeting->poll);
	greeting->greeted(greeting, status);
}

static int send_hello(int fd, const struct hello *hello)
{
	unsigned char bytes[HELLO_BYTES];
	ssize_t n;

	hello_encode(bytes, hello);
	n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
	/* The first bytes of a connection fit into its buffer, or it is broken. */
	return n == HELLO_BYTES ? 0 : n < 0 ? -errno : -EIO;
}

/* 1 = whole, 0 = more is to come. */
static int read_hello(struct greeting *greeting)
{
	ssize_t n = recv(greeting->fd, greeting->bytes + greeting->have,
	    HELLO_BYTES - greeting->have, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	greeting->have += (size_t)n;
	return greeting->have == HELLO_BYTES;
}

static int check_hello(struct greeting *greeting)
{
	struct hello came;
	int rc = hello_decode(&came, greeting->bytes);

	if (rc < 0)
		return rc;
	if (!greeting->is_dialer)
		greeting->other = came;
	else if (!hello_equal(&came, &greeting->other))
		return -EPROTO;
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static int on_connected(struct greeting *greeting)
{
	int rc = stream_socket_error(greeting->fd);

	if (rc == 0)
		rc = send_hello(greeting->fd, &greeting->mine);
	if (rc == 0)
		rc = uv_poll_start(&greeting->poll, UV_READABLE, on_poll);
	greeting->is_connected = 1;
	return rc;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct greeting *greeting = poll->data;
	int rc;

	(void)events;
	if (greeting->is_closing)
		return;
	if (!greeting->is_connected) {
		rc = on_connected(greeting);
	} else if (greeting->is_whole) {
		rc = -EPROTO; /* held by an acceptor: silence is due */
	} else {
		rc = read_hello(greeting);
		if (rc == 0 && status < 0)
			rc = -ECONNRESET;
		if (rc > 0) {
			greeting->is_whole = 1;
			rc = check_hello(greeting);
			if (rc == 0) {
				greeted(greeting, 0);
				return;
			}
		}
	}
	if (rc < 0)
		greeted(greeting, rc);
}

static void on_deadline(uv_timer_t *timer)
{
	greeted(timer->data, -ETIMEDOUT);
}

static struct greeting *greeting_create(
    struct uv_loop_s *loop, int fd, int events, uint32_t deadline_ms)
{
	struct greeting *greeting = calloc(1, sizeof(*greeting));

	if (greeting == NULL || uv_poll_init(loop, &greeting->poll, fd) < 0) {
		free(greeting);
		close(fd);
		return NULL;
	}
	uv_timer_init(loop, &greeting->timer);
	greeting->poll.data = greeting;
	greeting->timer.data = greeting;
	greeting->n_handles = 2;
	greeting->fd = fd;
	uv_timer_start(&greeting->timer, on_deadline, deadline_ms, 0);
	uv_poll_start(&greeting->poll, events, on_poll);
	return greeting;
}

struct greeting *greeting_dial(struct uv_loop_s *loop, int fd, const struct hello *mine,
    const struct hello *expected, uint32_t deadline_ms)
{
	struct greeting *greeting = greeting_create(loop, fd, UV_WRITABLE, deadline_ms);

	if (greeting == NULL)
		return NULL;
	greeting->is_dialer = 1;
	greeting->mine = *mine;
	greeting->other = *expected;
	return greeting;
}

struct greeting *greeting_accept(struct uv_loop_s *loop, int fd, uint32_t deadline_ms)
{
	struct greeting *greeting = greeting_create(loop, fd, UV_READABLE, deadline_ms);

	if (greeting != NULL)
		greeting->is_connected = 1;
	return greeting;
}

int greeting_answer(struct greeting *greeting, const struct hello *mine)
{
	return send_hello(greeting->fd, mine);
}

int greeting_take(struct greeting *greeting)
{
	int fd = greeting->fd;

	uv_poll_stop(&greeting->poll);
	greeting->fd = -1;
	return fd;
}

void greeting_close(struct greeting *greeting)
{
	if (greeting == NULL || greeting->is_closing)
		return;
	greeting->is_closing = 1;
	uv_close((uv_handle_t *)&greeting->poll, on_handle_closed);
	uv_close((uv_handle_t *)&greeting->timer, on_handle_closed);
	if (greeting->fd >= 0)
		close(greeting->fd);
}

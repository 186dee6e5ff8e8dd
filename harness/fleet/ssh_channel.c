/* SPDX-License-Identifier: MIT */
/*
 * A channel waits for its turn to be opened, is opened, starts its command, runs, and is
 * closed; each libssh2 call is repeated until it no longer wants input. One that its
 * owner has closed while it was being opened is opened first: libssh2 knows no way back.
 */
#include "harness/fleet/ssh_channel.h"

#include "harness/fleet/outcome.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (4u << 20)
#define PACKET_BYTES 32768u
#define CHUNK_BYTES  4096u /* room for small writes to share a packet */

enum channel_state { WAITING, OPENING, STARTING, RUNNING, CLOSING, GONE };

struct chunk {
	struct list link;
	const char *bytes;
	size_t at, len, cap; /* cap: of `own`; 0 = shared */
	char own[];
};

struct ssh_channel {
	struct list link;
	struct ssh_session *session;
	struct ssh_channel_events events;
	bool is_owned; /* the owner has not closed it, and was not told the end */
	enum channel_state state;
	LIBSSH2_CHANNEL *ssh;
	char *command;
	struct list chunks; /* to write */
	bool is_write_ended, is_write_end_sent;
};

struct ssh_channel *ssh_channel_of_link(struct list *link)
{
	return container_of(link, struct ssh_channel, link);
}

struct ssh_channel *ssh_channel_create(struct ssh_session *session, const char *command,
    const struct ssh_channel_events *events)
{
	struct ssh_channel *channel = calloc(1, sizeof(*channel));

	if (!channel)
		return NULL;
	if (command && !(channel->command = strdup(command))) {
		free(channel);
		return NULL;
	}
	channel->session = session;
	channel->events = *events;
	channel->is_owned = true;
	list_init(&channel->chunks);
	list_push(&session->channels, &channel->link);
	ssh_session_kick(session);
	return channel;
}

static void chunk_free(struct chunk *chunk)
{
	list_remove(&chunk->link);
	free(chunk);
}

static void channel_free(struct ssh_channel *channel)
{
	if (channel->session->opening == channel)
		channel->session->opening = NULL;
	list_remove(&channel->link);
	while (!list_empty(&channel->chunks))
		chunk_free(list_first(&channel->chunks, struct chunk, link));
	free(channel->command);
	free(channel);
}

static struct chunk *chunk_add(struct ssh_channel *channel, size_t cap)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + cap);

	if (!chunk)
		return NULL;
	*chunk = (struct chunk){.bytes = chunk->own, .cap = cap};
	list_push(&channel->chunks, &chunk->link);
	ssh_session_kick(channel->session);
	return chunk;
}

int ssh_channel_write_copy(struct ssh_channel *channel, const void *bytes, size_t len)
{
	struct chunk *chunk = container_of(channel->chunks.prev, struct chunk, link);

	if (list_empty(&channel->chunks) || chunk->cap - chunk->len < len ||
	    !chunk->cap) {
		chunk = chunk_add(channel, len > CHUNK_BYTES ? len : CHUNK_BYTES);
		if (!chunk)
			return -ENOMEM;
	}
	memcpy(chunk->own + chunk->len, bytes, len);
	chunk->len += len;
	return 0;
}

int ssh_channel_write_shared(struct ssh_channel *channel, const void *bytes, size_t len)
{
	struct chunk *chunk = chunk_add(channel, 0);

	if (!chunk)
		return -ENOMEM;
	chunk->bytes = bytes;
	chunk->len = len;
	return 0;
}

void ssh_channel_write_end(struct ssh_channel *channel)
{
	channel->is_write_ended = true;
	ssh_session_kick(channel->session);
}

void ssh_channel_close(struct ssh_channel *channel)
{
	channel->is_owned = false;
	ssh_session_kick(channel->session);
}

static void channel_ended(struct ssh_channel *channel, const struct outcome *why)
{
	bool was_owned = channel->is_owned;

	channel->is_owned = false;
	if (was_owned && channel->events.on_ended)
		channel->events.on_ended(channel->events.user, why);
}

void ssh_channel_drop(struct ssh_channel *channel, const struct outcome *why)
{
	channel_ended(channel, why);
	channel_free(channel);
}

uint64_t ssh_channel_time(struct ssh_channel *channel, uint64_t now_ms)
{
	if (!channel->is_owned || !channel->events.on_time)
		return SSH_NEVER_MS;
	return channel->events.on_time(channel->events.user, now_ms);
}

/* A libssh2 call failed. True when only this channel is concerned: it has ended. */
static bool channel_failed(struct ssh_channel *channel, int ssh_error, const char *what)
{
	struct outcome why;

	if (ssh_session_broke(channel->session, ssh_error))
		return false;
	outcome_set(&why, OUTCOME_LOST, 0, "%s (%s): %s (libssh2 error %d)",
	    channel->session->config.name, channel->session->config.address_text, what,
	    ssh_error);
	channel->state = channel->ssh ? CLOSING : GONE;
	channel_ended(channel, &why);
	return true;
}

static bool channel_open(struct ssh_channel *channel)
{
	struct ssh_session *session = channel->session;
	int rc;

	channel->ssh = libssh2_channel_open_ex(session->ssh, "session", strlen("session"),
	    WINDOW_BYTES, PACKET_BYTES, NULL, 0);
	if (channel->ssh) {
		session->opening = NULL;
		channel->state = STARTING;
		return true;
	}
	rc = libssh2_session_last_errno(session->ssh);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return false;
	session->opening = NULL;
	return channel_failed(channel, rc,
	    "its sshd refuses one more session on the connection (MaxSessions)");
}

static bool channel_start(struct ssh_channel *channel)
{
	int rc;

	if (!channel->is_owned) {
		channel->state = CLOSING;
		return true;
	}
	if (channel->command) {
		rc = libssh2_channel_process_startup(channel->ssh, "exec", strlen("exec"),
		    channel->command, (unsigned int)strlen(channel->command));
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return false;
		if (rc < 0)
			return channel_failed(
			    channel, rc, "its sshd refuses to run a command");
	}
	channel->state = RUNNING;
	if (channel->events.on_started)
		channel->events.on_started(channel->events.user);
	return true;
}

static bool channel_write(struct ssh_channel *channel)
{
	struct ssh_session *session = channel->session;
	bool is_moving = false;

	while (!list_empty(&channel->chunks)) {
		struct chunk *chunk = list_first(&channel->chunks, struct chunk, link);
		ssize_t n;

		if (ssh_session_unsent(session) >= SSH_OUT_BYTES_HIGH) {
			session->is_full = true;
			return is_moving;
		}
		n = libssh2_channel_write(
		    channel->ssh, chunk->bytes + chunk->at, chunk->len - chunk->at);
		if (n == LIBSSH2_ERROR_EAGAIN)
			return is_moving;
		if (n < 0)
			return channel_failed(channel, (int)n, "cannot write to it");
		is_moving = true;
		chunk->at += (size_t)n;
		if (chunk->at == chunk->len)
			chunk_free(chunk);
	}
	if (channel->is_write_ended && !channel->is_write_end_sent) {
		int rc = libssh2_channel_send_eof(channel->ssh);

		if (rc == LIBSSH2_ERROR_EAGAIN)
			return is_moving;
		if (rc < 0)
			return channel_failed(channel, rc, "cannot end its input");
		channel->is_write_end_sent = true;
	}
	return is_moving;
}

static bool channel_read(struct ssh_channel *channel, int stream,
    void (*on_bytes)(void *user, const char *bytes, size_t len))
{
	char *bytes = channel->session->read;
	bool is_moving = false;
	ssize_t n;

	while (channel->is_owned && channel->state == RUNNING) {
		n = libssh2_channel_read_ex(
		    channel->ssh, stream, bytes, sizeof(channel->session->read));
		if (n == 0 || n == LIBSSH2_ERROR_EAGAIN)
			break;
		if (n < 0)
			return channel_failed(channel, (int)n, "cannot read from it");
		is_moving = true;
		if (on_bytes)
			on_bytes(channel->events.user, bytes, (size_t)n);
	}
	return is_moving;
}

static bool channel_run(struct ssh_channel *channel)
{
	const struct ssh_channel_events *events = &channel->events;
	bool is_moving;

	if (!channel->is_owned) {
		channel->state = CLOSING;
		return true;
	}
	is_moving = channel_write(channel);
	if (channel->state == RUNNING && channel->session->state == SSH_READY)
		is_moving |= channel_read(channel, 0, events->on_output);
	if (channel->state == RUNNING && channel->session->state == SSH_READY)
		is_moving |= channel_read(
		    channel, SSH_EXTENDED_DATA_STDERR, events->on_error_output);
	if (channel->is_owned && channel->state == RUNNING &&
	    channel->session->state == SSH_READY && libssh2_channel_eof(channel->ssh)) {
		channel->state = CLOSING;
		channel_ended(channel, NULL);
		return true;
	}
	return is_moving;
}

static bool channel_close(struct ssh_channel *channel)
{
	int rc = libssh2_channel_free(channel->ssh);

	if (rc == LIBSSH2_ERROR_EAGAIN)
		return false;
	channel->ssh = NULL;
	channel->state = GONE;
	return true;
}

static bool channel_advance(struct ssh_channel *channel)
{
	struct ssh_session *session = channel->session;

	switch (channel->state) {
	case WAITING:
		if (!channel->is_owned) {
			channel->state = GONE;
			return true;
		}
		if (session->opening)
			return false;
		session->opening = channel;
		channel->state = OPENING;
		return true;
	case OPENING:
		return channel_open(channel);
	case STARTING:
		return channel_start(channel);
	case RUNNING:
		return channel_run(channel);
	case CLOSING:
		return channel_close(channel);
	case GONE:
		break;
	}
	return false;
}

bool ssh_channel_step(struct ssh_channel *channel)
{
	bool is_moving = channel_advance(channel);

	if (channel->state == GONE)
		channel_free(channel);
	return is_moving;
}

/* SPDX-License-Identifier: MIT */
/*
 * One SSH connection on a libuv loop: libssh2 does the protocol, uv_poll says when the
 * socket is ready.
 *
 * libssh2's socket callbacks read from and write to buffers of ours. Sending therefore
 * never has to wait inside libssh2, which would refuse to serve any other channel until
 * the very call that was interrupted is repeated; the only thing a libssh2 call can wait
 * for is input, and all of them are tried again when input has come.
 *
 * Nothing here is called back from inside a call of the owner's: ssh_session_kick() asks
 * for a turn, `on_kick` passes that on, and the owner calls ssh_session_turn() later.
 */
#ifndef HARNESS_FLEET_SSH_SESSION_H
#define HARNESS_FLEET_SSH_SESSION_H

#include "base/list.h"
#include "harness/fleet/fleet.h"
#include "harness/fleet/ssh_login.h"

#include <libssh2.h>
#include <stdbool.h>
#include <uv.h>

/* Before the host has proved who it is, it may send so much and no more. */
#define SSH_BYTES_BEFORE_TRUST (1u << 20)
#define SSH_IN_BYTES           (64u << 10)
/* Channels stop writing while so much waits for the socket. */
#define SSH_OUT_BYTES_HIGH     (1u << 20)
#define SSH_OUT_BYTES_MAX      (64u << 20) /* a host that asks and never reads is lost */
#define SSH_NEVER_MS           UINT64_MAX

enum ssh_session_state { SSH_DIALLING, SSH_GREETING, SSH_LOGIN, SSH_READY, SSH_ENDED };

struct ssh_out {
	char *bytes;
	size_t at, len, cap;
};

struct ssh_session_config { /* pointers must outlive the session */
	uv_loop_t *loop;
	const char *name;
	const struct sockaddr *address;
	const char *address_text; /* "192.0.2.1:22", for sentences */
	const char *user;
	const struct ssh_host_key *host_key;
	const struct fleet_key *key;
	uint64_t connect_due_ms; /* by ssh_now_ms() */
};

struct ssh_session_events {
	void (*on_kick)(void *user);
	void (*on_ready)(void *user);
	/* Exactly once, after every channel's on_ended; no other event follows. */
	void (*on_ended)(void *user, const struct outcome *why);
	/* Every handle is closed; the session is freed. */
	void (*on_closed)(void *user);
	void *user;
};

struct ssh_session {
	struct ssh_session_config config;
	struct ssh_session_events events;
	enum ssh_session_state state;
	struct outcome why; /* of SSH_ENDED */
	LIBSSH2_SESSION *ssh;
	int fd;
	uv_poll_t poll;
	int poll_events; /* asked for */
	uv_timer_t timer;
	int n_handles; /* not closed yet */
	bool is_turning, is_again, is_ready_told, is_eof, is_timer_late;
	bool is_full; /* a channel stopped writing at SSH_OUT_BYTES_HIGH */
	uint64_t timer_due_ms;
	struct list channels;        /* struct ssh_channel.link */
	struct ssh_channel *opening; /* libssh2 can open one at a time */
	size_t in_at, in_len;
	struct ssh_out out;
	uint64_t received_bytes, sent_bytes;
	uint64_t received_ms;    /* when the last bytes came */
	char in[SSH_IN_BYTES];   /* from the socket */
	char read[SSH_IN_BYTES]; /* from a channel */
};

uint64_t ssh_now_ms(void); /* monotonic */

/* Starts to connect. -ENOMEM, or what libuv refuses. */
int ssh_session_create(const struct ssh_session_config *config,
    const struct ssh_session_events *events, struct ssh_session **out, struct error *err);

/* Ask for a turn. */
void ssh_session_kick(struct ssh_session *session);
/* Do whatever can be done now. Not from inside an event. */
void ssh_session_turn(struct ssh_session *session);

/* Bytes that wait for the socket. */
static inline size_t ssh_session_unsent(const struct ssh_session *session)
{
	return session->out.len - session->out.at;
}

/* The session is over: at the next turn channels end, then on_ended, then on_closed. The
 * first reason counts. */
void ssh_session_end(struct ssh_session *session, const struct outcome *why);

/* The same with a sentence of ours. */
void ssh_session_fail(
    struct ssh_session *session, enum outcome_kind kind, const char *what);

const char *ssh_session_error_text(struct ssh_session *session); /* libssh2's last */

/* For channels: a libssh2 error that concerns the whole connection, -1 included, ends the
 * session and gives true. */
bool ssh_session_broke(struct ssh_session *session, int ssh_error);

#endif

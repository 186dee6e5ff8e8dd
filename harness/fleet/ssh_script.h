/* SPDX-License-Identifier: MIT */
/*
 * A few lines of plain shell on a host, before any program of ours is there. Whatever a
 * login script prints is told from the answers by a nonce: every answer is a line
 * "<nonce> ..." and the last is "<nonce> exit <code>".
 */
#ifndef HARNESS_FLEET_SSH_SCRIPT_H
#define HARNESS_FLEET_SSH_SCRIPT_H

#include "harness/fleet/outcome.h"
#include "harness/fleet/ssh_channel.h"

#define SSH_SCRIPT_LINE_BYTES 2048u

struct ssh_script;

struct ssh_script_events {
	/* An answer, without nonce and newline. */
	void (*on_answer)(void *user, const char *answer);
	/* Exactly once unless ssh_script_cancel() came before; the script is gone. */
	void (*on_ended)(void *user, const struct outcome *outcome);
	void *user;
};

struct ssh_script_config {
	const char *purpose; /* "make the run folder"; for sentences; must outlive it */
	const char *script;  /* one line of POSIX shell; $n is the nonce; copied */
	const char *const *arguments; /* $1 ...; NULL-terminated; copied */
	const void *input;            /* standard input; must outlive the script */
	size_t input_len;
	bool keeps_input; /* open, after `input`: it ends when the connection does */
	uint32_t idle_ms; /* without a byte from the host; 0 = no limit */
	uint64_t due_ms;  /* SSH_NEVER_MS = none */
};

struct ssh_script *ssh_script_start(struct ssh_session *session,
    const struct ssh_script_config *config, const struct ssh_script_events *events,
    struct error *err);
/* It has answered what was asked and stays: no deadlines from now on. */
void ssh_script_stay(struct ssh_script *script);
/* NULL is fine. */
void ssh_script_cancel(struct ssh_script *script);

#endif

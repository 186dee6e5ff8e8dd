/* SPDX-License-Identifier: MIT */
/* One program running at the other end of an SSH session. Used inside the fleet only. */
#ifndef HARNESS_FLEET_SSH_CHANNEL_H
#define HARNESS_FLEET_SSH_CHANNEL_H

#include "base/list.h"
#include "harness/fleet/ssh_session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssh_channel;

struct ssh_channel_events {
	void (*on_started)(void *user);
	void (*on_output)(void *user, const char *bytes, size_t len);
	void (*on_error_output)(void *user, const char *bytes, size_t len);
	/* Exactly once unless ssh_channel_close() came before; the channel is gone. `why`
	 * is NULL when the program closed its outputs, else names what happened. */
	void (*on_ended)(void *user, const struct outcome *why);
	/* Do what is due at `now_ms`; returns when to be called next, or SSH_NEVER_MS. */
	uint64_t (*on_time)(void *user, uint64_t now_ms);
	void *user;
};

/* Runs `command` (copied) in the user's shell. NULL: opens a channel that runs nothing.
 * Returns NULL when out of memory. */
struct ssh_channel *ssh_channel_create(struct ssh_session *session, const char *command,
    const struct ssh_channel_events *events);

/* Queue bytes for standard input. -ENOMEM. `_copy` copies; `_shared` does not: the bytes
 * must live until the channel is gone. */
int ssh_channel_write_copy(struct ssh_channel *channel, const void *bytes, size_t len);
int ssh_channel_write_shared(struct ssh_channel *channel, const void *bytes, size_t len);
void ssh_channel_write_end(struct ssh_channel *channel);

/* The owner is done with it; no event follows. */
void ssh_channel_close(struct ssh_channel *channel);

/* For the session: advance; true when something happened. */
bool ssh_channel_step(struct ssh_channel *channel);
uint64_t ssh_channel_time(struct ssh_channel *channel, uint64_t now_ms);
/* The session is over: tell the owner, free. */
void ssh_channel_drop(struct ssh_channel *channel, const struct outcome *why);
struct ssh_channel *ssh_channel_of_link(struct list *link);

#endif

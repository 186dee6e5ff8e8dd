/* SPDX-License-Identifier: MIT */
/* The way of an SSH session from a TCP connection to being ready: who the host is, and
 * who we are. Used by the session only, but for the host key. */
#ifndef HARNESS_FLEET_SSH_LOGIN_H
#define HARNESS_FLEET_SSH_LOGIN_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct ssh_session;

struct ssh_host_key {
	char type[32]; /* "ssh-ed25519" */
	unsigned char blob[1024];
	size_t blob_len;
};

/* "TYPE BASE64[ COMMENT]". -EINVAL with a sentence. */
int ssh_host_key_parse(struct ssh_host_key *key, const char *line, struct error *err);

/* Before the first byte: which methods to offer. */
int ssh_login_prefer(struct ssh_session *session);

/* Go on with the state's business; moves the session to the next state, or ends it. */
void ssh_login_greet(struct ssh_session *session); /* SSH_GREETING */
void ssh_login_prove(struct ssh_session *session); /* SSH_LOGIN */

/* What answers speaks SSH. */
bool ssh_login_has_banner(struct ssh_session *session);

#endif

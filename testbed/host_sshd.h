/* SPDX-License-Identifier: MIT */
/* OpenSSH's server on a host: its key, its configuration, its start. */
#ifndef TESTBED_HOST_SSHD_H
#define TESTBED_HOST_SSHD_H

#include "testbed/host_init.h"

#include <sys/types.h>

#define HOST_SSHD_PROGRAM   "/usr/sbin/sshd"
#define HOST_KEYGEN_PROGRAM "/usr/bin/ssh-keygen"
#define HOST_SSHD_PORT      22

/* Key, configuration, start. *pid: the server. `host_key` (at least 128): "ssh-ed25519
 * AAAA...". It doesn't listen yet. */
int host_sshd_start(
    const struct host_spec *spec, pid_t *pid, char *host_key, struct error *err);
/* Whether it listens by now. */
int host_sshd_listens(void);
/* Its last words, one line, for a sentence; "" if it said nothing. */
void host_sshd_last_words(char *out, size_t out_bytes);

#endif

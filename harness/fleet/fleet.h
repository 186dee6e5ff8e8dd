/* SPDX-License-Identifier: MIT */
/*
 * The controller's hosts, reached over SSH and in no other way: libssh2, non-blocking, on
 * the caller's libuv loop, all hosts in parallel. Everything is on the loop thread; no
 * callback is made from inside the call that caused it.
 *
 * A remote command runs under `e3 lease` (harness/fleet/lease.h): its first line is
 * `HELLO <nonce>`, its last `EXIT <code>` or `SIGNAL <number>`; it ends its process group
 * when the connection or the controller's heartbeat is gone. What happened is never
 * guessed from an SSH exit status.
 *
 * What a host's sshd must offer, which Debian's does without being told: KexAlgorithms
 * curve25519-sha256, Ciphers aes128-ctr or aes256-ctr, MACs hmac-sha2-256 or
 * hmac-sha2-512 (libssh2 1.10 knows no -etm@openssh.com), a host key of the pinned kind,
 * and a shell with sha256sum for the user.
 *
 * Typical use, each step from the callback of the one before:
 *
 *	struct fleet_deadlines deadlines = {.connect_ms = 10000, .idle_ms = 15000};
 *	fleet_key_make(&key, &err);
 *	fleet_create(loop, hosts, n_hosts, &key, &deadlines, &fleet, &err);
 *	fleet_connect(fleet, on_connected, run);       look at every outcome's kind
 *	fleet_upload(fleet, files, n_files, on_uploaded, run);   "e3" must be among them
 *	const char *argv[] = {"e3", "party", "--number", "0", NULL};
 *	fleet_command_start(fleet, 0, argv, &(struct fleet_command_events){
 *	    .line = on_line, .ended = on_ended, .user = party}, &party->command, &err);
 *	fleet_command_write(party->command, "{...}\n", 6);    its standard input
 *	fleet_destroy(fleet, on_closed, run);          any time, also inside a callback
 */
#ifndef HARNESS_FLEET_FLEET_H
#define HARNESS_FLEET_FLEET_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct uv_loop_s;

/* One table: code and text on one line. `exit` and `signal` carry a number. */
#define OUTCOMES(X)                                                                      \
	X(OK, "ok")                   /* EXIT 0 */                                       \
	X(EXIT, "exit")               /* EXIT n, n > 0 */                                \
	X(SIGNAL, "signal")           /* ended by a signal */                            \
	X(TIMEOUT, "timeout")         /* connect, idle or total deadline */              \
	X(UNREACHABLE, "unreachable") /* no TCP connection or no SSH banner */           \
	X(AUTH, "auth")               /* our key was refused */                          \
	X(HOSTKEY, "hostkey")         /* the host is not the one that was pinned */      \
	X(LOST, "lost")               /* connection gone before the last line */         \
	X(CANCELLED, "cancelled")     /* by fleet_cancel() */                            \
	X(SKIPPED, "skipped")         /* not tried because another host had failed */

enum outcome_kind {
#define OUTCOME_ENUM(name, text) OUTCOME_##name,
	OUTCOMES(OUTCOME_ENUM)
#undef OUTCOME_ENUM
};

struct outcome {
	enum outcome_kind kind;
	int number;         /* of EXIT and SIGNAL */
	struct error error; /* a sentence that names the host; empty for OK */
};

/* "ok", "exit:3", "signal:9", "timeout", ... into `out` (at least 24). */
char *outcome_text(const struct outcome *outcome, char *out);

struct fleet_host_config {
	const char *name;    /* in every message */
	const char *address; /* numeric */
	uint16_t port;
	const char *user;
	const char *host_key; /* "ssh-ed25519 AAAA...": pinned; anything else is
				 OUTCOME_HOSTKEY */
};

struct fleet_deadlines {
	uint32_t connect_ms; /* TCP, key exchange and authentication */
	uint32_t
	    idle_ms; /* without a byte from a running command; it beats once a second */
	uint32_t total_ms; /* of one command or upload; 0 = none */
	uint32_t lease_ms; /* a host ends our command when it hears nothing for so long */
};
/* For those that are 0, total_ms excepted. */
#define FLEET_CONNECT_MS 10000u
#define FLEET_IDLE_MS    15000u
#define FLEET_LEASE_MS   10000u

/* The controller's identity: made in memory for one run, or read from a file. */
struct fleet_key {
	char public_line[128];  /* for authorized_keys */
	char private_pem[1024]; /* wiped by fleet_key_finish() */
};
int fleet_key_make(struct fleet_key *key, struct error *err); /* ed25519 */
/* An ed25519 key without passphrase, as ssh-keygen or openssl writes it. */
int fleet_key_read(struct fleet_key *key, const char *path, struct error *err);
void fleet_key_finish(struct fleet_key *key);

struct fleet;
struct fleet_command; /* one running remote command */

#define FLEET_HOSTS_MAX 32u
#define FLEET_FILES_MAX 64u /* of one upload */

/* Everything is copied. -EINVAL when an address or host key is malformed. */
int fleet_create(struct uv_loop_s *loop, const struct fleet_host_config *hosts,
    uint32_t n_hosts, const struct fleet_key *key,
    const struct fleet_deadlines *deadlines, struct fleet **out, struct error *err);

/* Outcomes of all hosts, in their order; the array is valid during the call. */
typedef void (*fleet_done)(void *user, const struct outcome *outcomes, uint32_t n_hosts);

/* Connect to all that are not connected. Every host gets an outcome. Of fleet_connect(),
 * fleet_upload() and fleet_clean() one at a time, the other's done() must have come. */
void fleet_connect(struct fleet *fleet, fleet_done done, void *user);

/* A local file and its name below the run folder on the host (fleet_folder()). */
struct fleet_file {
	const char *local_path;
	const char *name;
	uint32_t mode;       /* 0755, 0644 */
	uint32_t hosts_mask; /* bit h = host h needs it */
};

/* Send what a host lacks, compared by SHA-256. A host that is not connected has the
 * outcome that says why; when a local file can't be read, every host has SKIPPED. */
void fleet_upload(struct fleet *fleet, const struct fleet_file *files, uint32_t n_files,
    fleet_done done, void *user);

/* Remove from every host what was sent to it, and the run folder, when nothing runs there
 * any more. A host that is not connected has the outcome that says why. */
void fleet_clean(struct fleet *fleet, fleet_done done, void *user);

/* Absolute folder on every host below which uploads go; valid after connect. */
const char *fleet_folder(const struct fleet *fleet, uint32_t host);

/* Bytes sent to a host so far, SSH's own included. */
uint64_t fleet_sent_bytes(const struct fleet *fleet, uint32_t host);

struct fleet_command_events { /* either may be NULL */
	/* One line of its standard output, without newline, HELLO/EXIT/beats excluded. At
	 * most FLEET_LINE_BYTES_MAX; a longer one ends the command as OUTCOME_LOST. */
	void (*line)(void *user, const char *line, size_t len);
	/* Exactly once; the command is gone afterwards. `stderr_tail`: its last 4 KiB. */
	void (*ended)(void *user, const struct outcome *outcome, const char *stderr_tail);
	void *user;
};
#define FLEET_LINE_BYTES_MAX (16u << 20)

/* Run argv (NULL-terminated; quoted for the shell by the fleet) on one connected host.
 * argv[0] without a slash: in fleet_folder(). Several may run on a host: sshd allows ten
 * sessions a connection by default, two of which the fleet may need itself. -ENOTCONN
 * with the reason when the host is not connected. `*out` is valid until ended() returns.
 */
int fleet_command_start(struct fleet *fleet, uint32_t host, const char *const *argv,
    const struct fleet_command_events *events, struct fleet_command **out,
    struct error *err);

/* Queue bytes for its standard input; copied. -EPIPE when it has ended. */
int fleet_command_write(struct fleet_command *command, const void *bytes, size_t len);
/* No more input: the program reads the end of file. -EPIPE as above. */
int fleet_command_end_input(struct fleet_command *command);

/* End it: its process group gets SIGTERM, 2 s later SIGKILL; ended() with CANCELLED once
 * the host says that all is gone, or after 4 s. */
void fleet_command_cancel(struct fleet_command *command);

/* Cancel everything under way; connections that stand stay. */
void fleet_cancel(struct fleet *fleet);

/* End everything under way as CANCELLED, which is still reported, and close all
 * connections, which ends the remote programs; closed() when every handle is gone. The
 * fleet is freed then. What is asked for on the way out is CANCELLED as well. NULL is
 * fine: closed() is not called. */
void fleet_destroy(struct fleet *fleet, void (*closed)(void *user), void *user);

#endif

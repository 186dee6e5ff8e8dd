/* SPDX-License-Identifier: MIT */
/* What the files of the fleet share; nobody else includes it. */
#ifndef HARNESS_FLEET_FLEET_HOST_H
#define HARNESS_FLEET_FLEET_HOST_H

#include "harness/fleet/outcome.h"
#include "harness/fleet/ssh_script.h"
#include "harness/fleet/ssh_session.h"

#include <stdbool.h>
#include <sys/socket.h>

#define FLEET_FOLDER_BYTES 512u

struct fleet_upload;

struct fleet_host {
	struct fleet *fleet;
	uint32_t index;
	char *name, *user;
	char address_text[80];
	struct sockaddr_storage address;
	struct ssh_host_key host_key;
	struct ssh_session *session;  /* NULL = not connected */
	bool is_kicked, is_connected; /* the latter: session and folder are there */
	struct outcome connection;    /* why not connected */
	struct ssh_script *folder_script;
	char folder[FLEET_FOLDER_BYTES]; /* "" = not known */
	struct list commands;            /* struct fleet_command.link */
	uint64_t sent_bytes;             /* of sessions that have ended */
};

/* What all hosts do together: connect, upload or clean; one at a time. */
struct fleet_round {
	fleet_done done;
	void *user;
	uint32_t n_left; /* hosts without outcome */
	bool *is_settled;
	struct outcome *outcomes;
};

struct fleet {
	uv_loop_t *loop;
	uint32_t n_hosts;
	struct fleet_host *hosts;
	struct fleet_key key;
	struct fleet_deadlines deadlines;
	struct fleet_round round;
	struct fleet_upload *upload;
	uv_idle_t turn;      /* active while somebody asked for a turn */
	uint32_t n_sessions; /* not yet closed */
	uint32_t n_works;    /* under way in the thread pool */
	bool is_destroyed, is_turn_closed;
	void (*closed)(void *user);
	void *closed_user;
};

/* Have the fleet's turn come, outside of every callback. */
void fleet_kick(struct fleet *fleet);

/* An outcome of the present round; the first one of a host counts. */
void fleet_settle(struct fleet_host *host, const struct outcome *outcome);
void fleet_settle_ok(struct fleet_host *host);

/* Free what is left once nothing is under way; every path that ends something calls it.
 */
void fleet_maybe_closed(struct fleet *fleet);

/* host_connect.c */
void host_connect(struct fleet_host *host);
/* host_clean.c: of one that is connected. */
void host_clean(struct fleet_host *host);

/* fleet_command.c: cancel all, and free what is left over. */
void host_commands_cancel(struct fleet_host *host);

/* fleet_upload.c: begin, with the round begun; end all hosts as cancelled; free. */
void fleet_upload_begin(
    struct fleet *fleet, const struct fleet_file *files, uint32_t n_files);
void fleet_upload_cancel(struct fleet *fleet);
void fleet_upload_finish(struct fleet *fleet);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Connecting one host: a session, then its run folder, both before the connect deadline.
 * The folder is $HOME/.cache/e3/run, or /var/tmp/e3-UID when a program can't be started
 * from there (no home, read-only, noexec).
 *
 * The shell that made the folder stays, and holds a shared lock on it as every `e3 lease`
 * does. When the connection ends, also by a kill -9 of the controller, it removes the
 * folder as soon as nobody else holds it: not under a command that still ends, nor under
 * another controller. Who comes while it is being removed makes it anew.
 */
#include "harness/fleet/fleet_host.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Beyond what a lease gives its command to end. */
#define REMOVE_WAIT_S_TEXT "30"

/* Is there, is ours alone, and runs programs; else the next one. */
static const char folder_script[] =
    "umask 077; trap '' HUP INT TERM PIPE; "
    "lock() { ! command -v flock >/dev/null || flock \"$@\" 3; }; "
    "hold() { command exec 3<\"$1\" && lock -s && [ \"$1\" -ef /dev/fd/3 ]; }; "
    "try() { [ -d \"$1\" ] || mkdir -p \"$1\" || return 1; "
    "[ ! -L \"$1\" ] && [ -O \"$1\" ] && hold \"$1\" || return 1; p=$1/.probe-$n; "
    "echo '#!/bin/sh' >\"$p\" && chmod 700 \"$1\" \"$p\" && \"$p\"; c=$?; "
    "rm -f \"$p\"; [ $c = 0 ] && d=$1; }; "
    "h=${HOME:-/nonexistent}/.cache/e3/run; v=/var/tmp/e3-$(id -u); "
    "try \"$h\" || try \"$h\" || try \"$v\" || try \"$v\" || "
    "{ echo \"$n exit 1\"; exit; }; echo \"$n folder $d\"; cat >/dev/null; cd /; "
    "[ \"$d\" -ef /dev/fd/3 ] && lock -w " REMOVE_WAIT_S_TEXT " -x && "
    "[ \"$d\" -ef /dev/fd/3 ] && rm -rf -- \"$d\" && case $d in */.cache/e3/run) "
    "rmdir \"${d%/run}\" && rmdir \"${d%/e3/run}\";; esac 2>/dev/null; "
    "echo \"$n exit 0\"";

static void host_disconnect(struct fleet_host *host, const struct outcome *why)
{
	if (host->session)
		ssh_session_end(host->session, why);
}

static void on_answer(void *user, const char *answer)
{
	struct fleet_host *host = user;

	if (host->is_connected || strncmp(answer, "folder /", 8) != 0)
		return;
	snprintf(host->folder, sizeof(host->folder), "%s", answer + 7);
	ssh_script_stay(host->folder_script);
	host->is_connected = true;
	fleet_settle_ok(host);
}

static void on_folder(void *user, const struct outcome *outcome)
{
	struct fleet_host *host = user;
	struct outcome why = *outcome;

	host->folder_script = NULL;
	/* That it does not stay is no reason to end a run. */
	if (host->is_connected)
		return;
	if (why.kind == OUTCOME_OK)
		outcome_set(&why, OUTCOME_LOST, 0,
		    "%s: the shell of user '%s' named no run folder", host->name,
		    host->user);
	host_disconnect(host, &why);
}

static void on_ready(void *user)
{
	struct fleet_host *host = user;
	struct ssh_script_config config = {
	    .purpose = "make the run folder",
	    .script = folder_script,
	    .keeps_input = true,
	    .due_ms = host->session->config.connect_due_ms,
	};
	struct ssh_script_events events = {
	    .on_answer = on_answer, .on_ended = on_folder, .user = host};
	struct outcome why;

	outcome_set(&why, OUTCOME_LOST, 0, "%s: cannot start a shell", host->name);
	host->folder[0] = '\0';
	host->folder_script =
	    ssh_script_start(host->session, &config, &events, &why.error);
	if (!host->folder_script)
		host_disconnect(host, &why);
}

static void on_kick(void *user)
{
	struct fleet_host *host = user;

	host->is_kicked = true;
	fleet_kick(host->fleet);
}

static void on_ended(void *user, const struct outcome *why)
{
	struct fleet_host *host = user;

	host->sent_bytes += host->session->sent_bytes;
	host->session = NULL;
	host->is_connected = false;
	host->connection = *why;
	fleet_settle(host, why);
}

static void on_closed(void *user)
{
	struct fleet_host *host = user;

	host->fleet->n_sessions--;
	fleet_maybe_closed(host->fleet);
}

void host_connect(struct fleet_host *host)
{
	struct fleet *fleet = host->fleet;
	struct ssh_session_config config = {
	    .loop = fleet->loop,
	    .name = host->name,
	    .address = (const struct sockaddr *)&host->address,
	    .address_text = host->address_text,
	    .user = host->user,
	    .host_key = &host->host_key,
	    .key = &fleet->key,
	    .connect_due_ms = ssh_now_ms() + fleet->deadlines.connect_ms,
	};
	struct ssh_session_events events = {
	    .on_kick = on_kick,
	    .on_ready = on_ready,
	    .on_ended = on_ended,
	    .on_closed = on_closed,
	    .user = host,
	};
	struct outcome why;

	assert(!host->session);
	outcome_set(&why, OUTCOME_UNREACHABLE, 0, "%s: cannot begin", host->name);
	if (ssh_session_create(&config, &events, &host->session, &why.error) < 0) {
		host->connection = why;
		fleet_settle(host, &why);
		return;
	}
	fleet->n_sessions++;
}

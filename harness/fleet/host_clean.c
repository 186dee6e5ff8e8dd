/* SPDX-License-Identifier: MIT */
/*
 * Taking back what connecting and uploading brought to a host: the run folder, and the
 * folders above it that were made for it, if nothing else is in them. Plain shell: e3
 * need not have arrived.
 */
#include "harness/fleet/fleet_host.h"

static const char clean_script[] =
    "c=1; cd / && rm -rf -- \"$1\" && c=0; case $1 in */.cache/e3/run) "
    "rmdir \"${1%/run}\" && rmdir \"${1%/e3/run}\";; esac 2>/dev/null; "
    "echo \"$n exit $c\"";

static void on_ended(void *user, const struct outcome *outcome)
{
	fleet_settle(user, outcome);
}

void host_clean(struct fleet_host *host)
{
	const char *arguments[] = {host->folder, NULL};
	const struct ssh_script_config config = {
	    .purpose = "remove the run folder",
	    .script = clean_script,
	    .arguments = arguments,
	    .idle_ms = host->fleet->deadlines.idle_ms,
	    .due_ms = SSH_NEVER_MS,
	};
	const struct ssh_script_events events = {.on_ended = on_ended, .user = host};
	struct outcome why;

	outcome_set(&why, OUTCOME_LOST, 0, "%s: cannot start a shell", host->name);
	if (!ssh_script_start(host->session, &config, &events, &why.error))
		fleet_settle(host, &why);
}

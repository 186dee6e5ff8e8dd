/* SPDX-License-Identifier: MIT */
/*
 * The fleet's frame: its hosts, the round under way, the turn, and the end.
 *
 * Whatever the owner calls only notes what is wanted and kicks. In the turn, an idle
 * handle's callback, kicked sessions advance and a round that is complete is reported. So
 * no callback comes from inside a call, and no object is freed under a caller.
 *
 * After fleet_destroy() the turn ends every session, which ends what runs over it, and
 * the round; when the last handle and the last work of the thread pool are gone,
 * closed().
 */
#include "harness/fleet/fleet.h"

#include "harness/fleet/fleet_host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fleet_settle(struct fleet_host *host, const struct outcome *outcome)
{
	struct fleet_round *round = &host->fleet->round;

	if (!round->done || round->is_settled[host->index])
		return;
	round->is_settled[host->index] = true;
	round->outcomes[host->index] = *outcome;
	round->n_left--;
	fleet_kick(host->fleet);
}

void fleet_settle_ok(struct fleet_host *host)
{
	struct outcome ok = {.kind = OUTCOME_OK};

	fleet_settle(host, &ok);
}

static void round_begin(struct fleet *fleet, fleet_done done, void *user)
{
	struct fleet_round *round = &fleet->round;

	assert(!round->done && "one of the fleet's steps at a time");
	round->done = done;
	round->user = user;
	round->n_left = fleet->n_hosts;
	memset(round->is_settled, 0, fleet->n_hosts * sizeof(*round->is_settled));
	fleet_kick(fleet);
}

static void round_report(struct fleet *fleet)
{
	struct fleet_round *round = &fleet->round;
	fleet_done done = round->done;

	if (!done || round->n_left > 0)
		return;
	round->done = NULL;
	if (fleet->upload)
		fleet_upload_finish(fleet);
	done(round->user, round->outcomes, fleet->n_hosts);
}

static void fleet_end_sessions(struct fleet *fleet)
{
	struct outcome cancelled;

	for (uint32_t i = 0; i < fleet->n_hosts; i++) {
		struct fleet_host *host = &fleet->hosts[i];

		outcome_set(
		    &cancelled, OUTCOME_CANCELLED, 0, "%s: cancelled", host->name);
		if (host->session) {
			ssh_session_end(host->session, &cancelled);
			host->is_kicked = true;
		}
		fleet_settle(host, &cancelled);
	}
}

static void on_turn_closed(uv_handle_t *handle)
{
	struct fleet *fleet = handle->data;

	fleet->is_turn_closed = true;
	fleet_maybe_closed(fleet);
}

static void on_turn(uv_idle_t *turn)
{
	struct fleet *fleet = turn->data;
	/* Not read again below: a callback may destroy the fleet in this very turn. */
	bool is_last = fleet->is_destroyed;

	uv_idle_stop(turn);
	if (is_last)
		fleet_end_sessions(fleet);
	for (uint32_t i = 0; i < fleet->n_hosts; i++) {
		struct fleet_host *host = &fleet->hosts[i];

		if (host->is_kicked && host->session) {
			host->is_kicked = false;
			ssh_session_turn(host->session);
		}
	}
	round_report(fleet);
	if (!is_last)
		return;
	if (fleet->round.done) /* what a callback asked for on the way out */
		fleet_kick(fleet);
	else if (!uv_is_closing((uv_handle_t *)turn))
		uv_close((uv_handle_t *)turn, on_turn_closed);
}

void fleet_kick(struct fleet *fleet)
{
	if (!uv_is_closing((uv_handle_t *)&fleet->turn))
		uv_idle_start(&fleet->turn, on_turn);
}

static int host_address(
    struct fleet_host *host, const struct fleet_host_config *config, struct error *err)
{
	const char *form = strchr(config->address, ':') ? "[%s]:%u" : "%s:%u";
	struct sockaddr_in *v4 = (struct sockaddr_in *)&host->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&host->address;

	if (config->port == 0)
		return error_set(
		    err, -EINVAL, "host %s: port 0 is no port", config->name);
	if (uv_ip4_addr(config->address, config->port, v4) < 0 &&
	    uv_ip6_addr(config->address, config->port, v6) < 0)
		return error_set(err, -EINVAL,
		    "host %s: address '%.80s' is not a numeric IPv4 or IPv6 address",
		    config->name, config->address);
	if (form[0] == '[')
		snprintf(host->address_text, sizeof(host->address_text), "[%s]:%u",
		    config->address, config->port);
	else
		snprintf(host->address_text, sizeof(host->address_text), "%s:%u",
		    config->address, config->port);
	return 0;
}

static int host_init(struct fleet *fleet, uint32_t index,
    const struct fleet_host_config *config, struct error *err)
{
	struct fleet_host *host = &fleet->hosts[index];
	int rc;

	host->fleet = fleet;
	host->index = index;
	list_init(&host->commands);
	host->name = strdup(config->name);
	host->user = strdup(config->user);
	if (!host->name || !host->user)
		return error_set(err, -ENOMEM, "host %s: out of memory", config->name);
	outcome_set(
	    &host->connection, OUTCOME_LOST, 0, "%s: not connected yet", host->name);
	rc = host_address(host, config, err);
	if (rc < 0)
		return rc;
	rc = ssh_host_key_parse(&host->host_key, config->host_key, err);
	return rc < 0 ? error_wrap(err, "host %s", config->name) : 0;
}

static void fleet_free(struct fleet *fleet)
{
	for (uint32_t i = 0; fleet->hosts && i < fleet->n_hosts; i++) {
		free(fleet->hosts[i].name);
		free(fleet->hosts[i].user);
	}
	free(fleet->round.is_settled);
	free(fleet->round.outcomes);
	free(fleet->hosts);
	fleet_key_finish(&fleet->key);
	free(fleet);
}

static int fleet_init(struct fleet *fleet, const struct fleet_host_config *hosts,
    uint32_t n_hosts, struct error *err)
{
	fleet->n_hosts = n_hosts;
	fleet->hosts = calloc(n_hosts, sizeof(*fleet->hosts));
	fleet->round.is_settled = calloc(n_hosts, sizeof(*fleet->round.is_settled));
	fleet->round.outcomes = calloc(n_hosts, sizeof(*fleet->round.outcomes));
	if (!fleet->hosts || !fleet->round.is_settled || !fleet->round.outcomes)
		return error_set(err, -ENOMEM, "out of memory for %u hosts", n_hosts);
	for (uint32_t i = 0; i < n_hosts; i++) {
		int rc = host_init(fleet, i, &hosts[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int fleet_create(struct uv_loop_s *loop, const struct fleet_host_config *hosts,
    uint32_t n_hosts, const struct fleet_key *key,
    const struct fleet_deadlines *deadlines, struct fleet **out, struct error *err)
{
	struct fleet *fleet;
	int rc;

	if (n_hosts == 0 || n_hosts > FLEET_HOSTS_MAX)
		return error_set(err, -EINVAL, "a fleet has 1 to %u hosts, not %u",
		    FLEET_HOSTS_MAX, n_hosts);
	fleet = calloc(1, sizeof(*fleet));
	if (!fleet)
		return error_set(err, -ENOMEM, "out of memory for a fleet");
	fleet->loop = loop;
	fleet->key = *key;
	fleet->deadlines = *deadlines;
	if (fleet->deadlines.connect_ms == 0)
		fleet->deadlines.connect_ms = FLEET_CONNECT_MS;
	if (fleet->deadlines.idle_ms == 0)
		fleet->deadlines.idle_ms = FLEET_IDLE_MS;
	if (fleet->deadlines.lease_ms == 0)
		fleet->deadlines.lease_ms = FLEET_LEASE_MS;
	rc = fleet_init(fleet, hosts, n_hosts, err);
	if (rc < 0) {
		fleet_free(fleet);
		return rc;
	}
	uv_idle_init(loop, &fleet->turn);
	fleet->turn.data = fleet;
	*out = fleet;
	return 0;
}

void fleet_connect(struct fleet *fleet, fleet_done done, void *user)
{
	round_begin(fleet, done, user);
	for (uint32_t i = 0; i < fleet->n_hosts && !fleet->is_destroyed; i++) {
		struct fleet_host *host = &fleet->hosts[i];

		if (host->is_connected)
			fleet_settle_ok(host);
		else
			host_connect(host);
	}
}

void fleet_upload(struct fleet *fleet, const struct fleet_file *files, uint32_t n_files,
    fleet_done done, void *user)
{
	round_begin(fleet, done, user);
	if (!fleet->is_destroyed)
		fleet_upload_begin(fleet, files, n_files);
}

void fleet_clean(struct fleet *fleet, fleet_done done, void *user)
{
	round_begin(fleet, done, user);
	for (uint32_t i = 0; i < fleet->n_hosts && !fleet->is_destroyed; i++) {
		struct fleet_host *host = &fleet->hosts[i];

		if (host->is_connected)
			host_clean(host);
		else
			fleet_settle(host, &host->connection);
	}
}

const char *fleet_folder(const struct fleet *fleet, uint32_t host)
{
	return host < fleet->n_hosts ? fleet->hosts[host].folder : "";
}

uint64_t fleet_sent_bytes(const struct fleet *fleet, uint32_t host)
{
	const struct fleet_host *at = &fleet->hosts[host];

	return at->sent_bytes + (at->session ? at->session->sent_bytes : 0);
}

void fleet_cancel(struct fleet *fleet)
{
	struct outcome cancelled;

	if (fleet->upload)
		fleet_upload_cancel(fleet);
	for (uint32_t i = 0; i < fleet->n_hosts; i++) {
		struct fleet_host *host = &fleet->hosts[i];

		outcome_set(
		    &cancelled, OUTCOME_CANCELLED, 0, "%s: cancelled", host->name);
		if (host->session && !host->is_connected)
			ssh_session_end(host->session, &cancelled);
		host_commands_cancel(host);
		fleet_settle(host, &cancelled);
	}
}

void fleet_maybe_closed(struct fleet *fleet)
{
	if (!fleet->is_turn_closed || fleet->n_sessions > 0 || fleet->n_works > 0)
		return;
	if (fleet->closed)
		fleet->closed(fleet->closed_user);
	fleet_free(fleet);
}

void fleet_destroy(struct fleet *fleet, void (*closed)(void *user), void *user)
{
	if (!fleet || fleet->is_destroyed)
		return;
	fleet->is_destroyed = true;
	fleet->closed = closed;
	fleet->closed_user = user;
	fleet_kick(fleet);
}

/* SPDX-License-Identifier: MIT */
#include "harness/control/kept.h"
#include "harness/control/run.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEPER_END_MS 3000 /* it ends after its hosts */

static void name_emulated(struct run *run)
{
	struct inventory *inventory = &run->inventory;

	*inventory = (struct inventory){.backend = "emulated", .n_hosts = run->n_hosts};
	for (uint32_t h = 0; h < run->n_hosts; h++) {
		struct inventory_host *host = &inventory->hosts[h];
		uint32_t region = scenario_region(run->scenario, h);

		snprintf(host->name, sizeof(host->name), "host%u", h);
		strcpy(host->region, run->scenario->regions[region]);
	}
}

/* A host that says where it is is where the scenario wants it. */
static int check_regions(const struct run *run, struct error *err)
{
	for (uint32_t h = 0; h < run->n_hosts; h++) {
		const char *is = run->inventory.hosts[h].region;
		const char *wanted =
		    run->scenario->regions[scenario_region(run->scenario, h)];

		if (is[0] != '\0' && strcmp(is, wanted) != 0)
			return error_set(err, -EINVAL,
			    "%s: /hosts/%u/region: '%s', but party %u of %s is in '%s': "
			    "put the hosts in the order of the parties, or leave "
			    "'region' "
			    "out",
			    run->options->inventory_path, h, is, h, run->scenario->path,
			    wanted);
	}
	return 0;
}

static int check_file(struct run *run, struct error *err)
{
	const char *path = run->options->inventory_path;

	if (strcmp(run->inventory.backend, "ssh") != 0)
		return error_set(err, -EINVAL,
		    "%s: /backend: hosts that are there have the backend \"ssh\"; "
		    "emulated ones are made without --inventory",
		    path);
	if (run->inventory.identity_path[0] == '\0')
		return error_set(err, -EINVAL,
		    "%s: /identity: the key 'identity' is missing: {\"secret_ref\": "
		    "\"file:~/.ssh/id_ed25519\"} or where the private key is that the "
		    "hosts accept",
		    path);
	if (run->inventory.n_hosts < run->n_hosts)
		return error_set(err, -EINVAL,
		    "%s: /hosts: %u, but a cell has %u parties: add hosts, or run fewer "
		    "parties by --parties",
		    path, run->inventory.n_hosts, run->n_hosts);
	run->inventory.n_hosts = run->n_hosts;
	return check_regions(run, err);
}

int run_inventory_make(struct run *run, struct error *err)
{
	int rc;

	if (run->options->inventory_path == NULL) {
		name_emulated(run);
		return 0;
	}
	rc = inventory_read(run->options->inventory_path, &run->inventory, err);
	return rc < 0 ? rc : check_file(run, err);
}

/* "~/" is the user's home; a relative path begins at the inventory's folder. */
static void identity_path(const struct run *run, char out[PATH_MAX])
{
	const char *path = run->inventory.identity_path, *home = getenv("HOME");
	const char *slash = strrchr(run->options->inventory_path, '/');

	if (strncmp(path, "~/", 2) == 0 && home != NULL)
		snprintf(out, PATH_MAX, "%s%s", home, path + 1);
	else if (path[0] == '/' || slash == NULL)
		snprintf(out, PATH_MAX, "%s", path);
	else
		snprintf(out, PATH_MAX, "%.*s/%s",
		    (int)(slash - run->options->inventory_path),
		    run->options->inventory_path, path);
}

int run_inventory_key(struct run *run, struct error *err)
{
	char path[PATH_MAX];
	int rc;

	identity_path(run, path);
	rc = fleet_key_read(&run->key, path, err);
	return rc < 0 ? error_wrap(err, "%s: /identity", run->options->inventory_path)
		      : 0;
}

static void on_keeper_end(uv_poll_t *poll, int status, int events)
{
	struct run *run = poll->data;

	(void)status, (void)events;
	uv_poll_stop(poll);
	run->hosts_are_gone = 1;
	if (run->ended.code == 0)
		error_set(&run->ended, -EPIPE,
		    "the hosts of '%s' are gone: `e3 down`, or their keeper was killed",
		    run->inventory.up);
}

void run_inventory_look(struct run *run)
{
	struct pollfd ended = {.fd = run->keeper_fd, .events = POLLIN};

	if (run->keeper_fd >= 0 && !run->hosts_are_gone &&
	    poll(&ended, 1, KEEPER_END_MS) > 0)
		on_keeper_end(&run->hosts_watch, 0, 0);
}

int run_inventory_enter(struct run *run, struct error *err)
{
	int netns_fd, rc;

	if (run->inventory.up[0] == '\0')
		return 0;
	rc = kept_open(run->inventory.up, &run->keeper_fd, &netns_fd, err);
	if (rc < 0)
		return error_wrap(err, "%s: /up", run->options->inventory_path);
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		rc = error_set_errno(
		    err, -errno, "entering the network of '%s'", run->inventory.up);
	close(netns_fd);
	if (rc < 0)
		return rc;
	uv_poll_init(&run->loop, &run->hosts_watch, run->keeper_fd);
	run->hosts_watch.data = run;
	run->is_watching = 1;
	uv_poll_start(&run->hosts_watch, UV_READABLE, on_keeper_end);
	return 0;
}

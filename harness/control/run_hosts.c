/* SPDX-License-Identifier: MIT */
#include "harness/control/run.h"
#include "harness/control/calibration.h"
#include "harness/control/emulated_links.h"
#include "harness/plugin/plugin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 10000u
#define IDLE_MS    15000u /* a lease beats once a second */

static void on_testbed(uv_poll_t *poll, int status, int events)
{
	struct run *run = poll->data;
	struct error err = {0};

	(void)status, (void)events;
	if (testbed_check(run->testbed, &err) == 0)
		return;
	uv_poll_stop(poll);
	if (run->ended.code == 0)
		run->ended = err;
}

/* As an inventory says them. */
static void note_addresses(struct run *run)
{
	for (uint32_t h = 0; h < run->n_hosts; h++) {
		const struct testbed_host *host = testbed_host(run->testbed, h);
		struct inventory_host *to = &run->inventory.hosts[h];

		strcpy(to->address, host->address);
		strcpy(to->user, host->user);
		strcpy(to->host_key, host->host_key);
		to->port = host->port;
	}
}

static void note_delays(struct run *run, const struct testbed_config *config)
{
	for (uint32_t from = 0; from < run->n_hosts; from++)
		for (uint32_t to = 0; to < run->n_hosts; to++)
			run->one_way_ns[from][to] = config->links[from][to].one_way_ns;
}

int run_hosts_scale(struct run *run, double scale, struct error *err)
{
	struct testbed_config config = {.n_hosts = run->n_hosts};

	if (run->testbed == NULL || scale == run->delay_scale)
		return 0;
	emulated_links(run->scenario, scale, &config);
	for (uint32_t from = 0; from < run->n_hosts; from++)
		for (uint32_t to = 0; to < run->n_hosts; to++) {
			int rc = from == to ? 0
					    : testbed_set_link(run->testbed, from, to,
						  &config.links[from][to], err);

			if (rc < 0)
				return rc;
		}
	note_delays(run, &config);
	run->delay_scale = scale;
	return 0;
}

static int testbed_start(struct run *run, struct error *err)
{
	struct testbed_config config = {
	    .n_hosts = run->n_hosts, .authorized_key = run->key.public_line};
	int rc;

	emulated_links(run->scenario, 1, &config);
	rc = testbed_up(&config, &run->testbed, err);
	if (rc < 0)
		return rc;
	uv_poll_init(&run->loop, &run->hosts_watch, testbed_fd(run->testbed));
	run->hosts_watch.data = run;
	run->is_watching = 1;
	uv_poll_start(&run->hosts_watch, UV_READABLE, on_testbed);
	note_addresses(run);
	note_delays(run, &config);
	return 0;
}

static int connect_fleet(struct run *run, struct error *err)
{
	struct fleet_host_config hosts[TESTBED_HOSTS_MAX];
	const struct fleet_deadlines deadlines = {
	    .connect_ms = CONNECT_MS, .idle_ms = IDLE_MS};
	int rc;

	for (uint32_t h = 0; h < run->n_hosts; h++) {
		const struct inventory_host *host = &run->inventory.hosts[h];

		hosts[h] = (struct fleet_host_config){.name = host->name,
		    .address = host->address,
		    .port = (uint16_t)host->port,
		    .user = host->user,
		    .host_key = host->host_key};
	}
	run->hosts = (struct fleet_step){.loop = &run->loop,
	    .n_hosts = run->n_hosts,
	    .must_end = run_must_end,
	    .user = run};
	rc = fleet_create(&run->loop, hosts, run->n_hosts, &run->key, &deadlines,
	    &run->hosts.fleet, err);
	return rc < 0 ? rc : fleet_step_connect(&run->hosts, err);
}

struct shipment {
	char program[PATH_MAX];
	struct plugin *plugins[SCENARIO_TRANSPORTS_MAX];
	char names[SCENARIO_TRANSPORTS_MAX][48];
	struct fleet_file files[SCENARIO_TRANSPORTS_MAX + 3];
	uint32_t n_files;
};

static void ship(struct shipment *shipment, const char *path, const char *name,
    uint32_t mode, uint32_t hosts_mask)
{
	for (uint32_t i = 0; i < shipment->n_files; i++)
		if (strcmp(shipment->files[i].name, name) == 0)
			return;
	shipment->files[shipment->n_files++] = (struct fleet_file){
	    .local_path = path, .name = name, .mode = mode, .hosts_mask = hosts_mask};
}

static int is_planned(const struct plan *plan, uint32_t transport)
{
	for (uint32_t c = 0; c < plan->n_cells; c++)
		if (plan->cells[c].transport == transport)
			return 1;
	return 0;
}

static int load_shipment(struct run *run, struct shipment *shipment, struct error *err)
{
	uint32_t all = (1u << run->n_hosts) - 1;

	if (readlink("/proc/self/exe", shipment->program, sizeof(shipment->program) - 1) <
	    0)
		return error_set_errno(err, -errno, "/proc/self/exe");
	ship(shipment, shipment->program, "e3", 0755, all);
	for (uint32_t t = 0; t < run->scenario->n_transports; t++) {
		const char *name = run->scenario->transports[t].plugin;
		int rc;

		if (!is_planned(run->plan, t))
			continue;
		rc = plugin_load(name, &shipment->plugins[t], err);
		if (rc < 0)
			return rc;
		snprintf(
		    shipment->names[t], sizeof(shipment->names[t]), "e3-%s.so", name);
		ship(shipment, shipment->plugins[t]->path, shipment->names[t], 0755, all);
	}
	if (run->inputs.model != NULL) {
		ship(shipment, run->inputs.model_path, RUN_INPUTS_MODEL, 0644, 1u);
		ship(
		    shipment, run->inputs.images_path, RUN_INPUTS_IMAGES, 0644, 3u & all);
	}
	return 0;
}

static int equip(struct run *run, struct error *err)
{
	struct shipment *shipment = calloc(1, sizeof(*shipment));
	int rc = shipment == NULL ? error_set(err, -ENOMEM, "out of memory")
				  : load_shipment(run, shipment, err);

	if (rc == 0)
		rc = fleet_step_upload(
		    &run->hosts, shipment->files, shipment->n_files, err);
	for (uint32_t t = 0; shipment != NULL && t < SCENARIO_TRANSPORTS_MAX; t++)
		plugin_destroy(shipment->plugins[t]);
	free(shipment);
	return rc;
}

static int describe_hosts(struct run *run, struct error *err)
{
	static const char *const argv[] = {"e3", "facts", NULL};
	const char *const *argvs[TESTBED_HOSTS_MAX];
	cJSON *replies[TESTBED_HOSTS_MAX];
	int rc;

	for (uint32_t h = 0; h < run->n_hosts; h++)
		argvs[h] = argv;
	rc = fleet_step_ask(&run->hosts, argvs, replies, err);
	for (uint32_t h = 0; h < run->n_hosts; h++)
		result_environment(run->result, run->inventory.hosts[h].name, replies[h]);
	return rc;
}

static int emulate(struct run *run, struct error *err)
{
	int rc = fleet_key_make(&run->key, err);

	return rc < 0 ? rc : testbed_start(run, err);
}

static int enter(struct run *run, struct error *err)
{
	int rc = run_inventory_key(run, err);

	if (rc == 0)
		rc = run_inventory_enter(run, err);
	if (rc == 0)
		result_note(run->result,
		    "hosts of an inventory: the scenario's delays, rate, jitter and loss "
		    "are not applied, the network is the one between the hosts");
	return rc;
}

int run_hosts_up(struct run *run, struct error *err)
{
	int rc =
	    run->options->inventory_path != NULL ? enter(run, err) : emulate(run, err);

	if (rc == 0)
		rc = connect_fleet(run, err);
	if (rc == 0)
		rc = equip(run, err);
	if (rc == 0)
		rc = describe_hosts(run, err);
	if (rc == 0)
		rc = calibrate_pairs(run, err);
	return rc;
}

static void clean_hosts(struct run *run)
{
	char note[ERROR_TEXT_BYTES + 640];

	fleet_step_clean(&run->hosts);
	for (uint32_t h = 0; h < run->n_hosts; h++) {
		const struct outcome *outcome = &run->hosts.outcomes[h];
		const char *folder = fleet_folder(run->hosts.fleet, h);

		if (outcome->kind == OUTCOME_OK || folder[0] == '\0')
			continue;
		snprintf(note, sizeof(note), "%s may still have the folder %s: %s",
		    run->inventory.hosts[h].name, folder, outcome->error.text);
		result_note(run->result, note);
	}
}

void run_hosts_down(struct run *run)
{
	if (run->hosts.fleet != NULL && run->testbed == NULL && !run->hosts_are_gone)
		clean_hosts(run);
	fleet_step_destroy(&run->hosts);
	if (run->is_watching)
		uv_close((uv_handle_t *)&run->hosts_watch, NULL);
	run->is_watching = 0;
	if (run->keeper_fd >= 0)
		close(run->keeper_fd);
	run->keeper_fd = -1;
	testbed_down(run->testbed);
	run->testbed = NULL;
	fleet_key_finish(&run->key);
}

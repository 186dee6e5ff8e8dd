/* SPDX-License-Identifier: MIT */
#include "tests/result/made_document.h"

#include "base/units.h"
#include "harness/measure/calibrate.h"
#include "harness/measure/environment.h"
#include "harness/measure/pressure.h"
#include "testbed/testbed.h"
#include "tests/result/made_run.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTIES 4u

/* ams nyc sfo sgp, ms */
static const double rtt_ms[PARTIES][PARTIES] = {
    {0, 90, 152, 181.5}, {90, 0, 73, 229}, {152, 73, 0, 171.5}, {181.5, 229, 171.5, 0}};

static struct result *create(const char *folder)
{
	static char *const argv[] = {
	    (char *)"run", (char *)"scenarios/distant-4.json", NULL};
	const struct result_config config = {.name = "distant-4",
	    .folder = folder,
	    .scenario_path = "scenarios/distant-4.json",
	    .scenario_text = "{\"name\": \"distant-4\"}",
	    .matrix_text = "{\"name\": \"made-up\"}",
	    .seed = UINT64_MAX,
	    .argv = argv,
	    .inventory = cJSON_Parse("{\"backend\":\"emulated\",\"hosts\":["
				     "{\"name\":\"host0\",\"region\":\"ams\"},{\"name\":"
				     "\"host1\",\"region\":\"nyc\"},"
				     "{\"name\":\"host2\",\"region\":\"sfo\"},{\"name\":"
				     "\"host3\",\"region\":\"sgp\"}]}"),
	    .versions = cJSON_Parse("{\"e3\":\"0.1.0\",\"libuv\":\"1.44.2\"}")};
	struct error err;
	struct result *r;

	if (result_create(&config, &r, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return r;
}

static void calibrate(struct result *r)
{
	for (uint32_t from = 0; from < PARTIES; from++)
		for (uint32_t to = 0; to < PARTIES; to++) {
			uint64_t rtt_ns = (uint64_t)(rtt_ms[from][to] * NS_PER_MS);
			struct calibrate_pair pair = {.sent = 20,
			    .received = 20,
			    .min_ns = rtt_ns + 40000,
			    .p50_ns = rtt_ns + 60000 + 2000 * from,
			    .p99_ns = rtt_ns + 200000};

			if (from == to)
				continue;
			if (from == 3 && to == 1)
				pair.p50_ns += 3 * NS_PER_MS;
			result_calibration_pair(r, from, to, rtt_ns, &pair);
		}
}

static void count_packets(
    struct testbed_counters *counters, const struct made_run *run, uint64_t late_ns)
{
	uint64_t packets = run->n_rounds * (1 + run->bytes / 1448);

	for (uint32_t from = 0; from < run->n_parties; from++)
		for (uint32_t to = 0; to < run->n_parties; to++) {
			if (from == to)
				continue;
			counters->pairs[from][to].packets += packets;
			counters->pairs[from][to].bytes +=
			    packets * 52 + run->n_rounds * run->bytes;
			for (uint64_t i = 0; i < packets; i++)
				histogram_record(&counters->lateness_ns, late_ns);
		}
}

static void calibrate_emulator(struct result *r)
{
	const struct made_run pings = {.n_parties = PARTIES, .n_rounds = 20, .bytes = 64};
	struct testbed_counters *before = calloc(1, sizeof(*before));
	struct testbed_counters *after = calloc(1, sizeof(*after));

	histogram_reset(&before->lateness_ns);
	histogram_reset(&after->lateness_ns);
	count_packets(after, &pings, 9000);
	result_calibration_emulator(r, before, after, PARTIES);
	free(before);
	free(after);
}

static void add_block(struct result *r, const char *transport, const char *workload,
    struct made_run *run, uint32_t index, uint64_t late_ns, double psi_share)
{
	const struct pressure_delta pressure = {
	    .wall_ns = NS_PER_S, .psi_share = psi_share, .context_switches = 1000};
	struct testbed_counters *before = calloc(1, sizeof(*before));
	struct testbed_counters *after = calloc(1, sizeof(*after));
	struct result_block block;

	histogram_reset(&before->lateness_ns);
	histogram_reset(&after->lateness_ns);
	made_run_play(run);
	count_packets(after, run, late_ns);
	block = made_run_block(run, transport, workload);
	block.index = index;
	block.position = 2 * index;
	block.wire_before = before;
	block.wire_after = after;
	block.pressure = &pressure;
	if (result_block(r, &block, NULL, NULL) < 0)
		abort();
	made_run_forget(run);
	free(before);
	free(after);
}

static void add_cells(struct result *r)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct made_run santa = {.n_parties = PARTIES,
		    .n_rounds = 22 + (i == 2),
		    .one_way_ns = 114500000,
		    .work_ns = 500000 + 1000000 * i,
		    .bytes = 64};
		struct made_run cnn = {.n_parties = PARTIES,
		    .n_rounds = 99,
		    .one_way_ns = 114500000,
		    .work_ns = 11000000,
		    .bytes = 52000};

		add_block(r, "tcp", "secret-santa", &santa, i, 12000, 0.02);
		add_block(r, "tcp", "cnn-mnist", &cnn, i, 15000, 0.02);
		santa.one_way_ns += 400000;
		add_block(
		    r, "wireguard", "secret-santa", &santa, i, 1500000, i ? 0.02 : 0.4);
	}
}

static void add_failures(struct result *r)
{
	struct made_run run = {.n_parties = PARTIES, .n_rounds = 1, .one_way_ns = 1000};
	struct result_cell never = {"headscale", "cnn-mnist", "low", NULL, PARTIES};
	struct result_block block;

	made_run_play(&run);
	block = made_run_block(&run, "wireguard", "cnn-mnist");
	block.parties[2] = (struct result_party){.host = "host2",
	    .outcome = "signal:9",
	    .error = "host2: the party was ended by signal 9"};
	if (result_block(r, &block, NULL, NULL) < 0)
		abort();
	block = made_run_block(&run, "tailscale", "cnn-mnist");
	block.status = CELL_UNSUPPORTED;
	block.error = "tailscaled is missing: apt-get install tailscale";
	for (enum life_phase at = LIFE_EXCHANGE; at < LIFE_PHASE_COUNT; at++)
		block.phases_ns[at] = LIFE_NOT_REACHED;
	for (uint32_t p = 0; p < PARTIES; p++)
		block.parties[p].report = NULL;
	if (result_block(r, &block, NULL, NULL) < 0)
		abort();
	made_run_forget(&run);
	result_plan(r, &never, 3);
}

struct result *made_document(const char *folder)
{
	struct result *r = create(folder);
	struct result_null null_run = {
	    .cell = {NULL, "secret-santa", "low", "mpyc", PARTIES},
	    .wall_ns = 1234567,
	    .cpu_ns = 2345678,
	    .rounds = 22};

	result_environment(r, "controller", environment_json(""));
	result_environment(r, "host0", environment_json(""));
	calibrate(r);
	calibrate_emulator(r);
	result_null(r, &null_run);
	add_cells(r);
	add_failures(r);
	result_note(r, "host2: the folder /tmp/e3-x could not be removed");
	return r;
}

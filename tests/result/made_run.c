/* SPDX-License-Identifier: MIT */
#include "tests/result/made_run.h"

#include "base/units.h"
#include "harness/measure/recorder.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cJSON *measured(const struct made_run *run, uint32_t self)
{
	uint64_t now_ns = 1000 * NS_PER_S;
	struct recorder *r;
	cJSON *json;

	if (recorder_create(self, run->n_parties, &r, NULL) < 0)
		abort();
	recorder_cpu(r, NS_PER_MS);
	recorder_phase(r, "input", now_ns);
	for (uint32_t i = 0; i < run->n_rounds; i++) {
		struct recorder_round round = {.started_ns = now_ns + run->work_ns};

		if (i == run->n_rounds / 2)
			recorder_phase(r, "multiply", now_ns);
		for (uint32_t p = 0; p < run->n_parties; p++) {
			if (p == self)
				continue;
			round.bytes_out[p] = round.bytes_in[p] = run->bytes;
			round.arrived_ns[p] = round.started_ns + run->one_way_ns;
		}
		now_ns = round.ended_ns = round.started_ns + run->one_way_ns;
		recorder_round(r, &round);
	}
	for (uint32_t p = 0; p < run->n_parties; p++)
		for (uint64_t i = 0; p != self && i < 5; i++)
			recorder_probe(
			    r, p, i * NS_PER_S, i * NS_PER_S + 2 * run->one_way_ns);
	recorder_cpu(r, 3 * NS_PER_MS);
	recorder_finish(r, now_ns + run->work_ns);
	json = recorder_json(r);
	recorder_destroy(r);
	return json;
}

static cJSON *channels(const struct made_run *run, uint32_t self)
{
	cJSON *array = cJSON_CreateArray();

	for (uint32_t p = 0; p < run->n_parties; p++) {
		cJSON *channel;

		if (p == self)
			continue;
		channel = cJSON_CreateObject();
		cJSON_AddNumberToObject(channel, "peer", p);
		cJSON_AddNumberToObject(channel, "lane", 0);
		cJSON_AddNumberToObject(channel, "wire_bytes_sent",
		    (double)(run->n_rounds * (run->bytes + 8)));
		cJSON_AddNumberToObject(channel, "retransmits", 0);
		cJSON_AddNullToObject(channel, "rtt_ns");
		cJSON_AddNumberToObject(channel, "refusals", 0);
		cJSON_AddNumberToObject(channel, "blocked_ns", 0);
		cJSON_AddItemToArray(array, channel);
	}
	return array;
}

static char *report(const struct made_run *run, uint32_t self)
{
	cJSON *json = cJSON_CreateObject(), *object;
	double output = (double)run->output;
	char *text;

	cJSON_AddStringToObject(json, "t", "report");
	cJSON_AddNumberToObject(json, "party", self);
	cJSON_AddItemToObject(json, "measured", measured(run, self));
	object = cJSON_AddObjectToObject(json, "phases_ns");
	cJSON_AddNumberToObject(object, "open", 1200000);
	object = cJSON_AddObjectToObject(json, "output");
	cJSON_AddItemToObject(object, "values", cJSON_CreateDoubleArray(&output, 1));
	cJSON_AddNumberToObject(object, "attempts", 1);
	object = cJSON_AddObjectToObject(json, "process");
	cJSON_AddNumberToObject(object, "cpu_user_ns", 7000000);
	cJSON_AddNumberToObject(object, "cpu_sys_ns", 3000000);
	cJSON_AddNumberToObject(object, "rss_max_bytes", 9000000);
	cJSON_AddNumberToObject(object, "runqueue_ns", 1000);
	object = cJSON_AddObjectToObject(json, "facts");
	cJSON_AddStringToObject(object, "congestion_control", "cubic");
	cJSON_AddItemToObject(json, "channels", channels(run, self));
	text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	return text;
}

void made_run_play(struct made_run *run)
{
	for (uint32_t p = 0; p < run->n_parties; p++) {
		snprintf(run->hosts[p], sizeof(run->hosts[p]), "host%u", p);
		run->reports[p] = report(run, p);
		for (uint32_t to = 0; to < run->n_parties; to++)
			run->delays[p][to] = p == to ? 0 : run->one_way_ns;
	}
}

void made_run_forget(struct made_run *run)
{
	for (uint32_t p = 0; p < run->n_parties; p++)
		free(run->reports[p]);
}

struct result_block made_run_block(
    const struct made_run *run, const char *transport, const char *workload)
{
	struct result_block block = {.cell = {.transport = transport,
					 .workload = workload,
					 .size = "low",
					 .parties = run->n_parties},
	    .status = CELL_OK,
	    .one_way_ns = run->delays,
	    .delay_scale = 1,
	    .shares_clock = 1};

	for (enum life_phase at = 0; at < LIFE_PHASE_COUNT; at++)
		block.phases_ns[at] = NS_PER_MS;
	for (uint32_t p = 0; p < run->n_parties; p++) {
		block.parties[p] = (struct result_party){.host = run->hosts[p],
		    .outcome = "ok",
		    .report = run->reports[p],
		    .report_bytes = strlen(run->reports[p])};
	}
	return block;
}

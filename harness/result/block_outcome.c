/* SPDX-License-Identifier: MIT */
#include "harness/result/block_outcome.h"

#include "harness/measure/taint.h"
#include "harness/result/clean_text.h"
#include "harness/result/critical_path.h"
#include "harness/result/network_floor.h"
#include "harness/result/party_report.h"
#include "harness/result/wire_counters.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

struct reading {
	const struct result_block *block;
	struct block_outcome *out;
	struct party_report reports[NETWORK_PARTIES_MAX]; /* zeroed if not read */
	uint32_t n_read;
	struct wire_counters wire;
	int has_wire;
	cJSON *taints;
};

/* The first thing that is wrong is the one that counts. `host`: NULL if `why` says it. */
static void fail(struct reading *reading, const char *host, const char *why)
{
	char sentence[ERROR_TEXT_BYTES + 256];

	if (reading->out->status != CELL_OK)
		return;
	snprintf(sentence, sizeof(sentence), "%s%s%s", host == NULL ? "" : host,
	    host == NULL ? "" : ": ", why);
	clean_text_copy(reading->out->error, sizeof(reading->out->error), sentence);
	reading->out->status = CELL_FAILED;
}

static void add_sentence(cJSON *json, const char *key, const char *sentence)
{
	char clean[ERROR_TEXT_BYTES];

	if (sentence == NULL || sentence[0] == '\0')
		cJSON_AddNullToObject(json, key);
	else
		cJSON_AddStringToObject(
		    json, key, clean_text_copy(clean, sizeof(clean), sentence));
}

/* Its own sentence tells more than what is missing. */
static void fail_party(
    struct reading *reading, const struct result_party *party, const char *why)
{
	char with_outcome[ERROR_TEXT_BYTES + 64];

	if (party->error != NULL) {
		fail(reading, NULL, party->error);
		return;
	}
	snprintf(with_outcome, sizeof(with_outcome), "%s%s%s",
	    strcmp(party->outcome, "ok") == 0 || why == party->outcome ? ""
								       : party->outcome,
	    strcmp(party->outcome, "ok") == 0 || why == party->outcome ? "" : ", ", why);
	fail(reading, party->host, with_outcome);
}

static void add_party(struct reading *reading, cJSON *hosts, uint32_t p)
{
	const struct result_party *party = &reading->block->parties[p];
	struct party_report *report = &reading->reports[p];
	struct error err = {0};
	cJSON *json;
	int rc = -ENOENT;

	if (party->host == NULL) {
		fail(reading, NULL, "a party without a host");
		return;
	}
	json = cJSON_AddObjectToObject(hosts, party->host);
	if (party->report != NULL)
		rc = party_report_read(party->report, party->report_bytes, p,
		    reading->block->cell.parties, report, &err);
	cJSON_AddNumberToObject(json, "party", p);
	cJSON_AddStringToObject(json, "outcome", party->outcome);
	add_sentence(json, "error",
	    party->error != NULL || party->report == NULL ? party->error : err.text);
	if (rc < 0) {
		cJSON_AddNullToObject(json, "report");
		fail_party(
		    reading, party, party->report == NULL ? "no report came" : err.text);
		return;
	}
	if (strcmp(party->outcome, "ok") != 0)
		fail_party(reading, party, party->outcome);
	cJSON_AddItemToObject(json, "report", report->json);
	report->json = NULL;
	reading->n_read++;
}

/* What a party learned is the same at all parties. */
static void compare_outputs(struct reading *reading)
{
	const struct party_report *first = &reading->reports[0];

	for (uint32_t p = 1; p < reading->block->cell.parties; p++) {
		const struct party_report *report = &reading->reports[p];

		if (report->has_output != first->has_output ||
		    strcmp(report->output_sha256, first->output_sha256) != 0)
			fail(reading, reading->block->parties[p].host,
			    "its output is not that of the first party");
	}
}

/* Sum of the life phases [from, to] that were reached; unknown if `to` was not. */
static int64_t span_ns(
    const struct result_block *block, enum life_phase from, enum life_phase to)
{
	int64_t sum = 0;

	if (block->phases_ns[to] == LIFE_NOT_REACHED)
		return FIGURE_UNKNOWN;
	for (enum life_phase at = from; at <= to; at++)
		if (block->phases_ns[at] != LIFE_NOT_REACHED)
			sum += (int64_t)block->phases_ns[at];
	return sum;
}

static void sum_up_reports(struct reading *reading, struct block_figures *figures)
{
	for (uint32_t p = 0; p < reading->block->cell.parties; p++) {
		const struct party_report *report = &reading->reports[p];

		if (figures->wall_ns < (int64_t)report->wall_ns)
			figures->wall_ns = (int64_t)report->wall_ns;
		if (figures->rounds < (int64_t)report->rounds)
			figures->rounds = (int64_t)report->rounds;
		if (figures->rss_max_bytes < (int64_t)report->rss_max_bytes)
			figures->rss_max_bytes = (int64_t)report->rss_max_bytes;
		if (report->has_output && figures->attempts < (int64_t)report->attempts)
			figures->attempts = (int64_t)report->attempts;
		figures->messages += (int64_t)report->messages_out;
		figures->app_bytes += (int64_t)report->app_bytes_out;
		figures->retransmits += (int64_t)report->retransmits;
		figures->cpu_ns += (int64_t)report->cpu_ns;
		phase_figures_add(&figures->phases, &report->phases);
		histogram_merge(reading->out->round_ns, report->round_ns);
	}
}

/* Traces of all parties side by side; 0 if one is missing. */
static int collect_traces(
    const struct reading *reading, struct trace_rounds *traces, uint64_t *ended_ns)
{
	for (uint32_t p = 0; p < reading->block->cell.parties; p++) {
		const struct party_report *report = &reading->reports[p];

		if (!report->has_trace)
			return 0;
		traces[p] = report->trace;
		ended_ns[p] = report->trace.began_ns + report->wall_ns;
	}
	return 1;
}

static void split_by_path(const struct reading *reading,
    const struct trace_rounds *traces, const uint64_t *ended_ns,
    struct block_figures *figures)
{
	struct critical_path path;

	if (critical_path(reading->block->cell.parties, traces, ended_ns,
		reading->block->one_way_ns, &path) < 0)
		return;
	figures->wall_ns = path.wall_ns;
	figures->parts = (struct decomposition){.method = "critical_path",
	    .latency_ns = path.latency_ns,
	    .transfer_ns = path.transfer_ns,
	    .compute_ns = path.compute_ns,
	    .rest_ns = path.rest_ns};
}

/* Without a common clock: what the network floor grows by with work, and with bytes. */
static void split_by_replay(struct network_model *model,
    const struct trace_rounds *traces, const uint64_t *ended_ns, uint64_t rate_bps,
    struct block_figures *figures)
{
	uint64_t floor_ns = (uint64_t)figures->network_floor_ns, work_ns, all_ns;

	model->ended_ns = ended_ns;
	if (network_floor(model, traces, &work_ns) < 0)
		return;
	model->rate_bps = rate_bps;
	if (network_floor(model, traces, &all_ns) < 0)
		return;
	figures->parts = (struct decomposition){.method = "replay",
	    .latency_ns = (int64_t)floor_ns,
	    .transfer_ns = (int64_t)(all_ns - work_ns),
	    .compute_ns = (int64_t)(work_ns - floor_ns),
	    .rest_ns = figures->wall_ns - (int64_t)all_ns};
}

static void decompose(struct reading *reading, struct block_figures *figures)
{
	const struct result_block *block = reading->block;
	struct trace_rounds traces[NETWORK_PARTIES_MAX];
	uint64_t ended_ns[NETWORK_PARTIES_MAX], floor_ns;
	struct network_model model = {
	    .n_parties = block->cell.parties, .one_way_ns = block->one_way_ns};

	if (block->one_way_ns == NULL || !collect_traces(reading, traces, ended_ns) ||
	    network_floor(&model, traces, &floor_ns) < 0)
		return;
	figures->network_floor_ns = (int64_t)floor_ns;
	if (block->shares_clock)
		split_by_path(reading, traces, ended_ns, figures);
	if (figures->parts.method == NULL)
		split_by_replay(&model, traces, ended_ns, block->rate_bps, figures);
}

/* Asymmetric delays cost the mean of both directions when a protocol goes back and
 * forth. */
static int64_t longest_one_way_ns(const struct result_block *block)
{
	uint64_t longest_rtt_ns = 0;

	if (block->one_way_ns == NULL)
		return FIGURE_UNKNOWN;
	for (uint32_t a = 0; a < block->cell.parties; a++)
		for (uint32_t b = 0; b < a; b++) {
			uint64_t rtt_ns =
			    block->one_way_ns[a][b] + block->one_way_ns[b][a];

			longest_rtt_ns =
			    rtt_ns > longest_rtt_ns ? rtt_ns : longest_rtt_ns;
		}
	return (int64_t)(longest_rtt_ns / 2);
}

static void read_figures(struct reading *reading)
{
	struct block_figures *figures = &reading->out->figures;

	*figures = (struct block_figures){.attempts = FIGURE_UNKNOWN,
	    .wire_bytes = FIGURE_UNKNOWN,
	    .wire_packets = FIGURE_UNKNOWN,
	    .network_floor_ns = FIGURE_UNKNOWN,
	    .longest_one_way_ns = longest_one_way_ns(reading->block),
	    .delay_scale = reading->block->delay_scale,
	    .setup_ns = span_ns(reading->block, LIFE_PREPARE, LIFE_OPEN),
	    .teardown_ns = span_ns(reading->block, LIFE_CLOSE, LIFE_FINALISE)};
	sum_up_reports(reading, figures);
	if (reading->has_wire) {
		figures->wire_bytes = (int64_t)reading->wire.bytes;
		figures->wire_packets = (int64_t)reading->wire.packets;
	}
	decompose(reading, figures);
}

static void taint_party(struct reading *reading, uint32_t p)
{
	const struct party_report *report = &reading->reports[p];
	uint64_t probes = report->probes_answered + report->probes_lost;
	const char *host = reading->block->parties[p].host;

	pressure_party_taint(reading->taints, report->runqueue_ns, report->wall_ns, host);
	if (probes > 0 && !reading->block->is_lossy)
		taint_check(reading->taints, TAINT_PROBES_LOST,
		    (double)report->probes_lost / (double)probes, host);
}

static void taint(struct reading *reading)
{
	const struct result_block *block = reading->block;
	const struct block_figures *figures = &reading->out->figures;

	if (block->pressure != NULL)
		pressure_taints(reading->taints, block->pressure, NULL);
	if (reading->has_wire)
		wire_counters_taints(reading->taints, &reading->wire);
	for (uint32_t p = 0; p < block->cell.parties; p++)
		if (reading->n_read == block->cell.parties)
			taint_party(reading, p);
	if (reading->n_read == block->cell.parties && reading->has_wire &&
	    reading->wire.packets > 0 && !block->is_lossy)
		taint_check(reading->taints, TAINT_RETRANSMITS,
		    (double)figures->retransmits / (double)figures->wire_packets, NULL);
	reading->out->n_taints = (uint32_t)cJSON_GetArraySize(reading->taints);
	reading->out->figures.is_tainted = reading->out->n_taints > 0;
}

static void add_life(cJSON *json, const struct result_block *block)
{
	cJSON *phases = cJSON_AddObjectToObject(json, "phases_ns");

	for (enum life_phase at = 0; at < LIFE_PHASE_COUNT; at++)
		if (block->phases_ns[at] == LIFE_NOT_REACHED)
			cJSON_AddNullToObject(phases, life_phase_text(at));
		else
			cJSON_AddNumberToObject(
			    phases, life_phase_text(at), (double)block->phases_ns[at]);
}

static void add_figure(cJSON *json, const char *key, int64_t value)
{
	if (value == FIGURE_UNKNOWN)
		cJSON_AddNullToObject(json, key);
	else
		cJSON_AddNumberToObject(json, key, (double)value);
}

static void add_figures(cJSON *json, const struct reading *reading)
{
	const struct block_figures *figures = &reading->out->figures;
	double efficiency = block_figures_efficiency(figures);
	cJSON *object;

	if (reading->n_read < reading->block->cell.parties) {
		cJSON_AddNullToObject(json, "figures");
		return;
	}
	object = cJSON_AddObjectToObject(json, "figures");
#define ADD(field) add_figure(object, #field, figures->field);
	BLOCK_FIGURES(ADD)
#undef ADD
	if (efficiency < 0)
		cJSON_AddNullToObject(object, "network_efficiency");
	else
		cJSON_AddNumberToObject(object, "network_efficiency", efficiency);
	cJSON_AddItemToObject(
	    object, "decomposition", decomposition_json(&figures->parts));
	cJSON_AddItemToObject(object, "phases", phase_figures_json(&figures->phases));
}

static cJSON *wire_json(const struct reading *reading)
{
	const struct result_block *block = reading->block;

	if (!reading->has_wire)
		return cJSON_CreateNull();
	return wire_counters_json(
	    &reading->wire, block->wire_before, block->wire_after, block->cell.parties);
}

static cJSON *block_json(struct reading *reading, cJSON *hosts)
{
	const struct result_block *block = reading->block;
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "index", block->index);
	cJSON_AddNumberToObject(json, "attempt", block->attempt);
	cJSON_AddNumberToObject(json, "position", block->position);
	cJSON_AddNumberToObject(json, "delay_scale", block->delay_scale);
	cJSON_AddStringToObject(json, "status", cell_status_text(reading->out->status));
	add_sentence(json, "error", reading->out->error);
	add_life(json, block);
	add_figures(json, reading);
	cJSON_AddItemToObject(json, "hosts", hosts);
	cJSON_AddItemToObject(json, "wire", wire_json(reading));
	cJSON_AddItemToObject(json, "pressure",
	    block->pressure == NULL ? cJSON_CreateNull()
				    : pressure_json(block->pressure));
	cJSON_AddItemToObject(json, "taints", reading->taints);
	return json;
}

int block_outcome_make(const struct result_block *block, struct block_outcome *out)
{
	struct reading reading = {.block = block,
	    .out = out,
	    .taints = block->taints != NULL ? block->taints : cJSON_CreateArray()};
	cJSON *hosts = cJSON_CreateObject();

	*out = (struct block_outcome){.status = block->status, .attempt = block->attempt};
	if (block->error != NULL)
		clean_text_copy(out->error, sizeof(out->error), block->error);
	out->round_ns = histogram_create();
	for (uint32_t p = 0; p < block->cell.parties; p++)
		add_party(&reading, hosts, p);
	if (block->wire_before != NULL && block->wire_after != NULL) {
		wire_counters_between(block->wire_before, block->wire_after,
		    block->cell.parties, &reading.wire);
		reading.has_wire = 1;
	}
	if (reading.n_read == block->cell.parties && out->round_ns != NULL) {
		compare_outputs(&reading);
		read_figures(&reading);
	}
	taint(&reading);
	out->json = block_json(&reading, hosts);
	for (uint32_t p = 0; p < block->cell.parties; p++)
		party_report_finish(&reading.reports[p]);
	wire_counters_finish(&reading.wire);
	if (out->json != NULL && out->round_ns != NULL)
		return 0;
	block_outcome_finish(out);
	return -ENOMEM;
}

void block_outcome_finish(struct block_outcome *out)
{
	cJSON_Delete(out->json);
	histogram_destroy(out->round_ns);
	out->json = NULL;
	out->round_ns = NULL;
}

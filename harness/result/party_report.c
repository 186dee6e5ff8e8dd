/* SPDX-License-Identifier: MIT */
#include "harness/result/party_report.h"

#include "base/bytes.h"
#include "engine/workload.h"
#include "harness/measure/histogram_json.h"
#include "harness/result/json_shape.h"
#include "harness/result/result.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES     256u
#define FACTS_MAX      64u
#define LANES_MAX      64u
#define HISTOGRAMS_MAX ((RECORDER_PHASES_MAX + 1) * (NETWORK_PARTIES_MAX + 1))
#define TRACE_CHARS    (12u << 20)

#define COUNT(name)                                                                      \
	{                                                                                \
		.key = name, .kind = SHAPE_COUNT                                         \
	}
#define TEXT(name, n)                                                                    \
	{                                                                                \
		.key = name, .kind = SHAPE_TEXT, .max = n                                \
	}
/* A figure that a transport may not know. */
#define MAYBE(name)                                                                      \
	{                                                                                \
		.key = name, .kind = SHAPE_COUNT,                                        \
		.flags = SHAPE_OPTIONAL | SHAPE_NULLABLE                                 \
	}
#define TRAFFIC                                                                          \
	COUNT("messages_out"), COUNT("messages_in"), COUNT("app_bytes_out"),             \
	    COUNT("app_bytes_in")
#define TIMES                                                                            \
	COUNT("rounds"), TRAFFIC, COUNT("wall_ns"), COUNT("waiting_ns"),                 \
	    COUNT("compute_ns")
#define NOTHING                                                                          \
	{                                                                                \
		.key = NULL                                                              \
	}

static const struct shape any_count = {.kind = SHAPE_COUNT};
static const struct shape any_integer = {.kind = SHAPE_INTEGER};
static const struct shape any_text = {.kind = SHAPE_TEXT, .max = TEXT_BYTES};

static const struct shape phase_keys[] = {
    TEXT("name", RECORDER_NAME_BYTES - 1), TIMES, MAYBE("cpu_ns"), NOTHING};
static const struct shape phase = {.kind = SHAPE_OBJECT, .inner = phase_keys};
static const struct shape pair_keys[] = {
    COUNT("peer"), TRAFFIC, COUNT("probes_lost"), NOTHING};
static const struct shape pair = {.kind = SHAPE_OBJECT, .inner = pair_keys};
static const struct shape histogram_keys[] = {TEXT("metric", 31), TEXT("loop", 7),
    {.key = "from", .kind = SHAPE_COUNT, .flags = SHAPE_NULLABLE},
    {.key = "to", .kind = SHAPE_COUNT, .flags = SHAPE_NULLABLE},
    {.key = "phase",
	.kind = SHAPE_TEXT,
	.flags = SHAPE_NULLABLE,
	.max = RECORDER_NAME_BYTES - 1},
    TEXT("unit", 2), COUNT("count"), COUNT("overflow"), COUNT("min"), COUNT("max"),
    COUNT("mean"), COUNT("sum"), COUNT("p50"), COUNT("p90"), COUNT("p99"), COUNT("p999"),
    TEXT("encoding", 31), TEXT("data", 1u << 20), NOTHING};
static const struct shape histogram = {.kind = SHAPE_OBJECT, .inner = histogram_keys};
static const struct shape measured_keys[] = {COUNT("party"), COUNT("parties"), TIMES,
    {.key = "phases", .kind = SHAPE_ARRAY, .max = RECORDER_PHASES_MAX, .inner = &phase},
    {.key = "pairs", .kind = SHAPE_ARRAY, .max = NETWORK_PARTIES_MAX, .inner = &pair},
    {.key = "histograms",
	.kind = SHAPE_ARRAY,
	.max = HISTOGRAMS_MAX,
	.inner = &histogram},
    {.key = "trace", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE, .max = TRACE_CHARS},
    NOTHING};
static const struct shape output_keys[] = {{.key = "values",
					       .kind = SHAPE_ARRAY,
					       .max = WORKLOAD_OUTPUTS_MAX,
					       .inner = &any_integer},
    COUNT("attempts"), NOTHING};
static const struct shape process_keys[] = {COUNT("cpu_user_ns"), COUNT("cpu_sys_ns"),
    COUNT("rss_max_bytes"), MAYBE("helpers_cpu_ns"), MAYBE("runqueue_ns"),
    MAYBE("context_switches"), NOTHING};
static const struct shape channel_keys[] = {COUNT("peer"), MAYBE("lane"),
    MAYBE("wire_bytes_sent"), MAYBE("wire_bytes_received"), MAYBE("retransmits"),
    MAYBE("rtt_ns"), MAYBE("queued_bytes"), MAYBE("refusals"), MAYBE("blocked_ns"),
    NOTHING};
static const struct shape channel = {.kind = SHAPE_OBJECT, .inner = channel_keys};
static const struct shape report_keys[] = {TEXT("t", 16), COUNT("party"),
    {.key = "measured", .kind = SHAPE_OBJECT, .inner = measured_keys},
    {.key = "phases_ns",
	.kind = SHAPE_MAP,
	.flags = SHAPE_OPTIONAL,
	.max = LIFE_PHASE_COUNT,
	.inner = &any_count},
    {.key = "output",
	.kind = SHAPE_OBJECT,
	.flags = SHAPE_OPTIONAL | SHAPE_NULLABLE,
	.inner = output_keys},
    {.key = "process", .kind = SHAPE_OBJECT, .inner = process_keys},
    {.key = "facts",
	.kind = SHAPE_MAP,
	.flags = SHAPE_OPTIONAL,
	.max = FACTS_MAX,
	.inner = &any_text},
    {.key = "channels",
	.kind = SHAPE_ARRAY,
	.flags = SHAPE_OPTIONAL,
	.max = NETWORK_PARTIES_MAX * LANES_MAX,
	.inner = &channel},
    NOTHING};
static const struct shape report_shape = {.kind = SHAPE_OBJECT, .inner = report_keys};

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Of a key whose shape has been checked; 0 when it is absent or null. */
static uint64_t count(const cJSON *object, const char *key)
{
	const cJSON *found = item(object, key);

	return cJSON_IsNumber(found) ? (uint64_t)found->valuedouble : 0;
}

/* A party number or null. */
static int party_or_none(const cJSON *object, const char *key)
{
	return cJSON_IsNull(item(object, key)) ? HISTOGRAM_NO_PARTY
					       : (int)item(object, key)->valuedouble;
}

/* Whether the label is one that party `self` can use. */
static int is_own_label(const cJSON *json, int self, int n_parties)
{
	const char *metric = item(json, "metric")->valuestring;
	const char *loop = item(json, "loop")->valuestring;
	int from = party_or_none(json, "from"), to = party_or_none(json, "to");
	int has_phase = !cJSON_IsNull(item(json, "phase"));

	if (strcmp(item(json, "unit")->valuestring, "ns") != 0 || from >= n_parties ||
	    to >= n_parties || from == to)
		return 0;
	if (strcmp(metric, "round_ns") == 0)
		return strcmp(loop, "closed") == 0 && from == HISTOGRAM_NO_PARTY &&
		       to == self && has_phase;
	if (strcmp(metric, "arrival_ns") == 0)
		return strcmp(loop, "closed") == 0 && from != HISTOGRAM_NO_PARTY &&
		       to == self && has_phase;
	return strcmp(metric, "probe_rtt_ns") == 0 && strcmp(loop, "open") == 0 &&
	       from == self && to != HISTOGRAM_NO_PARTY && !has_phase;
}

static int read_histograms(struct party_report *report, const cJSON *measured, int self,
    int n_parties, struct error *err)
{
	struct histogram *h = histogram_create();
	const cJSON *json;
	int rc = 0, n = 0;

	report->round_ns = histogram_create();
	if (h == NULL || report->round_ns == NULL)
		rc = error_set(err, -ENOMEM, "out of memory");
	cJSON_ArrayForEach(json, item(measured, "histograms"))
	{
		if (rc < 0)
			break;
		if (!is_own_label(json, self, n_parties))
			rc = error_set(err, -EINVAL, "not a figure of this party");
		else
			rc = histogram_from_json(h, json, err);
		if (rc < 0)
			error_wrap(err, "/measured/histograms/%d", n);
		else if (strcmp(item(json, "metric")->valuestring, "round_ns") == 0)
			histogram_merge(report->round_ns, h);
		else if (strcmp(item(json, "metric")->valuestring, "probe_rtt_ns") == 0)
			report->probes_answered += h->total;
		n++;
	}
	histogram_destroy(h);
	if (rc == 0 && report->round_ns->total != report->rounds)
		rc = error_set(
		    err, -EINVAL, "/measured/rounds: not the rounds of the histograms");
	return rc;
}

static int check_peers(const cJSON *array, const char *path, uint32_t self,
    uint32_t n_parties, struct error *err)
{
	const cJSON *json;

	cJSON_ArrayForEach(json, array)
	{
		uint64_t peer = count(json, "peer");

		if (peer >= n_parties || peer == self)
			return error_set(err, -EINVAL, "%s: there is no peer %llu", path,
			    (unsigned long long)peer);
	}
	return 0;
}

static int check_life_phases(const cJSON *map, struct error *err)
{
	const cJSON *json;

	cJSON_ArrayForEach(json, map)
	{
		enum life_phase at = 0;

		while (at < LIFE_PHASE_COUNT &&
		       strcmp(life_phase_text(at), json->string) != 0)
			at++;
		if (at == LIFE_PHASE_COUNT)
			return error_set(
			    err, -EINVAL, "/phases_ns/%s: unknown key", json->string);
	}
	return 0;
}

static int read_trace(struct party_report *report, const cJSON *measured, uint32_t self,
    uint32_t n_parties, struct error *err)
{
	const char *text = cJSON_GetStringValue(item(measured, "trace"));
	int rc;

	if (text == NULL)
		return 0;
	rc = trace_decode(text, self, n_parties, &report->trace, err);
	report->has_trace = rc == 0;
	if (rc == 0 && report->trace.n_rounds != report->rounds)
		rc = error_set(err, -EINVAL, "%u rounds in it, %llu were run",
		    report->trace.n_rounds, (unsigned long long)report->rounds);
	if (rc < 0)
		error_wrap(err, "/measured/trace");
	return rc;
}

/* Replace the values by their number and hash: equal at all parties, and long. */
static int read_output(struct party_report *report, cJSON *output, struct error *err)
{
	unsigned char digest[32];
	EVP_MD_CTX *sha256;
	cJSON *values, *json;
	int n;

	if (!cJSON_IsObject(output))
		return 0;
	sha256 = EVP_MD_CTX_new();
	if (sha256 == NULL || EVP_DigestInit_ex(sha256, EVP_sha256(), NULL) != 1)
		return error_set(err, -ENOMEM, "out of memory");
	values = cJSON_DetachItemFromObjectCaseSensitive(output, "values");
	n = cJSON_GetArraySize(values);
	cJSON_ArrayForEach(json, values)
	{
		char line[32];
		int len = snprintf(line, sizeof(line), "%.0f\n", json->valuedouble);

		EVP_DigestUpdate(sha256, line, (size_t)len);
	}
	EVP_DigestFinal_ex(sha256, digest, NULL);
	EVP_MD_CTX_free(sha256);
	cJSON_Delete(values);
	bytes_to_hex(report->output_sha256, digest, sizeof(digest));
	cJSON_AddNumberToObject(output, "n_values", n);
	cJSON_AddStringToObject(output, "sha256", report->output_sha256);
	report->attempts = (uint32_t)count(output, "attempts");
	report->has_output = 1;
	return 0;
}

static void read_figures(struct party_report *report, const cJSON *json)
{
	const cJSON *measured = item(json, "measured"), *process = item(json, "process");
	const cJSON *at;

	phase_figures_read(&report->phases, item(measured, "phases"));
	report->rounds = count(measured, "rounds");
	report->messages_out = count(measured, "messages_out");
	report->app_bytes_out = count(measured, "app_bytes_out");
	report->wall_ns = count(measured, "wall_ns");
	report->compute_ns = count(measured, "compute_ns");
	report->cpu_ns = count(process, "cpu_user_ns") + count(process, "cpu_sys_ns") +
			 count(process, "helpers_cpu_ns");
	report->runqueue_ns = count(process, "runqueue_ns");
	report->rss_max_bytes = count(process, "rss_max_bytes");
	cJSON_ArrayForEach(at, item(json, "channels")) report->retransmits +=
	    count(at, "retransmits");
	cJSON_ArrayForEach(at, item(measured, "pairs")) report->probes_lost +=
	    count(at, "probes_lost");
}

static int read_report(
    struct party_report *report, uint32_t self, uint32_t n_parties, struct error *err)
{
	cJSON *json = report->json;
	const cJSON *measured;
	int rc = json_shape_check(json, &report_shape, err);

	if (rc < 0)
		return rc;
	measured = item(json, "measured");
	if (strcmp(item(json, "t")->valuestring, "report") != 0 ||
	    count(json, "party") != self || count(measured, "party") != self ||
	    count(measured, "parties") != n_parties)
		return error_set(
		    err, -EINVAL, "not the report of party %u of %u", self, n_parties);
	read_figures(report, json);
	rc = check_life_phases(item(json, "phases_ns"), err);
	if (rc == 0)
		rc = check_peers(
		    item(measured, "pairs"), "/measured/pairs", self, n_parties, err);
	if (rc == 0)
		rc = check_peers(
		    item(json, "channels"), "/channels", self, n_parties, err);
	if (rc == 0)
		rc = read_histograms(report, measured, (int)self, (int)n_parties, err);
	if (rc == 0)
		rc = read_trace(report, measured, self, n_parties, err);
	if (rc == 0)
		rc = read_output(
		    report, cJSON_GetObjectItemCaseSensitive(json, "output"), err);
	if (rc < 0)
		return rc;
	cJSON_DeleteItemFromObjectCaseSensitive(json, "t");
	cJSON_DeleteItemFromObjectCaseSensitive(json, "party");
	return 0;
}

int party_report_read(const char *line, size_t line_bytes, uint32_t party,
    uint32_t n_parties, struct party_report *out, struct error *err)
{
	struct party_report report = {0};
	int rc;

	if (line_bytes > PARTY_REPORT_BYTES_MAX)
		return error_set(
		    err, -EINVAL, "report: longer than %u bytes", PARTY_REPORT_BYTES_MAX);
	report.json = cJSON_ParseWithLength(line, line_bytes);
	if (report.json == NULL)
		return error_set(err, -EINVAL, "report: not JSON");
	rc = read_report(&report, party, n_parties, err);
	if (rc < 0) {
		error_wrap(err, "report");
		party_report_finish(&report);
		return rc;
	}
	*out = report;
	return 0;
}

void party_report_finish(struct party_report *report)
{
	cJSON_Delete(report->json);
	histogram_destroy(report->round_ns);
	free(report->trace.rounds);
	*report = (struct party_report){0};
}

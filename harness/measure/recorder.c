/* SPDX-License-Identifier: MIT */
#include "harness/measure/recorder.h"

#include "base/histogram.h"
#include "harness/measure/histogram_json.h"
#include "harness/measure/late_counts.h"
#include "harness/measure/trace.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED_A_CALL 64u /* rounds: microseconds */

struct traffic {
	uint64_t messages_out, messages_in;
	uint64_t bytes_out, bytes_in;
};

struct phase {
	char name[RECORDER_NAME_BYTES];
	uint64_t rounds;
	uint64_t wall_ns, waiting_ns, cpu_ns;
	struct traffic traffic;
	struct histogram *round_ns;                        /* NULL = no round yet */
	struct histogram *arrival_ns[NETWORK_PARTIES_MAX]; /* NULL = none came yet */
};

struct recorder {
	uint32_t self, n_parties;
	struct phase phases[RECORDER_PHASES_MAX];
	uint32_t n_phases;
	struct phase *current; /* NULL before the first and after the last */
	uint64_t entered_ns;   /* current */
	uint64_t cpu_ns;       /* as last told; 0 = never */
	struct traffic pairs[NETWORK_PARTIES_MAX];
	struct histogram *probe_ns[NETWORK_PARTIES_MAX];
	uint64_t probes_lost[NETWORK_PARTIES_MAX];
	struct trace trace;
	struct late_counts late; /* a round: of each peer, [self] of all, its phase */
	int is_out_of_memory;
};

int recorder_create(
    uint32_t self, uint32_t n_parties, struct recorder **out, struct error *err)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return error_set(err, -ENOMEM, "recorder: out of memory");
	r->self = self;
	r->n_parties = n_parties;
	trace_init(&r->trace);
	if (late_counts_init(&r->late, n_parties + 1) < 0) {
		recorder_destroy(r);
		return error_set(err, -ENOMEM, "recorder: out of memory");
	}
	*out = r;
	return 0;
}

void recorder_destroy(struct recorder *r)
{
	if (r == NULL)
		return;
	for (uint32_t i = 0; i < r->n_phases; i++) {
		histogram_destroy(r->phases[i].round_ns);
		for (uint32_t p = 0; p < r->n_parties; p++)
			histogram_destroy(r->phases[i].arrival_ns[p]);
	}
	for (uint32_t p = 0; p < r->n_parties; p++)
		histogram_destroy(r->probe_ns[p]);
	trace_finish(&r->trace);
	late_counts_finish(&r->late);
	free(r);
}

static void record(struct recorder *r, struct histogram **h, uint64_t value_ns)
{
	if (*h == NULL)
		*h = histogram_create();
	if (*h == NULL)
		r->is_out_of_memory = 1;
	else
		histogram_record(*h, value_ns);
}

static struct phase *add_phase(struct recorder *r, const char *name)
{
	struct phase *phase = &r->phases[r->n_phases++];

	snprintf(phase->name, sizeof(phase->name), "%s", name);
	return phase;
}

static struct phase *phase_named(struct recorder *r, const char *name)
{
	for (uint32_t i = 0; i < r->n_phases; i++)
		if (strncmp(r->phases[i].name, name, RECORDER_NAME_BYTES - 1) == 0)
			return &r->phases[i];
	if (r->n_phases < RECORDER_PHASES_MAX - 1)
		return add_phase(r, name);
	if (r->n_phases < RECORDER_PHASES_MAX)
		return add_phase(r, "other");
	return &r->phases[RECORDER_PHASES_MAX - 1];
}

static int count_oldest(struct recorder *r)
{
	const uint64_t *values = late_counts_take(&r->late);
	struct phase *phase;

	if (values == NULL)
		return 0;
	phase = &r->phases[values[r->n_parties]];
	for (uint32_t p = 0; p < r->n_parties; p++)
		if (values[p] != LATE_NONE)
			record(r, p == r->self ? &phase->round_ns : &phase->arrival_ns[p],
			    values[p]);
	return 1;
}

void recorder_settle(struct recorder *r)
{
	for (uint32_t i = 0; i < SETTLED_A_CALL && count_oldest(r); i++)
		;
}

static void leave_phase(struct recorder *r, uint64_t now_ns)
{
	if (r->current != NULL && now_ns > r->entered_ns)
		r->current->wall_ns += now_ns - r->entered_ns;
	r->current = NULL;
}

void recorder_finish(struct recorder *r, uint64_t now_ns)
{
	leave_phase(r, now_ns);
	while (count_oldest(r))
		;
}

void recorder_cpu(struct recorder *r, uint64_t cpu_ns)
{
	if (r->current != NULL && r->cpu_ns != 0 && cpu_ns > r->cpu_ns)
		r->current->cpu_ns += cpu_ns - r->cpu_ns;
	r->cpu_ns = cpu_ns;
}

void recorder_phase(struct recorder *r, const char *name, uint64_t now_ns)
{
	leave_phase(r, now_ns);
	if (r->n_phases == 0 && trace_begin(&r->trace, now_ns) < 0)
		r->is_out_of_memory = 1;
	r->current = phase_named(r, name);
	r->entered_ns = now_ns;
}

static void count_traffic(
    struct traffic *traffic, const struct recorder_round *round, uint32_t peer)
{
	traffic->messages_out += round->bytes_out[peer] != 0;
	traffic->messages_in += round->bytes_in[peer] != 0;
	traffic->bytes_out += round->bytes_out[peer];
	traffic->bytes_in += round->bytes_in[peer];
}

/* Closed loop; LATE_NONE if the message was not here at the end, or none was due. */
static uint64_t arrival_ns(const struct recorder_round *round, uint32_t peer)
{
	uint64_t arrived_ns = round->arrived_ns[peer];

	if (arrived_ns == 0 || arrived_ns > round->ended_ns || round->bytes_in[peer] == 0)
		return LATE_NONE;
	return arrived_ns > round->started_ns ? arrived_ns - round->started_ns : 0;
}

static void keep_durations(struct recorder *r, const struct recorder_round *round)
{
	uint64_t *values = late_counts_add(&r->late);

	if (values == NULL) {
		count_oldest(r);
		values = late_counts_add(&r->late);
	}
	for (uint32_t p = 0; p < r->n_parties; p++)
		values[p] = arrival_ns(round, p);
	values[r->self] = round->ended_ns - round->started_ns;
	values[r->n_parties] = (uint64_t)(r->current - r->phases);
}

void recorder_round(struct recorder *r, const struct recorder_round *round)
{
	struct phase *phase;

	if (r->current == NULL)
		recorder_phase(r, "run", round->started_ns);
	phase = r->current;
	phase->rounds++;
	phase->waiting_ns += round->ended_ns - round->started_ns;
	for (uint32_t p = 0; p < r->n_parties; p++) {
		if (p == r->self)
			continue;
		count_traffic(&phase->traffic, round, p);
		count_traffic(&r->pairs[p], round, p);
	}
	keep_durations(r, round);
	if (trace_add(&r->trace, round, r->n_parties) < 0)
		r->is_out_of_memory = 1;
}

void recorder_probe(
    struct recorder *r, uint32_t peer, uint64_t intended_ns, uint64_t received_ns)
{
	record(r, &r->probe_ns[peer],
	    received_ns > intended_ns ? received_ns - intended_ns : 0);
}

void recorder_probe_lost(struct recorder *r, uint32_t peer)
{
	r->probes_lost[peer]++;
}

static void add_count(cJSON *json, const char *key, uint64_t count)
{
	cJSON_AddNumberToObject(json, key, (double)count);
}

static void add_traffic(cJSON *json, const struct traffic *traffic)
{
	add_count(json, "messages_out", traffic->messages_out);
	add_count(json, "messages_in", traffic->messages_in);
	add_count(json, "app_bytes_out", traffic->bytes_out);
	add_count(json, "app_bytes_in", traffic->bytes_in);
}

static void add_times(cJSON *json, const struct phase *phase)
{
	uint64_t waiting_ns = phase->waiting_ns;

	add_count(json, "rounds", phase->rounds);
	add_traffic(json, &phase->traffic);
	add_count(json, "wall_ns", phase->wall_ns);
	add_count(json, "waiting_ns", waiting_ns);
	add_count(json, "compute_ns",
	    phase->wall_ns > waiting_ns ? phase->wall_ns - waiting_ns : 0);
}

static struct phase sum_of_phases(const struct recorder *r)
{
	struct phase sum = {0};

	for (uint32_t i = 0; i < r->n_phases; i++) {
		const struct phase *phase = &r->phases[i];

		sum.rounds += phase->rounds;
		sum.wall_ns += phase->wall_ns;
		sum.waiting_ns += phase->waiting_ns;
		sum.traffic.messages_out += phase->traffic.messages_out;
		sum.traffic.messages_in += phase->traffic.messages_in;
		sum.traffic.bytes_out += phase->traffic.bytes_out;
		sum.traffic.bytes_in += phase->traffic.bytes_in;
	}
	return sum;
}

static void add_phases(cJSON *json, const struct recorder *r)
{
	cJSON *phases = cJSON_AddArrayToObject(json, "phases");

	for (uint32_t i = 0; i < r->n_phases; i++) {
		cJSON *phase = cJSON_CreateObject();

		cJSON_AddStringToObject(phase, "name", r->phases[i].name);
		add_times(phase, &r->phases[i]);
		if (r->cpu_ns != 0)
			add_count(phase, "cpu_ns", r->phases[i].cpu_ns);
		cJSON_AddItemToArray(phases, phase);
	}
}

static void add_pairs(cJSON *json, const struct recorder *r)
{
	cJSON *pairs = cJSON_AddArrayToObject(json, "pairs");

	for (uint32_t p = 0; p < r->n_parties; p++) {
		cJSON *pair;

		if (p == r->self)
			continue;
		pair = cJSON_CreateObject();
		add_count(pair, "peer", p);
		add_traffic(pair, &r->pairs[p]);
		add_count(pair, "probes_lost", r->probes_lost[p]);
		cJSON_AddItemToArray(pairs, pair);
	}
}

/* -ENOMEM, or 0; an unused histogram is left out. */
static int add_histogram(
    cJSON *array, const struct histogram *h, const struct histogram_label *label)
{
	cJSON *json;

	if (h == NULL)
		return 0;
	json = histogram_to_json(h, label);
	return json != NULL && cJSON_AddItemToArray(array, json) ? 0 : -ENOMEM;
}

static int add_phase_histograms(
    cJSON *array, const struct recorder *r, const struct phase *phase)
{
	struct histogram_label label = {.metric = "round_ns",
	    .loop = "closed",
	    .from = HISTOGRAM_NO_PARTY,
	    .to = (int)r->self,
	    .phase = phase->name};
	int rc = add_histogram(array, phase->round_ns, &label);

	label.metric = "arrival_ns";
	for (uint32_t p = 0; rc == 0 && p < r->n_parties; p++) {
		label.from = (int)p;
		rc = add_histogram(array, phase->arrival_ns[p], &label);
	}
	return rc;
}

static int add_histograms(cJSON *json, const struct recorder *r)
{
	cJSON *array = cJSON_AddArrayToObject(json, "histograms");
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < r->n_phases; i++)
		rc = add_phase_histograms(array, r, &r->phases[i]);
	for (uint32_t p = 0; rc == 0 && p < r->n_parties; p++) {
		struct histogram_label label = {.metric = "probe_rtt_ns",
		    .loop = "open",
		    .from = (int)r->self,
		    .to = (int)p};

		rc = add_histogram(array, r->probe_ns[p], &label);
	}
	return rc;
}

static int add_trace(cJSON *json, const struct trace *trace)
{
	char *text;

	if (!trace->is_whole || trace->len == 0) {
		cJSON_AddNullToObject(json, "trace");
		return 0;
	}
	text = trace_encode(trace);
	if (text == NULL)
		return -ENOMEM;
	cJSON_AddStringToObject(json, "trace", text);
	free(text);
	return 0;
}

cJSON *recorder_json(const struct recorder *r)
{
	struct phase sum = sum_of_phases(r);
	cJSON *json = r->is_out_of_memory ? NULL : cJSON_CreateObject();

	if (json == NULL)
		return NULL;
	add_count(json, "party", r->self);
	add_count(json, "parties", r->n_parties);
	add_times(json, &sum);
	add_phases(json, r);
	add_pairs(json, r);
	if (add_histograms(json, r) < 0 || add_trace(json, &r->trace) < 0) {
		cJSON_Delete(json);
		return NULL;
	}
	return json;
}

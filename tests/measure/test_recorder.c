/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include "harness/measure/histogram_json.h"
#include "harness/measure/late_counts.h"
#include "harness/measure/recorder.h"
#include "harness/measure/trace.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static double number(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

/* The histogram of a metric, from and phase; NULL when it is not there. */
static struct histogram *histogram_of(
    const cJSON *measured, const char *metric, int from, const char *phase)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(measured, "histograms");
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		const cJSON *at = cJSON_GetObjectItemCaseSensitive(item, "from");
		const cJSON *in = cJSON_GetObjectItemCaseSensitive(item, "phase");
		struct histogram *h;

		if (strcmp(cJSON_GetObjectItem(item, "metric")->valuestring, metric) != 0)
			continue;
		if (from == HISTOGRAM_NO_PARTY ? !cJSON_IsNull(at) : at->valueint != from)
			continue;
		if (cJSON_IsNull(in)
			? phase != NULL
			: phase == NULL || strcmp(in->valuestring, phase) != 0)
			continue;
		h = histogram_create();
		assert_int_equal(histogram_from_json(h, item, NULL), 0);
		return h;
	}
	return NULL;
}

/* 17 rounds of 20 ms at party 0 of 3, 1 ms of work before each; 10 in "input". */
static struct recorder *seventeen_rounds(void)
{
	struct recorder *r;
	uint64_t now_ns = 5 * NS_PER_S;

	assert_int_equal(recorder_create(0, 3, &r, NULL), 0);
	recorder_cpu(r, 40 * NS_PER_MS);
	recorder_phase(r, "input", now_ns);
	for (int i = 0; i < 17; i++) {
		struct recorder_round round = {
		    .bytes_out = {0, 8, 8}, .bytes_in = {0, 16, 24}};

		if (i == 10) {
			recorder_cpu(r, 45 * NS_PER_MS);
			recorder_phase(r, "open", now_ns);
		}
		now_ns += NS_PER_MS;
		round.started_ns = now_ns;
		round.arrived_ns[1] = now_ns + 5 * NS_PER_MS;
		round.arrived_ns[2] = now_ns + 20 * NS_PER_MS;
		now_ns = round.ended_ns = round.arrived_ns[2];
		recorder_round(r, &round);
	}
	recorder_cpu(r, 52 * NS_PER_MS);
	recorder_finish(r, now_ns + 3 * NS_PER_MS);
	return r;
}

static void figures_are_exact(void **state)
{
	struct recorder *r = seventeen_rounds();
	cJSON *json = recorder_json(r), *phases, *pair;

	(void)state;
	assert_true(number(json, "rounds") == 17);
	assert_true(number(json, "messages_out") == 34);
	assert_true(number(json, "messages_in") == 34);
	assert_true(number(json, "app_bytes_out") == 17 * 16);
	assert_true(number(json, "app_bytes_in") == 17 * 40);
	assert_true(number(json, "wall_ns") == 360e6);
	assert_true(number(json, "waiting_ns") == 340e6);
	assert_true(number(json, "compute_ns") == 20e6);
	phases = cJSON_GetObjectItem(json, "phases");
	assert_int_equal(cJSON_GetArraySize(phases), 2);
	assert_string_equal(
	    cJSON_GetObjectItem(cJSON_GetArrayItem(phases, 1), "name")->valuestring,
	    "open");
	assert_true(number(cJSON_GetArrayItem(phases, 0), "rounds") == 10);
	assert_true(number(cJSON_GetArrayItem(phases, 0), "wall_ns") == 210e6);
	assert_true(number(cJSON_GetArrayItem(phases, 1), "wall_ns") == 150e6);
	assert_true(number(cJSON_GetArrayItem(phases, 1), "compute_ns") == 10e6);
	assert_true(number(cJSON_GetArrayItem(phases, 0), "cpu_ns") == 5e6);
	assert_true(number(cJSON_GetArrayItem(phases, 1), "cpu_ns") == 7e6);
	pair = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "pairs"), 1);
	assert_true(number(pair, "peer") == 2);
	assert_true(number(pair, "app_bytes_in") == 17 * 24);
	cJSON_Delete(json);
	recorder_destroy(r);
}

static void histograms_by_pair_and_phase(void **state)
{
	struct recorder *r = seventeen_rounds();
	cJSON *json = recorder_json(r);
	struct histogram *whole =
	    histogram_of(json, "round_ns", HISTOGRAM_NO_PARTY, "input");
	struct histogram *near = histogram_of(json, "arrival_ns", 1, "open");

	(void)state;
	assert_true(whole->total == 10 && whole->min == 20 * NS_PER_MS &&
		    whole->max == 20 * NS_PER_MS);
	assert_true(near->total == 7 && near->sum == 35e6);
	assert_null(histogram_of(json, "arrival_ns", 0, "open"));
	assert_null(histogram_of(json, "probe_rtt_ns", 0, NULL));
	histogram_destroy(whole);
	histogram_destroy(near);
	cJSON_Delete(json);
	recorder_destroy(r);
}

/* More rounds than are kept to be counted later, phases left and entered again, and some
 * counted while there was time: each round is in its phase, once. */
static void rounds_counted_late_are_all_counted(void **state)
{
	const uint32_t n_rounds = LATE_ROUNDS_MAX + 5000;
	double sums[2] = {0}, counts[2] = {0};
	struct recorder *r;
	cJSON *json;

	(void)state;
	assert_int_equal(recorder_create(1, 3, &r, NULL), 0);
	for (uint32_t i = 0; i < n_rounds; i++) {
		uint32_t phase = i / 1000 % 2;
		struct recorder_round round = {.started_ns = NS_PER_S,
		    .ended_ns = NS_PER_S + i,
		    .bytes_in = {8, 0, 8},
		    .arrived_ns = {NS_PER_S + i}};

		if (i % 1000 == 0)
			recorder_phase(r, phase == 0 ? "even" : "odd", NS_PER_S);
		recorder_round(r, &round);
		if (i == 2500)
			recorder_settle(r);
		sums[phase] += i;
		counts[phase]++;
	}
	recorder_finish(r, 2 * NS_PER_S);
	json = recorder_json(r);
	for (uint32_t phase = 0; phase < 2; phase++) {
		const char *name = phase == 0 ? "even" : "odd";
		struct histogram *whole =
		    histogram_of(json, "round_ns", HISTOGRAM_NO_PARTY, name);
		struct histogram *from_0 = histogram_of(json, "arrival_ns", 0, name);

		assert_true(whole->total == counts[phase] && whole->sum == sums[phase]);
		assert_true(from_0->total == counts[phase] && from_0->sum == sums[phase]);
		assert_null(histogram_of(json, "arrival_ns", 2, name));
		histogram_destroy(whole);
		histogram_destroy(from_0);
	}
	cJSON_Delete(json);
	recorder_destroy(r);
}

static void probes_count_from_the_intended_time(void **state)
{
	struct recorder *r;
	struct histogram *h;
	cJSON *json;

	(void)state;
	assert_int_equal(recorder_create(1, 2, &r, NULL), 0);
	recorder_probe(r, 0, 1000, 1000 + 300 * NS_PER_MS);
	recorder_probe(r, 0, 2000, 1999);
	recorder_probe_lost(r, 0);
	json = recorder_json(r);
	assert_null(histogram_of(json, "probe_rtt_ns", 1, "run"));
	h = histogram_of(json, "probe_rtt_ns", 1, NULL);
	assert_true(h->total == 2 && h->min == 0 && h->max == 300 * NS_PER_MS);
	assert_true(number(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "pairs"), 0),
			"probes_lost") == 1);
	histogram_destroy(h);
	cJSON_Delete(json);
	recorder_destroy(r);
}

static void phases_return_and_overflow(void **state)
{
	struct recorder *r;
	cJSON *json, *phases;
	char name[64];

	(void)state;
	assert_int_equal(recorder_create(0, 1, &r, NULL), 0);
	for (uint64_t i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "phase %llu", (unsigned long long)i / 2);
		recorder_phase(r, i % 2 ? "again" : name, 1000 * i);
	}
	recorder_finish(r, 200000);
	json = recorder_json(r);
	phases = cJSON_GetObjectItem(json, "phases");
	assert_int_equal(cJSON_GetArraySize(phases), RECORDER_PHASES_MAX);
	assert_string_equal(
	    cJSON_GetObjectItem(cJSON_GetArrayItem(phases, 63), "name")->valuestring,
	    "other");
	assert_true(number(cJSON_GetArrayItem(phases, 0), "wall_ns") == 1000);
	assert_true(number(cJSON_GetArrayItem(phases, 1), "wall_ns") == 100000);
	assert_true(number(cJSON_GetArrayItem(phases, 63), "wall_ns") == 38000);
	assert_true(number(json, "wall_ns") == 200000);
	cJSON_Delete(json);
	recorder_destroy(r);
	recorder_destroy(NULL);
}

static void trace_returns_every_round(void **state)
{
	struct recorder *r = seventeen_rounds();
	cJSON *json = recorder_json(r);
	const char *text = cJSON_GetObjectItem(json, "trace")->valuestring;
	struct trace_rounds trace;

	(void)state;
	assert_int_equal(strncmp(text, "E3TRA", 5), 0);
	assert_int_equal(trace_decode(text, 0, 3, &trace, NULL), 0);
	assert_int_equal(trace.n_rounds, 17);
	assert_true(trace.began_ns == 5 * NS_PER_S);
	for (uint64_t i = 0; i < 17; i++) {
		const struct recorder_round *round = &trace.rounds[i];

		assert_true(
		    round->started_ns == 5 * NS_PER_S + i * 21 * NS_PER_MS + NS_PER_MS);
		assert_true(round->ended_ns == round->started_ns + 20 * NS_PER_MS);
		assert_true(round->arrived_ns[1] == round->started_ns + 5 * NS_PER_MS);
		assert_true(round->bytes_out[2] == 8 && round->bytes_in[2] == 24);
		assert_true(round->bytes_in[0] == 0 && round->arrived_ns[0] == 0);
	}
	free(trace.rounds);
	/* The same text is a lie from a party that can't have received from itself. */
	assert_int_equal(trace_decode(text, 1, 3, &trace, NULL), -EINVAL);
	assert_int_equal(trace_decode(text, 0, 2, &trace, NULL), -EINVAL);
	cJSON_Delete(json);
	recorder_destroy(r);
}

/* One message out, or one in, at a party that has or hasn't such a peer. */
static void trace_knows_its_peers(void **state)
{
	(void)state;
	for (uint32_t peer = 0; peer < 4; peer++)
		for (int is_out = 0; is_out < 2; is_out++) {
			struct recorder_round round = {
			    .started_ns = 100, .ended_ns = 200};
			struct trace trace;
			struct trace_rounds rounds;
			char *text;
			int rc;

			round.arrived_ns[0] = 201; /* too late, or from nobody */
			(is_out ? round.bytes_out : round.bytes_in)[peer] = 8;
			trace_init(&trace);
			trace_begin(&trace, 50);
			assert_int_equal(trace_add(&trace, &round, 4), 0);
			text = trace_encode(&trace);
			rc = trace_decode(text, 1, 3, &rounds, NULL);
			assert_int_equal(rc, peer == 0 || peer == 2 ? 0 : -EINVAL);
			if (rc == 0) {
				assert_true(rounds.rounds[0].arrived_ns[0] == 0);
				free(rounds.rounds);
			}
			free(text);
			trace_finish(&trace);
		}
}

static void trace_stops_where_rounds_overlap(void **state)
{
	struct recorder_round round = {.started_ns = 100, .ended_ns = 200};
	struct recorder *r;
	cJSON *json;

	(void)state;
	assert_int_equal(recorder_create(0, 2, &r, NULL), 0);
	recorder_round(r, &round);
	round.started_ns = 150;
	recorder_round(r, &round);
	json = recorder_json(r);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "trace")));
	assert_true(number(json, "rounds") == 2);
	cJSON_Delete(json);
	recorder_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(figures_are_exact),
	    cmocka_unit_test(histograms_by_pair_and_phase),
	    cmocka_unit_test(rounds_counted_late_are_all_counted),
	    cmocka_unit_test(probes_count_from_the_intended_time),
	    cmocka_unit_test(phases_return_and_overflow),
	    cmocka_unit_test(trace_returns_every_round),
	    cmocka_unit_test(trace_knows_its_peers),
	    cmocka_unit_test(trace_stops_where_rounds_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

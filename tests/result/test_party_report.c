/* SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "base/units.h"
#include "harness/result/party_report.h"
#include "tests/result/made_run.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct made_run run = {.n_parties = 3,
    .n_rounds = 17,
    .one_way_ns = 20000000,
    .work_ns = 1000000,
    .bytes = 40};

static int play(void **state)
{
	(void)state;
	run.output = -5;
	made_run_play(&run);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	made_run_forget(&run);
	return 0;
}

static void an_honest_report(void **state)
{
	struct party_report report;
	const char *line = run.reports[1];

	(void)state;
	assert_int_equal(party_report_read(line, strlen(line), 1, 3, &report, NULL), 0);
	assert_true(report.rounds == 17 && report.messages_out == 34);
	assert_true(report.app_bytes_out == 34 * 40);
	assert_true(report.wall_ns == 358 * NS_PER_MS);
	assert_true(report.compute_ns == 18 * NS_PER_MS);
	assert_true(report.cpu_ns == 10 * NS_PER_MS && report.runqueue_ns == 1000);
	assert_true(
	    report.round_ns->total == 17 && report.round_ns->max == 20 * NS_PER_MS);
	assert_true(report.probes_answered == 10 && report.probes_lost == 0);
	assert_true(report.has_trace && report.trace.n_rounds == 17);
	assert_true(report.has_output && report.attempts == 1);
	/* printf '-5\n' | sha256sum */
	assert_string_equal(report.output_sha256,
	    "0b2f06dddfa807ee574a78468d3a05904873b97f44377eb93481e091c257b800");
	assert_null(cJSON_GetObjectItem(report.json, "t"));
	party_report_finish(&report);
	party_report_finish(&report);
}

/* The object at the path of an honest report; its item replaced by JSON, or gone. */
static void what_it_started_is_its_cpu_time_too(void **state)
{
	cJSON *json = cJSON_Parse(run.reports[1]);
	struct party_report report;
	char *line;

	(void)state;
	cJSON_AddNumberToObject(
	    cJSON_GetObjectItem(json, "process"), "helpers_cpu_ns", 3.0 * NS_PER_MS);
	line = cJSON_PrintUnformatted(json);
	assert_int_equal(party_report_read(line, strlen(line), 1, 3, &report, NULL), 0);
	assert_true(report.cpu_ns == 13 * NS_PER_MS);
	party_report_finish(&report);
	cJSON_free(line);
	cJSON_Delete(json);
}

static const struct {
	const char *path, *key, *json, *sentence;
} lies[] = {
    {"", "party", "2", "report: not the report of party 1 of 3"},
    {"", "t", "\"event\"", "report: not the report of party 1 of 3"},
    {"", "extra", "1", "report: /extra: unknown key"},
    {"", "measured", "[]", "report: /measured: not an object"},
    {"", "process", NULL, "report: /process: missing"},
    {"", "phases_ns", "{\"warm-up\":1}", "report: /phases_ns/warm-up: unknown key"},
    {"", "facts", "{\"a\":\"b\\u001b[2J\"}", "report: /facts/a: not plain text"},
    {"", "facts", "{\"a\\u0007\":\"b\"}",
	"report: /facts: a key is too long or not plain text"},
    {"", "facts", "{\"a\":\"b\",\"a\":\"c\"}", "report: /facts/a: given twice"},
    {"", "channels", "[{\"peer\":3}]", "report: /channels: there is no peer 3"},
    {"", "channels", "[{\"peer\":1}]", "report: /channels: there is no peer 1"},
    {"", "channels", "[{\"peer\":0,\"rtt_ns\":-1}]",
	"report: /channels/0/rtt_ns: not a count"},
    {"output", "values", "[1.5]", "report: /output/values/0: not an integer"},
    {"output", "values", "[1e300]", "report: /output/values/0: not an integer"},
    {"process", "cpu_user_ns", "\"7\"", "report: /process/cpu_user_ns: not a count"},
    {"process", "cpu_user_ns", "1e999", "report: /process/cpu_user_ns: not a count"},
    {"measured", "rounds", "16",
	"report: /measured/rounds: not the rounds of the histograms"},
    {"measured", "parties", "4", "report: not the report of party 1 of 3"},
    {"measured", "trace", "\"E3TRA\"",
	"report: /measured/trace: trace: not base64, or of another kind"},
    {"measured", "histograms", "[{\"metric\":\"round_ns\"}]",
	"report: /measured/histograms/0/loop: missing"},
};

static void every_lie_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		cJSON *json = cJSON_Parse(run.reports[1]), *object = json;
		struct party_report report;
		struct error err = {0};
		char *line;

		if (lies[i].path[0] != '\0')
			object = cJSON_GetObjectItem(json, lies[i].path);
		cJSON_DeleteItemFromObject(object, lies[i].key);
		if (lies[i].json != NULL)
			cJSON_AddItemToObject(
			    object, lies[i].key, cJSON_CreateRaw(lies[i].json));
		line = cJSON_PrintUnformatted(json);
		assert_int_equal(
		    party_report_read(line, strlen(line), 1, 3, &report, &err), -EINVAL);
		assert_string_equal(err.text, lies[i].sentence);
		cJSON_free(line);
		cJSON_Delete(json);
	}
}

/* Fields of the first histogram: round_ns, closed, null to 1, "input". */
static const struct {
	const char *key, *json;
} labels[] = {{"metric", "\"latency_ns\""}, {"metric", "\"probe_rtt_ns\""},
    {"loop", "\"open\""}, {"from", "0"}, {"to", "2"}, {"to", "null"}, {"to", "7"},
    {"phase", "null"}, {"unit", "\"ms\""}};

static void histograms_of_others_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		cJSON *json = cJSON_Parse(run.reports[1]);
		cJSON *array = cJSON_GetObjectItem(
		    cJSON_GetObjectItem(json, "measured"), "histograms");
		struct party_report report;
		struct error err = {0};
		char *line;

		cJSON_ReplaceItemInObject(cJSON_GetArrayItem(array, 0), labels[i].key,
		    cJSON_Parse(labels[i].json));
		line = cJSON_PrintUnformatted(json);
		assert_int_equal(
		    party_report_read(line, strlen(line), 1, 3, &report, &err), -EINVAL);
		assert_string_equal(err.text,
		    "report: /measured/histograms/0: not a figure of this party");
		cJSON_free(line);
		cJSON_Delete(json);
	}
}

static void no_damage_is_a_crash(void **state)
{
	struct random_stream stream;
	size_t len = strlen(run.reports[1]);

	(void)state;
	random_stream_seed(&stream, 12);
	for (int i = 0; i < 1500; i++) {
		char *line = strdup(run.reports[1]);
		size_t cut = i % 5 == 0 ? random_stream_below(&stream, len) : len;
		struct party_report report;

		for (int n = i % 4; n >= 0; n--)
			line[random_stream_below(&stream, len)] =
			    "0123456789{}[]\",:-eE\x80\xff nul"[random_stream_below(
				&stream, 26)];
		if (party_report_read(line, cut, 1, 3, &report, NULL) == 0)
			party_report_finish(&report);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_honest_report),
	    cmocka_unit_test(what_it_started_is_its_cpu_time_too),
	    cmocka_unit_test(every_lie_is_named),
	    cmocka_unit_test(histograms_of_others_are_refused),
	    cmocka_unit_test(no_damage_is_a_crash),
	};

	return cmocka_run_group_tests(tests, play, forget);
}

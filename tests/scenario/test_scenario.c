/* SPDX-License-Identifier: MIT */
/* Run in the root of the sources: the matrix is the one in scenarios/. */
#include "harness/scenario/scenario.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

static const char good[] =
    "{\n"
    "  \"$schema\": \"e3/scenario/v1\",\n"
    "  \"name\": \"good\",\n"
    "  \"description\": \"one of everything\",\n"
    "  \"parties\": {\"count\": [2, 5], \"regions\": [\"ams\", \"nyc\", \"ams\"]},\n"
    "  \"network\": {\"matrix\": \"matrices/azure-2026-07.json\", \"scale\": 2,\n"
    "    \"intra_region_one_way_us\": 200, \"rate_mbps\": 0.5, \"jitter_us\": 30,\n"
    "    \"loss\": 0.001},\n"
    "  \"transports\": [{\"plugin\": \"tcp\"}, {\"plugin\": \"wireguard\",\n"
    "    \"options\": {\"mtu\": 1400, \"keepalive\": true, \"backend\": \"go\"}}],\n"
    "  \"workloads\": [{\"name\": \"secret-santa\", \"mode\": \"min\",\n"
    "    \"sizes\": [\"low\", 12], \"field_bits\": 127}],\n"
    "  \"probes\": {\"rate_hz\": 50, \"bytes\": 128},\n"
    "  \"runs\": {\"blocks\": 6, \"timeout_s\": 30},\n"
    "  \"seed\": 7\n"
    "}\n";

static struct scenario *parse(const char *text, struct error *err)
{
	struct scenario *scenario = NULL;
	int rc = scenario_parse("scenarios/t.json", text, strlen(text), &scenario, err);

	assert_true((rc < 0) == (scenario == NULL));
	return scenario;
}

static void reads_everything(void **state)
{
	struct error err = {0};
	struct scenario *s = parse(good, &err);

	(void)state;
	if (s == NULL)
		fail_msg("%s", err.text);
	assert_string_equal(s->name, "good");
	assert_string_equal(s->description, "one of everything");
	assert_int_equal(s->n_parties_counts, 2);
	assert_int_equal(s->parties[1], 5);
	assert_int_equal(scenario_parties_max(s), 5);
	s->parties[0] = 7;
	assert_int_equal(scenario_parties_max(s), 7);
	assert_int_equal(s->n_regions, 3);
	assert_string_equal(s->matrix_path, "scenarios/matrices/azure-2026-07.json");
	assert_string_equal(s->matrix.name, "azure-2026-07");
	assert_int_equal(s->rate_bps, 500000);
	assert_int_equal(s->jitter_ns, 30000);
	assert_true(s->loss == 0.001);
	assert_int_equal(s->n_transports, 2);
	assert_null(s->transports[0].options[0]);
	assert_string_equal(s->transports[1].options[0], "mtu");
	assert_string_equal(s->transports[1].options[1], "1400");
	assert_string_equal(s->transports[1].options[3], "true");
	assert_string_equal(s->transports[1].options[5], "go");
	assert_null(s->transports[1].options[6]);
	assert_string_equal(s->workloads[0].mode, "min");
	assert_string_equal(s->workloads[0].sizes[1], "12");
	assert_int_equal(s->workloads[0].field_bits, 127);
	assert_int_equal(s->probe_rate_hz, 50);
	assert_int_equal(s->probe_bytes, 128);
	assert_int_equal(s->blocks, 6);
	assert_int_equal(s->cell_timeout_s, 30);
	assert_int_equal(s->seed, 7);
	assert_string_equal(s->text, good);
	assert_non_null(strstr(s->matrix_text, "CC-BY-4.0"));
	scenario_free(s);
}

/* azure-2026-07: ams -> nyc 91 ms, nyc -> ams 89 ms; the scenario doubles them. */
static void honours_ordered_pairs(void **state)
{
	struct error err = {0};
	struct scenario *s = parse(good, &err);

	(void)state;
	assert_non_null(s);
	assert_int_equal(scenario_one_way_ns(s, 0, 1), 91000000);
	assert_int_equal(scenario_one_way_ns(s, 1, 0), 89000000);
	assert_int_equal(scenario_rtt_ns(s, 0, 1), 180000000);
	assert_int_equal(scenario_rtt_ns(s, 1, 0), 180000000);
	/* Parties 0, 2 and 3 are in ams: one region, though it is listed twice. */
	assert_int_equal(scenario_one_way_ns(s, 0, 2), 400000);
	assert_int_equal(scenario_one_way_ns(s, 0, 3), 400000);
	assert_int_equal(scenario_one_way_ns(s, 4, 3), 89000000);
	assert_int_equal(scenario_one_way_ns(s, 4, 4), 0);
	scenario_free(s);
}

static void has_defaults(void **state)
{
	struct error err = {0};
	struct scenario *s =
	    parse("{\"$schema\": \"e3/scenario/v1\", \"name\": \"small\","
		  "\"parties\": {\"count\": 3, \"regions\": [\"syd\"]},"
		  "\"network\": {\"matrix\": \"matrices/azure-2026-07.json\"},"
		  "\"transports\": [{\"plugin\": \"tcp\"}],"
		  "\"workloads\": [{\"name\": \"cnn-mnist\", \"sizes\": [\"low\"]}]}",
		&err);

	(void)state;
	if (s == NULL)
		fail_msg("%s", err.text);
	assert_string_equal(s->description, "");
	assert_int_equal(s->n_parties_counts, 1);
	assert_true(s->matrix_scale == 1.0);
	assert_int_equal(scenario_one_way_ns(s, 0, 2), 150000);
	assert_int_equal(s->rate_bps, 0);
	assert_int_equal(s->probe_rate_hz, 20);
	assert_int_equal(s->probe_bytes, 64);
	assert_int_equal(s->blocks, 3);
	assert_int_equal(s->cell_timeout_s, 120);
	assert_string_equal(s->workloads[0].mode, "");
	assert_int_equal(s->workloads[0].field_bits, 61);
	assert_int_equal(s->seed, 1);
	scenario_free(s);
	scenario_free(NULL);
}

#define AT "scenarios/t.json: "

/* One edit of the good scenario, and what is said of it. */
static const struct {
	const char *find, *replace, *sentence;
} edits[] = {
    {"e3/scenario/v1", "e3/matrix/v1",
	AT "/$schema: 'e3/matrix/v1' is not \"e3/scenario/v1\""},
    {"\"name\": \"good\",", "", AT "the key 'name' is missing"},
    {"\"good\"", "\"../good\"",
	AT "/name: '../good' is not a name (lower-case letters, digits and '-')"},
    {"\"good\"", "\"\"", AT "/name: is empty"},
    {"\"good\"", "7", AT "/name: expected a text in double quotes"},
    {"\"one of everything\"", "\"one\\nof\"", AT "/description: has a control character"},
    {"\"description\"", "\"descripton\"",
	AT "/descripton: unknown key; did you mean 'description'?"},
    {"\"description\"", "\"zebra\"",
	AT "/zebra: unknown key; known here: $schema, name, description, parties, "
	   "network, transports, workloads, probes, runs, seed"},
    {"{\"count\": [2, 5], \"regions\": [\"ams\", \"nyc\", \"ams\"]}", "[]",
	AT "/parties: expected an object {...}"},
    {"[2, 5]", "11", AT "/parties/count: 11 is not 1..10"},
    {"[2, 5]", "0", AT "/parties/count: 0 is not 1..10"},
    {"[2, 5]", "-1", AT "/parties/count: -1 is not 1..10"},
    {"[2, 5]", "[2, 11]", AT "/parties/count/1: 11 is not 1..10"},
    {"[2, 5]", "[2, 2]", AT "/parties/count/1: 2 stands here twice"},
    {"[2, 5]", "[]", AT "/parties/count: 0 items, not 1..10"},
    {"[2, 5]", "2.5", AT "/parties/count: 2.5 is not a whole number"},
    {"[2, 5]", "1e999", AT "/parties/count: inf is not 1..10"},
    {"[2, 5]", "\"2\"", AT "/parties/count: expected a number in 1..10"},
    {"\"count\": [2, 5], ", "", AT "/parties: the key 'count' is missing"},
    {"\"nyc\"", "\"nwc\"",
	AT "/parties/regions/1: 'nwc' is no site of "
	   "scenarios/matrices/azure-2026-07.json; did you mean 'nyc'?"},
    {"\"nyc\"", "\"mars\"",
	AT "/parties/regions/1: 'mars' is no site of "
	   "scenarios/matrices/azure-2026-07.json; it has: ams, lon, fra, nyc, sfo, "
	   "tor, sgp, blr, syd"},
    {"[\"ams\", \"nyc\", \"ams\"]", "[]", AT "/parties/regions: 0 items, not 1..64"},
    {"matrices/azure-2026-07.json", "matrices/none.json",
	AT "/network/matrix: scenarios/matrices/none.json: No such file or directory"},
    {"matrices/azure-2026-07.json", "smoke.json",
	AT "/network/matrix: scenarios/smoke.json: /$schema: 'e3/scenario/v1' is not "
	   "\"e3/matrix/v1\""},
    {"\"scale\": 2", "\"scale\": -1", AT "/network/scale: -1 is not 0..10"},
    {"\"scale\": 2", "\"scal\": 2",
	AT "/network/scal: unknown key; did you mean 'scale'?"},
    {": 200", ": -150", AT "/network/intra_region_one_way_us: -150 is not 0..1000000"},
    {": 0.5", ": 0", AT "/network/rate_mbps: 0 is not 0.001..1000000"},
    {": 30,", ": -1,", AT "/network/jitter_us: -1 is not 0..1000000"},
    {": 0.001", ": 1", AT "/network/loss: 1 is not 0..0.99"},
    {": 0.001", ": -0.1", AT "/network/loss: -0.1 is not 0..0.99"},
    {"[{\"plugin\": \"tcp\"}, ", "[7, ", AT "/transports/0: expected an object {...}"},
    {"{\"plugin\": \"wireguard\"", "{\"plugin\": \"tcp\"",
	AT "/transports/1: the transport 'tcp' stands here twice"},
    {"{\"plugin\": \"tcp\"}", "{}", AT "/transports/0: the key 'plugin' is missing"},
    {"1400", "1.5", AT "/transports/1/options/mtu: 1.5 is not a whole number"},
    {"1400", "[]",
	AT "/transports/1/options/mtu: expected a text, a whole number, true or false"},
    {"1400", "null",
	AT "/transports/1/options/mtu: expected a text, a whole number, true or false"},
    {"\"sizes\": [\"low\", 12], ", "", AT "/workloads/0: the key 'sizes' is missing"},
    {"12]", "0]", AT "/workloads/0/sizes/1: 0 is not 1..1000000000"},
    {"12]", "\"low\"]", AT "/workloads/0/sizes/1: 'low' stands here twice"},
    {"12]", "\"LOW\"]",
	AT "/workloads/0/sizes/1: 'LOW' is not a name (lower-case letters, digits and "
	   "'-')"},
    {": 127", ": 2", AT "/workloads/0/field_bits: 2 is not 4..512"},
    {"\"field_bits\"", "\"field_bit\"",
	AT "/workloads/0/field_bit: unknown key; did you mean 'field_bits'?"},
    {": 50", ": 5000", AT "/probes/rate_hz: 5000 is not 0..1000"},
    {": 128", ": 9000", AT "/probes/bytes: 9000 is not 16..1200"},
    {": 6,", ": 0,", AT "/runs/blocks: 0 is not 1..1000"},
    {": 30}", ": 0}", AT "/runs/timeout_s: 0 is not 1..86400"},
    {": 7", ": -7", AT "/seed: -7 is not 0..9007199254740991"},
    {": 7", ": 9007199254740992",
	AT "/seed: 9007199254740992 is not 0..9007199254740991"},
    {": 7\n", ": 7,\n", AT "line 16, column 1: expected a key in double quotes, not '}'"},
    {"\"seed\"", "\"name\"", AT "the key 'name' stands here twice"},
};

static void refuses_with_one_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		char text[2 * sizeof(good)];
		const char *at = strstr(good, edits[i].find);
		struct error err = {0};

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good,
		    edits[i].replace, at + strlen(edits[i].find));
		if (parse(text, &err) != NULL)
			fail_msg("accepted: %s", edits[i].replace);
		assert_string_equal(err.text, edits[i].sentence);
	}
}

static void names_the_file(void **state)
{
	struct scenario *scenario = NULL;
	struct error err = {0};
	char path[600];

	(void)state;
	assert_int_equal(scenario_read("scenarios/none.json", &scenario, &err), -ENOENT);
	assert_string_equal(err.text,
	    "scenarios/none.json: there is no such file; `e3 list scenarios` shows those "
	    "of E3");
	assert_int_equal(scenario_read("scenarios", &scenario, &err), -EINVAL);
	assert_string_equal(err.text, "scenarios: not a regular file");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(
	    scenario_parse(path, good, strlen(good), &scenario, &err), -ENAMETOOLONG);
	assert_null(scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_everything),
	    cmocka_unit_test(honours_ordered_pairs),
	    cmocka_unit_test(has_defaults),
	    cmocka_unit_test(refuses_with_one_sentence),
	    cmocka_unit_test(names_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Run in the root of the sources, with E3_PLUGIN_PATH. `trio` is a stand-in. */
#include "base/units.h"
#include "engine/cnn.h"
#include "engine/millionaires.h"
#include "engine/multiplications.h"
#include "engine/santa.h"
#include "harness/scenario/plan.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

static const char *const plain_modes[] = {"plain", NULL};

static int accepts_small(const struct workload_task *task, struct error *err)
{
	return atoi(task->size) < 1000 && task->field_bits >= 40 &&
		       strcmp(task->mode, "plain") == 0
		   ? 0
		   : error_set(err, -EINVAL, "trio can't");
}

static const struct workload trio = {.name = "trio",
    .modes = plain_modes,
    .sizes = {1, 2, 4},
    .accepts = accepts_small,
    .parties_min = 3,
    .parties_max = 4};

/* In place of engine/workload.c. */
const struct workload *const workloads[] = {&workload_santa, &trio, NULL};

const struct workload *workload_find(const char *name)
{
	for (size_t i = 0; workloads[i] != NULL; i++)
		if (strcmp(workloads[i]->name, name) == 0)
			return workloads[i];
	return NULL;
}

int workload_size(
    const struct workload *w, const char *size, uint32_t *n, struct error *err)
{
	*n = strcmp(size, "low") == 0      ? w->sizes[0]
	     : strcmp(size, "medium") == 0 ? w->sizes[1]
	     : strcmp(size, "high") == 0   ? w->sizes[2]
					   : (uint32_t)atoi(size);
	return *n > 0 ? 0 : error_set(err, -EINVAL, "'%s' is no size", size);
}

static const char text[] =
    "{\"$schema\": \"e3/scenario/v1\", \"name\": \"t\",\n"
    "\"parties\": {\"count\": [3, 4], \"regions\": [\"ams\", \"syd\"]},\n"
    "\"network\": {\"matrix\": \"matrices/azure-2026-07.json\"},\n"
    "\"transports\": [{\"plugin\": \"tcp\"}],\n"
    "\"workloads\": [\n"
    "{\"name\": \"secret-santa\", \"mode\": \"min\", \"sizes\": [\"low\", \"high\"]},\n"
    "{\"name\": \"trio\", \"sizes\": [7]}],\n"
    "\"probes\": {\"rate_hz\": 50}, \"runs\": {\"blocks\": 2, \"timeout_s\": 20}}\n";

static struct scenario *scenario_of(const char *find, const char *replace)
{
	struct scenario *scenario = NULL;
	struct error err = {0};
	char edited[2 * sizeof(text)];
	const char *at = strstr(text, find);

	assert_non_null(at);
	snprintf(edited, sizeof(edited), "%.*s%s%s", (int)(at - text), text, replace,
	    at + strlen(find));
	if (scenario_parse("scenarios/t.json", edited, strlen(edited), &scenario, &err) <
	    0)
		fail_msg("%s", err.text);
	return scenario;
}

static void expands_to_cells_and_blocks(void **state)
{
	struct scenario *scenario = scenario_of("", "");
	struct plan *plan = NULL;
	struct error err = {0};
	uint64_t sum = 0;

	(void)state;
	if (plan_create(scenario, NULL, &plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(plan->n_cells, 6);
	assert_int_equal(plan->blocks, 2);
	assert_int_equal(plan->cells[0].parties, 3);
	assert_int_equal(plan->cells[1].size_number, 48);
	assert_string_equal(plan_cell_size(plan, &plan->cells[1]), "high");
	assert_string_equal(plan->cells[0].mode, "min");
	assert_string_equal(plan_cell_workload(plan, &plan->cells[2]), "trio");
	assert_string_equal(plan->cells[2].mode, "plain");
	assert_int_equal(plan->cells[2].size_number, 7);
	assert_int_equal(plan->cells[3].parties, 4);
	assert_string_equal(plan_cell_transport(plan, &plan->cells[5]), "tcp");
	assert_int_equal(plan_cell_field_bits(plan, &plan->cells[5]), 61);
	assert_int_equal(plan->n_steps, 12);
	for (uint32_t i = 0; i < 12; i++) {
		assert_int_equal(plan->steps[i].cell, i % 6);
		assert_int_equal(plan->steps[i].block, i / 6);
		assert_int_equal(plan->steps[i].position, 0);
		sum += plan->cells[plan->steps[i].cell].estimate.total_ns;
	}
	/* The rest is bringing hosts up. */
	assert_in_range(plan->estimate_ns - sum, 0, 10 * NS_PER_S);
	plan_free(plan);
	plan_free(NULL);
	scenario_free(scenario);
}

static void scales_take_turns(void **state)
{
	static const double of_block[2][2] = {{1, 4}, {4, 1}};
	const struct plan_filter as_they_are = {.is_unscaled = 1, .has_no_reruns = 1};
	struct scenario *scenario = scenario_of(
	    "\"blocks\": 2", "\"blocks\": 2, \"delay_scales\": [1, 4], \"reruns\": 3");
	struct plan *plan = NULL;
	struct error err = {0};
	uint64_t one_ns, sum = 0;

	(void)state;
	if (plan_create(scenario, NULL, &plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(plan->n_cells, 6);
	assert_int_equal(plan->n_scales, 2);
	assert_int_equal(plan->reruns, 3);
	assert_int_equal(plan->n_steps, 24);
	for (uint32_t i = 0; i < 24; i++) {
		const struct plan_step *step = &plan->steps[i];

		assert_int_equal(step->block, i / 12);
		assert_int_equal(step->cell, i % 12 / 2);
		assert_true(step->delay_scale == of_block[i / 12][i % 2]);
		sum += estimate_scaled_ns(
		    &plan->cells[step->cell].estimate, step->delay_scale);
	}
	assert_in_range(plan->estimate_ns - sum, 0, 10 * NS_PER_S);
	one_ns = plan->cells[5].estimate.total_ns;
	assert_true(estimate_scaled_ns(&plan->cells[5].estimate, 1) == one_ns);
	assert_true(estimate_scaled_ns(&plan->cells[5].estimate, 4) > 2 * one_ns);
	plan_free(plan);
	if (plan_create(scenario, &as_they_are, &plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(plan->n_steps, 12);
	assert_true(plan->steps[11].delay_scale == 1);
	assert_int_equal(plan->reruns, 0);
	plan_free(plan);
	scenario_free(scenario);
}

static void follows_the_filter(void **state)
{
	const struct plan_filter filter = {.parties = 4,
	    .workload = "secret-santa",
	    .size = "high",
	    .mode = "min",
	    .transport = "tcp",
	    .blocks = 5};
	struct scenario *scenario = scenario_of("", "");
	struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	if (plan_create(scenario, &filter, &plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(plan->n_cells, 1);
	assert_int_equal(plan->n_steps, 5);
	assert_int_equal(plan->cells[0].parties, 4);
	assert_int_equal(plan->cells[0].blocks, 5);
	assert_int_equal(plan->cells[0].size_number, 48);
	plan_free(plan);
	scenario_free(scenario);
}

#define AT "scenarios/t.json: "

static void refused(const struct scenario *scenario, const struct plan_filter *filter,
    const char *sentence)
{
	struct plan *plan = NULL;
	struct error err = {0};

	if (plan_create(scenario, filter, &plan, &err) == 0)
		fail_msg("accepted instead of: %s", sentence);
	assert_null(plan);
	err.text[strlen(sentence) < sizeof(err.text) ? strlen(sentence) : 0] = '\0';
	assert_string_equal(err.text, sentence);
}

static void refuses_filters_that_match_nothing(void **state)
{
	static const struct {
		struct plan_filter filter;
		const char *sentence;
	} cases[] = {
	    {{.parties = 5},
		"--parties: scenarios/t.json has no 5 parties; there is: 3, 4"},
	    {{.transport = "tpc"},
		"--transport: scenarios/t.json has no 'tpc'; did you mean 'tcp'?"},
	    {{.transport = "quic"},
		"--transport: scenarios/t.json has no 'quic'; there is: tcp"},
	    {{.workload = "cnn-mnist"}, "--workload: scenarios/t.json has no "
					"'cnn-mnist'; there is: secret-santa, "
					"trio"},
	    {{.mode = "mpyc"}, AT "no cell has the mode and size asked for: `e3 plan "
				  "scenarios/t.json` shows all"},
	    {{.size = "medium"}, AT "no cell has the mode and size asked for"},
	};
	struct scenario *scenario = scenario_of("", "");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(scenario, &cases[i].filter, cases[i].sentence);
	scenario_free(scenario);
}

static void refuses_what_cannot_work(void **state)
{
	static const struct {
		const char *find, *replace, *sentence;
	} cases[] = {
	    {"\"secret-santa\"", "\"secret-sante\"",
		AT "/workloads/0/name: no workload 'secret-sante'; did you mean "
		   "'secret-santa'?"},
	    {"\"secret-santa\"", "\"sorting\"",
		AT
		"/workloads/0/name: no workload 'sorting'; there is: secret-santa, trio"},
	    {"\"min\"", "\"max\"",
		AT
		"/workloads/0/mode: secret-santa has no mode 'max'; there is: mpyc, min"},
	    {"\"low\"", "\"large\"", AT "/workloads/0/sizes/0: 'large' is no size"},
	    {"[7]", "[2000]", AT "/workloads/1, size 2000: trio can't"},
	    {"[7]", "[7], \"field_bits\": 31", AT "/workloads/1, size 7: trio can't"},
	    {"[3, 4]", "[3, 5]", AT "/parties/count: trio takes 3..4 parties, not 5"},
	    {"[3, 4]", "2", AT "/parties/count: trio takes 3..4 parties, not 2"},
	    {"\"tcp\"", "\"quic\"", AT "/transports/0/plugin: no transport 'quic'"},
	    {"\"tcp\"", "\"loopback\"",
		AT
		"/transports/0/plugin: 'loopback' joins parties of one process; in a run "
		"each is on a host of its own"},
	    {"\"trio\", \"sizes\": [7]",
		"\"secret-santa\", \"mode\": \"min\", \"sizes\": [8]",
		AT "/workloads/1: secret-santa, mode min, size 8 is there twice"},
	    {"\"min\"", "\"mpyc\"",
		AT "/runs/timeout_s: 20 s, but secret-santa high of 3 parties over tcp "
		   "takes "
		   "about "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scenario *scenario = scenario_of(cases[i].find, cases[i].replace);

		refused(scenario, NULL, cases[i].sentence);
		scenario_free(scenario);
	}
}

static void refuses_a_deadline_that_the_first_cell_misses(void **state)
{
	const struct plan_filter only = {.parties = 3, .size = "low"};
	struct scenario *scenario = scenario_of("\"min\"", "\"mpyc\"");

	(void)state;
	scenario->cell_timeout_s = 8;
	refused(scenario, &only,
	    AT "/runs/timeout_s: 8 s, but secret-santa low of 3 parties over tcp takes "
	       "about ");
	scenario_free(scenario);
}

static void refuses_probes_that_would_measure_the_machine(void **state)
{
	const struct plan_filter three = {.parties = 3};
	struct scenario *scenario = scenario_of("50}", "1000}");
	struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(plan_create(scenario, NULL, &plan, &err), 0);
	plan_free(plan);
	scenario->parties[1] = 6;
	refused(scenario, NULL,
	    AT
	    "/probes/rate_hz: 1000 a second over the 30 ordered pairs of 6 parties are "
	    "more than the 20000 that leave this machine idle: use at most 666");
	assert_int_equal(plan_create(scenario, &three, &plan, &err), 0);
	plan_free(plan);
	scenario->n_parties_counts = 1;
	scenario->parties[0] = 1;
	scenario->n_workloads = 1;
	if (plan_create(scenario, NULL, &plan, &err) < 0)
		fail_msg("%s", err.text);
	plan_free(plan);
	scenario_free(scenario);
}

static void estimates_like_the_model(void **state)
{
	struct scenario *scenario = scenario_of("", "");
	struct estimate_case of = {&workload_santa, "min", 8, 3, 0};
	struct estimate one, two, three, four, five, ten;

	(void)state;
	estimate_cell(scenario, &of, &three);
	assert_int_equal(three.rounds, 3);
	assert_int_equal(three.round_ns, 141 * NS_PER_MS);
	/* 16 kB do not fit into TCP's first window. */
	assert_in_range(three.network_ns, 3 * 141 * NS_PER_MS, 5 * 141 * NS_PER_MS);
	/* ams, syd, ams, syd: 3 shares of 4 suffice, so all wait for one from afar. */
	of.parties = 4;
	estimate_cell(scenario, &of, &four);
	assert_int_equal(four.rounds, 3);
	assert_int_equal(four.round_ns, 141 * NS_PER_MS);
	of.parties = 5;
	estimate_cell(scenario, &of, &five);
	of.parties = 10;
	estimate_cell(scenario, &of, &ten);
	assert_int_equal(five.rounds, 4);
	assert_int_equal(ten.rounds, 5);
	of.parties = 1;
	estimate_cell(scenario, &of, &one);
	assert_int_equal(one.network_ns, 0);
	/* Two parties have t = 0: the rounds that `e3 cost` counts for them. */
	of.parties = 2;
	estimate_cell(scenario, &of, &two);
	assert_int_equal(two.rounds, 2);
	of.mode = "mpyc";
	estimate_cell(scenario, &of, &two);
	assert_int_equal(two.rounds, 1);
	of = (struct estimate_case){&workload_cnn, "default", 1, 2, 0};
	estimate_cell(scenario, &of, &two);
	assert_int_equal(two.rounds, 14);
	of = (struct estimate_case){&workload_santa, "mpyc", 8, 3, 0};
	estimate_cell(scenario, &of, &three);
	/* 22 rounds, e attempts. */
	assert_int_equal(three.rounds, 60);
	/* Counted in tests/workloads/test_millionaires.c. */
	of = (struct estimate_case){&workload_millionaires, "argmax", 10, 3, 0};
	estimate_cell(scenario, &of, &three);
	assert_int_equal(three.rounds, 10);
	of.parties = 10;
	estimate_cell(scenario, &of, &ten);
	assert_int_equal(ten.rounds, 12);
	/* Counted in tests/workloads/test_multiplications.c. */
	of = (struct estimate_case){&workload_multiplications, "auto", 100000, 3, 0};
	estimate_cell(scenario, &of, &three);
	assert_int_equal(three.rounds, 13);
	assert_int_equal(three.bytes, 8 * 11 * 100000);
	of.parties = 10;
	estimate_cell(scenario, &of, &ten);
	assert_int_equal(ten.rounds, 33);
	of.mode = "dealers";
	estimate_cell(scenario, &of, &ten);
	assert_int_equal(ten.rounds, 13);

	assert_int_equal(estimate_transfer_ns(1000, NS_PER_S, 0), 0);
	assert_int_equal(estimate_transfer_ns(14600 + 29200, NS_PER_S, 0), NS_PER_S);
	assert_int_equal(estimate_transfer_ns(1000000, NS_PER_MS, 8000000), NS_PER_S);
	scenario_free(scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(expands_to_cells_and_blocks),
	    cmocka_unit_test(scales_take_turns),
	    cmocka_unit_test(follows_the_filter),
	    cmocka_unit_test(refuses_filters_that_match_nothing),
	    cmocka_unit_test(refuses_what_cannot_work),
	    cmocka_unit_test(refuses_a_deadline_that_the_first_cell_misses),
	    cmocka_unit_test(refuses_probes_that_would_measure_the_machine),
	    cmocka_unit_test(estimates_like_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

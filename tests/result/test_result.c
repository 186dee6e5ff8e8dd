/* SPDX-License-Identifier: MIT */
/* What a result says of the runs it was given. */
#include "base/units.h"
#include "harness/measure/calibrate.h"
#include "harness/measure/histogram_json.h"
#include "testbed/testbed.h"
#include "tests/result/made_run.h"
#include "tests/result/result_folder.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cJSON *read_json(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 4 << 20);
	cJSON *json;

	assert_non_null(file);
	assert_true(fread(text, 1, (4 << 20) - 1, file) > 0);
	fclose(file);
	json = cJSON_Parse(text);
	assert_non_null(json);
	free(text);
	return json;
}

static const cJSON *at(const cJSON *json, const char *path)
{
	char copy[128], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	for (const char *key; (key = strsep(&rest, "/")) != NULL;) {
		json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, atoi(key))
					   : cJSON_GetObjectItemCaseSensitive(json, key);
		if (json == NULL)
			fail_msg("no %s in %s", key, path);
	}
	return json;
}

static double number(const cJSON *json, const char *path)
{
	assert_true(cJSON_IsNumber(at(json, path)));
	return at(json, path)->valuedouble;
}

static const char *text(const cJSON *json, const char *path)
{
	return cJSON_GetStringValue(at(json, path));
}

static void figures_of_a_cell_are_exact(void **state)
{
	const double floor_ns = 340e6;
	struct result *r = result_folder_create(result_folder(), NULL);
	struct histogram *h = histogram_create();
	cJSON *json;
	const cJSON *figures;

	(void)state;
	result_folder_add_blocks(r, "tcp");
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	json = read_json(result_path(r));
	assert_int_equal(result_folder_files(result_folder()), 1);
	assert_string_equal(text(json, "status"), "complete");
	assert_string_equal(text(json, "cells/0/status"), "ok");
	assert_int_equal(cJSON_GetArraySize(at(json, "cells/0/blocks")), 3);
	figures = at(json, "cells/0/figures");
	assert_int_equal(histogram_from_json(h, at(figures, "round_ns"), NULL), 0);
	assert_true(h->total == 3 * 3 * 17 && h->min == 20 * NS_PER_MS);
	assert_true(number(figures, "wall_ns/median") == 376e6);
	assert_true(number(figures, "wall_ns/min") == 358e6);
	assert_true(number(figures, "wall_ns/max") == 394e6);
	assert_true(number(figures, "setup_ns/median") == 4e6);
	assert_true(number(figures, "teardown_ns/median") == 3e6);
	assert_true(number(figures, "rounds/median") == 17);
	assert_true(number(figures, "messages/median") == 17 * 6);
	assert_true(number(figures, "app_bytes/median") == 17 * 6 * 40);
	assert_true(number(figures, "cpu_ns/median") == 30e6);
	assert_true(number(figures, "network_floor_ns/median") == floor_ns);
	assert_true(fabs(number(figures, "network_efficiency/median") -
			 floor_ns / 376e6) < 1e-12);
	assert_true(number(figures, "decomposition/latency_ns") == floor_ns);
	assert_true(number(figures, "decomposition/compute_ns") == 36e6);
	assert_true(number(figures, "decomposition/rest_ns") == 0);
	assert_string_equal(text(figures, "phases/1/name"), "multiply");
	assert_true(number(figures, "phases/0/rounds/median") == 8);
	assert_true(number(figures, "phases/0/wall_ns/median") == 8 * 22e6);
	assert_true(number(figures, "phases/1/wall_ns/max") == 9 * 23e6 + 3e6);
	assert_true(number(figures, "phases/1/app_bytes/median") == 9 * 6 * 40);
	assert_true(cJSON_IsNull(at(figures, "wire_bytes")));
	assert_true(number(json, "cells/0/blocks/2/figures/wall_ns") == 394e6);
	assert_string_equal(text(json, "provenance/scenario/document/name"), "made-up");
	cJSON_Delete(json);
	histogram_destroy(h);
	result_destroy(r);
}

static void without_a_common_clock_it_is_replayed(void **state)
{
	struct made_run run = {.n_parties = 3,
	    .n_rounds = 10,
	    .one_way_ns = 20 * NS_PER_MS,
	    .work_ns = NS_PER_MS,
	    .bytes = 125000};
	struct result *r = result_folder_create(result_folder(), NULL);
	struct result_block block;
	const cJSON *parts;

	(void)state;
	made_run_play(&run);
	block = made_run_block(&run, "tcp", "cnn");
	block.shares_clock = 0;
	block.rate_bps = 10000000000;
	assert_int_equal(result_block(r, &block, NULL, NULL), 0);
	parts = at(result_document(r), "cells/0/figures/decomposition");
	assert_string_equal(text(parts, "method"), "replay");
	assert_true(number(parts, "latency_ns") == 200e6);
	assert_true(number(parts, "compute_ns") == 11e6);
	assert_true(number(parts, "transfer_ns") == 1e6);
	assert_true(number(parts, "rest_ns") == -1e6);
	made_run_forget(&run);
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	unlink(result_path(r));
	result_destroy(r);
}

static void what_is_wrong_fails_the_cell(void **state)
{
	static const char *const sentences[] = {"host1: no report came",
	    "host1: report: not JSON",
	    "host2: its output is not that of the first party"};
	struct made_run run = {.n_parties = 3, .n_rounds = 2, .one_way_ns = 1000};
	struct made_run other = {
	    .n_parties = 3, .n_rounds = 2, .one_way_ns = 1000, .output = 1};
	struct result *r = result_folder_create(result_folder(), NULL);

	(void)state;
	made_run_play(&run);
	made_run_play(&other);
	for (int i = 0; i < 3; i++) {
		struct result_block block = made_run_block(&run, "tcp", "secret-santa");
		struct result_verdict verdict;
		const cJSON *cell;

		if (i == 0)
			block.parties[1].report = NULL;
		if (i == 1)
			block.parties[1].report_bytes--;
		if (i == 2)
			block.parties[2] =
			    made_run_block(&other, "tcp", "secret-santa").parties[2];
		assert_int_equal(result_block(r, &block, &verdict, NULL), 0);
		assert_int_equal(verdict.status, CELL_FAILED);
		cell = at(result_document(r), "cells/0");
		assert_string_equal(text(cell, "status"), "failed");
		assert_string_equal(text(cell, "error"), sentences[i]);
		assert_true(cJSON_IsNull(at(cell, "figures")));
	}
	result_folder_add_blocks(r, "tcp");
	assert_string_equal(text(result_document(r), "cells/0/status"), "degraded");
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	unlink(result_path(r));
	made_run_forget(&run);
	made_run_forget(&other);
	result_destroy(r);
}

static void every_planned_cell_is_there(void **state)
{
	const struct result_cell planned = {"wireguard", "cnn", "low", "", 4};
	struct result_block block = {.cell = planned, .status = CELL_UNSUPPORTED};
	struct result *r = result_folder_create(result_folder(), NULL);
	cJSON *json;

	(void)state;
	for (uint32_t p = 0; p < 4; p++)
		block.parties[p] = (struct result_party){
		    .host = "host0", .outcome = "ok", .error = "no\x1b[31m wg\n"};
	block.error = "no wg: apt-get install wireguard-tools";
	result_plan(r, &planned, 2);
	result_plan(r, &planned, 2);
	assert_string_equal(text(result_document(r), "cells/0/status"), "not_run");
	assert_int_equal(result_block(r, &block, NULL, NULL), 0);
	block.index = 1;
	block.parties[3].host = NULL;
	assert_int_equal(result_block(r, &block, NULL, NULL), 0);
	result_note(r, "host2: /tmp/x\tstayed");
	assert_int_equal(result_finish(r, RESULT_PARTIAL, "stopped by Ctrl-C", NULL), 0);
	json = read_json(result_path(r));
	assert_int_equal(cJSON_GetArraySize(at(json, "cells")), 1);
	assert_string_equal(text(json, "cells/0/status"), "unsupported");
	assert_string_equal(
	    text(json, "cells/0/error"), "no wg: apt-get install wireguard-tools");
	assert_string_equal(
	    text(json, "cells/0/blocks/0/hosts/host0/error"), "no?[31m wg ");
	assert_string_equal(text(json, "reason"), "stopped by Ctrl-C");
	assert_string_equal(text(json, "notes/0"), "host2: /tmp/x stayed");
	cJSON_Delete(json);
	unlink(result_path(r));
	result_destroy(r);
}

static void count_packets(struct testbed_counters *counters, uint64_t late_ns)
{
	for (uint32_t from = 0; from < 3; from++)
		for (uint32_t to = 0; to < 3; to++) {
			counters->pairs[from][to].packets += from == to ? 0 : 100;
			counters->pairs[from][to].bytes += from == to ? 0 : 9000;
			for (int i = 0; i < 100; i++)
				histogram_record(&counters->lateness_ns, late_ns);
		}
}

static void wire_is_the_difference_and_taints(void **state)
{
	struct made_run run = {.n_parties = 3, .n_rounds = 2, .one_way_ns = 1000000};
	struct testbed_counters *before = calloc(1, sizeof(*before));
	struct testbed_counters *after = calloc(1, sizeof(*after));
	struct result *r = result_folder_create(result_folder(), NULL);
	struct result_verdict verdict;
	struct result_block block;
	const cJSON *json;
	cJSON *written;

	(void)state;
	histogram_reset(&before->lateness_ns);
	count_packets(before, 5000000);
	count_packets(before, 20000);
	*after = *before;
	made_run_play(&run);
	block = made_run_block(&run, "tcp", "secret-santa");
	block.wire_before = before;
	block.wire_after = after;
	count_packets(after, 20000);
	assert_int_equal(result_block(r, &block, &verdict, NULL), 0);
	assert_int_equal(verdict.n_taints, 0);
	after->tun_dropped[1] = 2;
	block.index = 1;
	assert_int_equal(result_block(r, &block, &verdict, NULL), 0);
	assert_int_equal(verdict.n_taints, 1);
	count_packets(after, 3000000);
	block.attempt = 1;
	assert_int_equal(result_block(r, &block, &verdict, NULL), 0);
	assert_int_equal(verdict.n_taints, 2);
	json = at(result_document(r), "cells/0/figures");
	/* Only the first is without taints. */
	assert_true(
	    number(json, "blocks_ok") == 3 && number(json, "blocks_tainted") == 2);
	assert_true(cJSON_IsFalse(at(json, "uses_tainted")));
	assert_true(number(json, "wire_bytes/max") == 6 * 9000);
	assert_true(number(json, "wire_packets/median") == 600);
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	written = read_json(result_path(r));
	assert_true(number(written, "cells/0/blocks/0/wire/lateness/count") == 900);
	assert_true(number(written, "cells/0/blocks/2/wire/lateness/count") == 1800);
	cJSON_Delete(written);
	unlink(result_path(r));
	result_destroy(r);
	made_run_forget(&run);
	free(before);
	free(after);
}

static void calibration_says_what_is_off(void **state)
{
	const struct calibrate_pair good = {20, 20, 182300000, 182400000, 183000000};
	const struct calibrate_pair bad = {20, 19, 186000000, 186100000, 187000000};
	const struct calibrate_pair none = {20, 0, 0, 0, 0};
	struct result *r = result_folder_create(result_folder(), NULL);
	const cJSON *json;

	(void)state;
	result_calibration_pair(r, 0, 1, 182 * NS_PER_MS, &good);
	result_calibration_pair(r, 1, 0, 182 * NS_PER_MS, &bad);
	result_calibration_pair(r, 0, 1, 182 * NS_PER_MS, &none);
	json = at(result_document(r), "calibration");
	assert_true(number(json, "pairs/0/rtt_ns/p50") == 182400000);
	assert_true(cJSON_IsNull(at(json, "pairs/2/rtt_ns")));
	assert_int_equal(cJSON_GetArraySize(at(json, "taints")), 2);
	assert_string_equal(text(json, "taints/0/sentence"),
	    "tokyo sgp to paris ams: the measured round trip is 4.10 ms off the "
	    "configured "
	    "one (limit 1.82 ms)");
	assert_string_equal(text(json, "taints/1/code"), "probes_lost");
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	unlink(result_path(r));
	result_destroy(r);
}

/* One of 17 rounds at 20 ms times `scale`, and 18 times `work_ns`. */
static void add_scaled(
    struct result *r, double scale, uint64_t work_ns, const char *taint)
{
	struct made_run run = {.n_parties = 3,
	    .n_rounds = 17,
	    .one_way_ns = (uint64_t)(scale * 20 * NS_PER_MS),
	    .work_ns = work_ns};
	struct result_block block;

	made_run_play(&run);
	block = made_run_block(&run, "tcp", "secret-santa");
	block.delay_scale = scale;
	block.taints = taint == NULL ? NULL : cJSON_Parse(taint);
	assert_int_equal(result_block(r, &block, NULL, NULL), 0);
	made_run_forget(&run);
}

static void effective_rounds_are_a_slope(void **state)
{
	static const char taint[] = "[{\"code\":\"steal\",\"value\":1,\"limit\":0}]";
	struct result *r = result_folder_create(result_folder(), NULL);
	const cJSON *figures, *slope;

	(void)state;
	add_scaled(r, 1, NS_PER_MS, NULL);
	assert_true(
	    cJSON_IsNull(at(result_document(r), "cells/0/figures/effective_rounds")));
	add_scaled(r, 1, 9 * NS_PER_MS, NULL);
	add_scaled(r, 1, 2 * NS_PER_MS, NULL);
	add_scaled(r, 0, 2 * NS_PER_MS, NULL);
	add_scaled(r, 2, 90 * NS_PER_MS, taint);
	add_scaled(r, 2, 2 * NS_PER_MS, NULL);
	figures = at(result_document(r), "cells/0/figures");
	slope = at(figures, "effective_rounds");
	assert_true(fabs(number(slope, "rounds") - 17) < 1e-9);
	assert_true(number(slope, "fixed_ns") == 36e6);
	assert_true(number(slope, "off_ns") == 0);
	assert_int_equal(cJSON_GetArraySize(at(slope, "scales")), 3);
	assert_true(number(slope, "scales/2/longest_one_way_ns") == 40e6);
	assert_true(number(slope, "scales/2/blocks") == 1);
	assert_true(number(slope, "scales/1/blocks") == 3);
	assert_true(number(figures, "blocks_ok") == 3);
	assert_true(number(figures, "wall_ns/median") == 376e6);
	assert_true(number(figures, "longest_one_way_ns/max") == 20e6);
	/* Three medians that are on no line: 36, 376 and 716 + 60 ms. */
	add_scaled(r, 2, 2 * NS_PER_MS + 120 * NS_PER_MS / 18, NULL);
	slope = at(result_document(r), "cells/0/figures/effective_rounds");
	assert_true(fabs(number(slope, "rounds") - 18.5) < 1e-6);
	assert_true(fabs(number(slope, "off_ns") - 20e6) < 10);
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	unlink(result_path(r));
	result_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		figures_of_a_cell_are_exact, result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(
		effective_rounds_are_a_slope, result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(without_a_common_clock_it_is_replayed,
		result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(
		what_is_wrong_fails_the_cell, result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(
		every_planned_cell_is_there, result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(wire_is_the_difference_and_taints,
		result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(
		calibration_says_what_is_off, result_folder_make, result_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

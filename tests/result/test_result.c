/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include "harness/measure/calibrate.h"
#include "harness/measure/histogram_json.h"
#include "harness/result/result.h"
#include "testbed/testbed.h"
#include "tests/result/made_run.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/e3-test-result-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static uint32_t files_in(const char *path)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);
	uint32_t n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static struct result *create_in(const char *where, struct error *err)
{
	static char *const argv[] = {
	    (char *)"run", (char *)"scenarios/made-up.json", NULL};
	const struct result_config config = {.name = "made-up",
	    .folder = where,
	    .scenario_path = "scenarios/made-up.json",
	    .scenario_text = "{\"name\": \"made-up\"}\n",
	    .seed = 42,
	    .argv = argv,
	    .inventory =
		cJSON_Parse("{\"hosts\":[{\"region\":\"ams\"},{\"region\":\"sgp\"}]}"),
	    .versions = cJSON_Parse("{\"e3\":\"0.1.0\"}")};
	struct result *r = NULL;
	int rc = result_create(&config, &r, err);

	assert_true((rc == 0) == (r != NULL));
	return r;
}

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

/* Three blocks of 17 rounds at 20 ms with 1, 2, 3 ms of work. */
static void add_blocks(struct result *r, const char *transport)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct made_run run = {.n_parties = 3,
		    .n_rounds = 17,
		    .one_way_ns = 20 * NS_PER_MS,
		    .work_ns = (i + 1) * NS_PER_MS,
		    .bytes = 40};
		struct result_block block;
		struct result_verdict verdict;

		made_run_play(&run);
		block = made_run_block(&run, transport, "secret-santa");
		block.index = i;
		assert_int_equal(result_block(r, &block, &verdict, NULL), 0);
		assert_int_equal(verdict.status, CELL_OK);
		assert_int_equal(verdict.n_taints, 0);
		made_run_forget(&run);
	}
}

static void figures_of_a_cell_are_exact(void **state)
{
	const double floor_ns = 340e6;
	struct result *r = create_in(folder, NULL);
	struct histogram *h = histogram_create();
	cJSON *json;
	const cJSON *figures;

	(void)state;
	add_blocks(r, "tcp");
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	json = read_json(result_path(r));
	assert_int_equal(files_in(folder), 1);
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
	struct result *r = create_in(folder, NULL);
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
	struct result *r = create_in(folder, NULL);

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
	add_blocks(r, "tcp");
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
	struct result *r = create_in(folder, NULL);
	cJSON *json;

	(void)state;
	for (uint32_t p = 0; p < 4; p++)
		block.parties[p] = (struct result_party){
		    .host = "host0", .outcome = "ok", .error = "no\x1b[31m wg\n"};
	block.error = "no wg: apt-get install wireguard-tools";
	result_plan(r, &planned);
	result_plan(r, &planned);
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
	struct result *r = create_in(folder, NULL);
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
	struct result *r = create_in(folder, NULL);
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
	    "host1 sgp to host0 ams: the measured round trip is 4.10 ms off the "
	    "configured "
	    "one (limit 1.82 ms)");
	assert_string_equal(text(json, "taints/1/code"), "probes_lost");
	assert_int_equal(result_finish(r, RESULT_COMPLETE, NULL, NULL), 0);
	unlink(result_path(r));
	result_destroy(r);
}

/* Lines of the only journal in a folder; 0 if one is not whole. */
static uint32_t lines_of_journal(const char *where)
{
	DIR *dir = opendir(where);
	const struct dirent *entry;
	char path[384] = "", *line = NULL;
	size_t room = 0;
	uint32_t lines = 0;
	FILE *file;

	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".journal.jsonl") != NULL)
			snprintf(path, sizeof(path), "%s/%s", where, entry->d_name);
	closedir(dir);
	file = fopen(path, "r");
	for (ssize_t len; file != NULL && (len = getline(&line, &room, file)) > 0;
	     lines++) {
		cJSON *json = cJSON_Parse(line);

		if (json == NULL || line[len - 1] != '\n')
			return 0;
		cJSON_Delete(json);
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return lines;
}

static void a_crash_leaves_the_journal(void **state)
{
	struct result *r = create_in(folder, NULL);

	(void)state;
	result_environment(r, "host0", cJSON_Parse("{\"kernel\":\"6.1\"}"));
	add_blocks(r, "tcp");
	result_destroy(r);
	assert_int_equal(files_in(folder), 1);
	assert_int_equal(lines_of_journal(folder), 5);
}

/* In a child: what must hold there, else it says so and fails. */
#define REQUIRE(what)                                                                    \
	do {                                                                             \
		if (!(what)) {                                                           \
			fprintf(stderr, "line %d: %s\n", __LINE__, #what);               \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

static void in_child(void (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Big enough for the journal of one block, too small for the document. */
static void write_on_a_small_disk(void)
{
	char where[96], whole[65536] = "";
	struct error err = {0};
	struct made_run run = {.n_parties = 3, .n_rounds = 17, .one_way_ns = 1000};
	struct result_block block;
	struct result *r;
	uint32_t blocks = 0;
	FILE *filler;

	snprintf(where, sizeof(where), "%s/small", folder);
	REQUIRE(mkdir(where, 0755) == 0);
	REQUIRE(mount("none", where, "tmpfs", 0, "size=128k") == 0);
	r = create_in(where, &err);
	made_run_play(&run);
	block = made_run_block(&run, "tcp", "secret-santa");
	while (result_block(r, &block, NULL, &err) == 0)
		REQUIRE(++blocks < 1000);
	REQUIRE(blocks > 1 && err.code == -ENOSPC);
	REQUIRE(
	    strstr(err.text, "No space left on device; free some space there") != NULL);
	REQUIRE(result_finish(r, RESULT_FAILED, err.text, &err) == -ENOSPC);
	REQUIRE(strstr(err.text, "what was measured stays in") != NULL);
	REQUIRE(files_in(where) == 1);
	REQUIRE(lines_of_journal(where) == 1 + blocks);
	result_destroy(r);
	/* A disk that is full from the start. */
	snprintf(whole, sizeof(whole), "%s/filler", where);
	filler = fopen(whole, "w");
	while (fwrite(whole, 1, sizeof(whole), filler) == sizeof(whole) &&
	       fflush(filler) == 0)
		continue;
	fclose(filler);
	REQUIRE(create_in(where, &err) == NULL && err.code == -ENOSPC);
	REQUIRE(files_in(where) == 2);
	umount(where);
	rmdir(where);
}

static void a_full_disk_leaves_nothing_half(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("a small file system needs root");
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip_because("no mount namespace here: %s", strerror(errno));
	in_child(write_on_a_small_disk);
}

static void write_beyond_a_limit(void)
{
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
	struct result *r = create_in(folder, NULL);
	struct error err = {0};

	add_blocks(r, "tcp");
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	REQUIRE(result_finish(r, RESULT_COMPLETE, NULL, &err) == -EFBIG);
	REQUIRE(access(result_path(r), F_OK) < 0);
	REQUIRE(files_in(folder) == 1);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	/* There is room now: the journal makes way for the document. */
	REQUIRE(result_finish(r, RESULT_COMPLETE, NULL, &err) == 0);
	REQUIRE(files_in(folder) == 1);
	REQUIRE(unlink(result_path(r)) == 0);
	result_destroy(r);
}

static void a_file_limit_leaves_nothing_half(void **state)
{
	(void)state;
	assert_int_equal(files_in(folder), 0);
	in_child(write_beyond_a_limit);
	assert_int_equal(files_in(folder), 0);
}

static void folders_that_can_not_be(void **state)
{
	struct error err = {0};
	char where[128];

	(void)state;
	assert_null(create_in("/proc/nowhere", &err));
	assert_string_equal(err.text, "/proc/nowhere: can't be written: No such file or "
				      "directory; its folder must exist");
	snprintf(where, sizeof(where), "%s/new", folder);
	{
		struct result *r = create_in(where, &err);

		assert_int_equal(result_finish(r, RESULT_PARTIAL, "no cell", NULL), 0);
		assert_int_equal(files_in(where), 1);
		unlink(result_path(r));
		result_destroy(r);
		rmdir(where);
	}
}

static void names_do_not_collide(void **state)
{
	struct result *a = create_in(folder, NULL), *b = create_in(folder, NULL), *c;

	(void)state;
	assert_string_not_equal(result_path(a), result_path(b));
	assert_int_equal(result_finish(a, RESULT_COMPLETE, NULL, NULL), 0);
	assert_int_equal(result_finish(b, RESULT_COMPLETE, NULL, NULL), 0);
	c = create_in(folder, NULL); /* their journals are gone by now */
	assert_int_equal(result_finish(c, RESULT_COMPLETE, NULL, NULL), 0);
	assert_int_equal(files_in(folder), 3);
	unlink(result_path(a));
	unlink(result_path(b));
	unlink(result_path(c));
	result_destroy(c);
	result_destroy(a);
	result_destroy(b);
	result_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		figures_of_a_cell_are_exact, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		without_a_common_clock_it_is_replayed, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		what_is_wrong_fails_the_cell, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		every_planned_cell_is_there, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		wire_is_the_difference_and_taints, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		calibration_says_what_is_off, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_crash_leaves_the_journal, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_full_disk_leaves_nothing_half, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_file_limit_leaves_nothing_half, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		folders_that_can_not_be, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		names_do_not_collide, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What is on the disk, whenever a run or the disk ends. */
#include "harness/scenario/json_reader.h"
#include "tests/result/made_run.h"
#include "tests/result/result_folder.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

#define ODD "\xff\xfe \xc3"

/* A command line, a host, a party, a path may say any bytes; a document is UTF-8. */
static void any_bytes_become_utf8(void **state)
{
	static char *const argv[] = {(char *)"run", (char *)ODD ".json", NULL};
	const struct result_config config = {.name = "odd",
	    .folder = result_folder(),
	    .scenario_path = ODD,
	    .scenario_text = "{}",
	    .argv = argv,
	    .inventory = cJSON_Parse("{\"hosts\":[]}"),
	    .versions = cJSON_Parse("{}")};
	struct result_block block = {
	    .cell = {.transport = "tcp", .workload = "rounds", .size = "1", .parties = 1},
	    .status = CELL_FAILED,
	    .error = "it said " ODD,
	    .parties = {{.host = "host0", .outcome = "exit:1", .error = ODD}}};
	struct json_document document;
	cJSON *facts = cJSON_CreateObject();
	struct result *r = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(result_create(&config, &r, &err), 0);
	cJSON_AddStringToObject(facts, ODD, ODD);
	result_environment(r, "host0", facts);
	result_note(r, ODD);
	assert_int_equal(result_block(r, &block, NULL, &err), 0);
	assert_int_equal(result_finish(r, RESULT_FAILED, ODD, &err), 0);
	if (json_document_read(result_path(r), &document, &err) < 0)
		fail_msg("%s", err.text);
	json_document_finish(&document);
	result_destroy(r);
}

static void a_crash_leaves_the_journal(void **state)
{
	struct result *r = result_folder_create(result_folder(), NULL);

	(void)state;
	result_environment(r, "host0", cJSON_Parse("{\"kernel\":\"6.1\"}"));
	result_folder_add_blocks(r, "tcp");
	result_destroy(r);
	assert_int_equal(result_folder_files(result_folder()), 1);
	assert_int_equal(lines_of_journal(result_folder()), 5);
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

	snprintf(where, sizeof(where), "%s/small", result_folder());
	REQUIRE(mkdir(where, 0755) == 0);
	REQUIRE(mount("none", where, "tmpfs", 0, "size=128k") == 0);
	r = result_folder_create(where, &err);
	made_run_play(&run);
	block = made_run_block(&run, "tcp", "secret-santa");
	while (result_block(r, &block, NULL, &err) == 0)
		REQUIRE(++blocks < 1000);
	REQUIRE(blocks > 1 && err.code == -ENOSPC);
	REQUIRE(
	    strstr(err.text, "No space left on device; free some space there") != NULL);
	REQUIRE(result_finish(r, RESULT_FAILED, err.text, &err) == -ENOSPC);
	REQUIRE(strstr(err.text, "what was measured stays in") != NULL);
	REQUIRE(result_folder_files(where) == 1);
	REQUIRE(lines_of_journal(where) == 1 + blocks);
	result_destroy(r);
	/* A disk that is full from the start. */
	snprintf(whole, sizeof(whole), "%s/filler", where);
	filler = fopen(whole, "w");
	while (fwrite(whole, 1, sizeof(whole), filler) == sizeof(whole) &&
	       fflush(filler) == 0)
		continue;
	fclose(filler);
	REQUIRE(result_folder_create(where, &err) == NULL && err.code == -ENOSPC);
	REQUIRE(result_folder_files(where) == 2);
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
	struct result *r = result_folder_create(result_folder(), NULL);
	struct error err = {0};

	result_folder_add_blocks(r, "tcp");
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	REQUIRE(result_finish(r, RESULT_COMPLETE, NULL, &err) == -EFBIG);
	REQUIRE(access(result_path(r), F_OK) < 0);
	REQUIRE(result_folder_files(result_folder()) == 1);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	/* There is room now: the journal makes way for the document. */
	REQUIRE(result_finish(r, RESULT_COMPLETE, NULL, &err) == 0);
	REQUIRE(result_folder_files(result_folder()) == 1);
	REQUIRE(unlink(result_path(r)) == 0);
	result_destroy(r);
}

static void a_file_limit_leaves_nothing_half(void **state)
{
	(void)state;
	assert_int_equal(result_folder_files(result_folder()), 0);
	in_child(write_beyond_a_limit);
	assert_int_equal(result_folder_files(result_folder()), 0);
}

static void folders_that_can_not_be(void **state)
{
	struct error err = {0};
	char where[128];

	(void)state;
	assert_null(result_folder_create("/proc/nowhere", &err));
	assert_string_equal(err.text, "/proc/nowhere: can't be written: No such file or "
				      "directory; its folder must exist");
	snprintf(where, sizeof(where), "%s/new", result_folder());
	{
		struct result *r = result_folder_create(where, &err);

		assert_int_equal(result_finish(r, RESULT_PARTIAL, "no cell", NULL), 0);
		assert_int_equal(result_folder_files(where), 1);
		unlink(result_path(r));
		result_destroy(r);
		rmdir(where);
	}
}

static void names_do_not_collide(void **state)
{
	struct result *a = result_folder_create(result_folder(), NULL),
		      *b = result_folder_create(result_folder(), NULL), *c;

	(void)state;
	assert_string_not_equal(result_path(a), result_path(b));
	assert_int_equal(result_finish(a, RESULT_COMPLETE, NULL, NULL), 0);
	assert_int_equal(result_finish(b, RESULT_COMPLETE, NULL, NULL), 0);
	c = result_folder_create(
	    result_folder(), NULL); /* their journals are gone by now */
	assert_int_equal(result_finish(c, RESULT_COMPLETE, NULL, NULL), 0);
	assert_int_equal(result_folder_files(result_folder()), 3);
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
		any_bytes_become_utf8, result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(
		a_crash_leaves_the_journal, result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(a_full_disk_leaves_nothing_half,
		result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(a_file_limit_leaves_nothing_half,
		result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(
		folders_that_can_not_be, result_folder_make, result_folder_remove),
	    cmocka_unit_test_setup_teardown(
		names_do_not_collide, result_folder_make, result_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

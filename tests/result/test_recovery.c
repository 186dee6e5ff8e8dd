/* SPDX-License-Identifier: MIT */
/* A result from a journal is the one that the run would have written. */
#include "harness/result/recovery.h"
#include "harness/result/journal.h"
#include "tests/result/made_document.h"
#include "tests/result/result_folder.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char journal_path[256];

static void note_path(void *user, const char *path)
{
	(void)user;
	snprintf(journal_path, sizeof(journal_path), "%s", path);
}

static char *read_text(const char *path, size_t *len)
{
	struct stat file;
	FILE *in = fopen(path, "r");
	char *text;

	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &file), 0);
	text = calloc(1, (size_t)file.st_size + 1);
	*len = fread(text, 1, (size_t)file.st_size, in);
	fclose(in);
	return text;
}

static void write_text(const char *path, const char *text, size_t len)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, len, out), len);
	fclose(out);
}

/* The journal of a made-up run that was not finished; what it would have written. */
static char *abandon(void)
{
	struct result *r = made_document(result_folder());
	char *text = cJSON_PrintUnformatted(result_document(r));

	result_destroy(r);
	assert_int_equal(journal_left_behind(result_folder(), note_path, NULL), 1);
	return text;
}

static void drop(cJSON *document, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive(document, key);
}

/* The cell that never ran has a taint of its own then. */
static void drop_end_taints(cJSON *document, int *n_dropped)
{
	cJSON *cell, *taint, *next;

	cJSON_ArrayForEach(cell, cJSON_GetObjectItemCaseSensitive(document, "cells"))
	{
		cJSON *taints = cJSON_GetObjectItemCaseSensitive(cell, "taints");

		for (taint = taints->child; taint != NULL; taint = next) {
			next = taint->next;
			if (strcmp(cJSON_GetObjectItemCaseSensitive(taint, "code")
				       ->valuestring,
				"controller_ended") != 0)
				continue;
			cJSON_Delete(cJSON_DetachItemViaPointer(taints, taint));
			(*n_dropped)++;
		}
	}
}

static void nothing_is_lost(void **state)
{
	char *whole = abandon(), *text;
	struct result *r = NULL;
	struct error err = {0};
	cJSON *wanted, *found;
	int n_taints = 0;
	size_t len;

	(void)state;
	assert_int_equal(result_recover(journal_path, &r, &err), 0);
	assert_int_equal(result_finish(r, RESULT_PARTIAL, "recovered", &err), 0);
	assert_true(access(journal_path, F_OK) < 0);
	text = read_text(result_path(r), &len);
	wanted = cJSON_Parse(whole);
	found = cJSON_Parse(text);
	assert_string_equal(
	    cJSON_GetObjectItemCaseSensitive(found, "reason")->valuestring, "recovered");
	drop_end_taints(found, &n_taints);
	assert_int_equal(n_taints, 1);
	drop(wanted, "reason");
	drop(found, "reason");
	drop(wanted, "finished_at");
	drop(found, "finished_at");
	assert_true(cJSON_Compare(wanted, found, 1));
	cJSON_Delete(wanted);
	cJSON_Delete(found);
	free(text);
	cJSON_free(whole);
	result_destroy(r);
}

static const cJSON *cells_of(struct result *r)
{
	return cJSON_GetObjectItemCaseSensitive(result_document(r), "cells");
}

/* Cut at every length, the journal is a result, or a sentence says why not. */
static void every_cut_is_a_result(void **state)
{
	char *whole = abandon(), *text;
	size_t len, n_results = 0, last_blocks = 0;
	struct error err = {0};

	(void)state;
	text = read_text(journal_path, &len);
	for (size_t cut = 0; cut <= len; cut += cut < 3000 ? 97 : 15919) {
		struct result *r = NULL;
		const cJSON *cell;
		size_t blocks = 0;
		int rc;

		write_text(journal_path, text, cut);
		rc = result_recover(journal_path, &r, &err);
		assert_true(rc == 0 || (rc == -ENODATA && n_results == 0));
		if (rc < 0)
			continue;
		n_results++;
		cJSON_ArrayForEach(cell, cells_of(r))
		{
			blocks += (size_t)cJSON_GetArraySize(
			    cJSON_GetObjectItemCaseSensitive(cell, "blocks"));
		}
		assert_true(blocks >= last_blocks);
		last_blocks = blocks;
		result_destroy(r);
	}
	assert_true(n_results > 10 && last_blocks > 5);
	free(text);
	cJSON_free(whole);
}

static void refuse(int code, const char *words)
{
	struct error err = {0};
	struct result *r = NULL;

	assert_int_equal(result_recover(journal_path, &r, &err), code);
	if (strstr(err.text, words) == NULL)
		fail_msg("'%s' lacks '%s'", err.text, words);
	assert_null(r);
}

/* Every byte of the first 20 kB in turn becomes another: no crash, a sentence or a
 * result. */
static void a_spoilt_journal_does_no_harm(void **state)
{
	char *whole = abandon(), *text, *spoilt;
	size_t len, n_refused = 0;

	(void)state;
	text = read_text(journal_path, &len);
	spoilt = malloc(len);
	for (size_t i = 0; i < 20000 && i < len; i += 127) {
		struct result *r = NULL;
		struct error err = {0};

		memcpy(spoilt, text, len);
		spoilt[i] = "\n{}[]\"x0\\,:"[i % 11];
		write_text(journal_path, spoilt, len);
		if (result_recover(journal_path, &r, &err) == 0) {
			result_document(r);
		} else {
			n_refused++;
			assert_true(err.text[0] != '\0');
		}
		result_destroy(r);
	}
	assert_true(n_refused > 25);
	free(spoilt);
	free(text);
	cJSON_free(whole);
}

static void what_is_no_journal_is_refused(void **state)
{
	static const char beginning[] =
	    "{\"t\":\"run\",\"at\":\"2026-11-21T09:41:07.123Z\"";
	char *whole = abandon(), text[512];

	(void)state;
	write_text(journal_path, "", 0);
	refuse(-ENODATA, "no line of it is whole");
	write_text(journal_path, "x\n{}\n", 5);
	refuse(-EINVAL, "line 1 is not JSON but line 2 is");
	write_text(journal_path, "{}\n", 3);
	refuse(-EINVAL, "line 1: not a line of a journal");
	snprintf(text, sizeof(text), "%s,\"run\":{}}\n", beginning);
	write_text(journal_path, text, strlen(text));
	refuse(-EINVAL, "/$schema");
	snprintf(text, sizeof(text), "%s,\"run\":{\"$schema\":\"e3/result/v1\"}}\n",
	    beginning);
	write_text(journal_path, text, strlen(text));
	refuse(-EINVAL, "/environment");
	unlink(journal_path);
	assert_int_equal(mkfifo(journal_path, 0600), 0);
	refuse(-EINVAL, "not a file");
	unlink(journal_path);
	refuse(-ENOENT, "No such file");
	strcpy(strstr(journal_path, ".journal"), ".json");
	refuse(-EINVAL, "ends in '.journal.jsonl'");
	cJSON_free(whole);
}

static void a_document_is_not_overwritten(void **state)
{
	char *whole = abandon(), path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s", journal_path);
	strcpy(strstr(path, ".journal"), ".json");
	write_text(path, "{}", 2);
	refuse(-EEXIST, "already");
	assert_int_equal(access(journal_path, F_OK), 0);
	cJSON_free(whole);
}

/* Of a process that lives nothing is left behind. */
static void a_run_under_way_is_let_alone(void **state)
{
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct result *r = made_document(result_folder());

		if (r == NULL || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(journal_left_behind(result_folder(), note_path, NULL), 0);
	{
		char command[128];
		FILE *list;

		snprintf(command, sizeof(command), "ls %s/*.jsonl", result_folder());
		list = popen(command, "r");
		assert_non_null(fgets(journal_path, sizeof(journal_path), list));
		pclose(list);
		journal_path[strcspn(journal_path, "\n")] = '\0';
	}
	refuse(-EBUSY, "is at it still");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(journal_left_behind(result_folder(), note_path, NULL), 1);
}

#define IN_FOLDER(test)                                                                  \
	cmocka_unit_test_setup_teardown(test, result_folder_make, result_folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(nothing_is_lost),
	    IN_FOLDER(every_cut_is_a_result),
	    IN_FOLDER(a_spoilt_journal_does_no_harm),
	    IN_FOLDER(what_is_no_journal_is_refused),
	    IN_FOLDER(a_document_is_not_overwritten),
	    IN_FOLDER(a_run_under_way_is_let_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

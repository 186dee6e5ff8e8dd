/* SPDX-License-Identifier: MIT */
/* The way things go when all is well, against real sshd processes. */
#include "tests/fleet/sshd_fixture.h"

#include "tests/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int up(void **state)
{
	(void)state;
	fixture_up(SSHD_MAX, "");
	return 0;
}

static void crew_begin(struct crew *crew, uint32_t n)
{
	fixture_need();
	crew_up(crew, fixture.hosts, n, &fixture.key, NULL);
	crew_connect(crew);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(crew->outcomes[i].kind, OUTCOME_OK);
}

static void test_one_host(void **state)
{
	static struct crew crew;
	struct work work = {0};

	(void)state;
	crew_begin(&crew, 1);
	assert_non_null(strstr(fleet_folder(crew.fleet, 0), "/home0/.cache/e3/run"));
	crew_upload_program(&crew);
	work_start(&work, &crew, 0, (const char *[]){"e3", "say", "3", "5", NULL});
	assert_int_equal(work.n_ended, 0);
	work_wait(&work);
	assert_int_equal(work.outcome.kind, OUTCOME_OK);
	assert_int_equal(work.n_lines, 3);
	assert_string_equal(work.last, "abcde");
	crew_down(&crew);
}

static void test_eight_hosts(void **state)
{
	static struct crew crew;
	static struct work works[3 * SSHD_MAX];
	uint64_t began_ms = test_now_ms();

	(void)state;
	memset(works, 0, sizeof(works));
	crew_begin(&crew, SSHD_MAX);
	printf("# %d hosts connected after %llu ms\n", SSHD_MAX,
	    (unsigned long long)(test_now_ms() - began_ms));
	crew_upload_program(&crew);
	for (uint32_t i = 0; i < 3 * SSHD_MAX; i++)
		work_start(&works[i], &crew, i % SSHD_MAX,
		    (const char *[]){"e3", "say", "1000", "70", NULL});
	for (uint32_t i = 0; i < 3 * SSHD_MAX; i++) {
		work_wait(&works[i]);
		assert_int_equal(works[i].outcome.kind, OUTCOME_OK);
		assert_int_equal(works[i].n_bytes, 70000);
	}
	crew_down(&crew);
}

static void test_endings(void **state)
{
	static const struct {
		const char *argv[4];
		const char *text;
	} table[] = {
	    {{"e3", "exit", "0"}, "ok"},
	    {{"e3", "exit", "3"}, "exit:3"},
	    {{"e3", "exit", "255"}, "exit:255"},
	    {{"e3", "signal", "9"}, "signal:9"},
	    {{"e3", "signal", "10"}, "signal:10"},
	    {{"nothing-there"}, "exit:127"},
	    {{"/bin/true"}, "ok"},
	    {{"/bin/sh", "-c", "kill -TERM $$"}, "signal:15"},
	};
	static struct crew crew;
	char text[24];

	(void)state;
	crew_begin(&crew, 1);
	crew_upload_program(&crew);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct work work = {0};

		work_start(&work, &crew, 0, table[i].argv);
		work_wait(&work);
		assert_string_equal(outcome_text(&work.outcome, text), table[i].text);
		if (work.outcome.kind == OUTCOME_OK)
			assert_int_equal(work.outcome.error.code, 0);
		else
			assert_non_null(strstr(work.outcome.error.text, "host0"));
	}
	crew_down(&crew);
}

/* A file of `bytes` bytes that differ with `seed`. */
static void make_file(const char *path, size_t bytes, unsigned seed)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	for (size_t i = 0; i < bytes; i++)
		putc((int)((i * 2654435761u + seed) >> 7 & 0xff), file);
	assert_int_equal(fclose(file), 0);
}

static void test_upload(void **state)
{
	static struct crew crew;
	char big[128], small[128], path[256];
	struct stat status;
	uint64_t sent, began_ms;

	(void)state;
	crew_begin(&crew, SSHD_MAX);
	snprintf(big, sizeof(big), "%s/big", fixture.folder);
	snprintf(small, sizeof(small), "%s/small", fixture.folder);
	make_file(big, 20000000, 1);
	make_file(small, 10, 1);
	struct fleet_file files[] = {{big, "big.bin", 0644, UINT32_MAX},
	    {small, "plugins/small.so", 0755, UINT32_MAX},
	    {small, "only-2", 0600, 1u << 2}};

	began_ms = test_now_ms();
	crew_upload(&crew, files, 3);
	printf("# %d x 20 MB sent in %llu ms\n", SSHD_MAX,
	    (unsigned long long)(test_now_ms() - began_ms));
	for (uint32_t i = 0; i < SSHD_MAX; i++) {
		assert_int_equal(crew.outcomes[i].kind, OUTCOME_OK);
		assert_true(fleet_sent_bytes(crew.fleet, i) > 20000000);
		snprintf(path, sizeof(path), "%s/plugins/small.so",
		    fleet_folder(crew.fleet, i));
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 07777, 0755);
		assert_int_equal(status.st_size, 10);
		snprintf(path, sizeof(path), "%s/only-2", fleet_folder(crew.fleet, i));
		assert_int_equal(stat(path, &status), i == 2 ? 0 : -1);
		snprintf(path, sizeof(path), "cmp -s %s %s/big.bin", big,
		    fleet_folder(crew.fleet, i));
		assert_int_equal(system(path), 0);
		snprintf(path, sizeof(path), "test $(ls -A %s | wc -l) = %d",
		    fleet_folder(crew.fleet, i), i == 2 ? 3 : 2);
	}

	/* Nothing differs now but one mode. */
	sent = fleet_sent_bytes(crew.fleet, 0);
	files[0].mode = 0600;
	began_ms = test_now_ms();
	crew_upload(&crew, files, 3);
	printf(
	    "# same again in %llu ms\n", (unsigned long long)(test_now_ms() - began_ms));
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_OK);
	assert_true(fleet_sent_bytes(crew.fleet, 0) - sent < 4096);
	snprintf(path, sizeof(path), "%s/big.bin", fleet_folder(crew.fleet, 0));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);

	/* One small file differs. */
	make_file(small, 11, 2);
	sent = fleet_sent_bytes(crew.fleet, 0);
	crew_upload(&crew, files, 3);
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_OK);
	assert_true(fleet_sent_bytes(crew.fleet, 0) - sent < 8192);
	crew_down(&crew);
}

/* The lease of the program that is shipped. */
static void test_real_program(void **state)
{
	static struct crew crew;
	struct fleet_file file = {getenv("E3_PROGRAM"), "e3", 0755, UINT32_MAX};
	struct work work = {0};

	(void)state;
	crew_begin(&crew, 1);
	assert_non_null(file.local_path);
	crew_upload(&crew, &file, 1);
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_OK);
	work_start(&work, &crew, 0,
	    (const char *[]){
		"/bin/sh", "-c", "echo \"$1\"; exit 7", "sh", "--nonce", NULL});
	work_wait(&work);
	assert_int_equal(work.outcome.kind, OUTCOME_EXIT);
	assert_int_equal(work.outcome.number, 7);
	assert_string_equal(work.last, "--nonce");
	crew_down(&crew);
}

/* What others keep in ~/.cache stays; the second host has nothing else there. */
static void test_clean(void **state)
{
	static struct crew crew;
	char folder[2][512], other[600], cache[600];
	FILE *file;

	(void)state;
	crew_begin(&crew, 2);
	crew_upload_program(&crew);
	for (uint32_t i = 0; i < 2; i++)
		snprintf(folder[i], sizeof(folder[i]), "%s", fleet_folder(crew.fleet, i));
	snprintf(other, sizeof(other), "%.*s/other",
	    (int)(strlen(folder[0]) - strlen("/e3/run")), folder[0]);
	snprintf(cache, sizeof(cache), "%.*s",
	    (int)(strlen(folder[1]) - strlen("/e3/run")), folder[1]);
	file = fopen(other, "w");
	assert_non_null(file);
	fclose(file);
	crew.n_done = 0;
	fleet_clean(crew.fleet, crew_done, &crew);
	crew_wait(&crew, &crew.n_done);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(crew.outcomes[i].kind, OUTCOME_OK);
		assert_int_equal(access(folder[i], F_OK), -1);
	}
	assert_int_equal(access(other, F_OK), 0);
	assert_int_equal(access(cache, F_OK), -1);
	unlink(other);
	crew_down(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_host),
	    cmocka_unit_test(test_eight_hosts),
	    cmocka_unit_test(test_endings),
	    cmocka_unit_test(test_upload),
	    cmocka_unit_test(test_real_program),
	    cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, up, fixture_down);
}

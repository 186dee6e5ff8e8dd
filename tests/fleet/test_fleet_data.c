/* SPDX-License-Identifier: MIT */
/* What goes through a remote command's pipes arrives whole, however much and whatever. */
#include "tests/fleet/sshd_fixture.h"

#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

static struct crew crew;

/* New keys all the time, probes of a quiet client, and a talkative login. */
static const char difficult[] =
    "RekeyLimit 2M\nClientAliveInterval 1\nClientAliveCountMax 1\n"
    "ForceCommand echo Welcome; echo HELLO 0; echo EXIT 0; echo Hi >&2; "
    "exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n";

static int up(void **state)
{
	(void)state;
	fixture_up(1, difficult);
	return 0;
}

/* All tests share one connection, made by the first. */
static void crew_need(void)
{
	fixture_need();
	if (crew.fleet)
		return;
	crew_up(&crew, fixture.hosts, 1, &fixture.key, NULL);
	crew_connect(&crew);
	crew_upload_program(&crew);
}

static int down(void **state)
{
	if (crew.fleet)
		crew_down(&crew);
	return fixture_down(state);
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = hash * 31 + (unsigned char)bytes[i];
	return hash;
}

static uint64_t hash_seen;

static void on_hash(struct work *work, const char *line, size_t len)
{
	(void)work;
	hash_seen = hash_bytes(hash_seen, line, len);
	hash_seen = hash_bytes(hash_seen, "\n", 1);
}

static void test_echo_megabytes(void **state)
{
	static const size_t len = 5000000;
	struct work work = {.on_line = on_hash};
	char *bytes = malloc(len);

	(void)state;
	crew_need();
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)((i * 2654435761u) >> 9);
	bytes[len - 1] = '\n';
	hash_seen = 0;
	work_start(&work, &crew, 0, (const char *[]){"e3", "echo", NULL});
	/* In writes of very different sizes, some before it has started. */
	for (size_t at = 0, n = 1; at < len; at += n) {
		n = n * 3 % 1999993;
		n = n < len - at ? n : len - at;
		assert_int_equal(fleet_command_write(work.command, bytes + at, n), 0);
	}
	assert_int_equal(fleet_command_end_input(work.command), 0);
	assert_int_equal(fleet_command_write(work.command, "x", 1), -EPIPE);
	work_wait(&work);
	assert_int_equal(work.outcome.kind, OUTCOME_OK);
	assert_true(hash_seen == hash_bytes(0, bytes, len));
	free(bytes);
}

static void test_long_lines(void **state)
{
	static const struct {
		const char *bytes;
		enum outcome_kind kind;
	} table[] = {
	    {"65535", OUTCOME_OK},
	    {"65537", OUTCOME_OK},
	    {"10000000", OUTCOME_OK},
	    {"16777216", OUTCOME_OK},
	    {"16777217", OUTCOME_LOST},
	};

	(void)state;
	crew_need();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct work work = {0};

		work_start(&work, &crew, 0,
		    (const char *[]){"e3", "say", "1", table[i].bytes, NULL});
		work_wait(&work);
		assert_int_equal(work.outcome.kind, table[i].kind);
		if (table[i].kind == OUTCOME_OK)
			assert_int_equal(work.n_bytes, atol(table[i].bytes));
		else
			assert_non_null(strstr(work.outcome.error.text, "16 MiB"));
	}
}

static void test_many_at_once(void **state)
{
	struct work works[8] = {0};

	(void)state;
	crew_need();
	for (int i = 0; i < 8; i++)
		work_start(&works[i], &crew, 0,
		    (const char *[]){"e3", "say", "300", "10000", NULL});
	for (int i = 0; i < 8; i++) {
		work_wait(&works[i]);
		assert_int_equal(works[i].outcome.kind, OUTCOME_OK);
		assert_int_equal(works[i].n_bytes, 3000000);
	}
}

/* One that never stops talking must not keep the others from theirs. */
static void test_no_starvation(void **state)
{
	struct work loud = {0}, echo = {0};

	(void)state;
	crew_need();
	work_start(
	    &loud, &crew, 0, (const char *[]){"e3", "say", "1000000000", "10000", NULL});
	work_wait_lines(&loud, 1);
	work_start(&echo, &crew, 0, (const char *[]){"e3", "echo", NULL});
	for (uint64_t i = 1; i <= 20; i++) {
		assert_int_equal(fleet_command_write(echo.command, "ping\n", 5), 0);
		work_wait_lines(&echo, i);
	}
	fleet_command_end_input(echo.command);
	work_wait(&echo);
	assert_int_equal(echo.outcome.kind, OUTCOME_OK);
	fleet_command_cancel(loud.command);
	work_wait(&loud);
	assert_int_equal(loud.outcome.kind, OUTCOME_CANCELLED);
}

static void test_binary_lines(void **state)
{
	struct work work = {0};

	(void)state;
	crew_need();
	work_start(&work, &crew, 0, (const char *[]){"e3", "binary", NULL});
	work_wait(&work);
	assert_int_equal(work.outcome.kind, OUTCOME_OK);
	assert_int_equal(work.n_lines, 6);
	assert_int_equal(work.n_bytes, 255 + 6 + 0 + 1 + 4 + 6);
	assert_string_equal(work.last, ">HELLO");
}

static void test_stderr_tail(void **state)
{
	struct work work = {0};

	(void)state;
	crew_need();
	work_start(&work, &crew, 0, (const char *[]){"e3", "stderr", "50000", NULL});
	work_wait(&work);
	assert_int_equal(work.outcome.kind, OUTCOME_EXIT);
	assert_int_equal(work.outcome.number, 3);
	assert_int_equal(strlen(work.stderr_tail), 4096);
	assert_non_null(strstr(work.stderr_tail, "complaint 49998\ncomplaint 49999\n"));
	assert_non_null(strstr(work.outcome.error.text, "complaint 49999"));
}

static void on_argument(struct work *work, const char *line, size_t len)
{
	static const char *const expected[] = {
	    "it's", "", "$HOME", "a b", "-n", "*", "\\"};

	assert_int_equal(len, strlen(expected[work->n_lines - 1]));
	assert_memory_equal(line, expected[work->n_lines - 1], len);
}

static void test_arguments(void **state)
{
	struct work work = {.on_line = on_argument};
	static char long_argument[40000];
	struct fleet_command *command;
	struct error err = {0};

	(void)state;
	crew_need();
	work_start(&work, &crew, 0,
	    (const char *[]){
		"e3", "arguments", "it's", "", "$HOME", "a b", "-n", "*", "\\", NULL});
	work_wait(&work);
	assert_int_equal(work.n_lines, 7);
	memset(long_argument, 'x', sizeof(long_argument) - 1);
	assert_int_equal(fleet_command_start(crew.fleet, 0,
			     (const char *[]){"e3", long_argument, NULL},
			     &(struct fleet_command_events){0}, &command, &err),
	    -E2BIG);
	assert_int_equal(fleet_command_start(crew.fleet, 1, (const char *[]){"e3", NULL},
			     &(struct fleet_command_events){0}, &command, &err),
	    -EINVAL);
}

static void on_wake(uv_timer_t *timer)
{
	(void)timer;
}

static void test_input_nobody_reads(void **state)
{
	struct work work = {0};
	char *bytes = calloc(1, 1 << 20);

	(void)state;
	crew_need();
	work_start(&work, &crew, 0, (const char *[]){"e3", "sleep", NULL});
	for (int i = 0; i < 80; i++)
		fleet_command_write(work.command, bytes, 1 << 20);
	work_wait(&work);
	assert_int_equal(work.outcome.kind, OUTCOME_SIGNAL);
	assert_non_null(strstr(work.stderr_tail, "unread"));
	free(bytes);
}

/* With no command running, the server's probes must still be answered. */
static void test_quiet_connection_lives(void **state)
{
	static struct crew quiet;
	struct work work = {0};
	uint64_t until_ms = test_now_ms() + 4500;
	uv_timer_t wake;

	(void)state;
	fixture_need();
	crew_up(&quiet, fixture.hosts, 1, &fixture.key, NULL);
	crew_connect(&quiet);
	uv_timer_init(&quiet.loop, &wake);
	uv_timer_start(&wake, on_wake, 100, 100);
	while (test_now_ms() < until_ms)
		uv_run(&quiet.loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&wake, NULL);
	work_start(&work, &quiet, 0, (const char *[]){"e3", "exit", "0", NULL});
	work_wait(&work);
	assert_int_equal(work.outcome.kind, OUTCOME_OK);
	crew_down(&quiet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo_megabytes),
	    cmocka_unit_test(test_long_lines),
	    cmocka_unit_test(test_many_at_once),
	    cmocka_unit_test(test_no_starvation),
	    cmocka_unit_test(test_binary_lines),
	    cmocka_unit_test(test_stderr_tail),
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_input_nobody_reads),
	    cmocka_unit_test(test_quiet_connection_lives),
	};

	return cmocka_run_group_tests(tests, up, down);
}

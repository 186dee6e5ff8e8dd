/* SPDX-License-Identifier: MIT */
/*
 * Destroying and cancelling in every state: the same course of connect, upload and a
 * command is broken off after n turns of the loop, for n = 0, 1, 2, ... until it gets
 * through; and inside each kind of callback.
 */
#include "tests/fleet/sshd_fixture.h"

#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

#define TURNS_MAX 5000

enum place { NOWHERE, AT_CONNECT, AT_UPLOAD, AT_LINE, AT_END };

struct course {
	uv_loop_t loop;
	struct fleet *fleet;
	enum place breaks_at;
	bool is_cancelled, is_closed, is_through;
	int n_asked, n_reported; /* rounds and commands */
	struct fleet_command *command;
};

static int up(void **state)
{
	(void)state;
	fixture_up(2, "");
	return 0;
}

static void on_closed(void *user)
{
	struct course *course = user;

	course->is_closed = true;
}

static void at(struct course *course, enum place place)
{
	assert_false(course->is_closed);
	if (course->breaks_at == place)
		fleet_destroy(course->fleet, on_closed, course);
}

static void on_line(void *user, const char *line, size_t len)
{
	(void)line, (void)len;
	at(user, AT_LINE);
}

static void on_ended(void *user, const struct outcome *outcome, const char *stderr_tail)
{
	struct course *course = user;

	(void)stderr_tail;
	course->n_reported++;
	course->command = NULL;
	if (outcome->kind == OUTCOME_OK)
		course->is_through = true;
	at(course, AT_END);
}

static void on_uploaded(void *user, const struct outcome *outcomes, uint32_t n)
{
	struct course *course = user;
	struct fleet_command_events events = {on_line, on_ended, course};

	course->n_reported++;
	at(course, AT_UPLOAD);
	for (uint32_t i = 0; i < n; i++)
		if (outcomes[i].kind != OUTCOME_OK)
			return;
	if (fleet_command_start(course->fleet, 0, (const char *[]){"e3", "echo", NULL},
		&events, &course->command, NULL) < 0)
		return;
	course->n_asked++;
	fleet_command_write(course->command, "hello\nworld\n", 12);
	fleet_command_end_input(course->command);
}

static void on_connected(void *user, const struct outcome *outcomes, uint32_t n)
{
	struct course *course = user;
	struct fleet_file file = {getenv("E3_REMOTE_PROGRAM"), "e3", 0755, UINT32_MAX};

	course->n_reported++;
	at(course, AT_CONNECT);
	for (uint32_t i = 0; i < n; i++)
		if (outcomes[i].kind != OUTCOME_OK)
			return;
	course->n_asked++;
	fleet_upload(course->fleet, &file, 1, on_uploaded, course);
}

static void course_begin(struct course *course, enum place breaks_at)
{
	struct fleet_deadlines deadlines = {.connect_ms = WAIT_MS, .idle_ms = WAIT_MS};

	memset(course, 0, sizeof(*course));
	course->breaks_at = breaks_at;
	uv_loop_init(&course->loop);
	assert_int_equal(fleet_create(&course->loop, fixture.hosts, 2, &fixture.key,
			     &deadlines, &course->fleet, NULL),
	    0);
	course->n_asked++;
	fleet_connect(course->fleet, on_connected, course);
	assert_int_equal(course->n_reported, 0);
}

static void course_finish(struct course *course)
{
	if (course->breaks_at == NOWHERE)
		fleet_destroy(course->fleet, on_closed, course);
	uv_run(&course->loop, UV_RUN_DEFAULT);
	assert_true(course->is_closed);
	assert_int_equal(course->n_asked, course->n_reported);
	assert_int_equal(uv_loop_close(&course->loop), 0);
}

/* The first turns one by one; later ones, many alike, in larger steps. */
static int next_turns(int n)
{
	return n < 60 ? n + 1 : n + n / 8;
}

static void test_destroy_after_n_turns(void **state)
{
	static struct course course;
	int n, n_courses = 0;

	(void)state;
	fixture_need();
	for (n = 0; n < TURNS_MAX; n = next_turns(n)) {
		course_begin(&course, NOWHERE);
		for (int i = 0; i < n && !course.is_through; i++)
			uv_run(&course.loop, UV_RUN_ONCE);
		course_finish(&course);
		n_courses++;
		if (course.is_through)
			break;
	}
	printf("# %d courses, through after %d turns\n", n_courses, n);
	assert_true(course.is_through);
}

/* Cancelled instead, everything is reported without the fleet's end; and it lives on. */
static void test_cancel_after_n_turns(void **state)
{
	static struct course course;
	int n;

	(void)state;
	fixture_need();
	for (n = 0; n < TURNS_MAX; n = next_turns(n)) {
		uint64_t until_ms = test_now_ms() + WAIT_MS;

		course_begin(&course, NOWHERE);
		for (int i = 0; i < n && !course.is_through; i++)
			uv_run(&course.loop, UV_RUN_ONCE);
		fleet_cancel(course.fleet);
		while (course.n_reported < course.n_asked && test_now_ms() < until_ms)
			uv_run(&course.loop, UV_RUN_ONCE);
		assert_int_equal(course.n_asked, course.n_reported);
		if (n % 16 == 0) {
			course.n_asked++;
			course.is_through = false;
			fleet_connect(course.fleet, on_connected, &course);
			while (!course.is_through && test_now_ms() < until_ms)
				uv_run(&course.loop, UV_RUN_ONCE);
			assert_true(course.is_through);
			course.is_through = false;
		}
		course_finish(&course);
		if (course.is_through)
			break;
	}
	assert_true(course.is_through);
}

static void test_destroy_inside_callbacks(void **state)
{
	static struct course course;

	(void)state;
	fixture_need();
	for (enum place place = AT_CONNECT; place <= AT_END; place++) {
		course_begin(&course, place);
		course_finish(&course);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_destroy_after_n_turns),
	    cmocka_unit_test(test_cancel_after_n_turns),
	    cmocka_unit_test(test_destroy_inside_callbacks),
	};

	return cmocka_run_group_tests(tests, up, fixture_down);
}

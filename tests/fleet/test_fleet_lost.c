/* SPDX-License-Identifier: MIT */
/*
 * Commands that end otherwise than by themselves: each has its outcome within its
 * deadline and a second, which a busy machine is granted SLACK_MS more for, and the time
 * in which the controller was kept from running; and nothing of them stays on the host.
 */
#include "tests/fleet/sshd_fixture.h"

#include "tests/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLACK_MS 4000u
#define CANCELLED_MS                                                                     \
	4000u /* of fleet_command_cancel(): no longer is an answer waited for */

static int up(void **state)
{
	(void)state;
	fixture_up(2, "");
	return 0;
}

/* Of a program on a host: `e3 lease`, and the sshd of its connection. */
static pid_t lease_of(pid_t pid)
{
	pid_t lease = process_parent(pid);

	assert_true(lease > 1);
	return lease;
}

static pid_t session_of(pid_t pid)
{
	pid_t session = process_parent(lease_of(pid));

	assert_true(session > 1);
	return session;
}

/* A connected crew of one with a program that says its number and waits. */
static pid_t begin_waiting(struct crew *crew, struct work *work, const char *what,
    const struct fleet_deadlines *deadlines)
{
	fixture_need();
	memset(work, 0, sizeof(*work));
	crew_up(crew, fixture.hosts, 1, &fixture.key, deadlines);
	crew_connect(crew);
	crew_upload_program(crew);
	work_start(work, crew, 0, (const char *[]){"e3", what, NULL});
	work_wait_lines(work, 1);
	return atoi(work->last);
}

static void test_beats_keep_it_alive(void **state)
{
	struct fleet_deadlines deadlines = {.connect_ms = WAIT_MS, .idle_ms = 2500};
	static struct crew crew;
	static struct work work;
	uint64_t until_ms;

	(void)state;
	begin_waiting(&crew, &work, "sleep", &deadlines);
	until_ms = test_now_ms() + 4000;
	while (test_now_ms() < until_ms && work.n_ended == 0)
		uv_run(&crew.loop, UV_RUN_ONCE);
	assert_int_equal(work.n_ended, 0);
	crew_down(&crew);
	assert_int_equal(work.n_ended, 1);
}

static void test_silent_host(void **state)
{
	struct fleet_deadlines deadlines = {
	    .connect_ms = WAIT_MS, .idle_ms = 2500, .lease_ms = 3000};
	static struct crew crew;
	static struct work work;
	pid_t pid, session;
	uint64_t began_ms;

	(void)state;
	pid = begin_waiting(&crew, &work, "sleep", &deadlines);
	session = session_of(pid);
	kill(session, SIGSTOP);
	began_ms = test_now_ms();
	work_wait(&work);
	check_outcome(&work.outcome, OUTCOME_TIMEOUT);
	assert_true(test_now_ms() - began_ms < 3500 + SLACK_MS + crew.stalled_ms);
	/* Its lease heard no heartbeat either. */
	assert_true(process_gone(pid));
	crew_down(&crew);
	kill(session, SIGKILL);
}

static void test_total_deadline(void **state)
{
	struct fleet_deadlines deadlines = {.connect_ms = WAIT_MS, .total_ms = 5000};
	static struct crew crew;
	static struct work work;
	uint64_t began_ms = test_now_ms(), took_ms;
	pid_t pid;

	(void)state;
	pid = begin_waiting(&crew, &work, "stubborn", &deadlines);
	work_wait(&work);
	check_outcome(&work.outcome, OUTCOME_TIMEOUT);
	took_ms = test_now_ms() - began_ms;
	assert_true(took_ms >= deadlines.total_ms);
	assert_true(took_ms < deadlines.total_ms + 1000 + 2 * SLACK_MS + crew.stalled_ms);
	assert_true(process_gone(pid));
	crew_down(&crew);
}

static void test_sshd_killed(void **state)
{
	static struct crew crew;
	static struct work work;
	pid_t pid;

	(void)state;
	pid = begin_waiting(&crew, &work, "sleep", NULL);
	kill(session_of(pid), SIGKILL);
	work_wait(&work);
	check_outcome(&work.outcome, OUTCOME_LOST);
	assert_true(process_gone(pid));
	/* The listening server lives: the fleet may connect again. */
	crew_connect(&crew);
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_OK);
	crew_down(&crew);
}

static void test_lease_killed(void **state)
{
	static struct crew crew;
	static struct work work;
	pid_t pid;

	(void)state;
	pid = begin_waiting(&crew, &work, "sleep", NULL);
	kill(lease_of(pid), SIGKILL);
	work_wait(&work);
	check_outcome(&work.outcome, OUTCOME_LOST);
	assert_true(process_gone(pid));
	crew_down(&crew);
}

static void test_no_program_there(void **state)
{
	static struct crew crew;
	struct work work = {0};

	(void)state;
	fixture_need();
	crew_up(&crew, fixture.hosts + 1, 1, &fixture.key, NULL);
	crew_connect(&crew);
	work_start(&work, &crew, 0, (const char *[]){"e3", "exit", "0", NULL});
	work_wait(&work);
	check_outcome(&work.outcome, OUTCOME_LOST);
	assert_non_null(strstr(work.outcome.error.text, "not found"));
	crew_down(&crew);
}

static void test_cancel(void **state)
{
	static const char *const programs[] = {"sleep", "stubborn", "family"};
	static struct crew crew;
	static struct work work;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		pid_t pid = begin_waiting(&crew, &work, programs[i], NULL);
		uint64_t until_ms = test_now_ms() + CANCELLED_MS;

		fleet_command_cancel(work.command);
		assert_int_equal(work.n_ended, 0);
		assert_int_equal(fleet_command_write(work.command, "x", 1), -EPIPE);
		work_wait(&work);
		check_outcome(&work.outcome, OUTCOME_CANCELLED);
		/* By then it is gone, or has had its time. */
		if (test_now_ms() < until_ms)
			assert_int_equal(kill(pid, 0), -1);
		assert_true(process_gone(pid));
		crew_down(&crew);
	}
}

static void test_cancel_before_it_starts(void **state)
{
	static struct crew crew;
	struct work work = {0}, other = {0};

	(void)state;
	begin_waiting(&crew, &work, "sleep", NULL);
	work_start(&other, &crew, 0, (const char *[]){"e3", "sleep", NULL});
	fleet_command_cancel(other.command);
	assert_int_equal(other.n_ended, 0);
	work_wait(&other);
	check_outcome(&other.outcome, OUTCOME_CANCELLED);
	assert_int_equal(work.n_ended, 0);
	fleet_cancel(crew.fleet);
	work_wait(&work);
	check_outcome(&work.outcome, OUTCOME_CANCELLED);
	crew_down(&crew);
}

/* The controller is another process here, and is killed without a chance. */
static void test_controller_killed(void **state)
{
	struct fleet_deadlines deadlines = {.connect_ms = WAIT_MS, .lease_ms = 2000};
	int fds[2], pids[3], is_stopped;

	(void)state;
	fixture_need();
	for (is_stopped = 0; is_stopped < 2; is_stopped++) {
		char text[256];
		pid_t controller;
		ssize_t n;

		assert_int_equal(pipe(fds), 0);
		controller = fork();
		if (controller == 0) {
			static struct crew crew;
			static struct work work;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			begin_waiting(&crew, &work, "family", &deadlines);
			if (write(fds[1], work.last, strlen(work.last)) < 0)
				_exit(1);
			uv_run(&crew.loop, UV_RUN_DEFAULT);
			_exit(0);
		}
		close(fds[1]);
		n = read(fds[0], text, sizeof(text) - 1);
		assert_true(n > 0);
		text[n] = '\0';
		assert_int_equal(
		    sscanf(text, "%d %d %d", &pids[0], &pids[1], &pids[2]), 3);
		/* One that is stopped keeps its connection; only the heartbeat is
		 * missing. */
		kill(controller, is_stopped ? SIGSTOP : SIGKILL);
		for (int i = 0; i < 3; i++)
			assert_true(process_gone(pids[i]));
		kill(controller, SIGKILL);
		waitpid(controller, NULL, 0);
		close(fds[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_beats_keep_it_alive),
	    cmocka_unit_test(test_silent_host),
	    cmocka_unit_test(test_total_deadline),
	    cmocka_unit_test(test_sshd_killed),
	    cmocka_unit_test(test_lease_killed),
	    cmocka_unit_test(test_no_program_there),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_cancel_before_it_starts),
	    cmocka_unit_test(test_controller_killed),
	};

	return cmocka_run_group_tests(tests, up, fixture_down);
}

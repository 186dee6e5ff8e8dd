/* SPDX-License-Identifier: MIT */
/* `e3 lease` over plain pipes: relaying, and who is gone when. No sshd, no root. */
#include "harness/fleet/lease.h"
#include "harness/fleet/lease_frame.h"

#include "tests/fleet/process.h"
#include "tests/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NONCE "0123456789abcdef0123456789abcdef"

struct lease_run {
	pid_t pid;
	int to, from;
	struct lease_reports reports;
	uint64_t n_lines, n_bytes, hash;
	char first[256]; /* line, cut */
	enum lease_report ending;
	int number; /* of the ending */
	bool is_over, is_eof;
};

static void begin(struct lease_run *run, const char *timeout_ms, const char *const *argv)
{
	const char *words[16] = {getenv("E3_REMOTE_PROGRAM"), "lease", "--nonce", NONCE,
	    "--beat-timeout-ms", timeout_ms, "--"};
	int to[2], from[2];

	memset(run, 0, sizeof(*run));
	for (int i = 0; argv[i]; i++)
		words[7 + i] = argv[i];
	assert_int_equal(pipe2(to, O_CLOEXEC) | pipe2(from, O_CLOEXEC), 0);
	assert_int_equal(lease_reports_init(&run->reports, NONCE, 16 << 20), 0);
	run->pid = fork();
	if (run->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(to[0], 0);
		dup2(from[1], 1);
		execv(words[0], (char **)words);
		_exit(1);
	}
	close(to[0]);
	close(from[1]);
	run->to = to[1];
	run->from = from[0];
}

static void on_report(
    void *user, enum lease_report report, const char *line, size_t len, int number)
{
	struct lease_run *run = user;

	if (report == LEASE_REPORT_LINE) {
		if (run->n_lines == 0)
			snprintf(run->first, sizeof(run->first), "%.*s",
			    (int)(len < 255 ? len : 255), line);
		run->n_lines++;
		run->n_bytes += len;
		for (size_t i = 0; i < len; i++)
			run->hash = run->hash * 31 + (unsigned char)line[i];
	} else if (report != LEASE_REPORT_HELLO) {
		run->is_over = true;
		run->ending = report;
		run->number = number;
	}
}

/* Reads what comes within 20 ms; false at the end. */
static bool listen(struct lease_run *run)
{
	static char bytes[1 << 16];
	struct pollfd fd = {run->from, POLLIN, 0};
	ssize_t n;

	if (poll(&fd, 1, 20) <= 0)
		return true;
	n = read(run->from, bytes, sizeof(bytes));
	if (n <= 0) {
		run->is_eof = true;
		return false;
	}
	assert_int_equal(
	    lease_reports_feed(&run->reports, bytes, (size_t)n, on_report, run), 0);
	return true;
}

static void tell(struct lease_run *run, const char *text)
{
	assert_int_equal(write(run->to, text, strlen(text)), strlen(text));
}

static void wait_lines(struct lease_run *run, uint64_t n)
{
	uint64_t until_ms = test_now_ms() + WAIT_MS;

	while (run->n_lines < n && test_now_ms() < until_ms && listen(run))
		;
	assert_int_equal(run->n_lines, n);
}

/* Listens to the end, with a heartbeat. Returns the exit code of the lease. */
static int finish(struct lease_run *run, bool is_beating)
{
	uint64_t until_ms = test_now_ms() + WAIT_MS, beat_ms = 0;
	int status = 0;

	signal(SIGPIPE, SIG_IGN);
	while (listen(run) && test_now_ms() < until_ms) {
		if (is_beating && test_now_ms() > beat_ms + 200) {
			if (write(run->to, "BEAT\n", 5) < 0)
				is_beating = false;
			beat_ms = test_now_ms();
		}
	}
	assert_true(run->is_eof);
	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	close(run->to);
	close(run->from);
	lease_reports_finish(&run->reports);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const char *program(void)
{
	return getenv("E3_REMOTE_PROGRAM");
}

static void test_lines(void **state)
{
	struct lease_run run;

	(void)state;
	begin(&run, "10000", (const char *[]){program(), "say", "20000", "70", NULL});
	assert_int_equal(finish(&run, true), 0);
	assert_true(run.is_over && run.ending == LEASE_REPORT_EXIT && run.number == 0);
	assert_int_equal(run.n_lines, 20000);
	assert_int_equal(run.n_bytes, 20000 * 70);
}

static void test_long_line(void **state)
{
	/* Around the size of a piece, and megabytes. */
	static const size_t sizes[] = {0, 1, LEASE_PIECE_BYTES - 1, LEASE_PIECE_BYTES,
	    LEASE_PIECE_BYTES + 1, 2 * LEASE_PIECE_BYTES, 5000000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct lease_run run;
		uint64_t hash = 0;
		char text[16];

		snprintf(text, sizeof(text), "%zu", sizes[i]);
		begin(&run, "10000", (const char *[]){program(), "say", "1", text, NULL});
		assert_int_equal(finish(&run, true), 0);
		for (size_t k = 0; k < sizes[i]; k++)
			hash = hash * 31 + 'a' + k % 26;
		assert_int_equal(run.n_lines, 1);
		assert_int_equal(run.n_bytes, sizes[i]);
		assert_true(run.hash == hash);
	}
}

static void test_control_words_are_data(void **state)
{
	struct lease_run run;

	(void)state;
	begin(&run, "10000", (const char *[]){program(), "binary", NULL});
	assert_int_equal(finish(&run, true), 0);
	/* 255 bytes; "EXIT 0"; ""; "\r"; "BEAT"; ">HELLO" without newline. */
	assert_int_equal(run.n_lines, 6);
	assert_int_equal(run.n_bytes, 255 + 6 + 0 + 1 + 4 + 6);
	assert_int_equal(run.number, 0);
}

static void test_input(void **state)
{
	struct lease_run run;

	(void)state;
	begin(&run, "10000", (const char *[]){program(), "echo", NULL});
	tell(&run, "BEAT\nDATA 11\nBEAT\nDATA 3");
	tell(&run, "DATA 1\n\nEND\nDATA 2\nxx");
	assert_int_equal(finish(&run, true), 0);
	assert_int_equal(run.n_lines, 2);
	assert_string_equal(run.first, "BEAT");
	assert_int_equal(run.n_bytes, 4 + 6);
}

static void test_endings(void **state)
{
	struct lease_run run;

	(void)state;
	begin(&run, "10000", (const char *[]){program(), "exit", "255", NULL});
	assert_int_equal(finish(&run, true), 0);
	assert_true(run.ending == LEASE_REPORT_EXIT && run.number == 255);
	begin(&run, "10000", (const char *[]){program(), "signal", "6", NULL});
	assert_int_equal(finish(&run, true), 0);
	assert_true(run.ending == LEASE_REPORT_SIGNAL && run.number == 6);
	begin(&run, "10000", (const char *[]){"/no/such/program", NULL});
	assert_int_equal(finish(&run, true), 0);
	assert_true(run.ending == LEASE_REPORT_EXIT && run.number == 127);
}

/* All ways in which the controller's interest ends, on a program with a family. */
static void test_nothing_stays(void **state)
{
	enum way { CANCEL, HANG_UP, SILENCE, NONSENSE, TERMINATE, N_WAYS };

	(void)state;
	for (enum way way = CANCEL; way < N_WAYS; way++) {
		struct lease_run run;
		int pids[3];

		begin(&run, way == SILENCE ? "3000" : "60000",
		    (const char *[]){program(), "family", NULL});
		wait_lines(&run, 1);
		assert_int_equal(
		    sscanf(run.first, "%d %d %d", &pids[0], &pids[1], &pids[2]), 3);
		if (way == CANCEL)
			tell(&run, "CANCEL\n");
		else if (way == HANG_UP)
			close(run.to), run.to = -1;
		else if (way == NONSENSE)
			tell(&run, "DATA x\n");
		else if (way == TERMINATE)
			kill(run.pid, SIGTERM);
		finish(&run, false);
		for (int i = 0; i < 3; i++)
			assert_int_equal(kill(pids[i], 0), -1);
		if (way == CANCEL || way == TERMINATE) {
			assert_true(run.is_over);
			assert_int_equal(run.ending, LEASE_REPORT_SIGNAL);
			assert_int_equal(run.number, SIGTERM);
		}
	}
}

static void test_stubborn_program_is_killed(void **state)
{
	struct lease_run run;

	(void)state;
	begin(&run, "60000", (const char *[]){program(), "stubborn", NULL});
	wait_lines(&run, 1);
	tell(&run, "CANCEL\n");
	assert_int_equal(finish(&run, false), 0);
	assert_true(run.ending == LEASE_REPORT_SIGNAL && run.number == SIGKILL);
	assert_int_equal(kill(atoi(run.first), 0), -1);
}

/* A machine that stands still for longer than both graces. */
static void test_stopped_lease_kills_afterwards(void **state)
{
	struct lease_run run;
	uint64_t until_ms;

	(void)state;
	begin(&run, "60000", (const char *[]){program(), "stubborn", NULL});
	wait_lines(&run, 1);
	tell(&run, "CANCEL\n");
	wait_lines(&run, 2);
	kill(run.pid, SIGSTOP);
	until_ms = test_now_ms() + 2 * LEASE_TERM_GRACE_MS;
	while (test_now_ms() <= until_ms)
		usleep(5000);
	kill(run.pid, SIGCONT);
	assert_int_equal(finish(&run, false), 0);
	assert_int_equal(run.n_lines, 2);
	assert_true(run.ending == LEASE_REPORT_SIGNAL && run.number == SIGKILL);
	assert_int_equal(kill(atoi(run.first), 0), -1);
}

static void test_leftovers_end_with_the_program(void **state)
{
	struct lease_run run;

	(void)state;
	begin(&run, "60000", (const char *[]){program(), "leave", NULL});
	assert_int_equal(finish(&run, true), 0);
	assert_true(run.ending == LEASE_REPORT_EXIT && run.number == 0);
	assert_int_equal(kill(atoi(run.first), 0), -1);
}

static void test_killed_lease_takes_the_program_along(void **state)
{
	struct lease_run run;
	int status;

	(void)state;
	begin(&run, "60000", (const char *[]){program(), "sleep", NULL});
	wait_lines(&run, 1);
	kill(run.pid, SIGKILL);
	waitpid(run.pid, &status, 0);
	assert_true(process_gone(atoi(run.first)));
	close(run.to);
	close(run.from);
	lease_reports_finish(&run.reports);
}

static void test_beats(void **state)
{
	struct lease_run run;
	uint64_t until_ms = test_now_ms() + WAIT_MS;
	static char bytes[4096];
	size_t len = 0;

	(void)state;
	begin(&run, "60000", (const char *[]){program(), "sleep", NULL});
	while (!memmem(bytes, len, "BEAT\nBEAT\n", 10) && test_now_ms() < until_ms) {
		ssize_t n = read(run.from, bytes + len, sizeof(bytes) - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_memory_equal(bytes, "HELLO " NONCE "\n>", 40);
	close(run.to);
	run.to = -1;
	waitpid(run.pid, NULL, 0);
	close(run.from);
	lease_reports_finish(&run.reports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_control_words_are_data),
	    cmocka_unit_test(test_input),
	    cmocka_unit_test(test_endings),
	    cmocka_unit_test(test_nothing_stays),
	    cmocka_unit_test(test_stubborn_program_is_killed),
	    cmocka_unit_test(test_stopped_lease_kills_afterwards),
	    cmocka_unit_test(test_leftovers_end_with_the_program),
	    cmocka_unit_test(test_killed_lease_takes_the_program_along),
	    cmocka_unit_test(test_beats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

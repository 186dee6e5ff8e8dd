/* SPDX-License-Identifier: MIT */
/* Programs that overlays run on their host: what comes back, deadlines, and what a child
 * does not get from us. */
#include "tests/tap.h"
#include "transports/common/helper_daemon.h"
#include "transports/common/helper_program.h"
#include "transports/common/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_MS     20000u
#define STUBBORN_MS 3000u

static char folder[] = "/tmp/e3-helper-XXXXXX";
static char output[4096];

static int shell(struct helper_call *call, const char *script, uint64_t deadline_ms)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};

	call->argv = argv;
	call->output = output;
	call->output_bytes = sizeof(output);
	return helper_call(call, helper_now_ms() + deadline_ms);
}

static void output_and_input(void **state)
{
	struct helper_call call = {.input = "from memory\n", .input_bytes = 12};

	(void)state;
	assert_int_equal(shell(&call, "cat; echo noise >&2", LONG_MS), 0);
	assert_string_equal(output, "from memory\n");
	assert_int_equal(shell(&call, "cat /dev/stdin", LONG_MS), 0);
	assert_string_equal(output, "from memory\n");
	call.input = NULL;
	assert_int_equal(shell(&call, "cat; echo end", LONG_MS), 0);
	assert_string_equal(output, "end\n");
}

static void more_output_than_room_is_cut(void **state)
{
	struct helper_call call = {0};

	(void)state;
	assert_int_equal(shell(&call,
			     "head -c 3000000 /dev/zero | tr '\\0' x; "
			     "head -c 3000000 /dev/zero >&2",
			     LONG_MS),
	    0);
	assert_int_equal(strlen(output), sizeof(output) - 1);
}

static void failures_are_told(void **state)
{
	const char *const missing[] = {"/nowhere/at-all", NULL};
	struct helper_call call = {0};

	(void)state;
	assert_int_equal(
	    shell(&call, "echo first >&2; echo 'last line' >&2; exit 3", LONG_MS), -EIO);
	assert_string_equal(call.complaint, "last line");
	assert_int_equal(shell(&call, "exit 3", LONG_MS), -EIO);
	assert_string_equal(call.complaint, "/bin/sh ended with exit code 3");
	assert_int_equal(shell(&call, "kill -9 $$", LONG_MS), -EIO);
	assert_string_equal(call.complaint, "/bin/sh was ended by signal 9");
	call.argv = missing;
	assert_int_equal(helper_call(&call, helper_now_ms() + LONG_MS), -EIO);
	assert_string_equal(call.complaint, "/nowhere/at-all cannot be run");
}

static void deadlines_are_kept(void **state)
{
	struct helper_call call = {0};
	uint64_t began = helper_now_ms();

	(void)state;
	assert_int_equal(shell(&call, "exec sleep 100", 100), -ETIMEDOUT);
	assert_string_equal(call.complaint, "/bin/sh did not end in time");
	assert_int_equal(shell(&call, "exec sleep 100", 0), -ETIMEDOUT);
	/* Who inherits its output does not hold us up. */
	assert_int_equal(shell(&call, "sleep 2 & echo quick", LONG_MS), 0);
	assert_string_equal(output, "quick\n");
	assert_true(helper_now_ms() - began < LONG_MS);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void children_get_nothing_of_ours(void **state)
{
	struct helper_call call = {0};
	sigset_t blocked, before;
	int leaky = fcntl(STDIN_FILENO, F_DUPFD, 50); /* without O_CLOEXEC */

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	assert_int_equal(
	    shell(&call, "grep -E 'Sig(Ign|Blk)' /proc/self/status | cut -f2", LONG_MS),
	    0);
	assert_string_equal(output, "0000000000000000\n0000000000000000\n");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(shell(&call, "echo /proc/$$/fd/*", LONG_MS), 0);
	assert_true(leaky >= 50);
	assert_non_null(strstr(output, "/fd/2"));
	assert_null(strstr(output, "/fd/5"));
	close(leaky);
}

static void programs_are_found_once(void **state)
{
	static char paths[8][PATH_MAX];
	int n = helper_find("sh", paths, 8);

	(void)state;
	assert_in_range(n, 1, 2);
	assert_int_equal(access(paths[0], X_OK), 0);
	assert_int_equal(helper_find("no-such-program-anywhere", paths, 8), 0);
}

static void in_folder(char out[PATH_MAX], const char *name)
{
	assert_int_equal(state_file_path(out, PATH_MAX, folder, name), 0);
}

static pid_t start(const char *script)
{
	static const char *const extra[] = {"E3_TOLD=yes", NULL};
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	char log[PATH_MAX], pid[PATH_MAX];

	in_folder(log, "log");
	in_folder(pid, "pid");
	return helper_daemon_start(argv, extra, log, pid);
}

static void wait_for_log(const char *text)
{
	char path[PATH_MAX], log[256] = "";
	uint64_t deadline = helper_now_ms() + LONG_MS;

	in_folder(path, "log");
	while (strcmp(log, text) != 0) {
		assert_true(helper_left_ms(deadline) > 0);
		usleep(1000);
		state_file_read(path, log, sizeof(log));
	}
}

static void a_daemon_is_started_watched_and_stopped(void **state)
{
	struct pollfd fd = {.events = POLLIN};
	char pid[PATH_MAX];

	(void)state;
	in_folder(pid, "pid");
	assert_false(helper_daemon_is_alive(pid));
	assert_int_equal(helper_daemon_stop(pid, 0), 0);
	assert_true(start("echo $E3_TOLD >&2; exec sleep 100") > 0);
	wait_for_log("yes\n");
	assert_true(helper_daemon_is_alive(pid));
	fd.fd = helper_daemon_watch(pid);
	assert_true(fd.fd >= 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(helper_daemon_stop(pid, helper_now_ms() + LONG_MS), 0);
	assert_int_equal(poll(&fd, 1, 0), 1);
	close(fd.fd);
	assert_false(helper_daemon_is_alive(pid));
	assert_int_equal(access(pid, F_OK), -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_stubborn_daemon_is_killed(void **state)
{
	char pid[PATH_MAX];
	uint64_t began;

	(void)state;
	in_folder(pid, "pid");
	assert_true(
	    start("trap '' TERM; echo deaf >&2; while :; do sleep 0.1; done") > 0);
	wait_for_log("deaf\n");
	began = helper_now_ms();
	assert_int_equal(helper_daemon_stop(pid, began + STUBBORN_MS), 0);
	assert_true(helper_now_ms() - began >= STUBBORN_MS / 2);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_daemon_that_ends_at_once_is_dead(void **state)
{
	uint64_t deadline = helper_now_ms() + LONG_MS;
	char pid[PATH_MAX];

	(void)state;
	in_folder(pid, "pid");
	for (int i = 0; i < 20; i++) {
		assert_true(start("exit 0") > 0);
		while (helper_daemon_is_alive(pid))
			assert_true(helper_left_ms(deadline) > 0);
		assert_int_equal(helper_daemon_stop(pid, deadline), 0);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The party is killed: what it had started goes too. */
static void a_daemon_dies_with_us(void **state)
{
	uint64_t deadline = helper_now_ms() + LONG_MS;
	char pid[PATH_MAX];
	pid_t party = fork();

	(void)state;
	in_folder(pid, "pid");
	if (party == 0) {
		start("echo up >&2; exec sleep 100");
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	wait_for_log("up\n");
	while (!helper_daemon_is_alive(pid)) /* it may speak before its file is written */
		assert_true(helper_left_ms(deadline) > 0);
	kill(party, SIGKILL);
	waitpid(party, NULL, 0);
	while (helper_daemon_is_alive(pid))
		assert_true(helper_left_ms(deadline) > 0);
	assert_int_equal(helper_daemon_stop(pid, deadline), 0);
}

static void state_files_are_private_and_whole(void **state)
{
	char path[PATH_MAX], fresh[PATH_MAX], text[16];

	(void)state;
	in_folder(path, "thing");
	in_folder(fresh, "thing.new");
	assert_int_equal(state_file_read(path, text, sizeof(text)), -ENOENT);
	assert_int_equal(state_file_write(path, "one"), 0);
	assert_int_equal(state_file_write(path, "two"), 0);
	assert_int_equal(state_file_read(path, text, sizeof(text)), 3);
	assert_string_equal(text, "two");
	assert_int_equal(state_file_read(path, text, 3), -EFBIG);
	assert_int_equal(symlink("/etc/passwd", fresh), 0);
	assert_int_equal(state_file_write(path, "three"), 0); /* not through the link */
	assert_int_equal(symlink("/etc/passwd", fresh), 0);
	assert_int_equal(state_file_remove(path), 0);
	assert_int_equal(access(fresh, F_OK), -1);
	assert_int_equal(state_file_remove(path), 0);
	assert_int_equal(state_file_path(path, 5, folder, "thing"), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(output_and_input),
	    cmocka_unit_test(more_output_than_room_is_cut),
	    cmocka_unit_test(failures_are_told),
	    cmocka_unit_test(deadlines_are_kept),
	    cmocka_unit_test(children_get_nothing_of_ours),
	    cmocka_unit_test(programs_are_found_once),
	    cmocka_unit_test(a_daemon_is_started_watched_and_stopped),
	    cmocka_unit_test(a_stubborn_daemon_is_killed),
	    cmocka_unit_test(a_daemon_that_ends_at_once_is_dead),
	    cmocka_unit_test(a_daemon_dies_with_us),
	    cmocka_unit_test(state_files_are_private_and_whole),
	};
	char path[PATH_MAX];
	int rc;

	if (mkdtemp(folder) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	in_folder(path, "log");
	unlink(path);
	rmdir(folder);
	return rc;
}

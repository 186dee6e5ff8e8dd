/* SPDX-License-Identifier: MIT */
#include "harness/fleet/lease_child.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct start_pipes {
	int input[2], output[2];
	int failure[2]; /* carries errno when exec fails, closes when it works */
};

static void close_pair(int *pair)
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	pair[0] = pair[1] = -1;
}

static void pipes_close(struct start_pipes *pipes)
{
	close_pair(pipes->input);
	close_pair(pipes->output);
	close_pair(pipes->failure);
}

static int pipes_open(struct start_pipes *pipes)
{
	memset(pipes, 0xff, sizeof(*pipes));
	if (pipe2(pipes->input, O_CLOEXEC) < 0 || pipe2(pipes->output, O_CLOEXEC) < 0 ||
	    pipe2(pipes->failure, O_CLOEXEC) < 0) {
		int rc = -errno;

		pipes_close(pipes);
		return rc;
	}
	return 0;
}

static _Noreturn void child_become(
    const struct start_pipes *pipes, pid_t parent, char *const *argv)
{
	sigset_t none;
	int code;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	dup2(pipes->input[0], STDIN_FILENO);
	dup2(pipes->output[1], STDOUT_FILENO);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	code = errno;
	if (write(pipes->failure[1], &code, sizeof(code)) < 0)
		_exit(1);
	_exit(127);
}

int lease_child_start(struct lease_child *child, char *const *argv)
{
	struct start_pipes pipes;
	pid_t parent = getpid();
	int code = 0, rc;

	memset(child, 0, sizeof(*child));
	child->input = child->output = -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	rc = pipes_open(&pipes);
	if (rc < 0)
		return rc;
	child->pid = fork();
	if (child->pid < 0) {
		rc = -errno;
		child->pid = 0;
		pipes_close(&pipes);
		return rc;
	}
	if (child->pid == 0)
		child_become(&pipes, parent, argv);
	close(pipes.failure[1]);
	pipes.failure[1] = -1;
	if (read(pipes.failure[0], &code, sizeof(code)) == sizeof(code)) {
		waitpid(child->pid, NULL, 0);
		child->pid = 0;
		pipes_close(&pipes);
		return -code;
	}
	child->input = pipes.input[1];
	child->output = pipes.output[0];
	pipes.input[1] = pipes.output[0] = -1;
	pipes_close(&pipes);
	fcntl(child->input, F_SETFL, O_NONBLOCK);
	fcntl(child->output, F_SETFL, O_NONBLOCK);
	return 0;
}

bool lease_child_reap(struct lease_child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == child->pid) {
			child->is_reaped = true;
			child->status = status;
		}
	}
	return pid < 0 && errno == ECHILD;
}

static bool was_told(const struct lease_child *child, pid_t pid)
{
	if (child->is_group_told && getpgid(pid) == child->pid)
		return true;
	for (size_t i = 0; i < child->n_told; i++)
		if (child->told[i] == pid)
			return true;
	return false;
}

static void signal_one(struct lease_child *child, pid_t pid, int signal_number)
{
	if (signal_number != SIGKILL) {
		/* A second SIGTERM means "never mind cleaning up" to some programs. */
		if (was_told(child, pid) || child->n_told == LEASE_CHILD_TOLD_MAX)
			return;
		child->told[child->n_told++] = pid;
	}
	kill(pid, signal_number);
}

/* The parent of a process, from /proc/PID/stat; -1 when it is gone. Its name, in
 * parentheses, may hold anything: what counts comes after the last one. */
static pid_t parent_of(const char *pid)
{
	char path[64], text[512];
	const char *after;
	size_t len;
	int parent;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %*c %d", &parent) != 1)
		return -1;
	return parent;
}

void lease_child_signal(struct lease_child *child, int signal_number)
{
	pid_t self = getpid();
	struct dirent *entry;
	DIR *proc;

	/* Once its leader is reaped, the group's number may be somebody else's. */
	if (child->pid > 0 && !child->is_reaped &&
	    (signal_number == SIGKILL || !child->is_group_told)) {
		kill(-child->pid, signal_number);
		child->is_group_told = true;
	}
	proc = opendir("/proc");
	if (!proc)
		return;
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    parent_of(entry->d_name) == self)
			signal_one(child, (pid_t)atoi(entry->d_name), signal_number);
	closedir(proc);
}

void lease_child_finish(struct lease_child *child)
{
	if (child->input >= 0)
		close(child->input);
	if (child->output >= 0)
		close(child->output);
	child->input = child->output = -1;
}

/* SPDX-License-Identifier: MIT */
#include "transports/common/helper_daemon.h"

#include "transports/common/helper_program.h"
#include "transports/common/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 512
#define STAT_BYTES      1024
#define STAT_FIELDS     20 /* from the state to the start time */

/* Start time of the process in clock ticks since boot, 0 when there is none or it is a
 * zombie: with the number it names a process for ever. */
static uint64_t start_time_of(pid_t pid)
{
	char path[64], text[STAT_BYTES];
	const char *at;
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	at = strrchr(text, ')'); /* the name may contain anything */
	if (at == NULL || at[1] == '\0' || at[2] == 'Z')
		return 0;
	for (int field = 0; field < STAT_FIELDS && at != NULL; field++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

pid_t helper_daemon_pid(const char *pid_path)
{
	unsigned long long start;
	uint64_t now_start;
	char text[64];
	int pid;

	if (state_file_read(pid_path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%d %llu", &pid, &start) != 2 || pid <= 1)
		return 0;
	now_start = start_time_of(pid);
	if (now_start == start && start != 0) /* 0: dead before it could be written */
		return pid;
	/* Perhaps our child, dead or, as long as some of its threads live, dying. */
	return now_start == 0 && waitpid(pid, NULL, WNOHANG) == 0 ? pid : 0;
}

static char **environment_with(const char *const *extra, char *room[ENVIRONMENT_MAX])
{
	int n = 0;

	while (extra != NULL && *extra != NULL && n < ENVIRONMENT_MAX - 1)
		room[n++] = (char *)(uintptr_t)*extra++;
	for (char **at = environ; *at != NULL && n < ENVIRONMENT_MAX - 1; at++)
		room[n++] = *at;
	room[n] = NULL;
	return room;
}

int helper_daemon_start(const char *const *argv, const char *const *extra,
    const char *log_path, const char *pid_path)
{
	int log =
	    open(log_path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	char *room[ENVIRONMENT_MAX], **environment = environment_with(extra, room);
	pid_t parent = getpid(), pid;
	char text[64];
	int rc;

	if (log < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
		helper_exec(argv, environment, -1, -1, log);
	}
	rc = pid < 0 ? -errno : 0;
	close(log);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "%d %llu\n", (int)pid,
	    (unsigned long long)start_time_of(pid));
	rc = state_file_write(pid_path, text);
	if (rc < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return rc;
	}
	return (int)pid;
}

int helper_daemon_watch(const char *pid_path)
{
	pid_t pid = helper_daemon_pid(pid_path);

	return pid > 0 ? helper_pidfd(pid) : -ESRCH;
}

int helper_daemon_is_alive(const char *pid_path)
{
	return helper_daemon_pid(pid_path) > 0;
}

static int wait_ended(int pidfd, uint64_t until_ms)
{
	struct pollfd fd = {.fd = pidfd, .events = POLLIN};

	while (poll(&fd, 1, (int)helper_left_ms(until_ms)) < 0 && errno == EINTR)
		;
	return fd.revents != 0;
}

int helper_daemon_stop(const char *pid_path, uint64_t deadline_ms)
{
	pid_t pid = helper_daemon_pid(pid_path);
	uint64_t half_ms = helper_now_ms() + helper_left_ms(deadline_ms) / 2;
	int pidfd, has_ended;

	if (pid <= 0)
		return state_file_remove(pid_path);
	pidfd = helper_pidfd(pid);
	if (pidfd < 0)
		return pidfd == -ESRCH ? state_file_remove(pid_path) : pidfd;
	syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	has_ended = wait_ended(pidfd, half_ms);
	if (!has_ended) {
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		has_ended = wait_ended(pidfd, deadline_ms);
	}
	close(pidfd);
	if (!has_ended)
		return -ETIMEDOUT;
	waitpid(pid, NULL, 0); /* if it is a child of ours */
	return state_file_remove(pid_path);
}

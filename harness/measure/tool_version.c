/* SPDX-License-Identifier: MIT */
#include "harness/measure/environment.h"

#include "base/clock.h"
#include "base/units.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NS (2 * NS_PER_S)
#define LINE_BYTES  256u

/* Starts argv with both streams on `out_fd`, in a group of its own. */
static int start(pid_t *pid, const char *const *argv, int out_fd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
	posix_spawn_file_actions_adddup2(&actions, out_fd, 2);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	rc = posix_spawnp(
	    pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* The first line that is not empty; "" when none comes in time. */
static void read_line(int fd, char *line)
{
	uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS, now_ns;
	size_t len = 0;

	while ((now_ns = clock_monotonic_ns()) < until_ns && len < LINE_BYTES - 1) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		if (poll(&ready, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1) <= 0)
			break;
		if (read(fd, line + len, 1) != 1)
			break;
		if (line[len] != '\n')
			len++;
		else if (len > 0)
			break;
	}
	line[len] = '\0';
}

void environment_add_tool(cJSON *tools, const char *name, const char *const *argv)
{
	char line[LINE_BYTES] = "";
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		cJSON_AddNullToObject(tools, name);
		return;
	}
	if (start(&pid, argv, fds[1]) == 0) {
		close(fds[1]);
		read_line(fds[0], line);
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
	} else {
		close(fds[1]);
	}
	close(fds[0]);
	if (line[0] == '\0')
		cJSON_AddNullToObject(tools, name);
	else
		cJSON_AddStringToObject(tools, name, line);
}

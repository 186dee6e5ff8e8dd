/* SPDX-License-Identifier: MIT */
#include "transports/common/helper_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_NOT_RUN  127
#define ERROR_BYTES   4096
#define USUAL_FOLDERS "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define FOLDERS_BYTES 4096

/* What a child writes, and where it goes. */
struct stream {
	int fd; /* -1 once at its end */
	char *text;
	size_t used, room;
};

uint64_t helper_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t helper_left_ms(uint64_t deadline_ms)
{
	uint64_t now = helper_now_ms();

	return now < deadline_ms ? deadline_ms - now : 0;
}

int helper_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

void helper_exec(
    const char *const *argv, char *const *environment, int in, int out, int err)
{
	int fds[3] = {in, out, err};
	sigset_t none;

	/* A descriptor below 3 would be overwritten on the way: move all up first. */
	for (int i = 0; i < 3; i++) {
		if (fds[i] < 0)
			fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(EXIT_NOT_RUN);
	syscall(SYS_close_range, 3u, ~0u, 0u);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], (char *const *)(uintptr_t)argv,
	    environment != NULL ? environment : environ);
	_exit(EXIT_NOT_RUN);
}

static int input_open(const struct helper_call *call)
{
	const char *at = call->input;
	size_t left = call->input_bytes;
	int fd = memfd_create("e3-input", MFD_CLOEXEC);

	while (fd >= 0 && left > 0) {
		ssize_t n = write(fd, at, left);

		if (n <= 0) {
			close(fd);
			return -EIO;
		}
		at += n;
		left -= (size_t)n;
	}
	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Read what is there; beyond the room it is forgotten. */
static void stream_read(struct stream *stream)
{
	char beyond[512];
	ssize_t n;

	if (stream->fd < 0)
		return;
	do {
		size_t room = stream->room - stream->used;

		n = room > 0 ? read(stream->fd, stream->text + stream->used, room)
			     : read(stream->fd, beyond, sizeof(beyond));
		if (n > 0 && room > 0)
			stream->used += (size_t)n;
	} while (n > 0);
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(stream->fd);
		stream->fd = -1;
	}
}

const char *helper_last_line(char *text)
{
	size_t len = strlen(text);
	const char *line;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	return line != NULL ? line + 1 : text;
}

/* 1 = ended, 0 = the deadline has passed. */
static int wait_for_end(int pidfd, struct stream streams[2], uint64_t deadline_ms)
{
	struct pollfd fds[3];

	for (;;) {
		int timeout = (int)helper_left_ms(deadline_ms);

		fds[0] = (struct pollfd){.fd = pidfd, .events = POLLIN};
		for (int i = 0; i < 2; i++)
			fds[i + 1] =
			    (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
		if (poll(fds, 3, timeout) < 0 && errno != EINTR)
			return 0;
		stream_read(&streams[0]);
		stream_read(&streams[1]);
		if (fds[0].revents != 0)
			return 1;
		if (helper_left_ms(deadline_ms) == 0)
			return 0;
	}
}

static int judge(struct helper_call *call, int status, char *errors)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	snprintf(
	    call->complaint, sizeof(call->complaint), "%s", helper_last_line(errors));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_RUN)
		snprintf(call->complaint, sizeof(call->complaint), "%s cannot be run",
		    call->argv[0]);
	else if (WIFSIGNALED(status))
		snprintf(call->complaint, sizeof(call->complaint),
		    "%s was ended by signal %d", call->argv[0], WTERMSIG(status));
	else if (call->complaint[0] == '\0')
		snprintf(call->complaint, sizeof(call->complaint),
		    "%s ended with exit code %d", call->argv[0], WEXITSTATUS(status));
	return -EIO;
}

static int watch(
    struct helper_call *call, pid_t pid, int out, int err, uint64_t deadline_ms)
{
	char errors[ERROR_BYTES];
	struct stream streams[2] = {
	    {.fd = out,
		.text = call->output,
		.room = call->output != NULL ? call->output_bytes - 1 : 0},
	    {.fd = err, .text = errors, .room = sizeof(errors) - 1},
	};
	int pidfd = helper_pidfd(pid);
	int has_ended = pidfd >= 0 && wait_for_end(pidfd, streams, deadline_ms);
	int status = 0;

	if (!has_ended)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	for (int i = 0; i < 2; i++) {
		stream_read(&streams[i]);
		if (streams[i].fd >= 0)
			close(streams[i].fd);
		if (streams[i].text != NULL)
			streams[i].text[streams[i].used] = '\0';
	}
	if (pidfd >= 0)
		close(pidfd);
	if (has_ended)
		return judge(call, status, errors);
	snprintf(call->complaint, sizeof(call->complaint), "%s did not end in time",
	    call->argv[0]);
	return pidfd < 0 ? pidfd : -ETIMEDOUT;
}

int helper_call(struct helper_call *call, uint64_t deadline_ms)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, in = -1, rc = 0;
	pid_t pid;

	call->complaint[0] = '\0';
	if (call->input != NULL)
		in = input_open(call);
	if (call->input != NULL && in < 0)
		rc = in;
	else if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 ||
		 pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0)
		rc = -errno;
	pid = rc == 0 ? fork() : -1;
	if (rc == 0 && pid < 0)
		rc = -errno;
	if (pid == 0) {
		/* Only our end is to be non-blocking. */
		fcntl(out[1], F_SETFL, 0);
		fcntl(err[1], F_SETFL, 0);
		helper_exec(call->argv, NULL, in, out[1], err[1]);
	}
	if (in >= 0)
		close(in);
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	if (rc == 0)
		return watch(call, pid, out[0], err[0], deadline_ms);
	if (out[0] >= 0)
		close(out[0]);
	if (err[0] >= 0)
		close(err[0]);
	snprintf(call->complaint, sizeof(call->complaint), "%s cannot be started: %s",
	    call->argv[0], strerror(-rc));
	return rc;
}

static int is_known(char (*paths)[PATH_MAX], int n, const char *path)
{
	struct stat known, file;

	if (stat(path, &file) < 0 || !S_ISREG(file.st_mode) || access(path, X_OK) < 0)
		return 1;
	for (int i = 0; i < n; i++)
		if (stat(paths[i], &known) == 0 && known.st_ino == file.st_ino &&
		    known.st_dev == file.st_dev)
			return 1;
	return 0;
}

int helper_find(const char *name, char (*paths)[PATH_MAX], int max)
{
	const char *path = getenv("PATH");
	char folders[FOLDERS_BYTES], *rest = NULL;
	int n = 0;

	snprintf(
	    folders, sizeof(folders), "%s:%s", path != NULL ? path : "", USUAL_FOLDERS);
	for (char *at = strtok_r(folders, ":", &rest); at != NULL && n < max;
	     at = strtok_r(NULL, ":", &rest)) {
		if (snprintf(paths[n], PATH_MAX, "%s/%s", at, name) < PATH_MAX &&
		    at[0] == '/' && !is_known(paths, n, paths[n]))
			n++;
	}
	return n;
}

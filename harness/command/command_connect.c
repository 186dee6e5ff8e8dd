/* SPDX-License-Identifier: MIT */
/*
 * `e3 connect`: the ProxyCommand of the ssh_config that `e3 up` writes. It enters the
 * keeper's network, connects, and copies standard input to the connection and the
 * connection to standard output, each in a thread of its own, until the connection ends
 * or the keeper does: hosts that are gone must not be held by those who looked at them.
 */
#include "harness/command/command_table.h"
#include "harness/control/kept.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CONNECT_DEADLINE_S 30
#define COPY_BYTES         65536

static int connect_to(const char *address, const char *port, struct error *err)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	const struct timeval patience = {.tv_sec = CONNECT_DEADLINE_S}, none = {0};
	const int on = 1;
	int number = atoi(port), fd;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || number < 1 ||
	    number > 65535)
		return error_set(
		    err, -EINVAL, "'%s %s' is no IPv4 address and port", address, port);
	to.sin_port = htons((uint16_t)number);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, -errno, "socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (const void *)&to, sizeof to) < 0) {
		int code = errno == EINPROGRESS ? -ETIMEDOUT : -errno;

		close(fd);
		return error_set_errno(err, code, "%s port %d", address, number);
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
	return fd;
}

/* Until the end of `from` or an error of either. */
static void copy(int from, int to)
{
	char buffer[COPY_BYTES];
	ssize_t n;

	while ((n = read(from, buffer, sizeof buffer)) > 0)
		for (ssize_t done = 0; done < n;) {
			ssize_t written = write(to, buffer + done, (size_t)(n - done));

			if (written < 0)
				return;
			done += written;
		}
}

static void *copy_up(void *fd)
{
	copy(STDIN_FILENO, *(int *)fd);
	shutdown(*(int *)fd, SHUT_WR);
	return NULL;
}

static void *watch_keeper(void *pid_fd)
{
	struct pollfd ended = {.fd = *(int *)pid_fd, .events = POLLIN};

	while (poll(&ended, 1, -1) < 0)
		continue;
	_exit(EXIT_RUN_FAILED);
}

static int start_threads(int *fd, int *pid_fd, struct error *err)
{
	pthread_t up, watch;

	if (pthread_create(&up, NULL, copy_up, fd) != 0 ||
	    pthread_create(&watch, NULL, watch_keeper, pid_fd) != 0)
		return error_set(err, -EAGAIN, "no more threads");
	return 0;
}

static int run(const void *data, char *const *arguments, int n_arguments)
{
	struct error err = {0};
	int pid_fd, netns_fd, fd = -1;
	int rc = kept_open(arguments[0], &pid_fd, &netns_fd, &err);

	(void)data;
	(void)n_arguments;
	if (rc == 0 && setns(netns_fd, CLONE_NEWNET) < 0)
		rc = error_set_errno(&err, -errno, "network of '%s'", arguments[0]);
	if (rc == 0)
		rc = fd = connect_to(arguments[1], arguments[2], &err);
	if (rc >= 0)
		rc = start_threads(&fd, &pid_fd, &err);
	if (rc < 0)
		return command_failed(&err, EXIT_RUN_FAILED);
	copy(fd, STDOUT_FILENO);
	/* Whatever standard input still says, nobody listens. */
	_exit(EXIT_SUCCESS);
}

const struct command command_connect = {
    .name = "connect",
    .arguments = "NAME ADDRESS PORT",
    .summary = "standard input and output of a connection to a host of `e3 up`",
    .n_arguments_min = 3,
    .n_arguments_max = 3,
    .is_internal = 1,
    .run = run,
};

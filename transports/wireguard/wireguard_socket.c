/* SPDX-License-Identifier: MIT */
#include "transports/wireguard/wireguard_socket.h"

#include "transports/common/helper_program.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS    500000L
#define LINE_BYTES 512

static const char *const tables[] = {
    "/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"};

/* Whether it is a UDP socket that is bound to the port. */
static int is_bound_to(int fd, uint16_t port)
{
	struct sockaddr_storage at = {0};
	socklen_t at_bytes = sizeof(at), type_bytes = sizeof(int);
	int type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes) < 0 ||
	    type != SOCK_DGRAM || getsockname(fd, (struct sockaddr *)&at, &at_bytes) < 0)
		return 0;
	if (at.ss_family == AF_INET)
		return ((struct sockaddr_in *)&at)->sin_port == htons(port);
	return at.ss_family == AF_INET6 &&
	       ((struct sockaddr_in6 *)&at)->sin6_port == htons(port);
}

/* A buffer that is large enough is left alone. The kernel counts twice what was asked. */
static int64_t widen(int fd, int name, int force_name, uint32_t bytes)
{
	int has = 0, asked = (int)bytes;
	socklen_t has_bytes = sizeof(has);

	if (getsockopt(fd, SOL_SOCKET, name, &has, &has_bytes) < 0)
		return -errno;
	if ((uint32_t)has / 2 >= bytes)
		return has;
	if (setsockopt(fd, SOL_SOCKET, force_name, &asked, sizeof(asked)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, name, &has, &has_bytes) < 0)
		return -errno;
	return has;
}

/* All sockets of the process that are bound to the port. Their number, or an errno. */
static int widen_all(
    pid_t pid, int pidfd, uint16_t port, uint32_t bytes, int64_t *received_bytes)
{
	char path[64];
	const struct dirent *entry;
	DIR *folder;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	if (folder == NULL)
		return -errno;
	while (n >= 0 && (entry = readdir(folder)) != NULL) {
		int64_t got;
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (fd < 0 && errno != EBADF)
			n = -errno;
		if (fd < 0)
			continue;
		if (is_bound_to(fd, port)) {
			got = widen(fd, SO_RCVBUF, SO_RCVBUFFORCE, bytes);
			if (got >= 0)
				*received_bytes = got;
			if (got >= 0)
				got = widen(fd, SO_SNDBUF, SO_SNDBUFFORCE, bytes);
			n = got < 0 ? (int)got : n + 1;
		}
		close(fd);
	}
	closedir(folder);
	return n;
}

int64_t wireguard_socket_widen(
    pid_t pid, uint16_t port, uint32_t bytes, uint64_t deadline_ms)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	int n_due = access(tables[1], F_OK) == 0 ? 2 : 1;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), n;
	int64_t received_bytes = 0;

	if (pidfd < 0)
		return -errno;
	for (;;) {
		n = widen_all(pid, pidfd, port, bytes, &received_bytes);
		if (n < 0 || n >= n_due || helper_left_ms(deadline_ms) == 0)
			break;
		nanosleep(&look, NULL);
	}
	close(pidfd);
	if (n == 0)
		return -ETIMEDOUT;
	return n < 0 ? n : received_bytes;
}

int64_t wireguard_socket_dropped(uint16_t port)
{
	int64_t sum = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char line[LINE_BYTES];
		FILE *table = fopen(tables[i], "re");

		if (table == NULL && i == 0)
			return -errno;
		while (table != NULL && fgets(line, sizeof(line), table) != NULL) {
			unsigned at_port;
			unsigned long long drops;

			/* sl local remote st queues timer retransmits uid timeout inode
			 * references address drops */
			if (sscanf(line,
				" %*[^:]: %*[^:]:%x %*s %*s %*s %*s %*s %*s %*s %*s "
				"%*s %*s %llu",
				&at_port, &drops) == 2 &&
			    at_port == port)
				sum += (int64_t)drops;
		}
		if (table != NULL)
			fclose(table);
	}
	return sum;
}

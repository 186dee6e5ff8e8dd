/* SPDX-License-Identifier: MIT */
#include "tests/fleet/hostile_server.h"

#include "base/random.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char banner[] = "SSH-2.0-OpenSSH_9.2p1\r\n";

static void say(int fd, const void *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) < 0)
		close(fd);
}

static void say_endlessly(int fd, enum hostile_manner manner)
{
	char bytes[4096];

	memset(bytes, 'x', sizeof(bytes));
	for (;;) {
		if (manner == HOSTILE_GARBAGE || manner == HOSTILE_BANNER_GARBAGE)
			random_bytes(bytes, sizeof(bytes));
		else if (manner == HOSTILE_BANNER_ENDLESS)
			for (size_t i = 63; i < sizeof(bytes); i += 64)
				bytes[i] = '\n';
		if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
			return;
	}
}

static void serve(int fd, enum hostile_manner manner)
{
	static const char huge[] = "\xff\xff\xff\xff\x04\x14";

	switch (manner) {
	case HOSTILE_SILENT:
	case HOSTILE_DEAF:
	case HOSTILE_MANNERS:
		return;
	case HOSTILE_BANNER_ONLY:
		say(fd, banner, strlen(banner));
		return;
	case HOSTILE_BANNER_HANG_UP:
		say(fd, banner, strlen(banner));
		break;
	case HOSTILE_HUGE_PACKET:
		say(fd, banner, strlen(banner));
		say(fd, huge, sizeof(huge));
		return;
	case HOSTILE_BANNER_GARBAGE:
		say(fd, banner, strlen(banner));
		say_endlessly(fd, manner);
		break;
	case HOSTILE_BANNER_ENDLESS:
	case HOSTILE_LINE_ENDLESS:
	case HOSTILE_GARBAGE:
		say_endlessly(fd, manner);
		break;
	case HOSTILE_HANGS_UP:
		break;
	}
	close(fd);
}

pid_t hostile_server_start(enum hostile_manner manner, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	pid_t pid;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			if (manner == HOSTILE_DEAF)
				pause();
			serve(accept(fd, NULL, NULL), manner);
		}
	}
	close(fd);
	return pid;
}

void hostile_server_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* SPDX-License-Identifier: MIT */
#include "tests/party/bare_mesh.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

long bare_checked(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

static void connect_pair(int *a, int *b)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = (int)bare_checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	int one = 1;

	bare_checked(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)), "bind");
	bare_checked(listen(listener, 1), "listen");
	bare_checked(
	    getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	*a = (int)bare_checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	bare_checked(
	    connect(*a, (struct sockaddr *)&address, sizeof(address)), "connect");
	*b = (int)bare_checked(accept(listener, NULL, NULL), "accept");
	setsockopt(*a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(*b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	close(listener);
}

uint64_t bare_mesh_run(
    int m, uint64_t (*party)(const struct bare_party *party, void *user), void *user)
{
	struct bare_party parties[BARE_PARTIES_MAX];
	uint64_t *ns =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t longest = 0;

	for (int a = 0; a < m; a++) {
		parties[a].m = m;
		parties[a].self = a;
		for (int b = 0; b < a; b++)
			connect_pair(&parties[a].fds[b], &parties[b].fds[a]);
	}
	for (int p = 0; p < m; p++)
		if (bare_checked(fork(), "fork") == 0) {
			ns[p] = party(&parties[p], user);
			_exit(0);
		}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (int p = 0; p < m; p++)
		longest = ns[p] > longest ? ns[p] : longest;
	for (int a = 0; a < m; a++)
		for (int b = 0; b < m; b++)
			if (a != b)
				close(parties[a].fds[b]);
	munmap(ns, 4096);
	return longest;
}

/* SPDX-License-Identifier: MIT */
/*
 * The floor of a round: m processes that exchange 8 bytes all to all over plain TCP on
 * loopback, without an engine or a harness.
 *
 * usage: bare_rounds PARTIES ROUNDS     prints {"blocking_ns": ..., "polling_ns": ...} a
 * round
 *
 * blocking: read() that waits. polling: non-blocking recv() and sched_yield() between
 * tries.
 */
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARTIES_MAX 10
#define WARM_UP     200

/* Aborts: a benchmark that can't connect to itself has nothing to say. */
static int checked(int result, const char *what)
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
	int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket"), one = 1;

	checked(bind(listener, (struct sockaddr *)&address, sizeof(address)), "bind");
	checked(listen(listener, 1), "listen");
	checked(getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	*a = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	checked(connect(*a, (struct sockaddr *)&address, sizeof(address)), "connect");
	*b = checked(accept(listener, NULL, NULL), "accept");
	setsockopt(*a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(*b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	close(listener);
}

static void receive_polling(const int *fds, int m, int self)
{
	uint64_t words[PARTIES_MAX];
	int is_here[PARTIES_MAX] = {0}, n_left = m - 1;

	while (n_left > 0) {
		for (int p = 0; p < m; p++) {
			if (p == self || is_here[p])
				continue;
			if (recv(fds[p], &words[p], sizeof(words[p]), MSG_DONTWAIT) ==
			    sizeof(words[p])) {
				is_here[p] = 1;
				n_left--;
			}
		}
		if (n_left > 0)
			sched_yield();
	}
}

static void one_round(const int *fds, int m, int self, int is_polling)
{
	uint64_t word = 1;

	for (int i = 1; i < m; i++)
		checked((int)send(fds[(self + i) % m], &word, sizeof(word), MSG_NOSIGNAL),
		    "send");
	if (is_polling) {
		receive_polling(fds, m, self);
		return;
	}
	for (int i = 1; i < m; i++)
		checked((int)recv(fds[(self + i) % m], &word, sizeof(word), MSG_WAITALL),
		    "recv");
}

static uint64_t party(const int *fds, int m, int self, int n_rounds, int is_polling)
{
	uint64_t began_ns;

	for (int r = 0; r < WARM_UP; r++)
		one_round(fds, m, self, is_polling);
	began_ns = clock_monotonic_ns();
	for (int r = 0; r < n_rounds; r++)
		one_round(fds, m, self, is_polling);
	return (clock_monotonic_ns() - began_ns) / (uint64_t)n_rounds;
}

static uint64_t measure(int m, int n_rounds, int is_polling)
{
	int fds[PARTIES_MAX][PARTIES_MAX];
	uint64_t *ns =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t longest = 0;

	for (int a = 0; a < m; a++)
		for (int b = a + 1; b < m; b++)
			connect_pair(&fds[a][b], &fds[b][a]);
	for (int p = 0; p < m; p++)
		if (checked(fork(), "fork") == 0) {
			ns[p] = party(fds[p], m, p, n_rounds, is_polling);
			_exit(0);
		}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (int p = 0; p < m; p++)
		longest = ns[p] > longest ? ns[p] : longest;
	for (int a = 0; a < m; a++)
		for (int b = 0; b < m; b++)
			if (a != b)
				close(fds[a][b]);
	munmap(ns, 4096);
	return longest;
}

int main(int argc, char **argv)
{
	int m = argc == 3 ? atoi(argv[1]) : 0, n_rounds = argc == 3 ? atoi(argv[2]) : 0;

	if (m < 2 || m > PARTIES_MAX || n_rounds < 1) {
		fprintf(stderr, "usage: bare_rounds PARTIES(2..10) ROUNDS\n");
		return 2;
	}
	printf("{\"blocking_ns\": %llu, ", (unsigned long long)measure(m, n_rounds, 0));
	printf("\"polling_ns\": %llu}\n", (unsigned long long)measure(m, n_rounds, 1));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The floor of a round: m processes that exchange 8 bytes all to all over plain TCP on
 * loopback, without an engine or a harness.
 *
 * usage: bare_rounds PARTIES ROUNDS     prints {"blocking_ns": ..., "polling_ns": ...} a
 * round, and for 2 parties "ping_pong_ns", a message and its answer.
 *
 * blocking: read() that waits. polling: non-blocking recv() and sched_yield() between
 * tries.
 */
#include "base/clock.h"
#include "tests/party/bare_mesh.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define WARM_UP 200

static void receive_polling(const struct bare_party *party)
{
	uint64_t words[BARE_PARTIES_MAX];
	int is_here[BARE_PARTIES_MAX] = {0}, n_left = party->m - 1;

	while (n_left > 0) {
		for (int p = 0; p < party->m; p++) {
			if (p == party->self || is_here[p])
				continue;
			if (recv(party->fds[p], &words[p], sizeof(words[p]),
				MSG_DONTWAIT) == sizeof(words[p])) {
				is_here[p] = 1;
				n_left--;
			}
		}
		if (n_left > 0)
			sched_yield();
	}
}

static void send_word(int fd)
{
	uint64_t word = 1;

	bare_checked(send(fd, &word, sizeof(word), MSG_NOSIGNAL), "send");
}

static void await_word(int fd)
{
	uint64_t word;

	bare_checked(recv(fd, &word, sizeof(word), MSG_WAITALL), "recv");
}

static void send_all(const struct bare_party *party)
{
	for (int i = 1; i < party->m; i++)
		send_word(party->fds[(party->self + i) % party->m]);
}

static void polling(const struct bare_party *party)
{
	send_all(party);
	receive_polling(party);
}

static void blocking(const struct bare_party *party)
{
	send_all(party);
	for (int i = 1; i < party->m; i++)
		await_word(party->fds[(party->self + i) % party->m]);
}

static void ping_pong(const struct bare_party *party)
{
	int peer = party->fds[1 - party->self];

	if (party->self == 0)
		send_word(peer);
	await_word(peer);
	if (party->self == 1)
		send_word(peer);
}

struct rounds {
	void (*one)(const struct bare_party *party);
	int n;
};

static uint64_t party_main(const struct bare_party *party, void *user)
{
	const struct rounds *rounds = user;
	uint64_t began_ns;

	for (int r = 0; r < WARM_UP; r++)
		rounds->one(party);
	began_ns = clock_monotonic_ns();
	for (int r = 0; r < rounds->n; r++)
		rounds->one(party);
	return (clock_monotonic_ns() - began_ns) / (uint64_t)rounds->n;
}

static unsigned long long measure(
    int m, int n_rounds, void (*one)(const struct bare_party *party))
{
	struct rounds rounds = {one, n_rounds};

	return bare_mesh_run(m, party_main, &rounds);
}

int main(int argc, char **argv)
{
	int m = argc == 3 ? atoi(argv[1]) : 0, n_rounds = argc == 3 ? atoi(argv[2]) : 0;

	if (m < 2 || m > BARE_PARTIES_MAX || n_rounds < 1) {
		fprintf(stderr, "usage: bare_rounds PARTIES(2..10) ROUNDS\n");
		return 2;
	}
	printf("{\"blocking_ns\": %llu, ", measure(m, n_rounds, blocking));
	if (m == 2)
		printf("\"ping_pong_ns\": %llu, ", measure(m, n_rounds, ping_pong));
	printf("\"polling_ns\": %llu}\n", measure(m, n_rounds, polling));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The floor of a large round: m processes that send each other what resharing a batch of
 * products sends (2t + 1 dealers, each to all but itself and the t parties after it), over
 * plain TCP on loopback, without an engine or a harness.
 *
 * usage: bare_transfers PARTIES ROUNDS BYTES     prints {"transfer_ns": ...} a round in
 * which every dealer sends BYTES to each of its receivers
 *
 * Non-blocking: each takes and gives what there is, and sched_yield() when there is
 * nothing.
 */
#include "base/clock.h"
#include "tests/party/bare_mesh.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define WARM_UP 3

struct rounds {
	int n;
	size_t bytes;
	unsigned char *out, *in;
};

static int sends(int m, int from, int to)
{
	int t = (m - 1) / 2;

	return from <= 2 * t && from != to && (to - from + m) % m > t;
}

/* Bytes that went or came; what can't go or come now is none. */
static size_t moved(ssize_t result, const char *what)
{
	if (result < 0 && errno != EAGAIN && errno != EINTR)
		bare_checked(result, what);
	return result < 0 ? 0 : (size_t)result;
}

static void one_round(const struct bare_party *party, const struct rounds *rounds)
{
	size_t sent[BARE_PARTIES_MAX] = {0}, received[BARE_PARTIES_MAX] = {0}, left = 0;

	for (int p = 0; p < party->m; p++)
		left += rounds->bytes * (size_t)(sends(party->m, party->self, p) +
						 sends(party->m, p, party->self));
	while (left > 0) {
		size_t before = left;

		for (int i = 1; i < party->m; i++) {
			int p = (party->self + i) % party->m;
			size_t at = (size_t)p * rounds->bytes, n;

			if (sends(party->m, party->self, p) && sent[p] < rounds->bytes) {
				n = moved(send(party->fds[p], rounds->out + at + sent[p],
					      rounds->bytes - sent[p],
					      MSG_DONTWAIT | MSG_NOSIGNAL),
				    "send");
				sent[p] += n;
				left -= n;
			}
			if (sends(party->m, p, party->self) &&
			    received[p] < rounds->bytes) {
				n = moved(
				    recv(party->fds[p], rounds->in + at + received[p],
					rounds->bytes - received[p], MSG_DONTWAIT),
				    "recv");
				received[p] += n;
				left -= n;
			}
		}
		if (left == before)
			sched_yield();
	}
}

static uint64_t party_main(const struct bare_party *party, void *user)
{
	struct rounds *rounds = user;
	uint64_t began_ns;

	rounds->out = calloc((size_t)party->m, rounds->bytes);
	rounds->in = calloc((size_t)party->m, rounds->bytes);
	if (rounds->out == NULL || rounds->in == NULL)
		bare_checked(-1, "calloc");
	for (int r = 0; r < WARM_UP; r++)
		one_round(party, rounds);
	began_ns = clock_monotonic_ns();
	for (int r = 0; r < rounds->n; r++)
		one_round(party, rounds);
	return (clock_monotonic_ns() - began_ns) / (uint64_t)rounds->n;
}

int main(int argc, char **argv)
{
	int m = argc == 4 ? atoi(argv[1]) : 0;
	struct rounds rounds = {
	    .n = argc == 4 ? atoi(argv[2]) : 0,
	    .bytes = argc == 4 ? strtoul(argv[3], NULL, 10) : 0,
	};

	if (m < 3 || m > BARE_PARTIES_MAX || rounds.n < 1 || rounds.bytes < 1) {
		fprintf(stderr, "usage: bare_transfers PARTIES(3..10) ROUNDS BYTES\n");
		return 2;
	}
	printf("{\"transfer_ns\": %llu}\n",
	    (unsigned long long)bare_mesh_run(m, party_main, &rounds));
	return 0;
}

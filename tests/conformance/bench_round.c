/* SPDX-License-Identifier: MIT */
/*
 * One all-to-all round of one element: m processes, 8 bytes from each to each.
 *
 *   floor  plain sockets: write, then non-blocking read and sched_yield()
 *   link   the guarded channel of a transport: link_send(), link_poll(), sched_yield()
 *
 * Both take turns in blocks; a line says the median block of each and their ratio.
 *
 * usage: bench_round [TRANSPORT]
 */
#include "base/clock.h"
#include "tests/conformance/bench_mesh.h"
#include "tests/median.h"

#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCKS 15
#define ROUNDS 1000
#define BYTES  8

static const char *transport;
static struct link_request requests[BENCH_PARTIES_MAX];
static uint32_t sending; /* bit p: the request to p is not done */

static void on_done(struct link_request *request, int status)
{
	(void)status;
	sending &= ~(1u << (request - requests));
}

static uint32_t all_but_self(const struct bench_mesh *mesh)
{
	return ((1u << mesh->m) - 1) & ~(1u << mesh->self);
}

static void floor_round(struct bench_mesh *mesh)
{
	unsigned char out[BYTES] = {1}, in[BYTES];
	uint32_t due = all_but_self(mesh);

	for (uint32_t p = 0; p < mesh->m; p++)
		if ((due & 1u << p) &&
		    write(mesh->peers[p].floor_fd, out, BYTES) != BYTES)
			bench_fail(mesh, "write");
	while (due != 0) {
		uint32_t before = due;

		for (uint32_t p = 0; p < mesh->m; p++)
			if ((due & 1u << p) && recv(mesh->peers[p].floor_fd, in, BYTES,
						   MSG_DONTWAIT) == BYTES)
				due &= ~(1u << p);
		if (due == before)
			sched_yield();
	}
}

static void link_round(struct bench_mesh *mesh, uint64_t round)
{
	static const unsigned char out[BYTES] = {1};
	struct e3_iov iov = {out, BYTES};
	uint32_t due = all_but_self(mesh);

	for (uint32_t p = 0; p < mesh->m; p++) {
		if (!(due & 1u << p))
			continue;
		while (sending & 1u << p)
			link_poll(mesh->peers[p].link);
		sending |= 1u << p;
		requests[p].done = on_done;
		if (link_send(mesh->peers[p].link, &requests[p], &iov, 1) < 0)
			bench_fail(mesh, "link_send");
	}
	while (due != 0) {
		uint32_t before = due;

		for (uint32_t p = 0; p < mesh->m; p++) {
			if (!(due & 1u << p))
				continue;
			if (mesh->peers[p].n_received < round)
				link_poll(mesh->peers[p].link);
			if (mesh->peers[p].n_received >= round)
				due &= ~(1u << p);
		}
		if (due == before)
			sched_yield();
	}
}

static void party(struct bench_mesh *mesh)
{
	double floor_us[BLOCKS], link_us[BLOCKS], floor_mid, link_mid;
	uint64_t round = 0;

	for (int block = 0; block < BLOCKS; block++) {
		uint64_t began = clock_monotonic_ns(), middle;

		for (int i = 0; i < ROUNDS; i++)
			floor_round(mesh);
		middle = clock_monotonic_ns();
		for (int i = 0; i < ROUNDS; i++)
			link_round(mesh, ++round);
		floor_us[block] = (double)(middle - began) / ROUNDS / 1000;
		link_us[block] = (double)(clock_monotonic_ns() - middle) / ROUNDS / 1000;
	}
	while (sending != 0)
		bench_turn(mesh);
	floor_mid = median(floor_us, BLOCKS);
	link_mid = median(link_us, BLOCKS);
	if (mesh->self == 0)
		printf(
		    "%s, round of %u parties: floor %.1f us, link %.1f us, ratio %.2f\n",
		    transport, mesh->m, floor_mid, link_mid, link_mid / floor_mid);
}

int main(int argc, char **argv)
{
	static const uint32_t parties[] = {2, 3, 5, 7, 10};
	int failed = 0;

	transport = argc > 1 ? argv[1] : "tcp";
	for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++)
		failed |= bench_run(transport, parties[i], party);
	return failed;
}

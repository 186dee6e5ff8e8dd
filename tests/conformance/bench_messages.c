/* SPDX-License-Identifier: MIT */
/*
 * One way from party 0 to party 1: a million small messages, then large ones.
 *
 *   floor  plain sockets: one write a message, reads of 64 KiB
 *   link   the guarded channel of a transport
 *
 * usage: bench_messages [TRANSPORT]
 */
#include "base/clock.h"
#include "tests/conformance/bench_mesh.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS 256

static const char *transport;
static struct link_request requests[REQUESTS];
static struct link_request *rest[REQUESTS];
static int n_rest;

static const struct {
	size_t bytes;
	uint64_t n;
} kinds[] = {{64, 1000000}, {1024, 1000000}, {65536, 40000}, {1u << 20, 4000}};

static void on_done(struct link_request *request, int status)
{
	(void)status;
	rest[n_rest++] = request;
}

static void floor_send(
    struct bench_mesh *mesh, const unsigned char *bytes, size_t len, uint64_t n)
{
	int fd = mesh->peers[1].floor_fd;

	while (n-- > 0)
		for (size_t at = 0; at < len;) {
			ssize_t sent = write(fd, bytes + at, len - at);

			if (sent <= 0)
				bench_fail(mesh, "write");
			at += (size_t)sent;
		}
}

static void floor_receive(struct bench_mesh *mesh, unsigned char *bytes, uint64_t due)
{
	while (due > 0) {
		ssize_t n = recv(mesh->peers[0].floor_fd, bytes, 65536, 0);

		if (n <= 0)
			bench_fail(mesh, "recv");
		due -= (uint64_t)n;
	}
}

static void link_send_all(
    struct bench_mesh *mesh, const unsigned char *bytes, size_t len, uint64_t n)
{
	struct bench_peer *peer = &mesh->peers[1];
	struct e3_iov iov = {bytes, len};

	while (n > 0) {
		int rc = -EAGAIN;

		peer->is_writable = 0;
		if (n_rest > 0)
			rc = link_send(peer->link, rest[n_rest - 1], &iov, 1);
		if (rc == 0) {
			n_rest--;
			n--;
		} else if (rc == -EAGAIN) {
			bench_turn(mesh);
		} else {
			bench_fail(mesh, "link_send");
		}
	}
	while (n_rest < REQUESTS)
		bench_turn(mesh);
}

static void party(struct bench_mesh *mesh)
{
	unsigned char *bytes = calloc(1, 1u << 20), token = 0;

	for (n_rest = 0; n_rest < REQUESTS; n_rest++) {
		requests[n_rest].done = on_done;
		rest[n_rest] = &requests[n_rest];
	}
	mesh->peers[0].room = bytes;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct bench_peer *from = &mesh->peers[0];
		uint64_t total = kinds[k].bytes * kinds[k].n, began, middle, ended;
		uint64_t due = from->received_bytes + total;

		began = clock_monotonic_ns();
		if (mesh->self == 0)
			floor_send(mesh, bytes, kinds[k].bytes, kinds[k].n);
		else
			floor_receive(mesh, bytes, total);
		middle = clock_monotonic_ns();
		if (mesh->self == 0)
			link_send_all(mesh, bytes, kinds[k].bytes, kinds[k].n);
		while (mesh->self == 1 && from->received_bytes < due)
			uv_run(&mesh->loop, UV_RUN_ONCE);
		ended = clock_monotonic_ns();
		if (mesh->self == 1)
			printf("%s, %zu bytes: floor %.0f MB/s, link %.0f MB/s, %.0f "
			       "messages a "
			       "ms, ratio %.2f\n",
			    transport, kinds[k].bytes,
			    (double)total * 1e3 / (double)(middle - began),
			    (double)total * 1e3 / (double)(ended - middle),
			    (double)kinds[k].n * 1e6 / (double)(ended - middle),
			    (double)(ended - middle) / (double)(middle - began));
		/* The receiver is done: the next kind begins together. */
		if (mesh->self == 1)
			send(mesh->peers[0].floor_fd, &token, 1, 0);
		else
			recv(mesh->peers[1].floor_fd, &token, 1, 0);
	}
	free(bytes);
}

int main(int argc, char **argv)
{
	transport = argc > 1 ? argv[1] : "tcp";
	return bench_run(transport, 2, party);
}

/* SPDX-License-Identifier: MIT */
/*
 * Processes, one a party, for benchmarks: joined by plain TCP sockets (the floor) and by
 * the guarded channels of a transport at the same time, so that both take turns in one
 * run.
 */
#ifndef TESTS_CONFORMANCE_BENCH_MESH_H
#define TESTS_CONFORMANCE_BENCH_MESH_H

#include "harness/link/channel_guard.h"
#include "harness/plugin/plugin.h"

#include <uv.h>

#define BENCH_PARTIES_MAX 10

struct bench_peer {
	struct link *link;
	int floor_fd, signal_fd;
	int is_open, is_writable;
	uint64_t n_received, received_bytes;
	unsigned char *room; /* what place() answers; may be NULL */
};

struct bench_mesh {
	uint32_t m, self;
	struct bench_peer peers[BENCH_PARTIES_MAX];
	struct plugin *plugin;
	struct e3_host host;
	struct e3_endpoint *endpoint;
	uv_loop_t loop;
};

/* Fork m parties that call `party` with their mesh, all joined. 0 when all ended well. */
int bench_run(const char *transport, uint32_t m, void (*party)(struct bench_mesh *mesh));

/* Ends the process with a sentence. */
void bench_fail(const struct bench_mesh *mesh, const char *what)
    __attribute__((noreturn));

/* A turn of the loop. */
void bench_turn(struct bench_mesh *mesh);

#endif

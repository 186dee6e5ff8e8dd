/* SPDX-License-Identifier: MIT */
/* A made-up run of m parties in lock step, and what each of them reports: for tests. */
#ifndef TESTS_RESULT_MADE_RUN_H
#define TESTS_RESULT_MADE_RUN_H

#include "engine/network.h"
#include "harness/result/result.h"

struct made_run {
	uint32_t n_parties, n_rounds;
	uint64_t one_way_ns; /* between any two */
	uint64_t work_ns;    /* before each round and after the last */
	uint64_t bytes;      /* of each message */
	int64_t output;      /* what the parties learned */
	/* Filled by made_run_play(). */
	uint64_t delays[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX];
	char hosts[NETWORK_PARTIES_MAX][8];
	char *reports[NETWORK_PARTIES_MAX];
};

void made_run_play(struct made_run *run);
void made_run_forget(struct made_run *run);

/* A block of it, status ok, all phases 1 ms but `run`. Borrows from `run`. */
struct result_block made_run_block(
    const struct made_run *run, const char *transport, const char *workload);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How busy this machine was while something was measured: two samples, their difference,
 * and the taints that follow. A party's own wait for a CPU (run-queue delay) tells apart
 * "slow network" and "too many parties for these cores".
 */
#ifndef HARNESS_MEASURE_PRESSURE_H
#define HARNESS_MEASURE_PRESSURE_H

#include <stdint.h>
#include <sys/types.h>

struct cJSON;

#define PRESSURE_STEAL_MIN_NS UINT64_C(30000000)

struct pressure {
	uint64_t at_ns;         /* CLOCK_MONOTONIC */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	int has_psi;            /* 0 = this kernel does not tell psi_some_us */
	uint64_t psi_some_us;   /* time in which a task waited for a CPU */
	uint64_t steal_ns;      /* all CPUs */
	uint64_t cpu_ns;        /* all CPUs, idle included */
	uint64_t context_switches;
};

/* `root`: see system_file.h. What can't be read counts as 0. */
void pressure_sample(const char *root, struct pressure *out);

struct pressure_delta {
	uint64_t wall_ns;
	double psi_share;   /* of the wall time; < 0 = unknown */
	double steal_share; /* of all CPU time */
	uint64_t steal_ns;  /* in ticks of 10 ms */
	uint64_t context_switches;
	uint64_t clock_jump_ns; /* how far the wall clock was moved, either way */
};

void pressure_between(const struct pressure *before, const struct pressure *after,
    struct pressure_delta *out);
/* {"wall_ns","psi_cpu_some_share","steal_share","context_switches","clock_jump_ns"} */
struct cJSON *pressure_json(const struct pressure_delta *delta);
/* cpu_pressure, steal (from PRESSURE_STEAL_MIN_NS on: a tick or two prove nothing),
 * clock_jump, as they apply. `of`: the machine, or NULL. */
void pressure_taints(
    struct cJSON *taints, const struct pressure_delta *delta, const char *of);

/* One process, all threads that live. */
struct pressure_process {
	uint64_t cpu_ns;      /* ran */
	uint64_t runqueue_ns; /* could have run, but waited for a CPU */
	uint64_t timeslices;
};

/* pid 0 = the calling process. -ESRCH when it is gone. */
int pressure_process(const char *root, pid_t pid, struct pressure_process *out);
/* The sum over all processes that it has started and that live; pid 0 as above. */
void pressure_children(const char *root, pid_t pid, struct pressure_process *out);

/* cpu_bound_party if `runqueue_ns` is too large a share of `wall_ns`; at most 1, though
 * several threads can wait for longer than the whole time. */
void pressure_party_taint(
    struct cJSON *taints, uint64_t runqueue_ns, uint64_t wall_ns, const char *of);

#endif

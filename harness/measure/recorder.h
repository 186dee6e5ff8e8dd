/* SPDX-License-Identifier: MIT */
/*
 * What one party records while the engine runs. harness/link/exchange calls it once a
 * round, the party once a phase and once a probe; times are of CLOCK_MONOTONIC.
 *
 * Closed loop: a round lasts from its first send until its last needed receive, an
 * arrival from the round's first send until that peer's message was here. Open loop: a
 * probe's latency counts from the time it was *meant* to leave. The two are never mixed.
 * The definitions stand in docs/measurement.md.
 */
#ifndef HARNESS_MEASURE_RECORDER_H
#define HARNESS_MEASURE_RECORDER_H

#include "base/error.h"
#include "engine/network.h"

#include <stdint.h>

struct cJSON;
struct recorder;

/* Phases beyond these are counted as the last one, named "other". */
#define RECORDER_PHASES_MAX 64u
/* Longer names are cut. */
#define RECORDER_NAME_BYTES 32u

/* One exchange. Zero it first. Entries [self] are ignored. */
struct recorder_round {
	uint64_t started_ns; /* first send, or begin of the wait when nothing is sent */
	uint64_t ended_ns;   /* last needed receive; >= started_ns */
	uint32_t needed;     /* messages waited for; 0 = all that are due */
	uint64_t bytes_out[NETWORK_PARTIES_MAX]; /* payload for peer p; 0 = no message */
	uint64_t
	    bytes_in[NETWORK_PARTIES_MAX]; /* payload due from peer p, arrived or not */
	/* When peer p's message was complete, also when that was before started_ns; 0 =
	 * it was not here at ended_ns, as are later times, and those of a peer from
	 * whom nothing is due. */
	uint64_t arrived_ns[NETWORK_PARTIES_MAX];
};

/* 1 <= n_parties <= NETWORK_PARTIES_MAX, self < n_parties. -ENOMEM. */
int recorder_create(
    uint32_t self, uint32_t n_parties, struct recorder **out, struct error *err);
void recorder_destroy(struct recorder *r); /* NULL is fine */

/* The protocol enters a phase; the one before ends. A name seen before goes on counting
 * where it stopped. Rounds before the first call belong to "run". */
void recorder_phase(struct recorder *r, const char *name, uint64_t now_ns);
/* This process has used `cpu_ns` of the CPU so far, more than at the last call: the
 * difference is that of the phase under way. Call it before recorder_phase() and
 * recorder_finish(), or never. */
void recorder_cpu(struct recorder *r, uint64_t cpu_ns);
/* The protocol is done: the last phase ends. Call it before recorder_json(). */
void recorder_finish(struct recorder *r, uint64_t now_ns);

void recorder_round(struct recorder *r, const struct recorder_round *round);
/* There is time to spare: put some rounds into the histograms (late_counts.h). */
void recorder_settle(struct recorder *r);

/* An answered open-loop probe to `peer`, and one that never was. */
void recorder_probe(
    struct recorder *r, uint32_t peer, uint64_t intended_ns, uint64_t received_ns);
void recorder_probe_lost(struct recorder *r, uint32_t peer);

/* The "measured" object of a party's report (docs/measurement.md), to be freed with
 * cJSON_Delete(). NULL when memory ran out, now or while recording. */
struct cJSON *recorder_json(const struct recorder *r);

#endif

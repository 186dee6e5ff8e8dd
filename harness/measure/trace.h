/* SPDX-License-Identifier: MIT */
/*
 * Every round of one party in a few bytes each: when it began and ended, what was sent,
 * what was due and when it came. From the traces of all parties the controller finds the
 * chain of messages that decided how long a run took (harness/result/critical_path.h).
 */
#ifndef HARNESS_MEASURE_TRACE_H
#define HARNESS_MEASURE_TRACE_H

#include "base/error.h"
#include "harness/measure/recorder.h"

/* Rounds beyond these are not kept; is_whole says so. */
#define TRACE_ROUNDS_MAX 16384u

struct trace {
	unsigned char *bytes; /* LEB128 numbers, see trace.c */
	size_t len, room;
	uint32_t n_rounds;
	uint64_t ended_ns; /* of the last round */
	int is_whole;      /* 0 = rounds are missing at the end */
};

void trace_init(struct trace *trace);
void trace_finish(struct trace *trace); /* zeroed is fine */
/* The run itself began: the origin of the first round's compute time. Before the first
 * trace_add(). */
int trace_begin(struct trace *trace, uint64_t now_ns);
/* Rounds follow one another; one that begins before the last ended makes the trace not
 * whole. -ENOMEM: the round is not kept and the trace no longer whole. */
int trace_add(
    struct trace *trace, const struct recorder_round *round, uint32_t n_parties);

/* As one word of JSON; freed by the caller; NULL when out of memory. */
char *trace_encode(const struct trace *trace);

/* Rounds of a trace, in order. */
struct trace_rounds {
	uint64_t began_ns;
	struct recorder_round *rounds; /* freed by the caller */
	uint32_t n_rounds;
};

/* Hostile input: -EINVAL with a sentence and *out untouched for anything that no party
 * can have recorded (times that go back, peers that do not exist), -ENOMEM. */
int trace_decode(const char *text, uint32_t self, uint32_t n_parties,
    struct trace_rounds *out, struct error *err);

#endif

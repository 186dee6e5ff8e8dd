/* SPDX-License-Identifier: MIT */
/*
 * A workload: a computation of m parties that E3 measures. One file, one const table,
 * listed in engine/workload.c. docs/workloads.md walks through adding one.
 */
#ifndef ENGINE_WORKLOAD_H
#define ENGINE_WORKLOAD_H

#include "engine/network.h"

/* What every party is told; the same for all parties but for inputs. */
struct workload_task {
	const char
	    *size; /* "low", "medium", "high", or a number as text ("n" or batch) */
	const char *mode;    /* of the workload's modes; NULL = its first */
	uint32_t field_bits; /* 61 = 2^61-1; else the smallest prime above 2^(bits-1) */
	uint64_t seed;       /* all randomness of the run derives from it and `self` */
	/* Input files in memory, NULL where this party has none. Owned by the caller. */
	const unsigned char *model;
	size_t model_bytes;
	const unsigned char *images; /* n_images x 784 grey values */
	size_t n_images;
};

#define WORKLOAD_OUTPUTS_MAX 4096u

/* What a party learned: integers, the same at all parties. */
struct workload_output {
	int64_t values[WORKLOAD_OUTPUTS_MAX];
	uint32_t n_values;
	uint32_t attempts; /* restarts + 1 */
};

/* What an estimate depends on. */
struct workload_case {
	const char *mode;       /* of the table's */
	uint64_t size, parties; /* size: the number */
};

/* About what a run takes: rough, for people and deadlines (`e3 plan`). */
struct workload_estimate {
	uint64_t rounds;     /* dependent exchanges, expected restarts included */
	uint64_t bytes;      /* from the busiest party to one peer */
	uint64_t compute_ns; /* of all parties together, on two cores */
};

struct workload {
	const char *name; /* "secret-santa" */
	const char *summary;
	const char *const *modes; /* NULL-terminated */
	/* Text of the three named sizes ("n = 8", "batch 1"), and their numbers. */
	const char *size_unit;
	uint32_t sizes[3]; /* low, medium, high */
	/* What workload_size() takes; size_max 0 = any. */
	uint32_t size_min, size_max;
	uint32_t parties_min, parties_max;
	uint32_t field_bits_min; /* 0 = any */
	/* Of a size that workload_size() takes, without network or inputs, at once. NULL:
	 * as many rounds of 8 bytes as the size says. */
	struct workload_estimate (*estimate)(const struct workload_case *of);
	/* 0 if run() takes this size and field, else -EINVAL with a sentence: what a plan
	 * asks before anything runs. Reads size, mode and field_bits only. NULL = any. */
	int (*accepts)(const struct workload_task *task, struct error *err);
	/* Run as party net->self. 0 or a negative errno with a sentence. */
	int (*run)(struct network *net, const struct workload_task *task,
	    struct workload_output *out, struct error *err);
	/* Whether `out` is right; the caller has all inputs in the clear (model and
	 * images set). 0, or -EBADMSG with what is wrong. */
	int (*check)(const struct workload_task *task, const struct workload_output *out,
	    struct error *err);
};

extern const struct workload *const workloads[]; /* NULL-terminated */
const struct workload *workload_find(const char *name);
/* The number behind task->size; -EINVAL with a sentence if it is none, or out of bounds.
 */
int workload_size(
    const struct workload *w, const char *size, uint32_t *n, struct error *err);
/* What the table's bounds and its accepts() say: 0, or -EINVAL with a sentence. */
int workload_accepts(
    const struct workload *w, const struct workload_task *task, struct error *err);
/* The table's, or what stands for it. */
struct workload_estimate workload_estimate(
    const struct workload *w, const struct workload_case *of);

#endif

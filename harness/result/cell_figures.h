/* SPDX-License-Identifier: MIT */
/* The figures of one cell: rounds of all its blocks merged, everything else as median,
 * least and greatest over blocks. Definitions: docs/measurement.md. */
#ifndef HARNESS_RESULT_CELL_FIGURES_H
#define HARNESS_RESULT_CELL_FIGURES_H

#include "base/histogram.h"
#include "harness/result/phase_figures.h"

#include <stdint.h>

struct cJSON;

/* X(field): figures of a block that have a median. FIGURE_UNKNOWN = not known. */
#define BLOCK_FIGURES(X)                                                                 \
	X(wall_ns)     /* of the run, all parties */                                     \
	X(setup_ns)    /* prepare, exchange, up and open */                              \
	X(teardown_ns) /* close, down and finalise */                                    \
	X(rounds)      /* of the party with most */                                      \
	X(attempts)    /* of the protocol (restarts + 1) */                              \
	X(messages)    /* sent by all parties */                                         \
	X(app_bytes)   /* payload sent by all parties */                                 \
	X(wire_bytes)  /* IP packets delivered, headers included */                      \
	X(wire_packets)                                                                  \
	X(retransmits)                                                                   \
	X(cpu_ns)        /* user and system, all parties */                              \
	X(rss_max_bytes) /* of the party with most */                                    \
	X(network_floor_ns)                                                              \
	X(longest_one_way_ns) /* half the greatest round trip between two parties */

#define FIGURE_UNKNOWN INT64_MIN

/* Where the wall time went; the four sum up to wall_ns. */
struct decomposition {
	const char *method; /* "critical_path", "replay"; NULL = not known */
	int64_t latency_ns, transfer_ns, compute_ns, rest_ns;
};

struct block_figures {
#define BLOCK_FIGURE(field) int64_t field;
	BLOCK_FIGURES(BLOCK_FIGURE)
#undef BLOCK_FIGURE
	struct decomposition parts;
	struct phase_figures phases;
	double delay_scale; /* of the configured delays; 1 = as they are */
	int is_tainted;
};

struct cell_figures;

struct cell_figures *cell_figures_create(void);          /* NULL when out of memory */
void cell_figures_destroy(struct cell_figures *figures); /* NULL is fine */

/* A block that is ok; one of another delay scale than 1 counts for the effective rounds
 * alone. -ENOMEM. */
int cell_figures_add(struct cell_figures *figures, const struct block_figures *block,
    const struct histogram *round_ns);

/* Of the blocks without taints, or of all if there is none. NULL: no block, or out of
 * memory. */
struct cJSON *cell_figures_json(const struct cell_figures *figures);

/* network_floor_ns / wall_ns; negative = not known, or nothing waits for a delay. */
double block_figures_efficiency(const struct block_figures *block);
/* {"method","latency_ns","transfer_ns","compute_ns","rest_ns"}, or JSON null. */
struct cJSON *decomposition_json(const struct decomposition *parts);

#endif

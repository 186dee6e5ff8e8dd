/* SPDX-License-Identifier: MIT */
/*
 * The result of a run: one JSON document (docs/schema/result.schema.json, figures as
 * docs/measurement.md defines them). While the run goes on every part is appended to a
 * journal of JSON lines next to it, so that a crash loses nothing that was measured;
 * result_finish() writes the document at once and whole, and removes the journal.
 *
 * Call order: create; plan, environment, calibration in any order; blocks as they are
 * measured; finish; destroy. Functions that take a cJSON own it from then on.
 */
#ifndef HARNESS_RESULT_RESULT_H
#define HARNESS_RESULT_RESULT_H

#include "base/error.h"
#include "engine/network.h"
#include "harness/measure/pressure.h"

#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct calibrate_pair;
struct testbed_counters;
struct result;

#define RESULT_STATUSES(X)                                                               \
	X(COMPLETE, "complete") X(PARTIAL, "partial") X(FAILED, "failed")

enum result_status {
#define RESULT_STATUS_ENUM(name, text) RESULT_##name,
	RESULT_STATUSES(RESULT_STATUS_ENUM)
#undef RESULT_STATUS_ENUM
};

#define CELL_STATUSES(X)                                                                 \
	X(OK, "ok")                                                                      \
	X(UNSUPPORTED, "unsupported") /* something is missing; `error` says what */      \
	X(DEGRADED, "degraded")       /* some of its blocks are ok (of a cell only) */   \
	X(FAILED, "failed")                                                              \
	X(TIMEOUT, "timeout")                                                            \
	X(NOT_RUN, "not_run") /* planned, but the run ended before */

enum cell_status {
#define CELL_STATUS_ENUM(name, text) CELL_##name,
	CELL_STATUSES(CELL_STATUS_ENUM)
#undef CELL_STATUS_ENUM
};

/* Life of a cell, as the controller sees it. */
#define LIFE_PHASES(X)                                                                   \
	X(PREPARE, "prepare")                                                            \
	X(EXCHANGE, "exchange")                                                          \
	X(UP, "up")                                                                      \
	X(OPEN, "open")                                                                  \
	X(RUN, "run")                                                                    \
	X(CLOSE, "close")                                                                \
	X(DOWN, "down")                                                                  \
	X(FINALISE, "finalise")

enum life_phase {
#define LIFE_PHASE_ENUM(name, text) LIFE_##name,
	LIFE_PHASES(LIFE_PHASE_ENUM)
#undef LIFE_PHASE_ENUM
	    LIFE_PHASE_COUNT
};

#define LIFE_NOT_REACHED UINT64_MAX

struct result_config {
	const char *name;          /* of the scenario: letters, digits, '-', '_', '.' */
	const char *folder;        /* made if it is missing; "results" */
	const char *scenario_path; /* as given */
	const char *scenario_text; /* JSON as read */
	const char *matrix_text;   /* JSON as read; NULL = none */
	uint64_t seed;
	char *const *argv;       /* NULL-terminated */
	struct cJSON *inventory; /* taken; {"hosts":[{"name","region",...}]} */
	struct cJSON *versions;  /* taken; {"e3": "0.1.0 (f799179)", "libuv": ...} */
};

/* Opens the journal. -EACCES, -ENOSPC, -EROFS ...: the sentence names the folder and
 * says what to do; nothing is left and inventory and versions are freed all the same. */
int result_create(
    const struct result_config *config, struct result **out, struct error *err);

/* Facts of one host (environment_json()); "controller" for this machine. */
void result_environment(struct result *r, const char *host, struct cJSON *facts);

#define RESULT_RTT_UNKNOWN UINT64_MAX /* a network that nobody configured */

/* What the network did before the run. Hosts by index in the inventory; the configured
 * round trip is the sum of both directions. Adds a taint where they differ by more than
 * max(0.5 ms, 1 %), or nothing came back. */
void result_calibration_pair(struct result *r, uint32_t from, uint32_t to,
    uint64_t configured_rtt_ns, const struct calibrate_pair *measured);
/* The emulator while the pairs were measured. */
void result_calibration_emulator(struct result *r, const struct testbed_counters *before,
    const struct testbed_counters *after, uint32_t n_hosts);

struct result_cell {
	const char *transport, *workload, *size;
	const char *mode; /* NULL or "" = the workload's only one */
	uint32_t parties;
};

/* A cell that shall run so many blocks; one that never does is "not_run" in the document.
 */
void result_plan(struct result *r, const struct result_cell *cell, uint32_t n_blocks);

/* The same engine without a network: what the harness itself costs. */
struct result_null {
	struct result_cell cell; /* transport is ignored */
	enum cell_status status;
	const char *error; /* NULL if ok */
	uint64_t wall_ns;  /* from the first party's begin to the last one's end */
	uint64_t cpu_ns;   /* of all parties */
	uint32_t rounds;
};
void result_null(struct result *r, const struct result_null *null_run);

/* How one party's part of a block ended. */
struct result_party {
	const char *host;    /* "host0"; NULL = there was none for it */
	const char *outcome; /* outcome_text(): "ok", "exit:3", ... */
	const char *error;   /* sentence, or NULL */
	/* Its {"t":"report", ...} line, hostile; NULL = none came. */
	const char *report;
	size_t report_bytes;
};

struct result_block {
	struct result_cell cell;
	uint32_t index;     /* 0 ... in the cell */
	uint32_t attempt;   /* 0, or how often this block was run before and tainted */
	uint32_t position;  /* in the order of all blocks of the run */
	double delay_scale; /* of one_way_ns: the configured delays times this */
	enum cell_status status;              /* all but DEGRADED and NOT_RUN */
	const char *error;                    /* sentence, or NULL */
	uint64_t phases_ns[LIFE_PHASE_COUNT]; /* LIFE_NOT_REACHED */
	struct result_party parties[NETWORK_PARTIES_MAX]; /* cell.parties of them */
	/* Of the emulator around the run phase; both NULL without one. */
	const struct testbed_counters *wire_before, *wire_after;
	/* Configured one-way delays between the parties, [from][to]; NULL = unknown. */
	const uint64_t (*one_way_ns)[NETWORK_PARTIES_MAX];
	uint64_t rate_bps; /* of each ordered pair; 0 = unlimited */
	int is_lossy;      /* packets are to be lost: retransmissions are no taint */
	int shares_clock;  /* all parties read the same CLOCK_MONOTONIC */
	const struct pressure_delta *pressure; /* of this machine; may be NULL */
	struct cJSON *taints; /* taken; more of them, an array; may be NULL */
};

/* What result_block() made of it. */
struct result_verdict {
	enum cell_status
	    status;        /* FAILED when reports are missing, malformed, disagree */
	uint32_t n_taints; /* run it again? */
};

/* Adds a block and its journal line. *verdict (may be NULL) is set also on failure.
 * Negative: the journal can't be written (full disk); the sentence says what to do. The
 * block is in the document all the same. */
int result_block(struct result *r, const struct result_block *block,
    struct result_verdict *verdict, struct error *err);

/* Something the reader must know ("host2: /tmp/x could not be removed"). */
void result_note(struct result *r, const char *sentence);

/* Write the document: first whole under another name in the same folder, then renamed.
 * `reason`: why it is not complete, or NULL. On failure the document's name does not
 * exist, the journal stays, and the sentence says so. Once. */
int result_finish(
    struct result *r, enum result_status status, const char *reason, struct error *err);

/* Of the document ("results/distant-4-20261121T094107Z.json"). */
const char *result_path(const struct result *r);
/* The document as it stands; blocks are opaque in it (cJSON raw), all else is there.
 * Valid until the next call that changes it. For harness/result/summary.h. */
const struct cJSON *result_document(struct result *r);

/* Without result_finish() the journal stays. NULL is fine. */
void result_destroy(struct result *r);

const char *cell_status_text(enum cell_status status);
const char *result_status_text(enum result_status status);
const char *life_phase_text(enum life_phase phase);

#endif

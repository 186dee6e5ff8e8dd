/* SPDX-License-Identifier: MIT */
/* Figures of the phases of a protocol ("input", "conv1", ...): of a party, then of a
 * block (all parties), then over the blocks of a cell. */
#ifndef HARNESS_RESULT_PHASE_FIGURES_H
#define HARNESS_RESULT_PHASE_FIGURES_H

#include "base/error.h"
#include "harness/measure/recorder.h"

struct cJSON;

struct phase_figure {
	char name[RECORDER_NAME_BYTES];
	uint64_t rounds, messages, app_bytes; /* messages and bytes sent */
	uint64_t wall_ns;
};

struct phase_figures {
	struct phase_figure phases[RECORDER_PHASES_MAX];
	uint32_t n_phases;
};

/* From the "phases" of a report whose shape has been checked. */
void phase_figures_read(struct phase_figures *figures, const struct cJSON *phases);
/* Another party of the same block: rounds and wall time of the party with most, messages
 * and bytes in sum. Phases keep the order in which they were first seen. */
void phase_figures_add(struct phase_figures *block, const struct phase_figures *party);

/* [{"name","rounds","messages","app_bytes","wall_ns"}] */
struct cJSON *phase_figures_json(const struct phase_figures *block);
/* And back: -EINVAL for anything else. */
int phase_figures_parse(
    struct phase_figures *block, const struct cJSON *json, struct error *err);
/* The same over n blocks, each figure a spread. */
struct cJSON *phase_figures_spreads(
    const struct phase_figures *const *blocks, uint32_t n_blocks);

#endif

/* SPDX-License-Identifier: MIT */
/* Run the secret-shared classifier as all parties of a memory network, phase by phase. */
#ifndef TESTS_CNN_PARTIES_H
#define TESTS_CNN_PARTIES_H

#include "engine/cnn.h"
#include "engine/memory_network.h"

#define CNN_PHASES_MAX 16u

struct cnn_phase {
	const char *name;
	/* Of each party: rounds and bytes it sent in this phase. */
	uint64_t rounds[NETWORK_PARTIES_MAX], bytes[NETWORK_PARTIES_MAX];
};

struct cnn_parties {
	uint32_t m, n_images;
	const struct cnn_shape *shape;
	struct workload_task task; /* with all inputs; each party gets its own only */

	/* After cnn_parties_run(). */
	struct workload_output out[NETWORK_PARTIES_MAX];
	struct cnn_phase phases[CNN_PHASES_MAX];
	uint32_t n_phases;
	uint64_t cpu_ns; /* of all parties, from start to end */
	struct error err;
	struct memory_network *memory;
};

/* 0, or the first party's error. All outputs are the same and right, or -EBADMSG. */
int cnn_parties_run(struct cnn_parties *parties);
/* NULL if there is no such phase. */
const struct cnn_phase *cnn_parties_phase(
    const struct cnn_parties *parties, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A scenario: which parties, where, over which transports, which workloads, how often.
 * Read from JSON (docs/schema/scenario.schema.json); unknown keys are errors that name
 * the path.
 */
#ifndef HARNESS_SCENARIO_SCENARIO_H
#define HARNESS_SCENARIO_SCENARIO_H

#include "base/error.h"
#include "engine/network.h"
#include "harness/scenario/matrix.h"

#include <stddef.h>
#include <stdint.h>

#define SCENARIO_TRANSPORTS_MAX 16u
#define SCENARIO_WORKLOADS_MAX  16u
#define SCENARIO_OPTIONS_MAX    16u
#define SCENARIO_SIZES_MAX      8u
#define SCENARIO_REGIONS_MAX    MATRIX_SITES_MAX

/* What the limits of the reader and of docs/schema/scenario.schema.json are. */
#define SCENARIO_BLOCKS_MAX      1000u
#define SCENARIO_SCALES_MAX      4u
#define SCENARIO_RERUNS_MAX      9u
#define SCENARIO_TIMEOUT_S_MAX   86400u
#define SCENARIO_PROBE_HZ_MAX    1000u
#define SCENARIO_PROBE_BYTES_MIN 16u
#define SCENARIO_PROBE_BYTES_MAX 1200u

struct scenario_transport {
	char plugin[32];
	/* key, value, ..., NULL: as endpoint_create() takes them; the scenario's. */
	char *options[2 * SCENARIO_OPTIONS_MAX + 1];
};

struct scenario_workload {
	char name[32];
	char mode[16]; /* "" = the workload's first */
	char sizes[SCENARIO_SIZES_MAX][16];
	uint32_t n_sizes;
	uint32_t field_bits;
};

struct scenario {
	char name[64];
	char description[1024];                /* 255 characters */
	char path[512];                        /* of the file, as given */
	uint32_t parties[NETWORK_PARTIES_MAX]; /* the party counts to run */
	uint32_t n_parties_counts;
	char regions[SCENARIO_REGIONS_MAX][MATRIX_SITE_BYTES]; /* sites of the matrix */
	uint32_t region_sites[SCENARIO_REGIONS_MAX]; /* indices into matrix.sites */
	uint32_t n_regions;
	char matrix_path[1540]; /* as opened: relative to the scenario's folder */
	struct matrix matrix;   /* already scaled */
	double matrix_scale; /* of all delays: those of the matrix and within a region */
	uint64_t intra_region_one_way_ns; /* already scaled */
	uint64_t rate_bps;                /* of every ordered pair; 0 = unlimited */
	uint64_t jitter_ns;
	double loss;
	struct scenario_transport transports[SCENARIO_TRANSPORTS_MAX];
	uint32_t n_transports;
	struct scenario_workload workloads[SCENARIO_WORKLOADS_MAX];
	uint32_t n_workloads;
	uint32_t blocks;
	double
	    delay_scales[SCENARIO_SCALES_MAX]; /* every block at each of them; 1 is one */
	uint32_t n_delay_scales;
	uint32_t reruns;        /* of a tainted block, at most */
	uint32_t probe_rate_hz; /* per ordered pair; 0 = no probes */
	uint32_t probe_bytes;
	uint32_t cell_timeout_s;
	uint64_t seed;
	char *text; /* the file as read, for embedding */
	char *matrix_text;
};

/* -EINVAL (or the errno of opening a file) with a sentence that names file and key
 * ("a.json: /network/scale: ..."). Workloads, transports and modes are only checked for
 * their form here: whether they exist is for plan_create(). */
int scenario_read(const char *path, struct scenario **out, struct error *err);
/* The same from memory; `path` is for sentences and for finding the matrix. */
int scenario_parse(const char *path, const char *text, size_t len, struct scenario **out,
    struct error *err);
void scenario_free(struct scenario *scenario); /* NULL is fine */

/* Region of a party, index into scenario->regions: party p is in region p mod n_regions,
 * so that n parties are spread evenly and the first n hosts serve every smaller count. */
uint32_t scenario_region(const struct scenario *scenario, uint32_t party);
/* Configured one-way delay from one party to another, ns. */
uint64_t scenario_one_way_ns(const struct scenario *scenario, uint32_t from, uint32_t to);
/* What a ping between the two should show: both one-way delays. */
uint64_t scenario_rtt_ns(const struct scenario *scenario, uint32_t a, uint32_t b);
/* The largest party count of the scenario: so many hosts serve all of its cells. */
uint32_t scenario_parties_max(const struct scenario *scenario);

#endif

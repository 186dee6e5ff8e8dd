/* SPDX-License-Identifier: MIT */
/* One histogram of a report or a result: what it is of, figures for readers, and the
 * payload from which any other figure can be had later. */
#ifndef HARNESS_MEASURE_HISTOGRAM_JSON_H
#define HARNESS_MEASURE_HISTOGRAM_JSON_H

#include "base/error.h"
#include "base/histogram.h"

struct cJSON;

/* A party number, or none: the figure is of no single one (JSON null). */
#define HISTOGRAM_NO_PARTY (-1)

struct histogram_label {
	const char *metric; /* "round_ns", "arrival_ns", "probe_rtt_ns", "lateness_ns" */
	const char *loop;   /* "closed" or "open": never merged with each other */
	int from, to;       /* parties, or HISTOGRAM_NO_PARTY */
	const char *phase;  /* of the protocol; NULL = all of it */
};

/* {"metric","loop","from","to","phase","unit":"ns","count","overflow","min","max","mean",
 * "sum","p50","p90","p99","p999","encoding":"hdr-v2-base64","data"}; to be freed with
 * cJSON_Delete(). NULL when out of memory. */
struct cJSON *histogram_to_json(
    const struct histogram *h, const struct histogram_label *label);

/* The histogram of such an object, with the exact min, max and sum. Hostile input:
 * -EINVAL with a sentence and `out` untouched for figures that are not those of the
 * payload. */
int histogram_from_json(
    struct histogram *out, const struct cJSON *json, struct error *err);

#endif

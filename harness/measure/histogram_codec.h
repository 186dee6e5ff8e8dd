/* SPDX-License-Identifier: MIT */
/*
 * Histograms as text: the compressed V2 payload of HdrHistogram in base64
 * ("HISTFAAA..."), as every implementation of hdrhistogram.org reads and writes it.
 *
 * The payload holds the counts of the buckets and nothing else: exact minimum, maximum
 * and sum travel beside it (harness/measure/histogram_json.h).
 */
#ifndef HARNESS_MEASURE_HISTOGRAM_CODEC_H
#define HARNESS_MEASURE_HISTOGRAM_CODEC_H

#include "base/error.h"
#include "base/histogram.h"

/* The payload, to be freed by the caller; NULL when out of memory. */
char *histogram_encode(const struct histogram *h);

/* Replace `out` by what the payload holds. min and max become the ends of their buckets,
 * the sums those of the buckets' middles, overflow 0. Any writer is accepted whose
 * layout is ours: 3 digits, unit 1, no shifted or scaled values. The text is hostile:
 * -EINVAL with a sentence and `out` untouched for anything malformed, -ENOMEM. */
int histogram_decode(struct histogram *out, const char *text, struct error *err);

#endif

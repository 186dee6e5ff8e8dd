/* SPDX-License-Identifier: MIT */
/*
 * High dynamic range histogram with the bucket layout of HdrHistogram (hdrhistogram.org,
 * V2 payloads): 3 significant digits, values 0 .. HISTOGRAM_VALUE_MAX, unit 1 (ns here).
 * Recording is a few nanoseconds and never allocates after create. harness/measure
 * encodes.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_DIGITS      3
#define HISTOGRAM_VALUE_MAX   UINT64_C(3600000000000) /* one hour in ns */
#define HISTOGRAM_SUB_BUCKETS 2048u  /* smallest power of two >= 2 * 10^DIGITS */
#define HISTOGRAM_COUNTS      33792u /* (32 + 1) * 1024: covers VALUE_MAX */

struct histogram {
	uint64_t total;    /* recorded values, overflow included */
	uint64_t overflow; /* values above VALUE_MAX, recorded as VALUE_MAX */
	uint64_t min, max; /* exact; min = UINT64_MAX while empty */
	double sum;        /* exact to double precision, for the mean */
	double sum_squares;
	uint64_t counts[HISTOGRAM_COUNTS];
};

/* NULL when out of memory. destroy(NULL) is fine. */
struct histogram *histogram_create(void);
void histogram_destroy(struct histogram *h);
void histogram_reset(struct histogram *h);

void histogram_record(struct histogram *h, uint64_t value);
/* `from` into `into`; exact: the same as recording all of its values. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Smallest recorded bucket value (its highest equivalent) at or below which `percent` of
 * the values lie, bounded by max; 0 when empty. percent in [0, 100]. */
uint64_t histogram_percentile(const struct histogram *h, double percent);
double histogram_mean(const struct histogram *h);
double histogram_sd(const struct histogram *h);

/* The bucket of a value and the lowest and highest value of a bucket, as HdrHistogram. */
uint32_t histogram_index(uint64_t value);
uint64_t histogram_lowest(uint32_t index);
uint64_t histogram_highest(uint32_t index);

#endif

/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HALF_BITS 10u /* log2(HISTOGRAM_SUB_BUCKETS / 2) */
#define HALF      (HISTOGRAM_SUB_BUCKETS / 2)

struct histogram *histogram_create(void)
{
	/* Zero pages of the kernel: only the buckets in use take memory. */
	struct histogram *h = calloc(1, sizeof(*h));

	if (h != NULL)
		h->min = UINT64_MAX;
	return h;
}

void histogram_destroy(struct histogram *h)
{
	free(h);
}

void histogram_reset(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

/* Which power-of-two range; 0 holds the values below HISTOGRAM_SUB_BUCKETS. */
static uint32_t bucket_of(uint64_t value)
{
	return 64 - (HALF_BITS + 1) -
	       (uint32_t)__builtin_clzll(value | (HISTOGRAM_SUB_BUCKETS - 1));
}

uint32_t histogram_index(uint64_t value)
{
	uint32_t bucket = bucket_of(value);

	/* The lower half of every range but the first is covered by the range before. */
	return (bucket + 1) * HALF + (uint32_t)(value >> bucket) - HALF;
}

static uint32_t shift_of(uint32_t index)
{
	uint32_t range = index >> HALF_BITS;

	return range == 0 ? 0 : range - 1;
}

uint64_t histogram_lowest(uint32_t index)
{
	uint32_t shift = shift_of(index);
	uint64_t sub = index < HISTOGRAM_SUB_BUCKETS ? index : index % HALF + HALF;

	return sub << shift;
}

uint64_t histogram_highest(uint32_t index)
{
	return histogram_lowest(index) + (UINT64_C(1) << shift_of(index)) - 1;
}

void histogram_record(struct histogram *h, uint64_t value)
{
	if (value > HISTOGRAM_VALUE_MAX) {
		h->overflow++;
		value = HISTOGRAM_VALUE_MAX;
	}
	h->counts[histogram_index(value)]++;
	h->total++;
	h->sum += (double)value;
	h->sum_squares += (double)value * (double)value;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (uint32_t i = 0; i < HISTOGRAM_COUNTS; i++)
		into->counts[i] += from->counts[i];
	into->total += from->total;
	into->overflow += from->overflow;
	into->sum += from->sum;
	into->sum_squares += from->sum_squares;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	uint64_t rank, seen = 0;

	if (h->total == 0)
		return 0;
	/* 99.9 is no binary fraction: rounded up, 99.9 % of 1000 values would be 1000. */
	rank = (uint64_t)ceil(nextafter(percent, 0) / 100 * (double)h->total);
	if (rank < 1)
		rank = 1;
	for (uint32_t i = 0; i < HISTOGRAM_COUNTS; i++) {
		seen += h->counts[i];
		if (seen >= rank)
			return histogram_highest(i) < h->max ? histogram_highest(i)
							     : h->max;
	}
	return h->max;
}

double histogram_mean(const struct histogram *h)
{
	return h->total == 0 ? 0 : h->sum / (double)h->total;
}

double histogram_sd(const struct histogram *h)
{
	double mean = histogram_mean(h), variance;

	if (h->total == 0)
		return 0;
	variance = h->sum_squares / (double)h->total - mean * mean;
	return variance > 0 ? sqrt(variance) : 0;
}

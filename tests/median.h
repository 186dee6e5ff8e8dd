/* SPDX-License-Identifier: MIT */
/* The middle one of several measurements; of an even number, the upper. */
#ifndef TESTS_MEDIAN_H
#define TESTS_MEDIAN_H

#include <stdlib.h>

static inline int median_by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts them. */
static inline double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), median_by_value);
	return values[n / 2];
}

#endif

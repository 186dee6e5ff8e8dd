/* SPDX-License-Identifier: MIT */
#include "base/sort.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void sort_u64(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
}

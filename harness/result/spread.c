/* SPDX-License-Identifier: MIT */
#include "harness/result/spread.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

cJSON *spread_json(double *values, uint32_t n)
{
	cJSON *spread;

	if (n == 0)
		return cJSON_CreateNull();
	qsort(values, n, sizeof(*values), compare);
	spread = cJSON_CreateObject();
	cJSON_AddNumberToObject(
	    spread, "median", (values[(n - 1) / 2] + values[n / 2]) / 2);
	cJSON_AddNumberToObject(spread, "min", values[0]);
	cJSON_AddNumberToObject(spread, "max", values[n - 1]);
	return spread;
}

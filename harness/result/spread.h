/* SPDX-License-Identifier: MIT */
/* Median, least and greatest of a few values. */
#ifndef HARNESS_RESULT_SPREAD_H
#define HARNESS_RESULT_SPREAD_H

#include <stdint.h>

struct cJSON;

/* Sorts `values`; {"median","min","max"}, or JSON null for none. The median of an even
 * number is the mean of the middle two. */
struct cJSON *spread_json(double *values, uint32_t n);

#endif

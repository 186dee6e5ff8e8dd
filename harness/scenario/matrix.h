/* SPDX-License-Identifier: MIT */
/*
 * RTTs of ordered pairs of sites (docs/schema/matrix.schema.json).
 *
 * Published tables differ a little between a pair's two directions. E3 takes half of the
 * entry of each *ordered* pair as the one-way delay of that direction, so the RTT of a
 * pair is half the sum of both entries.
 */
#ifndef HARNESS_SCENARIO_MATRIX_H
#define HARNESS_SCENARIO_MATRIX_H

#include "base/error.h"

#include <stdint.h>

#define MATRIX_SITES_MAX  64u
#define MATRIX_SITE_BYTES 16u

struct matrix {
	char name[64];
	double percentile; /* of the RTTs that were observed; 0 = not said */
	uint32_t n_sites;
	char sites[MATRIX_SITES_MAX][MATRIX_SITE_BYTES]; /* lower case */
	/* Row = source, column = destination; the diagonal is 0. One way = half of it. */
	uint64_t rtt_ns[MATRIX_SITES_MAX][MATRIX_SITES_MAX];
};

/* -EINVAL (or the errno of opening it) with a sentence that names file and key. *text:
 * the file as read (malloc). */
int matrix_read(const char *path, struct matrix *out, char **text, struct error *err);
/* Index of a site (case ignored) or -ENOENT. */
int matrix_site(const struct matrix *matrix, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a coalition sees of a protocol that runs on n samples of the same secrets at once,
 * and whether that tells two choices of secrets apart.
 *
 * A view is a set of columns of n small numbers: one for each element the coalition is
 * sent or sends, and one for each key stream that it shares with others and the protocol
 * drew from. Two views are compared by chi-square tests (two samples) over the values of
 * every column, every pair and every three columns whose cells are not too many.
 */
#ifndef TESTS_ENGINE_VIEWS_H
#define TESTS_ENGINE_VIEWS_H

#include <stddef.h>
#include <stdint.h>

#define VIEW_COLUMNS_MAX 64u
#define VIEW_CELLS_MAX   1024u

struct view {
	size_t n;
	uint32_t n_columns;
	uint32_t values; /* columns hold 0 .. values - 1 */
	char names[VIEW_COLUMNS_MAX][40];
	uint16_t *columns[VIEW_COLUMNS_MAX];
};

/* Add a column of n numbers, taken modulo `values`. */
void view_add(struct view *view, const char *name, const uint64_t *numbers, size_t n);
/* Columns by name: parties write them in any order. */
void view_sort(struct view *view);
void view_finish(struct view *view);

/* The largest normal deviate of all tests (Wilson and Hilferty's approximation): above
 * VIEW_LIMIT (p = 3e-7) the views differ. `what` (96 bytes) names the columns. Columns of
 * both views correspond. */
#define VIEW_LIMIT 5.0
double views_distance(const struct view *a, const struct view *b, char *what);

/* As views_distance(), between the samples of one view where `is_b` is 0 and 1. */
double view_distance_within(const struct view *view, const uint8_t *is_b, char *what);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a coalition sees, as a sample: a row for each time that the primitive ran, a
 * column for each element. And whether two samples come from one distribution.
 *
 * Three kinds of comparison, each with its probability under "they do" (a p-value):
 *
 *   1. chi-square (two samples) over the values of every column, of every pair and every
 *      three columns, or of VIEW_SUBSETS_MAX of them drawn at random if there are more.
 *      Cells are values modulo a number that leaves VIEW_ROWS_A_CELL rows to each of
 *      them, in large fields also ranges of values with equal numbers of rows; cells
 *      with fewer rows are taken together;
 *   2. hull: the affine relations among *all* columns that hold in the first half of one
 *      sample (Gaussian elimination; primes up to VIEW_HULL_P_MAX). How many rows of the
 *      other half and of the other sample satisfy them is a table of two by two.
 *      A relation that holds in one world only is found however many columns it takes;
 *   3. the numbers of rows, of the runs that were made (experiment.h).
 *
 * Columns that repeat another one or are constant in both samples alike are left out.
 */
#ifndef TESTS_ENGINE_VIEWS_H
#define TESTS_ENGINE_VIEWS_H

#include <stddef.h>
#include <stdint.h>

#define VIEW_NAME_BYTES  64u
#define VIEW_SUBSETS_MAX 500u
#define VIEW_ROWS_A_CELL 8u
#define VIEW_HULL_P_MAX  181u /* a product and a sum fit 16 bits */

/* One comparison differs if its p-value is below. A test program makes at most
 * VIEW_COMPARISONS_MAX, so that it raises a false alarm with a probability of 10^-8 at
 * most by the p-values, and all seven of them together below 10^-6 even if chi-square's
 * approximation is ten times too small so far out. (Seeds are fixed: a run repeats.) */
#define VIEW_P_LIMIT         1e-14
#define VIEW_COMPARISONS_MAX 1000000u

struct view {
	uint64_t p; /* elements are below; 0 = 2^61-1 */
	size_t rows;
	uint32_t n_columns, room;
	struct view_column {
		char name[VIEW_NAME_BYTES];
		uint64_t *elements; /* [rows] */
	} * columns;
};

struct view_report {
	double p;       /* the smallest of all comparisons */
	char what[256]; /* the columns in which they differ most */
	uint64_t n_comparisons;
};

/* A new column, to be filled. */
uint64_t *view_add(struct view *view, const char *name);
/* Zeroed is fine. */
void view_finish(struct view *view);

/* Compare two samples with the same columns, hulls first, until a comparison differs. */
void views_compare(
    const struct view *a, const struct view *b, struct view_report *report);

/* Note one comparison, or all of another report. */
void view_note(struct view_report *report, double p, const char *what);
void view_add_report(struct view_report *report, const struct view_report *other);

#endif

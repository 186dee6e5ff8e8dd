/* SPDX-License-Identifier: MIT */
#include "tests/engine/views.h"

#include "base/random.h"
#include "base/sort.h"
#include "tests/engine/chi_square.h"
#include "tests/engine/hull.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX  4096u
#define TOGETHER   3u /* columns */
/* Of one column, for reasons of speed. */
#define VALUES_MAX 64u

enum cell_kind { CELLS_OF_RESIDUES, CELLS_OF_RANGES };

uint64_t *view_add(struct view *view, const char *name)
{
	struct view_column *column;

	if (view->n_columns == view->room) {
		view->room = 2 * view->room + 64;
		view->columns =
		    realloc(view->columns, view->room * sizeof(*view->columns));
		if (view->columns == NULL)
			abort();
	}
	column = &view->columns[view->n_columns++];
	snprintf(column->name, sizeof(column->name), "%s", name);
	column->elements = calloc(view->rows + 1, sizeof(*column->elements));
	if (column->elements == NULL)
		abort();
	return column->elements;
}

void view_finish(struct view *view)
{
	for (uint32_t c = 0; c < view->n_columns; c++)
		free(view->columns[c].elements);
	free(view->columns);
	memset(view, 0, sizeof(*view));
}

void view_note(struct view_report *report, double p, const char *what)
{
	if (report->n_comparisons++ == 0 || p < report->p) {
		report->p = p;
		snprintf(report->what, sizeof(report->what), "%s", what);
	}
}

void view_add_report(struct view_report *report, const struct view_report *other)
{
	uint64_t n = report->n_comparisons + other->n_comparisons;

	if (report->n_comparisons == 0 || other->p < report->p)
		*report = *other;
	report->n_comparisons = n;
}

static int is_different(const struct view_report *report)
{
	return report->p < VIEW_P_LIMIT;
}

/* The two samples, without columns that tell nothing. */
struct pair {
	const struct view *sides[2];
	uint32_t n;
	uint32_t *columns; /* [n] */
	struct view_report *report;
	unsigned char *cells[2]; /* [n][rows] */
};

static const uint64_t *elements(const struct pair *pair, uint32_t side, uint32_t i)
{
	return pair->sides[side]->columns[pair->columns[i]].elements;
}

static int is_constant(const struct pair *pair, uint32_t i)
{
	uint64_t value = elements(pair, 0, i)[0];

	for (uint32_t side = 0; side < 2; side++)
		for (size_t r = 0; r < pair->sides[side]->rows; r++)
			if (elements(pair, side, i)[r] != value)
				return 0;
	return 1;
}

static int is_repeated(const struct pair *pair, uint32_t i, uint32_t j)
{
	for (uint32_t side = 0; side < 2; side++)
		if (memcmp(elements(pair, side, i), elements(pair, side, j),
			pair->sides[side]->rows * sizeof(uint64_t)) != 0)
			return 0;
	return 1;
}

static void choose_columns(struct pair *pair)
{
	pair->columns = calloc(pair->sides[0]->n_columns + 1, sizeof(*pair->columns));
	if (pair->columns == NULL)
		abort();
	for (uint32_t c = 0; c < pair->sides[0]->n_columns; c++) {
		int is_new;

		pair->columns[pair->n] = c;
		is_new = !is_constant(pair, pair->n);
		for (uint32_t i = 0; i < pair->n && is_new; i++)
			is_new = !is_repeated(pair, i, pair->n);
		pair->n += (uint32_t)is_new;
	}
}

static size_t fewer_rows(const struct pair *pair)
{
	size_t a = pair->sides[0]->rows, b = pair->sides[1]->rows;

	return a < b ? a : b;
}

/* Values of a column that are told apart when `together` are compared. */
static uint32_t values_of(const struct pair *pair, uint32_t together)
{
	double room = (double)fewer_rows(pair) / VIEW_ROWS_A_CELL;
	uint64_t p = pair->sides[0]->p;
	uint32_t most = (uint32_t)floor(pow(room, 1.0 / together) + 1e-9);

	most = most > VALUES_MAX ? VALUES_MAX : most < 2 ? 2 : most;
	return p != 0 && p < most ? (uint32_t)p : most;
}

/* Where the values of both samples together are cut into equal parts. */
static void find_cuts(
    const struct pair *pair, uint32_t i, uint32_t values, uint64_t *cuts)
{
	size_t rows = pair->sides[0]->rows, all = rows + pair->sides[1]->rows;
	uint64_t *sorted = calloc(all, sizeof(*sorted));

	if (sorted == NULL)
		abort();
	memcpy(sorted, elements(pair, 0, i), rows * sizeof(*sorted));
	memcpy(sorted + rows, elements(pair, 1, i), (all - rows) * sizeof(*sorted));
	sort_u64(sorted, all);
	for (uint32_t k = 1; k < values; k++)
		cuts[k - 1] = sorted[k * all / values];
	free(sorted);
}

static unsigned char part_of(const uint64_t *cuts, uint32_t values, uint64_t value)
{
	uint32_t k = 0;

	while (k + 1 < values && value >= cuts[k])
		k++;
	return (unsigned char)k;
}

static void fill_cells(struct pair *pair, enum cell_kind kind, uint32_t values)
{
	uint64_t cuts[VALUES_MAX];

	for (uint32_t side = 0; side < 2; side++) {
		free(pair->cells[side]);
		pair->cells[side] = malloc(pair->n * pair->sides[side]->rows + 1);
		if (pair->cells[side] == NULL)
			abort();
	}
	for (uint32_t i = 0; i < pair->n; i++) {
		if (kind == CELLS_OF_RANGES)
			find_cuts(pair, i, values, cuts);
		for (uint32_t side = 0; side < 2; side++) {
			size_t rows = pair->sides[side]->rows;
			const uint64_t *from = elements(pair, side, i);
			unsigned char *to = pair->cells[side] + i * rows;

			for (size_t r = 0; r < rows; r++)
				to[r] = kind == CELLS_OF_RANGES
					    ? part_of(cuts, values, from[r])
					    : (unsigned char)(from[r] % values);
		}
	}
}

static void count(const struct pair *pair, uint32_t side, const uint32_t *chosen,
    uint32_t together, uint32_t values, uint32_t *counts)
{
	size_t rows = pair->sides[side]->rows;
	const unsigned char *column[TOGETHER];

	for (uint32_t k = 0; k < TOGETHER; k++)
		column[k] = pair->cells[side] + chosen[k < together ? k : 0] * rows;
	if (together == 1)
		for (size_t r = 0; r < rows; r++)
			counts[column[0][r]]++;
	else if (together == 2)
		for (size_t r = 0; r < rows; r++)
			counts[column[0][r] * values + column[1][r]]++;
	else
		for (size_t r = 0; r < rows; r++)
			counts[(column[0][r] * values + column[1][r]) * values +
			       column[2][r]]++;
}

static void compare_some(
    struct pair *pair, const uint32_t *chosen, uint32_t together, uint32_t values)
{
	static uint32_t counts[2][CELLS_MAX];
	uint32_t cells = 1;
	char what[TOGETHER * (VIEW_NAME_BYTES + 2)] = "";
	double p;

	for (uint32_t k = 0; k < together; k++)
		cells *= values;
	memset(counts[0], 0, cells * sizeof(counts[0][0]));
	memset(counts[1], 0, cells * sizeof(counts[1][0]));
	for (uint32_t side = 0; side < 2; side++)
		count(pair, side, chosen, together, values, counts[side]);
	p = chi_square_two_samples(counts[0], counts[1], cells, VIEW_ROWS_A_CELL);
	for (uint32_t k = 0; k < together && p < pair->report->p; k++)
		snprintf(what + strlen(what), sizeof(what) - strlen(what), "%s%s",
		    k > 0 ? ", " : "",
		    pair->sides[0]->columns[pair->columns[chosen[k]]].name);
	view_note(pair->report, p, what);
}

/* The next choice in lexical order; 0 after the last. */
static int next_choice(uint32_t *chosen, uint32_t together, uint32_t n)
{
	uint32_t k = together;

	while (k > 0 && chosen[k - 1] == n - together + k - 1)
		k--;
	if (k == 0)
		return 0;
	for (chosen[k - 1]++; k < together; k++)
		chosen[k] = chosen[k - 1] + 1;
	return 1;
}

static void random_choice(
    struct random_stream *random, uint32_t *chosen, uint32_t together, uint32_t n)
{
	for (uint32_t k = 0; k < together; k++) {
		int is_new = 0;

		while (!is_new) {
			chosen[k] = (uint32_t)random_stream_below(random, n);
			is_new = 1;
			for (uint32_t i = 0; i < k; i++)
				is_new &= chosen[i] != chosen[k];
		}
	}
}

static void compare_columns(struct pair *pair, enum cell_kind kind, uint32_t together)
{
	uint32_t values = values_of(pair, together), chosen[TOGETHER] = {0, 1, 2};
	struct random_stream random;
	double choices = 1;

	if (pair->n < together || is_different(pair->report))
		return;
	for (uint32_t k = 0; k < together; k++)
		choices *= (double)(pair->n - k) / (k + 1);
	fill_cells(pair, kind, values);
	if (choices <= VIEW_SUBSETS_MAX || together == 1) {
		do
			compare_some(pair, chosen, together, values);
		while (!is_different(pair->report) &&
		       next_choice(chosen, together, pair->n));
		return;
	}
	random_stream_seed(&random, together);
	for (uint32_t i = 0; i < VIEW_SUBSETS_MAX && !is_different(pair->report); i++) {
		random_choice(&random, chosen, together, pair->n);
		compare_some(pair, chosen, together, values);
	}
}

static void row_of(const struct pair *pair, uint32_t side, size_t r, uint16_t *vector)
{
	for (uint32_t i = 0; i < pair->n; i++)
		vector[i] = (uint16_t)elements(pair, side, i)[r];
}

/* Relations of the first half of one side, in its other half and on the other side. */
static void compare_hulls(struct pair *pair, uint32_t side)
{
	size_t rows = pair->sides[side]->rows, other_rows = pair->sides[1 - side]->rows;
	uint16_t *vector = calloc(pair->n + 1, sizeof(*vector));
	uint32_t counts[2][2] = {{0}};
	char what[80];
	struct hull hull;

	if (vector == NULL)
		abort();
	hull_init(&hull, (uint32_t)pair->sides[0]->p, pair->n);
	for (size_t r = 0; r < rows / 2; r++) {
		row_of(pair, side, r, vector);
		hull_add(&hull, vector);
	}
	for (size_t r = rows / 2; r < rows; r++) {
		row_of(pair, side, r, vector);
		counts[0][hull_has(&hull, vector)]++;
	}
	for (size_t r = 0; r < other_rows; r++) {
		row_of(pair, 1 - side, r, vector);
		counts[1][hull_has(&hull, vector)]++;
	}
	snprintf(what, sizeof(what), "%u relations among %u columns",
	    hull.length - hull.rank, pair->n);
	view_note(pair->report, chi_square_two_samples(counts[0], counts[1], 2, 1), what);
	hull_finish(&hull);
	free(vector);
}

void views_compare(const struct view *a, const struct view *b, struct view_report *report)
{
	struct pair pair = {.sides = {a, b}, .report = report};

	if (a->n_columns != b->n_columns || a->n_columns == 0 || a->rows == 0 ||
	    b->rows == 0) {
		view_note(report, 0, "other numbers of columns, or no rows");
		return;
	}
	choose_columns(&pair);
	for (uint32_t side = 0; side < 2; side++)
		if (a->p != 0 && a->p <= VIEW_HULL_P_MAX && pair.n > 0 &&
		    !is_different(report))
			compare_hulls(&pair, side);
	for (uint32_t together = 1; together <= TOGETHER; together++) {
		compare_columns(&pair, CELLS_OF_RESIDUES, together);
		if (a->p == 0 || a->p > VALUES_MAX)
			compare_columns(&pair, CELLS_OF_RANGES, together);
	}
	free(pair.columns);
	free(pair.cells[0]);
	free(pair.cells[1]);
}

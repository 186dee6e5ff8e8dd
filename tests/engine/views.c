/* SPDX-License-Identifier: MIT */
#include "tests/engine/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void view_add(struct view *view, const char *name, const uint64_t *numbers, size_t n)
{
	uint16_t *column = malloc(n * sizeof(*column));

	if (column == NULL || view->n_columns == VIEW_COLUMNS_MAX ||
	    (view->n_columns > 0 && n != view->n)) {
		fprintf(stderr, "view: no room for column %s\n", name);
		abort();
	}
	for (size_t i = 0; i < n; i++)
		column[i] = (uint16_t)(numbers[i] % view->values);
	view->n = n;
	snprintf(view->names[view->n_columns], sizeof(view->names[0]), "%s", name);
	view->columns[view->n_columns++] = column;
}

void view_sort(struct view *view)
{
	for (uint32_t i = 1; i < view->n_columns; i++)
		for (uint32_t j = i;
		     j > 0 && strcmp(view->names[j - 1], view->names[j]) > 0; j--) {
			uint16_t *column = view->columns[j];
			char name[sizeof(view->names[0])];

			memcpy(name, view->names[j], sizeof(name));
			memcpy(view->names[j], view->names[j - 1], sizeof(name));
			memcpy(view->names[j - 1], name, sizeof(name));
			view->columns[j] = view->columns[j - 1];
			view->columns[j - 1] = column;
		}
}

void view_finish(struct view *view)
{
	for (uint32_t c = 0; c < view->n_columns; c++)
		free(view->columns[c]);
	memset(view, 0, sizeof(*view));
}

/* Of two samples with the same distribution, about standard normal. */
static double deviate(const uint32_t *a, const uint32_t *b, uint32_t cells)
{
	double n_a = 0, n_b = 0, chi2 = 0, f = -1;

	for (uint32_t i = 0; i < cells; i++) {
		n_a += a[i];
		n_b += b[i];
	}
	for (uint32_t i = 0; i < cells; i++) {
		double d = a[i] * sqrt(n_b / n_a) - b[i] * sqrt(n_a / n_b);

		if (a[i] + b[i] == 0)
			continue;
		chi2 += d * d / (a[i] + b[i]);
		f++;
	}
	if (f < 1)
		return 0;
	return (cbrt(chi2 / f) - (1 - 2 / (9 * f))) / sqrt(2 / (9 * f));
}

struct comparison {
	const struct view *a, *b;
	const uint8_t *is_b; /* NULL: a and b are different samples */
	double worst;
	char *what;
};

static void count(const struct view *view, const uint32_t *columns, uint32_t n_columns,
    const uint8_t *is_b, uint32_t *cells_a, uint32_t *cells_b)
{
	for (size_t i = 0; i < view->n; i++) {
		uint32_t cell = 0;

		for (uint32_t c = 0; c < n_columns; c++)
			cell = cell * view->values + view->columns[columns[c]][i];
		(is_b != NULL && is_b[i] ? cells_b : cells_a)[cell]++;
	}
}

static void compare(struct comparison *c, const uint32_t *columns, uint32_t n_columns)
{
	uint32_t cells_a[VIEW_CELLS_MAX] = {0}, cells_b[VIEW_CELLS_MAX] = {0}, cells = 1;
	double z;

	for (uint32_t i = 0; i < n_columns; i++)
		cells *= c->a->values;
	if (cells > VIEW_CELLS_MAX)
		return;
	count(c->a, columns, n_columns, c->is_b, cells_a, cells_b);
	if (c->is_b == NULL)
		count(c->b, columns, n_columns, NULL, cells_b, cells_b);
	z = deviate(cells_a, cells_b, cells);
	if (z <= c->worst)
		return;
	c->worst = z;
	c->what[0] = '\0';
	for (uint32_t i = 0; i < n_columns; i++)
		snprintf(c->what + strlen(c->what), 96 - strlen(c->what), "%s%s",
		    i > 0 ? ", " : "", c->a->names[columns[i]]);
}

static double compare_all(struct comparison *c)
{
	uint32_t n = c->a->n_columns;

	c->worst = -1e9;
	for (uint32_t i = 0; i < n; i++) {
		compare(c, (uint32_t[]){i}, 1);
		for (uint32_t j = i + 1; j < n; j++) {
			compare(c, (uint32_t[]){i, j}, 2);
			for (uint32_t k = j + 1; k < n; k++)
				compare(c, (uint32_t[]){i, j, k}, 3);
		}
	}
	return c->worst;
}

double views_distance(const struct view *a, const struct view *b, char *what)
{
	struct comparison c = {.a = a, .b = b, .what = what};

	if (a->n_columns != b->n_columns || a->n_columns == 0) {
		snprintf(what, 96, "numbers of columns");
		return 1e9;
	}
	return compare_all(&c);
}

double view_distance_within(const struct view *view, const uint8_t *is_b, char *what)
{
	struct comparison c = {.a = view, .is_b = is_b, .what = what};

	return compare_all(&c);
}

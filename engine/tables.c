/* SPDX-License-Identifier: MIT */
#include "engine/tables.h"

#include <stdlib.h>
#include <string.h>

/* `at` minus `point`, an element. */
static void difference(const struct field *f, uint64_t *out, uint32_t at, uint32_t point)
{
	field_fill(f, out, (int64_t)at - (int64_t)point, 1);
}

void tables_lagrange(
    const struct field *f, uint64_t *out, const uint32_t *points, uint32_t n, uint32_t at)
{
	uint64_t above[FIELD_LIMBS_MAX], below[FIELD_LIMBS_MAX], one[FIELD_LIMBS_MAX];

	for (uint32_t i = 0; i < n; i++) {
		field_fill(f, above, 1, 1);
		field_fill(f, below, 1, 1);
		for (uint32_t j = 0; j < n; j++) {
			if (j == i)
				continue;
			difference(f, one, at, points[j]);
			field_mul(f, above, above, one, 1);
			difference(f, one, points[i], points[j]);
			field_mul(f, below, below, one, 1);
		}
		field_inverse(f, below, below, 1);
		field_mul(f, out + (size_t)i * f->limbs, above, below, 1);
	}
}

const uint64_t *tables_open(
    struct mpc_tables *tables, const struct field *f, uint32_t set)
{
	uint32_t points[NETWORK_PARTIES_MAX], n = 0;

	if (set == tables->open_set)
		return tables->open;
	for (uint32_t p = 0; p < tables->m; p++)
		if ((set >> p & 1) == 1)
			points[n++] = p + 1;
	tables_lagrange(f, tables->open, points, n, 0);
	tables->open_set = set;
	return tables->open;
}

uint32_t tables_first_set(uint32_t m, uint32_t t)
{
	return (1u << (m - t)) - 1;
}

uint32_t tables_next_set(uint32_t m, uint32_t set)
{
	/* The next larger number of as many ones. */
	uint32_t low = set & -set, carried = set + low;
	uint32_t next = carried | (((set ^ carried) / low) >> 2);

	return next >> m != 0 ? 0 : next;
}

static void fill_deal(const struct field *f, struct mpc_tables *tables)
{
	uint32_t m = tables->m, t = tables->t, points[NETWORK_PARTIES_MAX];
	uint32_t self = tables->self;
	size_t row = (size_t)(t + 1) * f->limbs;

	points[0] = 0;
	for (uint32_t k = 1; k <= t; k++)
		points[k] = (self + k) % m + 1;
	for (uint32_t k = t + 1; k <= m; k++)
		tables_lagrange(f, tables->deal + (k - t - 1) * row, points, t + 1,
		    (self + k) % m + 1);
	memcpy(tables->reshare, tables->deal, (m - t) * row * sizeof(uint64_t));
	for (uint32_t r = 0; r < m - t; r++)
		field_mul(f, tables->reshare + r * row, tables->reshare + r * row,
		    tables->product + (size_t)self * f->limbs, 1);
	for (uint32_t k = 1; k <= t + 1; k++)
		points[k - 1] = (self + k) % m + 1;
	for (uint32_t k = t + 2; k <= m; k++)
		tables_lagrange(f, tables->deal_random + (k - t - 2) * row, points, t + 1,
		    (self + k) % m + 1);
}

/* f(self) for the polynomial of degree t that is 1 at 0 and 0 outside `set`. */
static void set_weight(
    const struct field *f, uint64_t *out, const struct mpc_tables *tables, uint32_t set)
{
	uint32_t points[NETWORK_PARTIES_MAX], n = 1;
	uint64_t weights[NETWORK_PARTIES_MAX * FIELD_LIMBS_MAX];

	points[0] = 0;
	for (uint32_t p = 0; p < tables->m; p++)
		if ((set >> p & 1) == 0)
			points[n++] = p + 1;
	tables_lagrange(f, weights, points, n, tables->self + 1);
	memcpy(out, weights, field_bytes(f, 1));
}

/* The product of (self - party outside the set). */
static void small_weight(
    const struct field *f, uint64_t *out, const struct mpc_tables *tables, uint32_t set)
{
	int64_t weight = 1;

	for (uint32_t p = 0; p < tables->m; p++)
		if ((set >> p & 1) == 0)
			weight *= (int64_t)tables->self - p;
	f->ops->from_i64(f, out, &weight, 1);
}

static void fill_sets(const struct field *f, struct mpc_tables *tables)
{
	uint64_t *at = tables->sets, *small = tables->small_sets;

	for (uint32_t set = tables_first_set(tables->m, tables->t); set != 0;
	     set = tables_next_set(tables->m, set)) {
		if ((set >> tables->self & 1) == 0)
			continue;
		set_weight(f, at, tables, set);
		small_weight(f, small, tables, set);
		at += f->limbs;
		small += f->limbs;
	}
}

static void fill_extract(const struct field *f, struct mpc_tables *tables)
{
	size_t row = (size_t)tables->m * f->limbs;
	uint64_t point[FIELD_LIMBS_MAX];

	field_fill(f, tables->extract, 1, tables->m);
	for (uint32_t r = 1; r < tables->m - tables->t; r++)
		for (uint32_t p = 0; p < tables->m; p++) {
			uint64_t *at = tables->extract + r * row + (size_t)p * f->limbs;

			difference(f, point, p + 1, 0);
			field_mul(f, at, at - row, point, 1);
		}
}

static void fill_king(const struct field *f, struct mpc_tables *tables)
{
	uint32_t m = tables->m, t = tables->t, points[NETWORK_PARTIES_MAX];
	uint64_t weights[NETWORK_PARTIES_MAX * FIELD_LIMBS_MAX];

	points[0] = 0;
	for (uint32_t king = 0; king < m; king++) {
		for (uint32_t k = 1; k <= t; k++)
			points[k] = (king + k) % m + 1;
		tables_lagrange(f, weights, points, t + 1, tables->self + 1);
		memcpy(
		    tables->king + (size_t)king * f->limbs, weights, field_bytes(f, 1));
	}
}

static void fill(const struct field *f, struct mpc_tables *tables)
{
	uint32_t points[NETWORK_PARTIES_MAX];

	for (uint32_t p = 0; p < 2 * tables->t + 1; p++)
		points[p] = p + 1;
	tables_lagrange(f, tables->product, points, 2 * tables->t + 1, 0);
	fill_deal(f, tables);
	fill_sets(f, tables);
	fill_extract(f, tables);
	fill_king(f, tables);
	field_fill(f, tables->one, 1, 1);
	field_fill(f, tables->minus_one, -1, 1);
	field_fill(f, tables->half, 2, 1);
	field_inverse(f, tables->half, tables->half, 1);
}

static uint32_t sets_with_self(uint32_t m, uint32_t t)
{
	uint32_t n = 0;

	for (uint32_t set = tables_first_set(m, t); set != 0;
	     set = tables_next_set(m, set))
		n += set & 1;
	return n;
}

int tables_create(struct mpc_tables **ret, const struct field *f, uint32_t m, uint32_t t,
    uint32_t self, struct error *err)
{
	struct mpc_tables *tables = calloc(1, sizeof(*tables));
	uint32_t n_sets = sets_with_self(m, t), square = (m - t) * m;
	uint64_t *at;

	if (tables == NULL)
		return error_set(err, -ENOMEM, "no memory for the tables of sharing");
	/* product has m places: reshare reads that of self, dealer or not. */
	tables->memory =
	    calloc(3 * m + 3 + 2 * n_sets + 4 * (size_t)square, field_bytes(f, 1));
	if (tables->memory == NULL) {
		free(tables);
		return error_set(err, -ENOMEM, "no memory for the tables of sharing");
	}
	tables->m = m;
	tables->t = t;
	tables->self = self;
	at = tables->memory;
	tables->product = at;
	tables->king = at += (size_t)m * f->limbs;
	tables->open = at += (size_t)m * f->limbs;
	tables->one = at += (size_t)m * f->limbs;
	tables->half = at += f->limbs;
	tables->minus_one = at += f->limbs;
	tables->sets = at += f->limbs;
	tables->small_sets = at += (size_t)n_sets * f->limbs;
	tables->deal = at += (size_t)n_sets * f->limbs;
	tables->reshare = at += (size_t)square * f->limbs;
	tables->deal_random = at += (size_t)square * f->limbs;
	tables->extract = at + (size_t)square * f->limbs;
	fill(f, tables);
	*ret = tables;
	return 0;
}

void tables_destroy(struct mpc_tables *tables)
{
	if (tables == NULL)
		return;
	free(tables->memory);
	free(tables);
}

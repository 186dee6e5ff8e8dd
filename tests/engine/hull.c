/* SPDX-License-Identifier: MIT */
#include "tests/engine/hull.h"

#include <stdlib.h>
#include <string.h>

void hull_init(struct hull *hull, uint32_t p, uint32_t n)
{
	*hull = (struct hull){.p = p, .length = n + 1};
	hull->basis = calloc((size_t)hull->length * hull->length, sizeof(uint16_t));
	hull->has = calloc(hull->length, 1);
	hull->spare = calloc(hull->length, sizeof(uint16_t));
	if (hull->basis == NULL || hull->has == NULL || hull->spare == NULL)
		abort();
}

void hull_finish(struct hull *hull)
{
	free(hull->basis);
	free(hull->has);
	free(hull->spare);
}

/* a = a + c b modulo p; p^2 < 2^15, so that a quotient is off by one at most. */
static void add_multiple(
    uint16_t *restrict a, const uint16_t *restrict b, uint32_t c, uint32_t p, uint32_t n)
{
	uint16_t inverse = (uint16_t)(65536 / p), p16 = (uint16_t)p, c16 = (uint16_t)c;

	for (uint32_t i = 0; i < n; i++) {
		uint16_t x = (uint16_t)(a[i] + b[i] * c16);
		uint16_t rest =
		    (uint16_t)(x - (uint16_t)((uint32_t)x * inverse >> 16) * p16);

		a[i] = rest >= p16 ? (uint16_t)(rest - p16) : rest;
	}
}

static uint32_t inverse_of(uint32_t a, uint32_t p)
{
	uint32_t inverse = 1;

	while (inverse * a % p != 1)
		inverse++;
	return inverse;
}

/* What is left of the vector in `spare`; its first place that isn't 0, `length` if none.
 */
static uint32_t reduce(struct hull *hull, const uint16_t *vector)
{
	uint16_t *v = hull->spare;

	v[0] = 1;
	memcpy(v + 1, vector, (hull->length - 1) * sizeof(*v));
	for (uint32_t i = 0; i < hull->length; i++) {
		if (v[i] == 0)
			continue;
		if (!hull->has[i])
			return i;
		add_multiple(v + i, hull->basis + (size_t)i * hull->length + i,
		    hull->p - v[i], hull->p, hull->length - i);
	}
	return hull->length;
}

int hull_has(struct hull *hull, const uint16_t *vector)
{
	return reduce(hull, vector) == hull->length;
}

void hull_add(struct hull *hull, const uint16_t *vector)
{
	uint32_t i = reduce(hull, vector), scale;
	uint16_t *row = hull->basis + (size_t)i * hull->length;

	if (i == hull->length)
		return;
	scale = inverse_of(hull->spare[i], hull->p);
	for (uint32_t k = i; k < hull->length; k++)
		row[k] = (uint16_t)(hull->spare[k] * scale % hull->p);
	hull->has[i] = 1;
	hull->rank++;
}

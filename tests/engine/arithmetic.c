/* SPDX-License-Identifier: MIT */
#include "tests/engine/arithmetic.h"

void arithmetic_run(const struct field *f, struct arithmetic *a, size_t n)
{
	const uint64_t *xs[ARITHMETIC_TERMS], *ys[ARITHMETIC_TERMS];
	uint64_t *outs[2] = {a->out[0], a->out[1]};

	for (unsigned t = 0; t < ARITHMETIC_TERMS; t++) {
		xs[t] = a->x[t];
		ys[t] = a->y[t];
	}
	f->ops->add(f, a->out[0], a->x[0], a->y[0], n);
	f->ops->sub(f, a->out[0], a->x[0], a->y[0], n);
	field_mul(f, a->out[0], a->x[0], a->y[0], n);
	f->ops->mulsum(f, a->out[0], xs, ys, ARITHMETIC_TERMS, n);
	f->ops->scale(f, a->out[0], a->x[0], a->y[0], n);
	f->ops->combine(f, outs, 2, xs, ARITHMETIC_TERMS, a->coef, n);
	f->ops->sum(f, a->out[0], xs, ARITHMETIC_TERMS, n);
	f->ops->dots(f, a->out[0], 1, a->x[0], 3, a->y[0], n / 3);
	f->ops->from_i64(f, a->out[0], a->integers, n);
	f->ops->to_words(f, a->out[1], a->out[0], n);
}

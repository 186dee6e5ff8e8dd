/* SPDX-License-Identifier: MIT */
#include "tests/engine/chi_square.h"

#include <math.h>

#define STEPS_MAX 10000
#define PRECISION 1e-12
#define TINY      1e-300

/* P(s, x) for x < s + 1. */
static double lower(double s, double x)
{
	double term = 1 / s, sum = term;

	for (int n = 1; n < STEPS_MAX && term > sum * PRECISION; n++) {
		term *= x / (s + n);
		sum += term;
	}
	return sum * exp(s * log(x) - x - lgamma(s));
}

/* Q(s, x) for x >= s + 1, by Lentz's method. */
static double upper(double s, double x)
{
	double b = x + 1 - s, c = 1 / TINY, d = 1 / b, h = d;

	for (int n = 1; n < STEPS_MAX; n++) {
		double a = n * (s - n), step;

		b += 2;
		d = a * d + b;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = b + a / c;
		c = fabs(c) < TINY ? TINY : c;
		step = c * d;
		h *= step;
		if (fabs(step - 1) < PRECISION)
			break;
	}
	return h * exp(s * log(x) - x - lgamma(s));
}

double chi_square_tail(double degrees, double x)
{
	double s = degrees / 2, half = x / 2;

	if (half <= 0)
		return 1;
	return half < s + 1 ? 1 - lower(s, half) : upper(s, half);
}

struct sums {
	double n_a, n_b, chi2;
	uint32_t cells;
};

static void add_cell(struct sums *sums, double a, double b)
{
	double d = a * sqrt(sums->n_b / sums->n_a) - b * sqrt(sums->n_a / sums->n_b);

	if (a + b == 0)
		return;
	sums->chi2 += d * d / (a + b);
	sums->cells++;
}

double chi_square_two_samples(
    const uint32_t *a, const uint32_t *b, uint32_t cells, uint32_t few)
{
	struct sums sums = {0};
	double rare_a = 0, rare_b = 0;

	for (uint32_t i = 0; i < cells; i++) {
		sums.n_a += a[i];
		sums.n_b += b[i];
	}
	if (sums.n_a == 0 || sums.n_b == 0)
		return 1;
	for (uint32_t i = 0; i < cells; i++) {
		if (a[i] + b[i] >= few) {
			add_cell(&sums, a[i], b[i]);
		} else {
			rare_a += a[i];
			rare_b += b[i];
		}
	}
	add_cell(&sums, rare_a, rare_b);
	return sums.cells < 2 ? 1 : chi_square_tail(sums.cells - 1, sums.chi2);
}

/* SPDX-License-Identifier: MIT */
/* Chi-square for two samples, with the probability of its tail. */
#ifndef TESTS_ENGINE_CHI_SQUARE_H
#define TESTS_ENGINE_CHI_SQUARE_H

#include <stdint.h>

/* The probability that chi-square with `degrees` of freedom exceeds x: the regularised
 * incomplete gamma function Q(degrees / 2, x / 2), by series or continued fraction
 * (Abramowitz, Stegun, 6.5.29 and 6.5.31), to a relative error below 1e-9. */
double chi_square_tail(double degrees, double x);

/* The p-value of "both were drawn from the same distribution" for counts of `cells`
 * cells. Cells with fewer than `few` counts of both are taken together. 1 if there are
 * fewer than two cells or a sample is empty. */
double chi_square_two_samples(
    const uint32_t *a, const uint32_t *b, uint32_t cells, uint32_t few);

#endif

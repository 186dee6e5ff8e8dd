/* SPDX-License-Identifier: MIT */
/* 2^61-1 in portable C: 64 x 64 -> 128 bit products, summed before they are reduced. */
#include "engine/field_m61.h"

#include <string.h>

/* Products below 2^122 that fit 128 bits, less one for what is carried over. */
#define LAZY_PRODUCTS 60u
#define BLOCK         512u

void field_m61_add(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i++)
		out[i] = m61_canonical(a[i] + b[i]);
}

void field_m61_sub(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i++) {
		uint64_t less = a[i] - b[i];

		out[i] = less + (FIELD_M61_P & -(less >> 63));
	}
}

static void mul(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = m61_multiply(a[i], b[i]);
}

/* Sums of products of two neighbours: by name, so that they stay in registers. */
struct sums {
	unsigned __int128 first, second;
};

static inline void sums_reduce(struct sums *s)
{
	s->first = m61_reduce128(s->first);
	s->second = m61_reduce128(s->second);
}

static inline void sums_store(uint64_t *out, const struct sums *s)
{
	out[0] = m61_reduce128(s->first);
	out[1] = m61_reduce128(s->second);
}

void field_m61_mulsum(const struct field *f, uint64_t *out, const uint64_t *const *x,
    const uint64_t *const *y, unsigned n_terms, size_t n)
{
	_Static_assert(FIELD_TERMS_MAX <= LAZY_PRODUCTS, "one reduction is enough");
	size_t i = 0;

	(void)f;
	if (n_terms == 1) {
		mul(out, x[0], y[0], n);
		return;
	}
	for (; i + 2 <= n; i += 2) {
		struct sums s = {0, 0};

		for (unsigned t = 0; t < n_terms; t++) {
			s.first += (unsigned __int128)x[t][i] * y[t][i];
			s.second += (unsigned __int128)x[t][i + 1] * y[t][i + 1];
		}
		sums_store(out + i, &s);
	}
	for (; i < n; i++) {
		unsigned __int128 sum = 0;

		for (unsigned t = 0; t < n_terms; t++)
			sum += (unsigned __int128)x[t][i] * y[t][i];
		out[i] = m61_reduce128(sum);
	}
}

void field_m61_scale(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *c, size_t n)
{
	uint64_t factor = *c;

	(void)f;
	for (size_t i = 0; i < n; i++)
		out[i] = m61_multiply(a[i], factor);
}

/* Elements i and i + 1 of one row of the matrix. */
static inline void combine_two(uint64_t *out, const uint64_t *const *in, unsigned n_in,
    const uint64_t *coef, size_t i)
{
	struct sums s = {0, 0};

	for (unsigned at = 0; at < n_in; at += LAZY_PRODUCTS) {
		unsigned end = n_in - at < LAZY_PRODUCTS ? n_in : at + LAZY_PRODUCTS;

		if (at > 0)
			sums_reduce(&s);
		for (unsigned c = at; c < end; c++) {
			s.first += (unsigned __int128)coef[c] * in[c][i];
			s.second += (unsigned __int128)coef[c] * in[c][i + 1];
		}
	}
	sums_store(out + i, &s);
}

static uint64_t combine_one(
    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t i)
{
	unsigned __int128 sum = 0;

	for (unsigned at = 0; at < n_in; at += LAZY_PRODUCTS) {
		unsigned end = n_in - at < LAZY_PRODUCTS ? n_in : at + LAZY_PRODUCTS;

		sum = m61_reduce128(sum);
		for (unsigned c = at; c < end; c++)
			sum += (unsigned __int128)coef[c] * in[c][i];
	}
	return m61_reduce128(sum);
}

void field_m61_combine(const struct field *f, uint64_t *const *out, unsigned n_out,
    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t n)
{
	size_t i = 0;

	(void)f;
	for (; i + 2 <= n; i += 2)
		for (unsigned r = 0; r < n_out; r++)
			combine_two(out[r], in, n_in, coef + (size_t)r * n_in, i);
	for (; i < n; i++)
		for (unsigned r = 0; r < n_out; r++)
			out[r][i] = combine_one(in, n_in, coef + (size_t)r * n_in, i);
}

void field_m61_sum(const struct field *f, uint64_t *out, const uint64_t *const *in,
    unsigned n_in, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i++) {
		uint64_t sum = in[0][i];

		for (unsigned c = 1; c < n_in; c++) {
			/* At most 7 elements and a folded sum in 64 bits. */
			if (c % 6 == 0)
				sum = (sum & FIELD_M61_P) + (sum >> 61);
			sum += in[c][i];
		}
		out[i] = m61_reduce64(sum);
	}
}

static uint64_t dot(const uint64_t *a, const uint64_t *b, size_t n)
{
	unsigned __int128 sum = 0;
	size_t at = 0;

	for (; at + LAZY_PRODUCTS <= n; at += LAZY_PRODUCTS) {
		for (size_t k = at; k < at + LAZY_PRODUCTS; k++)
			sum += (unsigned __int128)a[k] * b[k];
		sum = m61_reduce128(sum);
	}
	for (; at < n; at++)
		sum += (unsigned __int128)a[at] * b[at];
	return m61_reduce128(sum);
}

void field_m61_dots(const struct field *f, uint64_t *out, size_t out_step,
    const uint64_t *a, size_t rows, const uint64_t *b, size_t inner)
{
	(void)f;
	for (size_t r = 0; r < rows; r++)
		out[r * out_step] = dot(a + r * inner, b, inner);
}

size_t field_m61_check(const struct field *f, const uint64_t *a, size_t n)
{
	uint64_t largest = 0;

	(void)f;
	for (size_t i = 0; i < n; i++)
		largest = a[i] > largest ? a[i] : largest;
	if (largest < FIELD_M61_P)
		return n;
	for (size_t i = 0; i < n; i++)
		if (a[i] >= FIELD_M61_P)
			return i;
	return n;
}

static void sample(const struct field *f, struct prg *prg, uint64_t *out, size_t n)
{
	(void)f;
	prg_bytes(prg, out, n * sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = m61_canonical(out[i] & FIELD_M61_P);
}

/* x^(2^count) in place. */
static void square_block(const struct field *f, uint64_t *x, unsigned count, size_t n)
{
	while (count-- > 0)
		field_mul(f, x, x, x, n);
}

/* out = x^(2^steps) * y. */
static void climb(const struct field *f, uint64_t *out, const uint64_t *x, unsigned steps,
    const uint64_t *y, size_t n)
{
	uint64_t power[BLOCK];

	memcpy(power, x, n * sizeof(*x));
	square_block(f, power, steps, n);
	field_mul(f, out, power, y, n);
}

/* c^((p-3)/4) with (p-3)/4 = 2^59 - 1 = 59 ones, by doubling runs of ones:
 * 1 2 3 6 7 14 28 29 58 59. */
static void inverse_root_block(
    const struct field *f, uint64_t *out, const uint64_t *c, size_t n)
{
	uint64_t x[BLOCK];

	climb(f, x, c, 1, c, n);
	climb(f, x, x, 1, c, n);
	climb(f, x, x, 3, x, n);
	climb(f, x, x, 1, c, n);
	climb(f, x, x, 7, x, n);
	climb(f, x, x, 14, x, n);
	climb(f, x, x, 1, c, n);
	climb(f, x, x, 29, x, n);
	climb(f, out, x, 1, c, n);
}

void field_m61_inverse_root(
    const struct field *f, uint64_t *out, const uint64_t *a, size_t n)
{
	for (size_t at = 0; at < n; at += BLOCK)
		inverse_root_block(f, out + at, a + at, n - at < BLOCK ? n - at : BLOCK);
}

void field_m61_from_i64(const struct field *f, uint64_t *out, const int64_t *in, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i++) {
		/* in + 2^63, minus 2^63 = 4 */
		uint64_t value = m61_reduce64((uint64_t)in[i] ^ (uint64_t)1 << 63);

		out[i] = m61_canonical(value + FIELD_M61_P - 4);
	}
}

void field_m61_to_words(
    const struct field *f, uint64_t *out, const uint64_t *in, size_t n)
{
	(void)f;
	memmove(out, in, n * sizeof(*in));
}

const struct field_ops field_m61_portable = {
    .name = "m61-portable",
    .add = field_m61_add,
    .sub = field_m61_sub,
    .mulsum = field_m61_mulsum,
    .scale = field_m61_scale,
    .combine = field_m61_combine,
    .sum = field_m61_sum,
    .dots = field_m61_dots,
    .check = field_m61_check,
    .sample = sample,
    .inverse_root = field_m61_inverse_root,
    .from_i64 = field_m61_from_i64,
    .to_words = field_m61_to_words,
};

/* SPDX-License-Identifier: MIT */
/*
 * 2^61-1 with AVX-512 IFMA, 8 elements at a time. A product is made of 52-bit pieces:
 *
 *	a b = A0 + 2^52 A1 + 2^104 A2,  2^104 = 2^43
 *	A0 = lo(al bl)
 *	A1 = hi(al bl) + lo(al bh) + lo(ah bl)
 *	A2 = hi(al bh) + hi(ah bl) + lo(ah bh)
 *
 * where al is the low 52 bits of a, ah the 9 above, and lo, hi the halves of a 104-bit
 * product that the instructions add to a sum. Sums of up to SUMS_MAX products fit.
 */
#include "engine/field_m61.h"

#include <immintrin.h>

#define LANES    8u
#define SUMS_MAX 1024u
#define ROWS     4u /* of dots() at a time */

struct sums {
	__m512i a0, a1, a2;
};

static inline __m512i prime(void)
{
	return _mm512_set1_epi64((long long)FIELD_M61_P);
}

/* 0 .. 2p - 1 to canonical: a - p wraps to something large if a < p. */
static inline __m512i canonical(__m512i a)
{
	return _mm512_min_epu64(a, _mm512_sub_epi64(a, prime()));
}

static inline __m512i fold(__m512i a)
{
	return _mm512_add_epi64(_mm512_and_si512(a, prime()), _mm512_srli_epi64(a, 61));
}

static inline struct sums sums_zero(void)
{
	__m512i zero = _mm512_setzero_si512();

	return (struct sums){zero, zero, zero};
}

static inline void sums_add(
    struct sums *s, __m512i a, __m512i a_high, __m512i b, __m512i b_high)
{
	s->a0 = _mm512_madd52lo_epu64(s->a0, a, b);
	s->a1 = _mm512_madd52hi_epu64(s->a1, a, b);
	s->a2 = _mm512_madd52lo_epu64(s->a2, a_high, b_high);
	s->a1 = _mm512_madd52lo_epu64(s->a1, a, b_high);
	s->a2 = _mm512_madd52hi_epu64(s->a2, a, b_high);
	s->a1 = _mm512_madd52lo_epu64(s->a1, a_high, b);
	s->a2 = _mm512_madd52hi_epu64(s->a2, a_high, b);
}

static inline __m512i high(__m512i a)
{
	return _mm512_srli_epi64(a, 52);
}

/* Below 2^63, congruent to the sums. */
static inline __m512i sums_loose(const struct sums *s)
{
	__m512i nine = _mm512_set1_epi64((1 << 9) - 1);
	__m512i eighteen = _mm512_set1_epi64((1 << 18) - 1);
	__m512i r = fold(s->a0);

	r = _mm512_add_epi64(r, _mm512_slli_epi64(_mm512_and_si512(s->a1, nine), 52));
	r = _mm512_add_epi64(r, _mm512_srli_epi64(s->a1, 9));
	r = _mm512_add_epi64(r, _mm512_slli_epi64(_mm512_and_si512(s->a2, eighteen), 43));
	return _mm512_add_epi64(r, _mm512_srli_epi64(s->a2, 18));
}

static inline __m512i sums_reduce(const struct sums *s)
{
	return canonical(fold(sums_loose(s)));
}

/* One product in halves cut at bit 32, as in field_m61_avx2.c: fewer instructions than
 * the above when nothing is summed up. Factors below 2^61 + 2^4; the result too. */
static inline __m512i multiply_loose(__m512i a, __m512i b)
{
	__m512i a_high = _mm512_srli_epi64(a, 32), b_high = _mm512_srli_epi64(b, 32);
	__m512i low = _mm512_mul_epu32(a, b);
	__m512i middle =
	    _mm512_add_epi64(_mm512_mul_epu32(a, b_high), _mm512_mul_epu32(a_high, b));
	__m512i top = _mm512_mul_epu32(a_high, b_high);
	__m512i cut = _mm512_set1_epi64((1 << 29) - 1);
	__m512i r = _mm512_add_epi64(fold(low), _mm512_slli_epi64(top, 3));

	r = _mm512_add_epi64(r, _mm512_slli_epi64(_mm512_and_si512(middle, cut), 32));
	r = _mm512_add_epi64(r, _mm512_srli_epi64(middle, 29));
	return fold(r);
}

static inline __m512i multiply(__m512i a, __m512i b)
{
	return canonical(multiply_loose(a, b));
}

/* The lanes of elements i .. n - 1, all 8 if there are as many. */
static inline __mmask8 lanes(size_t i, size_t n)
{
	return n - i >= LANES ? 0xff : (__mmask8)((1u << (n - i)) - 1);
}

static inline __m512i load(__mmask8 mask, const uint64_t *from)
{
	return _mm512_maskz_loadu_epi64(mask, from);
}

static void add(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 k = lanes(i, n);

		_mm512_mask_storeu_epi64(out + i, k,
		    canonical(_mm512_add_epi64(load(k, a + i), load(k, b + i))));
	}
}

static void sub(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 k = lanes(i, n);
		__m512i less = _mm512_sub_epi64(load(k, a + i), load(k, b + i));

		_mm512_mask_storeu_epi64(
		    out + i, k, _mm512_min_epu64(less, _mm512_add_epi64(less, prime())));
	}
}

static void mul(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		_mm512_storeu_epi64(out + i,
		    multiply(_mm512_loadu_epi64(a + i), _mm512_loadu_epi64(b + i)));
	if (i < n) {
		__mmask8 k = lanes(i, n);

		_mm512_mask_storeu_epi64(
		    out + i, k, multiply(load(k, a + i), load(k, b + i)));
	}
}

static void mulsum(const struct field *f, uint64_t *out, const uint64_t *const *x,
    const uint64_t *const *y, unsigned n_terms, size_t n)
{
	(void)f;
	if (n_terms == 1) {
		mul(out, x[0], y[0], n);
		return;
	}
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 k = lanes(i, n);
		struct sums s = sums_zero();

		for (unsigned t = 0; t < n_terms; t++) {
			__m512i a = load(k, x[t] + i), b = load(k, y[t] + i);

			sums_add(&s, a, high(a), b, high(b));
		}
		_mm512_mask_storeu_epi64(out + i, k, sums_reduce(&s));
	}
}

static void scale(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *c, size_t n)
{
	__m512i factor = _mm512_set1_epi64((long long)*c);

	(void)f;
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 k = lanes(i, n);

		_mm512_mask_storeu_epi64(out + i, k, multiply(load(k, a + i), factor));
	}
}

/* Coefficients of one row by what they cost: +-1 nothing but an addition, small ones (of
 * either sign) three instructions, as their products have 9 + 43 bits at most above the
 * 52 lowest of the vector's. */
#define SMALL ((uint64_t)1 << 43)

enum cost { ONE, MINUS_ONE, LITTLE, MINUS_LITTLE, ANY, N_COSTS };

struct row {
	uint32_t n; /* in order of cost */
	uint32_t end[N_COSTS];
	const uint64_t *in[FIELD_ROWS_MAX];
	uint64_t coef[FIELD_ROWS_MAX];
};

static enum cost cost_of(uint64_t coef)
{
	if (coef == 1)
		return ONE;
	if (coef == FIELD_M61_P - 1)
		return MINUS_ONE;
	if (coef < SMALL)
		return LITTLE;
	return coef > FIELD_M61_P - SMALL ? MINUS_LITTLE : ANY;
}

static void sort_row(
    struct row *row, const uint64_t *const *in, const uint64_t *coef, unsigned n_in)
{
	row->n = 0;
	for (uint32_t cost = ONE; cost < N_COSTS; cost++) {
		for (unsigned c = 0; c < n_in; c++) {
			if (cost_of(coef[c]) != cost)
				continue;
			row->in[row->n] = in[c];
			row->coef[row->n++] = cost == MINUS_ONE || cost == MINUS_LITTLE
						  ? FIELD_M61_P - coef[c]
						  : coef[c];
		}
		row->end[cost] = row->n;
	}
}

static inline void sums_add_little(struct sums *s, __m512i a, __m512i b)
{
	s->a0 = _mm512_madd52lo_epu64(s->a0, a, b);
	s->a1 = _mm512_madd52hi_epu64(s->a1, a, b);
	s->a1 = _mm512_madd52lo_epu64(s->a1, high(a), b);
}

static inline void sums_add_one(struct sums *s, __m512i a)
{
	s->a0 = _mm512_madd52lo_epu64(s->a0, a, _mm512_set1_epi64(1));
	s->a1 = _mm512_add_epi64(s->a1, high(a));
}

static inline __attribute__((always_inline)) __m512i combine_lanes(
    const struct row *row, size_t i, __mmask8 k, int has_minus)
{
	struct sums plus = sums_zero(), minus = sums_zero();
	uint32_t c = 0;

	for (; c < row->end[ONE]; c++)
		sums_add_one(&plus, load(k, row->in[c] + i));
	for (; has_minus && c < row->end[MINUS_ONE]; c++)
		sums_add_one(&minus, load(k, row->in[c] + i));
	for (; c < row->end[LITTLE]; c++)
		sums_add_little(&plus, load(k, row->in[c] + i),
		    _mm512_set1_epi64((long long)row->coef[c]));
	for (; has_minus && c < row->end[MINUS_LITTLE]; c++)
		sums_add_little(&minus, load(k, row->in[c] + i),
		    _mm512_set1_epi64((long long)row->coef[c]));
	for (; c < row->n; c++) {
		__m512i v = load(k, row->in[c] + i);
		__m512i b = _mm512_set1_epi64((long long)row->coef[c]);

		sums_add(&plus, v, high(v), b, high(b));
	}
	if (!has_minus)
		return sums_reduce(&plus);
	return canonical(_mm512_sub_epi64(
	    _mm512_add_epi64(sums_reduce(&plus), prime()), sums_reduce(&minus)));
}

static inline __attribute__((always_inline)) void combine_row(
    const struct row *row, uint64_t *out, size_t n, int has_minus)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		_mm512_storeu_epi64(out + i, combine_lanes(row, i, 0xff, has_minus));
	if (i < n)
		_mm512_mask_storeu_epi64(
		    out + i, lanes(i, n), combine_lanes(row, i, lanes(i, n), has_minus));
}

static void combine(const struct field *f, uint64_t *const *out, unsigned n_out,
    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t n)
{
	_Static_assert(FIELD_ROWS_MAX <= SUMS_MAX, "one reduction is enough");
	struct row row;

	(void)f;
	for (unsigned r = 0; r < n_out; r++) {
		sort_row(&row, in, coef + (size_t)r * n_in, n_in);
		if (row.end[MINUS_ONE] > row.end[ONE] ||
		    row.end[MINUS_LITTLE] > row.end[LITTLE])
			combine_row(&row, out[r], n, 1);
		else
			combine_row(&row, out[r], n, 0);
	}
}

static void sum(const struct field *f, uint64_t *out, const uint64_t *const *in,
    unsigned n_in, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 k = lanes(i, n);
		__m512i s = load(k, in[0] + i);

		for (unsigned c = 1; c < n_in; c++) {
			/* At most 7 elements and a folded sum in 64 bits. */
			if (c % 6 == 0)
				s = fold(s);
			s = _mm512_add_epi64(s, load(k, in[c] + i));
		}
		_mm512_mask_storeu_epi64(out + i, k, canonical(fold(s)));
	}
}

/* One element of the eight sums. */
static inline uint64_t add_lanes(const struct sums *s)
{
	/* Each below 2^61 + 3, so that eight fit 64 bits with 2^61 - 1 as the carry. */
	__m512i v = canonical(fold(sums_loose(s)));

	return m61_reduce64((uint64_t)_mm512_reduce_add_epi64(v));
}

/* Eight columns of r_n rows. */
static inline __attribute__((always_inline)) void dot_columns(struct sums *s,
    unsigned r_n, const uint64_t *a, size_t row, const uint64_t *b, __mmask8 k)
{
	__m512i w = load(k, b), w_high = high(w);

	for (unsigned r = 0; r < r_n; r++) {
		__m512i v = load(k, a + r * row);

		sums_add(&s[r], v, high(v), w, w_high);
	}
}

/* r_n rows of a times b, n <= SUMS_MAX * LANES; added to dot[]. */
static inline __attribute__((always_inline)) void dot_rows(uint64_t *dot, unsigned r_n,
    const uint64_t *a, size_t row, const uint64_t *b, size_t n)
{
	struct sums s[ROWS];
	size_t i = 0;

	for (unsigned r = 0; r < r_n; r++)
		s[r] = sums_zero();
	for (; i + LANES <= n; i += LANES)
		dot_columns(s, r_n, a + i, row, b + i, 0xff);
	if (i < n)
		dot_columns(s, r_n, a + i, row, b + i, lanes(i, n));
	for (unsigned r = 0; r < r_n; r++)
		dot[r] = m61_canonical(dot[r] + add_lanes(&s[r]));
}

static void dots(const struct field *f, uint64_t *out, size_t out_step, const uint64_t *a,
    size_t rows, const uint64_t *b, size_t inner)
{
	(void)f;
	for (size_t r = 0; r < rows; r += ROWS) {
		unsigned r_n = rows - r < ROWS ? (unsigned)(rows - r) : ROWS;
		uint64_t dot[ROWS] = {0};

		for (size_t at = 0; at < inner; at += SUMS_MAX * LANES) {
			size_t n =
			    inner - at < SUMS_MAX * LANES ? inner - at : SUMS_MAX * LANES;
			const uint64_t *from = a + r * inner + at;

			if (r_n == ROWS)
				dot_rows(dot, ROWS, from, inner, b + at, n);
			else
				dot_rows(dot, r_n, from, inner, b + at, n);
		}
		for (unsigned i = 0; i < r_n; i++)
			out[(r + i) * out_step] = dot[i];
	}
}

static size_t check(const struct field *f, const uint64_t *a, size_t n)
{
	(void)f;
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 bad = _mm512_cmpge_epu64_mask(load(lanes(i, n), a + i), prime());

		if (bad != 0)
			return i + (size_t)__builtin_ctz(bad);
	}
	return n;
}

static void sample(const struct field *f, struct prg *prg, uint64_t *out, size_t n)
{
	(void)f;
	prg_bytes(prg, out, n * sizeof(*out));
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 k = lanes(i, n);
		__m512i v = _mm512_and_si512(load(k, out + i), prime());

		_mm512_mask_storeu_epi64(out + i, k, canonical(v));
	}
}

/* x^(2^steps) * y for ROOTS vectors side by side. */
#define ROOTS 4u

static inline __attribute__((always_inline)) void climb(
    __m512i *out, const __m512i *x, unsigned steps, const __m512i *y)
{
	__m512i v[ROOTS];

	for (unsigned r = 0; r < ROOTS; r++)
		v[r] = x[r];
	while (steps-- > 0)
		for (unsigned r = 0; r < ROOTS; r++)
			v[r] = multiply_loose(v[r], v[r]);
	for (unsigned r = 0; r < ROOTS; r++)
		out[r] = multiply_loose(v[r], y[r]);
}

/* c^(2^59 - 1), the chain of field_m61.c, in registers. */
static void inverse_root(
    const struct field *f, uint64_t *out, const uint64_t *a, size_t n)
{
	size_t i = 0;

	for (; i + ROOTS * LANES <= n; i += ROOTS * LANES) {
		__m512i c[ROOTS], x[ROOTS];

		for (unsigned r = 0; r < ROOTS; r++)
			c[r] = _mm512_loadu_epi64(a + i + r * LANES);
		climb(x, c, 1, c);
		climb(x, x, 1, c);
		climb(x, x, 3, x);
		climb(x, x, 1, c);
		climb(x, x, 7, x);
		climb(x, x, 14, x);
		climb(x, x, 1, c);
		climb(x, x, 29, x);
		climb(x, x, 1, c);
		for (unsigned r = 0; r < ROOTS; r++)
			_mm512_storeu_epi64(out + i + r * LANES, canonical(fold(x[r])));
	}
	field_m61_inverse_root(f, out + i, a + i, n - i);
}

/* in + 2^63, minus 2^63 = 4 */
static void from_i64(const struct field *f, uint64_t *out, const int64_t *in, size_t n)
{
	__m512i top = _mm512_set1_epi64(INT64_MIN);
	__m512i shift = _mm512_set1_epi64((long long)FIELD_M61_P - 4);

	(void)f;
	for (size_t i = 0; i < n; i += LANES) {
		__mmask8 k = lanes(i, n);
		__m512i v = load(k, (const uint64_t *)in + i);

		v = canonical(fold(_mm512_xor_si512(v, top)));
		_mm512_mask_storeu_epi64(
		    out + i, k, canonical(_mm512_add_epi64(v, shift)));
	}
}

const struct field_ops field_m61_ifma = {
    .name = "m61-ifma",
    .add = add,
    .sub = sub,
    .mulsum = mulsum,
    .scale = scale,
    .combine = combine,
    .sum = sum,
    .dots = dots,
    .check = check,
    .sample = sample,
    .inverse_root = inverse_root,
    .from_i64 = from_i64,
    .to_words = field_m61_to_words,
};

/* SPDX-License-Identifier: MIT */
/*
 * 2^61-1 with AVX2, 4 elements at a time. A product is made of halves cut at bit 32:
 *
 *	a b = l + 2^32 m + 2^64 h,  2^61 = 1, 2^64 = 8
 *	l = al bl < 2^64,  m = al bh + ah bl < 2^62,  h = ah bh < 2^58
 *
 * Where products are summed up, 64-bit multiplication with carries is as fast, so dots(),
 * combine() of many rows and sums of products stay with the portable code.
 */
#include "engine/field_m61.h"

#include <immintrin.h>

#define LANES 4u

static inline __m256i load(const uint64_t *from)
{
	return _mm256_loadu_si256((const __m256i *)from);
}

static inline void store(uint64_t *to, __m256i v)
{
	_mm256_storeu_si256((__m256i *)to, v);
}

static inline __m256i prime(void)
{
	return _mm256_set1_epi64x((long long)FIELD_M61_P);
}

/* a where a - p is negative, else a - p; a < 2^63. */
static inline __m256i canonical(__m256i a)
{
	__m256i less = _mm256_sub_epi64(a, prime());

	return _mm256_castpd_si256(_mm256_blendv_pd(_mm256_castsi256_pd(less),
	    _mm256_castsi256_pd(a), _mm256_castsi256_pd(less)));
}

static inline __m256i fold(__m256i a)
{
	return _mm256_add_epi64(_mm256_and_si256(a, prime()), _mm256_srli_epi64(a, 61));
}

static inline __m256i multiply(__m256i a, __m256i b)
{
	__m256i a_high = _mm256_srli_epi64(a, 32), b_high = _mm256_srli_epi64(b, 32);
	__m256i low = _mm256_mul_epu32(a, b);
	__m256i middle =
	    _mm256_add_epi64(_mm256_mul_epu32(a, b_high), _mm256_mul_epu32(a_high, b));
	__m256i top = _mm256_mul_epu32(a_high, b_high);
	__m256i cut = _mm256_set1_epi64x((1 << 29) - 1);
	__m256i r = _mm256_add_epi64(fold(low), _mm256_slli_epi64(top, 3));

	r = _mm256_add_epi64(r, _mm256_slli_epi64(_mm256_and_si256(middle, cut), 32));
	r = _mm256_add_epi64(r, _mm256_srli_epi64(middle, 29));
	return canonical(fold(r));
}

static void add(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	size_t whole = n / LANES * LANES;

	for (size_t i = 0; i < whole; i += LANES)
		store(out + i, canonical(_mm256_add_epi64(load(a + i), load(b + i))));
	field_m61_add(f, out + whole, a + whole, b + whole, n - whole);
}

static void sub(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	size_t whole = n / LANES * LANES;

	for (size_t i = 0; i < whole; i += LANES) {
		__m256i less = _mm256_sub_epi64(load(a + i), load(b + i));
		__m256i more = _mm256_add_epi64(less, prime());

		store(out + i,
		    _mm256_castpd_si256(_mm256_blendv_pd(_mm256_castsi256_pd(less),
			_mm256_castsi256_pd(more), _mm256_castsi256_pd(less))));
	}
	field_m61_sub(f, out + whole, a + whole, b + whole, n - whole);
}

static void mulsum(const struct field *f, uint64_t *out, const uint64_t *const *x,
    const uint64_t *const *y, unsigned n_terms, size_t n)
{
	size_t whole = n_terms == 1 ? n / LANES * LANES : 0;
	const uint64_t *x_tail[FIELD_TERMS_MAX], *y_tail[FIELD_TERMS_MAX];

	for (size_t i = 0; i < whole; i += LANES)
		store(out + i, multiply(load(x[0] + i), load(y[0] + i)));
	for (unsigned t = 0; t < n_terms; t++) {
		x_tail[t] = x[t] + whole;
		y_tail[t] = y[t] + whole;
	}
	field_m61_mulsum(f, out + whole, x_tail, y_tail, n_terms, n - whole);
}

static void scale(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *c, size_t n)
{
	__m256i factor = _mm256_set1_epi64x((long long)*c);
	size_t whole = n / LANES * LANES;

	for (size_t i = 0; i < whole; i += LANES)
		store(out + i, multiply(load(a + i), factor));
	field_m61_scale(f, out + whole, a + whole, c, n - whole);
}

static void sum(const struct field *f, uint64_t *out, const uint64_t *const *in,
    unsigned n_in, size_t n)
{
	const uint64_t *tail[FIELD_ROWS_MAX];
	size_t whole = n / LANES * LANES;

	for (size_t i = 0; i < whole; i += LANES) {
		__m256i s = load(in[0] + i);

		for (unsigned c = 1; c < n_in; c++) {
			/* At most 7 elements and a folded sum in 64 bits. */
			if (c % 6 == 0)
				s = fold(s);
			s = _mm256_add_epi64(s, load(in[c] + i));
		}
		store(out + i, canonical(fold(s)));
	}
	for (unsigned c = 0; c < n_in; c++)
		tail[c] = in[c] + whole;
	field_m61_sum(f, out + whole, tail, n_in, n - whole);
}

static void sample(const struct field *f, struct prg *prg, uint64_t *out, size_t n)
{
	size_t whole = n / LANES * LANES;

	(void)f;
	prg_bytes(prg, out, n * sizeof(*out));
	for (size_t i = 0; i < whole; i += LANES)
		store(out + i, canonical(_mm256_and_si256(load(out + i), prime())));
	for (size_t i = whole; i < n; i++)
		out[i] = m61_canonical(out[i] & FIELD_M61_P);
}

/* in + 2^63, minus 2^63 = 4 */
static void from_i64(const struct field *f, uint64_t *out, const int64_t *in, size_t n)
{
	__m256i top = _mm256_set1_epi64x(INT64_MIN);
	__m256i shift = _mm256_set1_epi64x((long long)FIELD_M61_P - 4);
	size_t whole = n / LANES * LANES;

	for (size_t i = 0; i < whole; i += LANES) {
		__m256i v = _mm256_xor_si256(load((const uint64_t *)in + i), top);

		store(out + i, canonical(_mm256_add_epi64(canonical(fold(v)), shift)));
	}
	field_m61_from_i64(f, out + whole, in + whole, n - whole);
}

const struct field_ops field_m61_avx2 = {
    .name = "m61-avx2",
    .add = add,
    .sub = sub,
    .mulsum = mulsum,
    .scale = scale,
    .combine = field_m61_combine,
    .sum = sum,
    .dots = field_m61_dots,
    .check = field_m61_check,
    .sample = sample,
    .inverse_root = field_m61_inverse_root,
    .from_i64 = from_i64,
    .to_words = field_m61_to_words,
};

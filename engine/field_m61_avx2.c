/* SPDX-License-Identifier: MIT */
/*
 * 2^61-1 with AVX2, 4 elements at a time. A product is made of halves cut at bit 32:
 *
 *	a b = l + 2^32 m + 2^64 h,  2^61 = 1, 2^64 = 8
 *	l = al bl < 2^64,  m = al bh + ah bl < 2^62,  h = ah bh < 2^58
 *
 * For sums of products they are cut at bit 31, so that several fit a word before they are
 * reduced: l < 2^62, m < 2^62, h < 2^60 each, and l + 2^31 m + 2^62 h, 2^62 = 2.
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

/* Sums of products of four neighbours. */
struct sums {
	__m256i low, middle, high;
};

#define SUMS_FIRST 4u /* products that fit an empty one */
#define SUMS_MORE  3u /* that fit a folded one */

/* An element, cut. */
struct halves {
	__m256i low, high;
};

static inline struct halves cut(__m256i a)
{
	__m256i mask = _mm256_set1_epi64x(((int64_t)1 << 31) - 1);

	return (struct halves){_mm256_and_si256(a, mask), _mm256_srli_epi64(a, 31)};
}

static inline void sums_add(struct sums *s, struct halves a, struct halves b)
{
	s->low = _mm256_add_epi64(s->low, _mm256_mul_epu32(a.low, b.low));
	s->middle = _mm256_add_epi64(s->middle, _mm256_mul_epu32(a.low, b.high));
	s->middle = _mm256_add_epi64(s->middle, _mm256_mul_epu32(a.high, b.low));
	s->high = _mm256_add_epi64(s->high, _mm256_mul_epu32(a.high, b.high));
}

static inline void sums_fold(struct sums *s)
{
	s->low = fold(s->low);
	s->middle = fold(s->middle);
	s->high = fold(s->high);
}

/* The high parts are at most 5 * 2^60 (folded, and three more), so that all that is added
 * up stays below 14 * 2^60. */
static inline __m256i sums_reduce(const struct sums *s)
{
	__m256i cut30 = _mm256_set1_epi64x((1 << 30) - 1);
	__m256i r = _mm256_add_epi64(fold(s->low), _mm256_slli_epi64(s->high, 1));

	r = _mm256_add_epi64(
	    r, _mm256_slli_epi64(_mm256_and_si256(s->middle, cut30), 31));
	r = _mm256_add_epi64(r, _mm256_srli_epi64(s->middle, 30));
	return canonical(fold(r));
}

static inline struct sums sums_none(void)
{
	return (struct sums){
	    _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
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

static inline __m256i mulsum_four(
    const uint64_t *const *x, const uint64_t *const *y, unsigned n_terms, size_t i)
{
	struct sums s = sums_none();
	unsigned room = SUMS_FIRST;

	if (n_terms == 1)
		return multiply(load(x[0] + i), load(y[0] + i));
	for (unsigned t = 0; t < n_terms; t++, room--) {
		if (room == 0) {
			sums_fold(&s);
			room = SUMS_MORE;
		}
		sums_add(&s, cut(load(x[t] + i)), cut(load(y[t] + i)));
	}
	return sums_reduce(&s);
}

static void mulsum(const struct field *f, uint64_t *out, const uint64_t *const *x,
    const uint64_t *const *y, unsigned n_terms, size_t n)
{
	size_t whole = n / LANES * LANES;
	const uint64_t *x_tail[FIELD_TERMS_MAX], *y_tail[FIELD_TERMS_MAX];

	for (size_t i = 0; i < whole; i += LANES)
		store(out + i, mulsum_four(x, y, n_terms, i));
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

/* One row of the matrix, coefficients cut: elements i to i + 7. */
static inline void combine_eight(uint64_t *out, const uint64_t *const *in, unsigned n_in,
    const struct halves *coef, size_t i)
{
	struct sums first = sums_none(), second = sums_none();
	unsigned room = SUMS_FIRST;

	for (unsigned c = 0; c < n_in; c++, room--) {
		if (room == 0) {
			sums_fold(&first);
			sums_fold(&second);
			room = SUMS_MORE;
		}
		sums_add(&first, cut(load(in[c] + i)), coef[c]);
		sums_add(&second, cut(load(in[c] + i + LANES)), coef[c]);
	}
	store(out + i, sums_reduce(&first));
	store(out + i + LANES, sums_reduce(&second));
}

static void combine(const struct field *f, uint64_t *const *out, unsigned n_out,
    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t n)
{
	size_t whole = n / (2 * LANES) * (2 * LANES);
	const uint64_t *in_tail[FIELD_ROWS_MAX];
	struct halves factors[FIELD_ROWS_MAX];

	for (unsigned c = 0; c < n_in; c++)
		in_tail[c] = in[c] + whole;
	for (unsigned r = 0; r < n_out; r++, coef += n_in) {
		uint64_t *tail = out[r] + whole;

		for (unsigned c = 0; c < n_in; c++)
			factors[c] = cut(_mm256_set1_epi64x((long long)coef[c]));
		for (size_t i = 0; i < whole; i += (size_t)2 * LANES)
			combine_eight(out[r], in, n_in, factors, i);
		field_m61_combine(f, &tail, 1, in_tail, n_in, coef, n - whole);
	}
}

/* The sum of the four. */
static uint64_t across(__m256i a)
{
	uint64_t lane[LANES], total = 0;

	store(lane, a);
	for (unsigned i = 0; i < LANES; i++)
		total = m61_canonical(total + lane[i]);
	return total;
}

/* Two rows side by side, so that b is cut once for both. `n` is a multiple of LANES. */
static void dots_two(uint64_t *out, size_t out_step, const uint64_t *a, size_t row_step,
    const uint64_t *b, size_t n)
{
	struct sums first = sums_none(), second = sums_none();
	unsigned room = SUMS_FIRST;

	for (size_t k = 0; k < n; k += LANES, room--) {
		struct halves factor = cut(load(b + k));

		if (room == 0) {
			sums_fold(&first);
			sums_fold(&second);
			room = SUMS_MORE;
		}
		sums_add(&first, cut(load(a + k)), factor);
		sums_add(&second, cut(load(a + row_step + k)), factor);
	}
	out[0] = across(sums_reduce(&first));
	out[out_step] = across(sums_reduce(&second));
}

static void dots(const struct field *f, uint64_t *out, size_t out_step, const uint64_t *a,
    size_t rows, const uint64_t *b, size_t inner)
{
	size_t whole = inner / LANES * LANES, paired = rows / 2 * 2;

	for (size_t r = 0; r < paired; r += 2)
		dots_two(out + r * out_step, out_step, a + r * inner, inner, b, whole);
	for (size_t r = 0; r < paired && whole < inner; r++) {
		uint64_t tail;

		field_m61_dots(
		    f, &tail, 1, a + r * inner + whole, 1, b + whole, inner - whole);
		out[r * out_step] = m61_canonical(out[r * out_step] + tail);
	}
	field_m61_dots(f, out + paired * out_step, out_step, a + paired * inner,
	    rows - paired, b, inner);
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

/* Above p - 1: the sign of p - 1 - a, or that of a from 2^63 on. */
static size_t check(const struct field *f, const uint64_t *a, size_t n)
{
	__m256i most = _mm256_set1_epi64x((long long)FIELD_M61_P - 1);
	__m256i signs = _mm256_setzero_si256();
	size_t whole = n / LANES * LANES;

	for (size_t i = 0; i < whole; i += LANES) {
		__m256i v = load(a + i);

		signs =
		    _mm256_or_si256(signs, _mm256_or_si256(v, _mm256_sub_epi64(most, v)));
	}
	if (_mm256_movemask_pd(_mm256_castsi256_pd(signs)) != 0)
		return field_m61_check(f, a, n);
	return whole + field_m61_check(f, a + whole, n - whole);
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
    .combine = combine,
    .sum = sum,
    .dots = dots,
    .check = check,
    .sample = sample,
    .inverse_root = field_m61_inverse_root,
    .from_i64 = from_i64,
    .to_words = field_m61_to_words,
};

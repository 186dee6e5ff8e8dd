/* SPDX-License-Identifier: MIT */
/*
 * Any odd prime, on GMP's fixed-length limb functions. Elements are Montgomery residues
 * (Montgomery, Math. Comp. 44 (1985); word by word as in Koc, Acar, Kaliski, IEEE Micro
 * 16 (1996), "SOS"): the number a stands for a / R mod p, R = 2^(64 limbs). The limb
 * functions used on elements take a time that depends on lengths only.
 */
#include "engine/field.h"

#include <gmp.h>
#include <string.h>

#define WIDE         (2 * FIELD_LIMBS_MAX + 1)
#define SAMPLE_WORDS 1024u

/* out = a mod p for a < 2p given as limbs + 1 words. */
static void subtract_once(const struct field *f, uint64_t *out, const uint64_t *a)
{
	uint64_t less[FIELD_LIMBS_MAX];
	uint64_t borrow = mpn_sub_n(less, a, f->p, f->limbs);
	uint64_t keep = 0 - (uint64_t)(borrow > a[f->limbs]);

	for (uint32_t i = 0; i < f->limbs; i++)
		out[i] = (a[i] & keep) | (less[i] & ~keep);
}

/* out = wide / R mod p for wide < p * R in 2 limbs + 1 words, which are used up. */
static void redc(const struct field *f, uint64_t *out, uint64_t *wide)
{
	uint32_t limbs = f->limbs;

	for (uint32_t i = 0; i < limbs; i++) {
		uint64_t m = wide[i] * f->minus_inverse;

		/* The word is 0 now: its carry, due limbs words above, waits there. */
		wide[i] = mpn_addmul_1(wide + i, f->p, limbs, m);
	}
	wide[2 * limbs] += mpn_add_n(wide + limbs, wide + limbs, wide, limbs);
	subtract_once(f, out, wide + limbs);
}

/* wide += a * b, kept below p * R by taking p from its upper half. */
static void mul_add(
    const struct field *f, uint64_t *wide, const uint64_t *a, const uint64_t *b)
{
	uint64_t product[2 * FIELD_LIMBS_MAX];
	uint32_t limbs = f->limbs;

	mpn_mul_n(product, a, b, limbs);
	wide[2 * limbs] += mpn_add_n(wide, wide, product, 2 * limbs);
	subtract_once(f, wide + limbs, wide + limbs);
	wide[2 * limbs] = 0;
}

static void add(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	uint64_t sum[FIELD_LIMBS_MAX + 1];
	uint32_t limbs = f->limbs;

	for (size_t i = 0; i < n * limbs; i += limbs) {
		sum[limbs] = mpn_add_n(sum, a + i, b + i, limbs);
		subtract_once(f, out + i, sum);
	}
}

static void sub(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	uint32_t limbs = f->limbs;

	for (size_t i = 0; i < n * limbs; i += limbs) {
		uint64_t less[FIELD_LIMBS_MAX], more[FIELD_LIMBS_MAX];
		uint64_t borrow = mpn_sub_n(less, a + i, b + i, limbs);

		for (uint32_t w = 0; w < limbs; w++)
			more[w] = f->p[w] & (0 - borrow);
		mpn_add_n(out + i, less, more, limbs);
	}
}

static void mulsum(const struct field *f, uint64_t *out, const uint64_t *const *x,
    const uint64_t *const *y, unsigned n_terms, size_t n)
{
	uint32_t limbs = f->limbs;

	for (size_t i = 0; i < n * limbs; i += limbs) {
		uint64_t wide[WIDE] = {0};

		for (unsigned t = 0; t < n_terms; t++)
			mul_add(f, wide, x[t] + i, y[t] + i);
		redc(f, out + i, wide);
	}
}

static void scale(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *c, size_t n)
{
	uint64_t factor[FIELD_LIMBS_MAX];
	uint32_t limbs = f->limbs;

	memcpy(factor, c, field_bytes(f, 1));
	for (size_t i = 0; i < n * limbs; i += limbs) {
		uint64_t wide[WIDE] = {0};

		mul_add(f, wide, a + i, factor);
		redc(f, out + i, wide);
	}
}

static void combine(const struct field *f, uint64_t *const *out, unsigned n_out,
    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t n)
{
	uint32_t limbs = f->limbs;

	for (unsigned r = 0; r < n_out; r++)
		for (size_t i = 0; i < n * limbs; i += limbs) {
			uint64_t wide[WIDE] = {0};
			const uint64_t *row = coef + (size_t)r * n_in * limbs;

			for (unsigned c = 0; c < n_in; c++)
				mul_add(f, wide, in[c] + i, row + c * limbs);
			redc(f, out[r] + i, wide);
		}
}

static void sum(const struct field *f, uint64_t *out, const uint64_t *const *in,
    unsigned n_in, size_t n)
{
	if (n_in == 1)
		memmove(out, in[0], field_bytes(f, n));
	for (size_t i = 0; i < n && n_in > 1; i++) {
		size_t at = i * f->limbs;
		uint64_t total[FIELD_LIMBS_MAX];

		add(f, total, in[0] + at, in[1] + at, 1);
		for (unsigned c = 2; c < n_in; c++)
			add(f, total, total, in[c] + at, 1);
		memcpy(out + at, total, field_bytes(f, 1));
	}
}

static void dots(const struct field *f, uint64_t *out, size_t out_step, const uint64_t *a,
    size_t rows, const uint64_t *b, size_t inner)
{
	uint32_t limbs = f->limbs;

	for (size_t r = 0; r < rows; r++) {
		const uint64_t *row = a + r * inner * limbs;
		uint64_t wide[WIDE] = {0};

		for (size_t k = 0; k < inner * limbs; k += limbs)
			mul_add(f, wide, row + k, b + k);
		redc(f, out + r * out_step * limbs, wide);
	}
}

static size_t check(const struct field *f, const uint64_t *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mpn_cmp(a + i * f->limbs, f->p, f->limbs) >= 0)
			return i;
	return n;
}

/* Words cut to the length of p, those not below p dropped. Draws what is still missing,
 * so every holder of the key takes the same number of bytes. */
static void sample(const struct field *f, struct prg *prg, uint64_t *out, size_t n)
{
	uint64_t drawn[SAMPLE_WORDS];
	uint32_t limbs = f->limbs;
	uint64_t top = UINT64_MAX >> (64 * limbs - f->bits);

	while (n > 0) {
		size_t part = n < SAMPLE_WORDS / limbs ? n : SAMPLE_WORDS / limbs;

		prg_bytes(prg, drawn, field_bytes(f, part));
		for (size_t i = 0; i < part * limbs; i += limbs) {
			drawn[i + limbs - 1] &= top;
			if (mpn_cmp(drawn + i, f->p, limbs) >= 0)
				continue;
			memcpy(out, drawn + i, field_bytes(f, 1));
			out += limbs;
			n--;
		}
	}
}

static void to_words(const struct field *f, uint64_t *out, const uint64_t *in, size_t n)
{
	uint32_t limbs = f->limbs;

	for (size_t i = 0; i < n * limbs; i += limbs) {
		uint64_t wide[WIDE] = {0};

		memcpy(wide, in + i, field_bytes(f, 1));
		redc(f, out + i, wide);
	}
}

static void from_i64(const struct field *f, uint64_t *out, const int64_t *in, size_t n)
{
	uint32_t limbs = f->limbs;

	for (size_t i = 0; i < n; i++) {
		uint64_t value[FIELD_LIMBS_MAX] = {0}, shift[FIELD_LIMBS_MAX] = {0};

		/* in + 2^63, minus 2^63 */
		value[0] = (uint64_t)in[i] ^ (uint64_t)1 << 63;
		shift[0] = (uint64_t)1 << 63;
		if (limbs == 1) {
			value[0] %= f->p[0];
			shift[0] %= f->p[0];
		}
		sub(f, value, value, shift, 1);
		scale(f, out + i * limbs, value, f->r2, 1);
	}
}

/* Tonelli and Shanks (Cohen, A Course in Computational Algebraic Number Theory, 1.5.1)
 * for a residue a; the root is that of a^((q+1)/2) with p - 1 = q 2^s. */
static void root(mpz_t out, const mpz_t a, const mpz_t p)
{
	mpz_t q, z, t, e;
	mp_bitcnt_t s, order;

	mpz_inits(q, z, t, e, NULL);
	mpz_sub_ui(q, p, 1);
	s = mpz_scan1(q, 0);
	mpz_tdiv_q_2exp(q, q, s);
	if (s > 1) {
		for (mpz_set_ui(z, 2); mpz_legendre(z, p) != -1;)
			mpz_add_ui(z, z, 1);
		mpz_powm(z, z, q, p);
		mpz_powm(t, a, q, p);
	}
	mpz_add_ui(e, q, 1);
	mpz_tdiv_q_2exp(e, e, 1);
	mpz_powm(out, a, e, p);
	while (mpz_cmp_ui(t, 1) > 0 && s > 0) {
		mpz_set(e, t);
		for (order = 0; mpz_cmp_ui(e, 1) != 0 && order < s; order++)
			mpz_powm_ui(e, e, 2, p);
		if (order >= s)
			break; /* no residue */
		for (mp_bitcnt_t i = 0; i + order + 1 < s; i++)
			mpz_powm_ui(z, z, 2, p);
		mpz_mul(out, out, z);
		mpz_mod(out, out, p);
		mpz_powm_ui(z, z, 2, p);
		mpz_mul(t, t, z);
		mpz_mod(t, t, p);
		s = order;
	}
	mpz_clears(q, z, t, e, NULL);
}

static void inverse_root(
    const struct field *f, uint64_t *out, const uint64_t *a, size_t n)
{
	uint32_t limbs = f->limbs;
	mpz_t p, value;

	mpz_inits(p, value, NULL);
	mpz_import(p, limbs, -1, sizeof(*a), 0, 0, f->p);
	for (size_t i = 0; i < n; i++) {
		uint64_t words[FIELD_LIMBS_MAX] = {0};

		to_words(f, words, a + i * limbs, 1);
		mpz_import(value, limbs, -1, sizeof(*a), 0, 0, words);
		root(value, value, p);
		if (mpz_sgn(value) != 0)
			mpz_invert(value, value, p);
		memset(words, 0, sizeof(words));
		mpz_export(words, NULL, -1, sizeof(*a), 0, 0, value);
		scale(f, out + i * limbs, words, f->r2, 1);
	}
	mpz_clears(p, value, NULL);
}

static const struct field_ops field_prime_ops = {
    .name = "prime",
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
    .to_words = to_words,
};

/* -1/p mod 2^64 by Newton's iteration: each step doubles the bits that are right. */
static uint64_t minus_inverse(uint64_t p)
{
	uint64_t x = p;

	for (int i = 0; i < 5; i++)
		x *= 2 - p * x;
	return 0 - x;
}

int field_init_prime(
    struct field *f, const uint64_t *p, uint32_t limbs, struct error *err)
{
	int is_prime = 0;
	mpz_t value;

	if (limbs == 0 || limbs > FIELD_LIMBS_MAX || p[limbs - 1] == 0 || p[0] % 2 == 0)
		return error_set(err, -EINVAL,
		    "a field needs an odd prime of 1 to %u words without leading zeros",
		    FIELD_LIMBS_MAX);
	mpz_init(value);
	mpz_import(value, limbs, -1, sizeof(*p), 0, 0, p);
	is_prime = mpz_probab_prime_p(value, 30) > 0;
	memset(f, 0, sizeof(*f));
	f->ops = &field_prime_ops;
	f->limbs = limbs;
	f->bits = (uint32_t)mpz_sizeinbase(value, 2);
	memcpy(f->p, p, limbs * sizeof(*p));
	f->minus_inverse = minus_inverse(p[0]);
	if (is_prime) {
		mpz_t r2;

		mpz_init_set_ui(r2, 1);
		mpz_mul_2exp(r2, r2, 128 * limbs);
		mpz_mod(r2, r2, value);
		mpz_export(f->r2, NULL, -1, sizeof(*p), 0, 0, r2);
		mpz_clear(r2);
	}
	mpz_clear(value);
	return is_prime ? 0 : error_set(err, -EINVAL, "the field's modulus is no prime");
}

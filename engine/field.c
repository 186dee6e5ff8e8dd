/* SPDX-License-Identifier: MIT */
#include "engine/field.h"

#include "engine/field_m61.h"

#include <gmp.h>
#include <string.h>

_Static_assert(
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements travel as they stand");
_Static_assert(GMP_NUMB_BITS == 64, "a limb of GMP is a word of an element");

#define BLOCK_WORDS 512u

int field_init(struct field *f, uint32_t bits, struct error *err)
{
	uint64_t words[FIELD_LIMBS_MAX] = {0};
	size_t limbs;
	mpz_t p;
	int rc;

	if (bits == 61) {
		memset(f, 0, sizeof(*f));
		f->ops = field_m61_best();
		f->bits = 61;
		f->limbs = 1;
		f->p[0] = FIELD_M61_P;
		return 0;
	}
	if (bits < FIELD_BITS_MIN || bits > FIELD_BITS_MAX)
		return error_set(err, -EINVAL,
		    "a field of %u bits is not offered: 61 (2^61-1), or %u to %u", bits,
		    FIELD_BITS_MIN, FIELD_BITS_MAX);
	mpz_init_set_ui(p, 1);
	mpz_mul_2exp(p, p, bits - 1);
	mpz_nextprime(p, p);
	mpz_export(words, &limbs, -1, sizeof(words[0]), 0, 0, p);
	mpz_clear(p);
	rc = field_init_prime(f, words, (uint32_t)limbs, err);
	return rc;
}

int field_is_mersenne(const struct field *f)
{
	for (uint32_t i = 0; i < f->limbs; i++) {
		uint32_t above = f->bits - 64 * i;
		uint64_t ones = above >= 64 ? UINT64_MAX : ((uint64_t)1 << above) - 1;

		if (f->p[i] != ones)
			return 0;
	}
	return 1;
}

void field_fill(const struct field *f, uint64_t *out, int64_t value, size_t n)
{
	uint64_t element[FIELD_LIMBS_MAX];

	f->ops->from_i64(f, element, &value, 1);
	for (size_t i = 0; i < n; i++)
		memcpy(out + i * f->limbs, element, field_bytes(f, 1));
}

static void pow_block(const struct field *f, uint64_t *out, const uint64_t *a,
    const uint64_t *e, uint32_t e_words, size_t n)
{
	uint64_t power[BLOCK_WORDS];

	field_fill(f, power, 1, n);
	for (uint32_t bit = 64 * e_words; bit-- > 0;) {
		field_mul(f, power, power, power, n);
		if (e[bit / 64] >> bit % 64 & 1)
			field_mul(f, power, power, a, n);
	}
	memcpy(out, power, field_bytes(f, n));
}

void field_pow(const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *e,
    uint32_t e_words, size_t n)
{
	size_t block = BLOCK_WORDS / f->limbs;

	for (size_t at = 0; at < n; at += block)
		pow_block(f, out + at * f->limbs, a + at * f->limbs, e, e_words,
		    n - at < block ? n - at : block);
}

void field_inverse(const struct field *f, uint64_t *out, const uint64_t *a, size_t n)
{
	uint64_t e[FIELD_LIMBS_MAX];

	memcpy(e, f->p, sizeof(e));
	mpn_sub_1(e, e, f->limbs, 2);
	field_pow(f, out, a, e, f->limbs, n);
}

/* Magnitude words below 2^63 with the sign given. */
static int to_i64(int64_t *out, const uint64_t *words, uint32_t limbs, int negative)
{
	for (uint32_t i = 1; i < limbs; i++)
		if (words[i] != 0)
			return -ERANGE;
	if (words[0] > INT64_MAX)
		return -ERANGE;
	*out = negative ? -(int64_t)words[0] : (int64_t)words[0];
	return 0;
}

int field_to_i64(const struct field *f, int64_t *out, const uint64_t *in, size_t n)
{
	uint64_t value[FIELD_LIMBS_MAX], minus[FIELD_LIMBS_MAX];

	for (size_t i = 0; i < n; i++) {
		int64_t one;
		int negative, rc;

		f->ops->to_words(f, value, in + i * f->limbs, 1);
		mpn_sub_n(minus, f->p, value, f->limbs);
		negative = mpn_cmp(minus, value, f->limbs) < 0;
		rc = to_i64(&one, negative ? minus : value, f->limbs, negative);
		if (rc < 0)
			return rc;
		out[i] = one;
	}
	return 0;
}

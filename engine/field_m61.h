/* SPDX-License-Identifier: MIT */
/*
 * Inside of field_m61*.c: arithmetic modulo 2^61-1 that the kernel families share.
 * 2^61 = 1, so a number is reduced by adding its bits from 61 on to those below.
 */
#ifndef ENGINE_FIELD_M61_H
#define ENGINE_FIELD_M61_H

#include "engine/field.h"

#define FIELD_M61_P (((uint64_t)1 << 61) - 1)

extern const struct field_ops field_m61_portable;
#ifdef __x86_64__
extern const struct field_ops field_m61_avx2; /* needs AVX2 */
extern const struct field_ops field_m61_ifma; /* needs AVX-512 F, DQ, IFMA */
#endif

const struct field_ops *field_m61_best(void);

/* Operations without a faster form; also the tails of the vector kernels. */
void field_m61_add(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n);
void field_m61_sub(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n);
void field_m61_mulsum(const struct field *f, uint64_t *out, const uint64_t *const *x,
    const uint64_t *const *y, unsigned n_terms, size_t n);
void field_m61_scale(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *c, size_t n);
void field_m61_combine(const struct field *f, uint64_t *const *out, unsigned n_out,
    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t n);
void field_m61_sum(const struct field *f, uint64_t *out, const uint64_t *const *in,
    unsigned n_in, size_t n);
void field_m61_dots(const struct field *f, uint64_t *out, size_t out_step,
    const uint64_t *a, size_t rows, const uint64_t *b, size_t inner);
size_t field_m61_check(const struct field *f, const uint64_t *a, size_t n);
void field_m61_inverse_root(
    const struct field *f, uint64_t *out, const uint64_t *a, size_t n);
void field_m61_from_i64(
    const struct field *f, uint64_t *out, const int64_t *in, size_t n);
void field_m61_to_words(
    const struct field *f, uint64_t *out, const uint64_t *in, size_t n);

/* 0 .. 2p - 1 to canonical. */
static inline uint64_t m61_canonical(uint64_t a)
{
	uint64_t less = a - FIELD_M61_P;

	return less + (FIELD_M61_P & -(less >> 63));
}

/* Any 64 bits to canonical. */
static inline uint64_t m61_reduce64(uint64_t a)
{
	return m61_canonical((a & FIELD_M61_P) + (a >> 61));
}

/* Any 128 bits to canonical. */
static inline uint64_t m61_reduce128(unsigned __int128 a)
{
	uint64_t low = (uint64_t)a, high = (uint64_t)(a >> 64);

	/* 2^64 = 8: high's lowest 58 bits stay below 2^61. (A shift of both words at once
	 * would be shorter, and is slow on some processors.) */
	return m61_reduce64((low & FIELD_M61_P) + (low >> 61) +
			    ((high << 3) & FIELD_M61_P) + (high >> 58));
}

/* Two canonical elements. */
static inline uint64_t m61_multiply(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);

	return m61_canonical((low & FIELD_M61_P) + ((high << 3) + (low >> 61)));
}

#endif

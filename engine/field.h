/* SPDX-License-Identifier: MIT */
/*
 * Prime fields as vectors. An element is `limbs` 64-bit words, a vector of n elements
 * n * limbs words without gaps; element i of v stands at v + i * limbs. Every element is
 * canonical: as a little-endian number below p. What residue that number stands for is
 * the field's business (field_prime keeps Montgomery residues), so integers go in and out
 * through from_i64() and to_words() only. Elements travel as they stand in memory.
 *
 * An output vector may be one of the inputs; otherwise vectors do not overlap. Operations
 * on elements have no branch and no address that depends on their values, except those
 * marked "public values only".
 *
 * Fields: 2^61-1 (field_m61*.c: portable, AVX2, AVX-512 IFMA, chosen at run time) and any
 * other prime of up to 512 bits (field_prime.c, GMP; several times slower).
 */
#ifndef ENGINE_FIELD_H
#define ENGINE_FIELD_H

#include "base/error.h"
#include "engine/prg.h"

#include <stddef.h>
#include <stdint.h>

#define FIELD_LIMBS_MAX 8u
/* Of combine() and sum(): a PRSS at 10 parties has 126 keys. */
#define FIELD_ROWS_MAX  256u
/* Terms of mulsum(). */
#define FIELD_TERMS_MAX 16u

struct field;

struct field_ops {
	const char *name; /* "m61-ifma" */
	void (*add)(const struct field *f, uint64_t *out, const uint64_t *a,
	    const uint64_t *b, size_t n);
	void (*sub)(const struct field *f, uint64_t *out, const uint64_t *a,
	    const uint64_t *b, size_t n);
	/* out[i] = x[0][i] y[0][i] + ... , 1 .. FIELD_TERMS_MAX terms, one reduction. */
	void (*mulsum)(const struct field *f, uint64_t *out, const uint64_t *const *x,
	    const uint64_t *const *y, unsigned n_terms, size_t n);
	/* out[i] = c * a[i] for one element c. */
	void (*scale)(const struct field *f, uint64_t *out, const uint64_t *a,
	    const uint64_t *c, size_t n);
	/* A small matrix times vectors: out[r][i] = sum over c of
	 * coef[r * n_in + c] * in[c][i]; n_in <= FIELD_ROWS_MAX. Only the last
	 * output may be one of the inputs. Coefficients are public: kernels may treat
	 * 1, -1 and small ones apart. */
	void (*combine)(const struct field *f, uint64_t *const *out, unsigned n_out,
	    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t n);
	/* out[i] = in[0][i] + in[1][i] + ... */
	void (*sum)(const struct field *f, uint64_t *out, const uint64_t *const *in,
	    unsigned n_in, size_t n);
	/* Rows times one vector: out[r * out_step] = sum over k < inner of
	 * a[r * inner + k] * b[k]. Steps count elements. */
	void (*dots)(const struct field *f, uint64_t *out, size_t out_step,
	    const uint64_t *a, size_t rows, const uint64_t *b, size_t inner);
	/* Index of the first element that is not canonical, n if there is none. Public
	 * values only. */
	size_t (*check)(const struct field *f, const uint64_t *a, size_t n);
	/* Uniform elements; 2^61-1: to within 2^-61, 8 bytes of the stream each. Others
	 * by rejection. Takes the same bytes wherever the same key stands. */
	void (*sample)(const struct field *f, struct prg *prg, uint64_t *out, size_t n);
	/* c^(-1/2), one of the two roots chosen by c alone; 0 for 0. What it gives for a
	 * non-residue is unspecified. Public values only. */
	void (*inverse_root)(
	    const struct field *f, uint64_t *out, const uint64_t *a, size_t n);
	void (*from_i64)(
	    const struct field *f, uint64_t *out, const int64_t *in, size_t n);
	/* The residues 0 .. p-1 themselves, `limbs` words each. */
	void (*to_words)(
	    const struct field *f, uint64_t *out, const uint64_t *in, size_t n);
};

struct field {
	const struct field_ops *ops;
	uint32_t bits; /* of p */
	uint32_t limbs;
	uint64_t p[FIELD_LIMBS_MAX];
	/* field_prime only: 2^(128 limbs) mod p, -1/p mod 2^64, (p-1)/2^s odd. */
	uint64_t r2[FIELD_LIMBS_MAX];
	uint64_t minus_inverse;
};

#define FIELD_BITS_MIN 4u
#define FIELD_BITS_MAX 512u

/* `bits` = 61: 2^61-1 with the fastest kernels of this CPU; else the smallest prime above
 * 2^(bits-1), FIELD_BITS_MIN .. FIELD_BITS_MAX. -EINVAL with a sentence. */
int field_init(struct field *f, uint32_t bits, struct error *err);
/* The odd prime p itself, `limbs` words, through field_prime; -EINVAL if it is not one.
 */
int field_init_prime(
    struct field *f, const uint64_t *p, uint32_t limbs, struct error *err);

/* The kernels for 2^61-1: "portable", "avx2", "ifma". NULL if this build or this CPU has
 * not got them; `why` (may be NULL) then says which. */
const struct field_ops *field_m61_kernels(const char *family, const char **why);

/* 1 if p = 2^bits - 1. */
int field_is_mersenne(const struct field *f);

static inline size_t field_bytes(const struct field *f, size_t n)
{
	return n * f->limbs * sizeof(uint64_t);
}

static inline void field_mul(
    const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
	f->ops->mulsum(f, out, &a, &b, 1, n);
}

/* Whole vectors of one integer. */
void field_fill(const struct field *f, uint64_t *out, int64_t value, size_t n);
/* a[i]^e for a public exponent of `e_words` words; e = p - 2 inverts (0 gives 0). */
void field_pow(const struct field *f, uint64_t *out, const uint64_t *a, const uint64_t *e,
    uint32_t e_words, size_t n);
void field_inverse(const struct field *f, uint64_t *out, const uint64_t *a, size_t n);
/* Integers of -(p-1)/2 .. (p-1)/2. 0, or -ERANGE if one does not fit an int64_t. Public
 * values only. */
int field_to_i64(const struct field *f, int64_t *out, const uint64_t *in, size_t n);

#endif

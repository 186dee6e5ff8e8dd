/* SPDX-License-Identifier: MIT */
/*
 * Comparing shared integers: x >= 0 as a shared bit, and what is built on it.
 *
 * Typical use; all comparisons of a computation are announced before the first, so that
 * their random bits come in one batch:
 *
 *	struct compare_need needs[] = {{16, 6272}, {16, 3136}};
 *	compare_create(&compare, mpc, needs, 2, err);
 *	compare_max(compare, larger, pairs, 6272, err);
 *	compare_relu(compare, positive, larger, 3136, err);
 *	share_reshare(mpc, positive, positive, 3136, err);
 *	compare_destroy(compare);
 *
 * `width` bounds the values compared: -2^width <= x < 2^width, so x may be the difference
 * of two signed integers of `width` bits. A value out of bounds gives a wrong bit without
 * notice.
 *
 * Protocol (Toft: Primitives and applications for multi-party computation, thesis, Aarhus
 * 2007, chapter 5: open the number under a mask whose low bits are shared, compare the
 * low bits of what was opened with those of the mask). With b bits of a mask r, c = (x +
 * 2^width) + r opened, and both cut into digits of two bits: which of 0 .. 3 a digit of r
 * is exceeded by is a public choice among sums of its bits and their product, which is
 * made beforehand; the digits are compared by compare_plan.h. The opening takes the
 * unreduced x, and reshares what else is due in the same round; the bit is floor(c /
 * 2^width) - floor(r / 2^width) - [c mod 2^width < r mod 2^width].
 *
 * Security: x is hidden statistically by what r has above 2^width, to within
 * 2^-compare_security_bits() for each comparison; in 2^61-1 at 3 parties that is 41, 34,
 * 27, 20 for widths 16, 23, 30, 37. Where it would be less than COMPARE_SECURITY_MIN and
 * p is a Mersenne prime (2^61-1 is), the mask is a uniform element instead, of bits(p)
 * shared bits, and x >= 0 is read off the lowest bit of 2x mod p (Nishide, Ohta:
 * Multiparty computation for interval, equality, and comparison without bit-decomposition
 * protocol, PKC 2007, section 3): c and r are compared in full, at one digit more;
 * security 61.
 *
 * compare_create(): rounds and elements of share_random_bits() for all bits, then 1 round
 * and one product for each digit of two bits; at m >= 8, where masks are dealt by t + 1
 * parties, another round and (t + 1)(m - 1 - t) elements a mask.
 * compare_nonneg(), b = width or bits(p), n = ceil(b / 2) digits (+ 1 for a full mask):
 * 1 + ceil(log2 n) rounds (a round of at least SHARE_KING_MIN products through kings
 * counts for two or three); an opened product and compare_products() products a number.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/share.h"

#define COMPARE_NEEDS_MAX    64u
#define COMPARE_SECURITY_MIN 30u

/* One call of one of the functions below: n comparisons of this width. */
struct compare_need {
	uint32_t width;
	size_t n;
};

struct compare;

/* Make the randomness of all calls to come, which must follow in the order of `needs`
 * (-EINVAL from the call otherwise). It lives in vectors of `mpc`: until mpc_release() to
 * a mark before. -EINVAL with a sentence if the field is too small for a width. */
int compare_create(struct compare **ret, struct mpc *mpc,
    const struct compare_need *needs, size_t n_needs, struct error *err);
/* NULL is fine. */
void compare_destroy(struct compare *compare);

/* Bits of statistical security of one comparison of this width among m parties, at most
 * 61; 0 = not possible in this field. */
uint32_t compare_security_bits(const struct field *f, uint32_t m, uint32_t width);
/* Random bits that one comparison takes, products in compare_create(), and products and
 * levels (rounds but the first) in compare_nonneg(). */
struct compare_cost {
	uint32_t bits, products_before, products, levels;
};
struct compare_cost compare_cost(const struct field *f, uint32_t m, uint32_t width);

/* bits[i] = 1 if x[i] >= 0, else 0, shares of degree t. x may be unreduced. The jobs
 * `also` (may be none) are done in the first round; x must not be one of their outputs.
 */
int compare_nonneg(struct compare *compare, uint64_t *bits, const uint64_t *x, size_t n,
    const struct share_job *also, size_t n_also, struct error *err);

/* larger[i] = max(z[i], z[n + i]) unreduced, for 2n values z, unreduced or not, which are
 * reshared in place on the way. `larger` must not overlap z. */
int compare_max(
    struct compare *compare, uint64_t *larger, uint64_t *z, size_t n, struct error *err);

/* positive[i] = max(z[i], 0) unreduced, z as above. */
int compare_relu(struct compare *compare, uint64_t *positive, uint64_t *z, size_t n,
    struct error *err);

/* For each of n columns the number of the row with the largest value, the lowest such
 * row, opened to all parties, and nothing else of z[row * n + column], which is reshared
 * in place. Takes a need of rows (rows - 1) / 2 * n comparisons: all pairs at once, then
 * one round (the row that wins rows - 1 times has a zero where the others have random
 * values; a random value of 0 repeats that round). */
int compare_argmax(struct compare *compare, uint32_t *which, uint64_t *z, uint32_t rows,
    size_t n, struct error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How to compare two numbers digit by digit in few rounds and few products.
 *
 * With l[j] = "digit j of c is less than that of r" and e[j] = "they are equal" for
 * digits j = 0 (the highest) .. n - 1, c < r is the sum over j of e[0] ... e[j-1] l[j]
 * (Garay, Schoenmakers, Villegas: Practical and secure solutions for integer comparison,
 * PKC 2007, section 4.2, after their log-depth circuit). A plan computes that sum in
 * ceil(log2 n) levels of unreduced sums of products, each reshared once: a block of
 * digits has a value L (of its sum) and E (the product of its e), and L of two neighbours
 * is L + E L'. Where blocks are cut is chosen by dynamic programming so that the number
 * of products is least: 8, 12, 42 for 8, 12, 32 digits in 3, 4, 5 levels (pairing
 * neighbours takes 11, 18, 57).
 */
#ifndef ENGINE_COMPARE_PLAN_H
#define ENGINE_COMPARE_PLAN_H

#include <stdint.h>

#define COMPARE_DIGITS_MAX 33u
#define COMPARE_LEVELS_MAX 6u
#define COMPARE_OPS_MAX    (4 * COMPARE_DIGITS_MAX)
#define COMPARE_NODES_MAX  (2 * COMPARE_DIGITS_MAX + COMPARE_OPS_MAX)
#define COMPARE_TERMS_MAX  7u

/* Nodes: l[j] is 2j, e[j] is 2j + 1, the result of op k is 2 n_digits + k. */
struct compare_op {
	uint32_t level; /* 1 .. n_levels: products of one level need those before only */
	uint32_t n_terms;
	uint32_t x[COMPARE_TERMS_MAX], y[COMPARE_TERMS_MAX];
	int32_t plus; /* a node to add to the sum of products, -1 = none */
};

struct compare_plan {
	uint32_t n_digits, n_levels, n_ops;
	struct compare_op ops[COMPARE_OPS_MAX];
	uint32_t result; /* the node */
};

/* 1 <= n_digits <= COMPARE_DIGITS_MAX. */
void compare_plan(struct compare_plan *plan, uint32_t n_digits);

#endif

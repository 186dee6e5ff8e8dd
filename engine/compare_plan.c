/* SPDX-License-Identifier: MIT */
#include "engine/compare_plan.h"

#include <string.h>

/* A deadline (a level) that is no deadline: the value is not wanted. */
#define UNWANTED   (COMPARE_LEVELS_MAX + 1)
#define IMPOSSIBLE UINT16_MAX

/* Least products for L of a block by level l and E by level e, L as a sum that is not yet
 * reshared (its factors are due one level earlier), and where the block is cut. */
struct choice {
	uint16_t cost;
	uint8_t cut; /* digits of the upper part */
};

struct search {
	struct choice best[COMPARE_DIGITS_MAX + 1][COMPARE_LEVELS_MAX + 1]
			  [COMPARE_LEVELS_MAX + 2];
};

static int is_wanted(uint32_t deadline)
{
	return deadline != UNWANTED;
}

static uint32_t earlier(uint32_t deadline)
{
	return is_wanted(deadline) ? deadline - 1 : UNWANTED;
}

/* By when the upper part's E is due. */
static uint32_t upper_deadline(uint32_t l, uint32_t e)
{
	return is_wanted(e) && e < l ? e - 1 : l - 1;
}

/* The same with L reshared. */
static uint32_t reshared_cost(const struct search *s, uint32_t n, uint32_t l, uint32_t e)
{
	if (n == 1)
		return 0;
	if (l == 0 || s->best[n][l][e].cost == IMPOSSIBLE)
		return IMPOSSIBLE;
	return s->best[n][l][e].cost + 1u;
}

static struct choice choose(const struct search *s, uint32_t n, uint32_t l, uint32_t e)
{
	struct choice best = {.cost = IMPOSSIBLE};

	if (l == 0)
		return best;
	if (n == 1)
		return (struct choice){.cost = 0};
	if (e == 0)
		return best;
	for (uint32_t upper = 1; upper < n; upper++) {
		uint32_t above = s->best[upper][l][upper_deadline(l, e)].cost;
		uint32_t below = reshared_cost(s, n - upper, l - 1, earlier(e));
		uint32_t cost = above + below + (is_wanted(e) ? 1 : 0);

		if (cost < best.cost)
			best = (struct choice){(uint16_t)cost, (uint8_t)upper};
	}
	return best;
}

static void search_all(struct search *s, uint32_t n_digits)
{
	for (uint32_t n = 1; n <= n_digits; n++)
		for (uint32_t l = 0; l <= COMPARE_LEVELS_MAX; l++)
			for (uint32_t e = 0; e <= UNWANTED; e++)
				s->best[n][l][e] = choose(s, n, l, e);
}

struct build {
	const struct search *search;
	struct compare_plan *plan;
};

static struct compare_op *new_op(struct build *b, uint32_t level, uint32_t *node)
{
	struct compare_op *op = &b->plan->ops[b->plan->n_ops];

	*node = 2 * b->plan->n_digits + b->plan->n_ops++;
	*op = (struct compare_op){.level = level, .plus = -1};
	return op;
}

static uint32_t reshared(struct build *b, uint32_t first, uint32_t n, uint32_t l,
    uint32_t e, uint32_t *e_node);

/* Add the terms of L of digits first .. first + n - 1 to `op`; *e_node = their E. */
static void add_terms(struct build *b, struct compare_op *op, uint32_t first, uint32_t n,
    uint32_t l, uint32_t e, uint32_t *e_node)
{
	uint32_t upper = b->search->best[n][l][e].cut, above, below, value;

	if (n == 1) {
		op->plus = (int32_t)(2 * first);
		*e_node = 2 * first + 1;
		return;
	}
	add_terms(b, op, first, upper, l, upper_deadline(l, e), &above);
	value = reshared(b, first + upper, n - upper, l - 1, earlier(e), &below);
	op->x[op->n_terms] = above;
	op->y[op->n_terms++] = value;
	if (is_wanted(e)) {
		struct compare_op *both = new_op(b, e, e_node);

		both->x[0] = above;
		both->y[0] = below;
		both->n_terms = 1;
	}
}

/* The node of L, by level l. */
static uint32_t reshared(
    struct build *b, uint32_t first, uint32_t n, uint32_t l, uint32_t e, uint32_t *e_node)
{
	struct compare_op *op;
	uint32_t node;

	if (n == 1) {
		*e_node = 2 * first + 1;
		return 2 * first;
	}
	op = new_op(b, l, &node);
	add_terms(b, op, first, n, l, e, e_node);
	return node;
}

void compare_plan(struct compare_plan *plan, uint32_t n_digits)
{
	struct search search;
	struct build build = {.search = &search, .plan = plan};
	uint32_t levels = 0, unused;

	while (1u << levels < n_digits)
		levels++;
	memset(plan, 0, sizeof(*plan));
	plan->n_digits = n_digits;
	plan->n_levels = levels;
	search_all(&search, n_digits);
	plan->result = reshared(&build, 0, n_digits, levels, UNWANTED, &unused);
}

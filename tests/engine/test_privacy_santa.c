/* SPDX-License-Identifier: MIT */
/*
 * Secret Santa. Nobody knows the permutation before it is opened: it is uniform, and
 * independent of what any t parties have seen until then. Of `min`, where a permutation
 * is a product, those who dealt at most all but two of its factors learn nothing of the
 * others' from the opening either.
 */
#include "engine/santa.h"
#include "engine/tables.h"
#include "tests/engine/experiment.h"
#include "tests/tap.h"

#include <string.h>

#define RUNS_MAX 4000u
#define N_MAX    4u
#define K        SANTA_CANDIDATES

struct drawing {
	uint32_t n;
	int64_t p[2][RUNS_MAX][N_MAX]; /* of both worlds, by party 0 */
};

/* The attempt that was accepted, up to its opening. */
static void on_mark(struct transcript *transcript, const char *name)
{
	if (strcmp(name, "attempt") == 0)
		transcript_restart_run(transcript);
	else if (strcmp(name, "output") == 0)
		transcript_close_run(transcript);
}

static int draw_in_many_rounds(struct trial *trial, struct error *err)
{
	struct drawing *drawing = trial->x->user;
	struct santa_result result;
	int64_t p[N_MAX];
	int rc = santa_mpyc(trial->mpc, drawing->n, p, &result, err);

	if (rc == 0 && trial->mpc->self == 0)
		memcpy(drawing->p[trial->world][trial->transcript->n_runs - 1], p,
		    sizeof(p));
	return rc;
}

/* Whom player 0 gives to: each of the others equally often. */
static uint64_t choice_of_first(
    const struct world *world, size_t run, size_t unit, uint32_t index)
{
	const struct drawing *drawing = world->x->user;

	(void)unit;
	(void)index;
	return (uint64_t)drawing->p[world->number][run][0] - 1;
}

static void many_rounds(void **state)
{
	static const struct {
		uint32_t m, n;
		size_t runs;
	} cases[] = {{3, 3, 1400}, {3, 4, 1000}, {4, 3, 700}, {5, 3, 500}};
	static struct drawing drawing;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t n = cases[i].n;
		struct experiment x = {.name = "santa in many rounds",
		    .m = cases[i].m,
		    .p = 31,
		    .rows = cases[i].runs,
		    .is_sequential = 1,
		    .run_rounds = santa_mpyc_rounds(n),
		    .hidden = HIDDEN_VALUES,
		    .hidden_values = n - 1,
		    .n_hidden = 1,
		    .reveal = choice_of_first,
		    .run = draw_in_many_rounds,
		    .on_mark = on_mark,
		    .user = &drawing};

		drawing.n = n;
		experiment_expect_sound(&x);
		x.rows = 500;
		if (x.m == 3)
			experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
	}
}

static int draw_in_few_rounds(struct trial *trial, struct error *err)
{
	const struct drawing *drawing = trial->x->user;
	struct santa_result result;
	int64_t p[N_MAX];

	return santa_min(trial->mpc, drawing->n, p, &result, err);
}

/* A row is a candidate. An entry holds, for all of them, first one thing and then
 * another: matrix and scaled matrix, permutation and scaled matrix, trace and permutation
 * (or nothing but a factor). */
static size_t place_of_candidate(
    const struct experiment *x, size_t n, size_t column, size_t unit)
{
	size_t size = ((const struct drawing *)x->user)->n, all = n / K;
	size_t first = all == 2 * size * size ? size * size
		       : all == size + 1      ? 1
		       : all == 1             ? 1
					      : size;

	if (column < first)
		return unit * first + column;
	return K * first + unit * (all - first) + column - first;
}

/* Number of a permutation in lexical order. */
static uint64_t rank_of(const uint64_t *p, size_t n)
{
	uint64_t rank = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t smaller = 0;

		for (size_t j = i + 1; j < n; j++)
			smaller += p[j] < p[i];
		rank = rank * (n - i) + smaller;
	}
	return rank;
}

static const struct transcript_entry *entry_of(const struct world *world, uint32_t party,
    size_t run, uint32_t round, enum transcript_kind kind, uint32_t index)
{
	const struct transcript *t = &world->parties[party].transcript;

	for (size_t e = t->runs[run].first; e < transcript_end_of_run(t, run); e++)
		if (t->entries[e].round == round && t->entries[e].kind == kind &&
		    t->entries[e].index == index)
			return &t->entries[e];
	fail_msg("no such entry of party %u in round %u", party, round);
	return NULL;
}

/* The permutation of a candidate, from the summands that all dealers send. */
static uint64_t opened_permutation(
    const struct world *world, size_t run, size_t unit, uint32_t index)
{
	const struct experiment *x = world->x;
	size_t n = ((const struct drawing *)x->user)->n;
	const struct field *f = &world->field;
	uint64_t p[N_MAX];

	(void)index;
	for (size_t i = 0; i < n; i++) {
		uint64_t sum = 0;

		for (uint32_t d = 0; d < 2 * ((x->m - 1) / 2) + 1; d++)
			f->ops->add(f, &sum, &sum,
			    entry_of(world, d, run, x->run_rounds - 1, TRANSCRIPT_SENT,
				d == 0 ? 1 : 0)
				    ->elements +
				K + unit * n + i,
			    1);
		f->ops->to_words(f, &p[i], &sum, 1);
	}
	return rank_of(p, n);
}

/* Element `at` of what party 0 dealt: t parties derive their shares, others get them. */
static uint64_t dealt_by_first(const struct world *world, size_t run, size_t at)
{
	uint32_t t = (world->x->m - 1) / 2, points[NETWORK_PARTIES_MAX];
	uint64_t weights[NETWORK_PARTIES_MAX], shares[NETWORK_PARTIES_MAX], secret;
	const struct field *f = &world->field;

	for (uint32_t p = 1; p <= t + 1; p++) {
		int is_derived = p <= t;

		points[p - 1] = p + 1;
		shares[p - 1] = entry_of(world, 0, run, 0,
		    is_derived ? TRANSCRIPT_DRAWN : TRANSCRIPT_SENT,
		    is_derived ? TRANSCRIPT_DEALS_TO(p) : p)
				    ->elements[at];
	}
	tables_lagrange(f, weights, points, t + 1, 0);
	f->ops->dots(f, &secret, 1, weights, 1, shares, t + 1);
	f->ops->to_words(f, &secret, &secret, 1);
	return secret;
}

static uint64_t permutation_of_first(
    const struct world *world, size_t run, size_t unit, uint32_t index)
{
	size_t n = ((const struct drawing *)world->x->user)->n;
	uint64_t p[N_MAX] = {0};

	(void)index;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (dealt_by_first(world, run, unit * n * n + i * n + j) == 1)
				p[i] = j;
	return rank_of(p, n);
}

/* Party 0 and another dealer (of 0 .. t) are honest. */
static int lacks_two_factors(const struct experiment *x, uint32_t coalition)
{
	uint32_t t = (x->m - 1) / 2, dealers = (1u << (t + 1)) - 1;

	return (coalition & 1) == 0 &&
	       (uint32_t)__builtin_popcount(coalition & dealers) + 2 <= t + 1;
}

static void few_rounds(void **state)
{
	static const uint32_t parties[] = {3, 4, 5};
	static struct drawing drawing = {.n = 3};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint32_t m = parties[i], rounds = m < 5 ? 2 : 3;
		struct experiment x = {.name = "santa in few rounds, until it is opened",
		    .m = m,
		    .p = 31,
		    .rows = K * (m < 5 ? 250u : 500u),
		    .is_sequential = 1,
		    .units = K,
		    .place = place_of_candidate,
		    .run_rounds = rounds,
		    .rounds = rounds - 1,
		    .hidden = HIDDEN_VALUES,
		    .hidden_values = 6,
		    .n_hidden = 1,
		    .reveal = opened_permutation,
		    .run = draw_in_few_rounds,
		    .user = &drawing};

		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_POLYNOMIAL, 1);
		x.name = "santa in few rounds, a factor";
		x.rounds = 0;
		x.reveal = permutation_of_first;
		x.has_coalition = lacks_two_factors;
		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_POLYNOMIAL, m < 5 ? ALL_COALITIONS : 1);
	}
}

static void few_comparisons(void **state)
{
	(void)state;
	experiment_count_comparisons();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many_rounds),
	    cmocka_unit_test(few_rounds),
	    cmocka_unit_test(few_comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

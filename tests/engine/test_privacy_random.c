/* SPDX-License-Identifier: MIT */
/* Random values and random bits: uniform, and independent of what any t parties see; and
 * of broken ones they are not. */
#include "engine/random_share.h"
#include "engine/share.h"
#include "engine/share_king.h"
#include "tests/engine/experiment.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

static uint64_t prime_for(uint32_t m)
{
	return m <= 4 ? 5 : m <= 6 ? 7 : 11;
}

static int random_values(struct trial *trial, struct error *err)
{
	uint64_t *out = mpc_vector(trial->mpc, trial->n);
	int rc = share_random(trial->mpc, out, trial->n, err);

	trial_keep(trial, 0, out, trial->n);
	return rc;
}

static void values_from_keys(void **state)
{
	static const uint32_t parties[] = {3, 4, 5, 7};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct experiment x = {.name = "random values from keys of sets",
		    .m = parties[i],
		    .p = prime_for(parties[i]),
		    .rows = parties[i] <= 5 ? 2000 : 800,
		    .parts = 2,
		    .hidden = HIDDEN_ELEMENTS,
		    .n_hidden = 2,
		    .run = random_values};

		experiment_expect_sound(&x);
		experiment_expect_found(&x, NO_SETS, ALL_COALITIONS);
		experiment_expect_found(&x, REUSED_SETS, ALL_COALITIONS);
		/* Those with party 0: each pair for m = 5. */
		experiment_expect_found(&x, KNOWN_SETS, 1);
	}
}

/* A row has all m - t values that come of one extraction. */
static void values_by_extraction(void **state)
{
	struct experiment x = {.name = "random values by extraction",
	    .m = 8,
	    .p = 11,
	    .rows = 1000,
	    .parts = 5,
	    .hidden = HIDDEN_ELEMENTS,
	    .n_hidden = 5,
	    .run = random_values};

	(void)state;
	experiment_expect_sound(&x);
	experiment_expect_found(&x, NO_EXTRACTION, ALL_COALITIONS);
	experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
}

static int bits(struct trial *trial, enum share_bits_way way, struct error *err)
{
	uint64_t *out = mpc_vector(trial->mpc, trial->n);
	int rc = share_random_bits(trial->mpc, out, trial->n, way, err);

	trial_keep(trial, KEPT_UNSEEN, out, trial->n);
	return rc;
}

static int bits_by_kings(struct trial *trial, struct error *err)
{
	return bits(trial, SHARE_BITS_BY_KINGS, err);
}

static int bits_at_once(struct trial *trial, struct error *err)
{
	return bits(trial, SHARE_BITS_AT_ONCE, err);
}

static uint64_t hidden_bit(
    const struct world *world, size_t run, size_t unit, uint32_t index)
{
	(void)run;
	return world_value(world, KEPT_UNSEEN, index * world->units + unit);
}

/* What `from` sent somebody in a round. */
static const struct transcript_entry *frame(
    const struct world *world, uint32_t from, uint32_t round)
{
	const struct transcript *t = &world->parties[from].transcript;

	for (size_t e = 0; e < t->n_entries; e++)
		if (t->entries[e].kind == TRANSCRIPT_SENT && t->entries[e].round == round)
			return &t->entries[e];
	fail_msg("party %u sent nothing in round %u", from, round);
	return NULL;
}

/* The roots that kings gave: 0 for a square of 0. */
static void roots_of_kings(const struct world *world, uint64_t *roots)
{
	for (uint32_t part = 0; part < world->x->parts; part++)
		memcpy(roots + part * world->units, frame(world, part, 1)->elements,
		    world->units * sizeof(*roots));
}

/* The squares that all opened. */
static void squares(const struct world *world, uint64_t *sums)
{
	const struct field *f = &world->field;
	size_t n = world->units * world->x->parts;

	memset(sums, 0, n * sizeof(*sums));
	for (uint32_t dealer = 0; dealer < 2 * ((world->x->m - 1) / 2) + 1; dealer++)
		f->ops->add(f, sums, sums, frame(world, dealer, 0)->elements, n);
}

/* Bits stand where their random value stood, and so in line with the view; where that was
 * zero there was no bit, and all have moved up. A place without a bit is marked by a
 * value that is none: 2. */
static void put_in_line(struct world *world)
{
	size_t n = world->units * world->x->parts;
	uint64_t *marks = calloc(n, sizeof(*marks)), *moved = calloc(n, sizeof(*moved));
	uint64_t two;

	assert_true(marks != NULL && moved != NULL);
	field_fill(&world->field, &two, 2, 1);
	if (world->x->run == bits_by_kings)
		roots_of_kings(world, marks);
	else
		squares(world, marks);
	for (uint32_t p = 0; p < world->x->m; p++) {
		uint64_t *bit = world->parties[p].kept.elements[KEPT_UNSEEN];
		size_t next = 0;

		memcpy(moved, bit, n * sizeof(*moved));
		for (size_t i = 0; i < n; i++)
			bit[i] = marks[i] == 0 ? two : moved[next++];
	}
	free(marks);
	free(moved);
}

static int has_bits(const struct world *world, size_t run, size_t unit)
{
	for (uint32_t part = 0; part < world->x->parts; part++)
		if (hidden_bit(world, run, unit, part) > 1)
			return 0;
	return 1;
}

static void bits_of_three_parties(void **state)
{
	/* A third each. */
	struct experiment x = {.name = "random bits of three",
	    .m = 3,
	    .p = 5,
	    .rows = 3000,
	    .parts = 3,
	    .hidden = HIDDEN_BITS,
	    .n_hidden = 3,
	    .reveal = hidden_bit,
	    .run = bits_by_kings};

	(void)state;
	experiment_expect_sound(&x);
	experiment_expect_found(&x, NO_POLYNOMIAL, ALL_COALITIONS);
	experiment_expect_found(&x, BIASED_BITS, ALL_COALITIONS);
}

static void other_bits(void **state)
{
	static const uint32_t parties[] = {3, 4, 5, 7};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint32_t m = parties[i], kings = 2 * ((m - 1) / 2) + 1;
		struct experiment x = {.name = "random bits at once",
		    .m = m,
		    .p = m == 7 ? 13 : 7,
		    .rows = m == 7 ? 1200 : 3000,
		    .parts = 2,
		    .looks_inside = 1,
		    .rounds = 1,
		    .hidden = HIDDEN_BITS,
		    .n_hidden = 2,
		    .reveal = hidden_bit,
		    .after = put_in_line,
		    .has_row = has_bits,
		    .run = bits_at_once};

		experiment_expect_sound(&x);
		/* With t = 2 it takes two shares and three squares to know the root. */
		if (m <= 4)
			experiment_expect_found(&x, NO_ZEROS, ALL_COALITIONS);
		experiment_expect_found(&x, REUSED_SETS, ALL_COALITIONS);
		if (m == 3)
			continue;
		x.name = "random bits by kings";
		x.run = bits_by_kings;
		x.parts = x.n_hidden = kings;
		x.rounds = 2;
		x.skipped = 1;
		experiment_expect_sound(&x);
		experiment_expect_found(&x, REUSED_SETS, ALL_COALITIONS);
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
	    cmocka_unit_test(values_from_keys),
	    cmocka_unit_test(values_by_extraction),
	    cmocka_unit_test(bits_of_three_parties),
	    cmocka_unit_test(other_bits),
	    cmocka_unit_test(few_comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

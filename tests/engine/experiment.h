/* SPDX-License-Identifier: MIT */
/*
 * A primitive runs many times in two worlds. What every coalition of t parties sees of it
 * must have the same distribution in both.
 *
 * Worlds differ in the secrets, with public outputs equal; the input shares of a
 * coalition are the same constants in both, so that the shares of the others, which
 * differ, are settled too, and all that varies is what the protocol itself draws. Where
 * there are no inputs (random values), the other world is an ideal one: the same run from
 * another seed, with *fresh* values in the place of those that nobody may know.
 *
 * The view of a coalition: every frame that its members send or are sent, every element
 * that they draw from a stream, and the shares that they keep.
 */
#ifndef TESTS_ENGINE_EXPERIMENT_H
#define TESTS_ENGINE_EXPERIMENT_H

#include "base/random.h"
#include "tests/engine/defects.h"
#include "tests/engine/parties.h"
#include "tests/engine/transcript.h"
#include "tests/engine/views.h"

#define EXPERIMENT_INPUTS 8u
#define EXPERIMENT_KEPT   8u
#define KEPT_UNSEEN       4u /* and later ones: not in the view */

struct experiment;

/* One party's part of one run. */
struct trial {
	const struct experiment *x;
	struct mpc *mpc;
	struct transcript *transcript;
	uint32_t world;
	size_t n; /* elements of an input: rows of a batch x parts */
	uint64_t *in[EXPERIMENT_INPUTS];
	struct kept *kept;
};

/* Vectors that trial_keep() has put aside, run after run. */
struct kept {
	uint64_t *elements[EXPERIMENT_KEPT];
	size_t n[EXPERIMENT_KEPT], room[EXPERIMENT_KEPT];
};

struct world {
	const struct experiment *x;
	uint32_t number;
	struct field field;
	size_t n_runs, units;                  /* rows of a run */
	uint64_t weights[NETWORK_PARTIES_MAX]; /* of world_value() */
	size_t least; /* elements of a run of the standard length */
	struct world_party {
		struct transcript transcript;
		struct kept kept;
	} parties[NETWORK_PARTIES_MAX];
};

enum hidden {
	HIDDEN_NOTHING,
	HIDDEN_ELEMENTS, /* uniform in the field */
	HIDDEN_BITS,
	HIDDEN_VALUES, /* 0 .. hidden_values - 1 */
};

struct experiment {
	const char *name;
	uint32_t m;
	uint64_t p;  /* 0 = 2^61-1 */
	size_t rows; /* of one coalition's view of one world */
	/* Of both worlds; n_inputs = 0: values are made that nobody knows. */
	uint32_t n_inputs;
	int64_t secrets[2][EXPERIMENT_INPUTS];
	/* A row of a batch has an element of each of so many parts, 0 = 1. */
	uint32_t parts;
	/* Rows come from runs one after the other, not from one batch. */
	int is_sequential;
	/* Members' intermediate results count as columns of their own: they are functions
	 * of the rest, but three of them may tell what it takes six of the others for. */
	int looks_inside;
	/* Entries of later rounds are not looked at. 0 = all. */
	uint32_t rounds;
	/* Sequential: runs of other lengths are not looked at, nor those with more
	 * elements than the least of this length: something was done again. 0 = all. */
	uint32_t run_rounds;
	/* How many of them pass by the parties after the first 2t + 1. */
	uint32_t skipped;
	/* Rows of a run if neither of the above fits; where element `column` of row
	 * `unit` stands in an entry of n elements. */
	uint32_t units;
	size_t (*place)(const struct experiment *x, size_t n, size_t column, size_t unit);
	int (*run)(struct trial *trial, struct error *err);
	void (*on_mark)(struct transcript *transcript, const char *name);
	/* Called once a world is complete. May be NULL. */
	void (*after)(struct world *world);
	/* Whether a row counts; NULL = always. */
	int (*has_row)(const struct world *world, size_t run, size_t unit);
	/* What nobody may know: value `index` < n_hidden of a row. NULL: what the
	 * shares kept first stand for, n_hidden = parts. */
	enum hidden hidden;
	uint32_t n_hidden, hidden_values;
	uint64_t (*reveal)(
	    const struct world *world, size_t run, size_t unit, uint32_t index);
	/* Which coalitions to look at; NULL = all. */
	int (*has_coalition)(const struct experiment *x, uint32_t coalition);
	enum defect defect;
	void *user;
};

/* Look at both worlds. Fails the test if a run fails, or a coalition sees a difference ...
 */
void experiment_expect_sound(const struct experiment *x);
/* ... or fewer than `at_least` coalitions find what is broken, by the defect or, if that
 * is SOUND, in x->run itself; of all, for m <= 5, else of the first. */
#define ALL_COALITIONS        UINT32_MAX
#define BROKEN_COALITIONS_MAX 10u
void experiment_expect_found(
    const struct experiment *x, enum defect defect, uint32_t at_least);
/* Comparisons since the program began; fails the test if they are too many for
 * VIEW_P_LIMIT. Prints. */
void experiment_count_comparisons(void);

/* An input in part 0, 1, ... of a row: its secret times 1, 2, ... */
int64_t trial_secret(const struct trial *trial, uint32_t input, uint32_t part);
/* Shares that this party holds, into the view, and for world_value(): n elements. */
void trial_keep(struct trial *trial, uint32_t which, const uint64_t *shares, size_t n);
/* The number that the parties' shares of a kept vector stand for. */
uint64_t world_value(const struct world *world, uint32_t which, size_t index);

#endif

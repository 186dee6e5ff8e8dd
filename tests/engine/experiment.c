/* SPDX-License-Identifier: MIT */
#include "tests/engine/experiment.h"

#include "engine/tables.h"
#include "tests/engine/experiment_view.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

struct experiment_result {
	uint32_t n_coalitions, n_found; /* whose views differ */
	struct view_report report;
};

static uint64_t n_comparisons;

static uint32_t threshold(const struct experiment *x)
{
	return (x->m - 1) / 2;
}

static uint32_t parts(const struct experiment *x)
{
	return x->parts == 0 ? 1 : x->parts;
}

/* Coalitions in increasing order of their masks: those of t parties. */
static uint32_t list_coalitions(const struct experiment *x, uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t set = 0; set < 1u << x->m; set++)
		if ((uint32_t)__builtin_popcount(set) == threshold(x) &&
		    (x->has_coalition == NULL || x->has_coalition(x, set)))
			out[n++] = set;
	return n;
}

int64_t trial_secret(const struct trial *trial, uint32_t input, uint32_t part)
{
	return trial->x->secrets[trial->world][input] * (part + 1);
}

/* A constant that both worlds know the coalition's point by. */
static int64_t point_of(uint32_t coalition, uint32_t party, uint32_t input)
{
	return (int64_t)((coalition * 7 + party * 5 + input * 3) % 11);
}

/* The share of `self` whose polynomial passes through the secret and those points. */
static uint64_t fixed_share(
    const struct trial *trial, uint32_t coalition, uint32_t input, uint32_t part)
{
	uint32_t points[NETWORK_PARTIES_MAX] = {0}, n = 1;
	uint64_t weights[NETWORK_PARTIES_MAX], values[NETWORK_PARTIES_MAX], sum;
	const struct field *f = &trial->mpc->field;

	field_fill(f, &values[0], trial_secret(trial, input, part), 1);
	for (uint32_t p = 0; p < trial->x->m; p++) {
		if ((coalition >> p & 1) == 0)
			continue;
		field_fill(f, &values[n], point_of(coalition, p, input), 1);
		points[n++] = p + 1;
	}
	tables_lagrange(f, weights, points, n, trial->mpc->self + 1);
	f->ops->dots(f, &sum, 1, weights, 1, values, n);
	return sum;
}

/* One part of an input, at the rows of a coalition. */
static void set_part(
    struct trial *trial, uint32_t coalition, uint32_t c, uint32_t input, uint32_t part)
{
	const struct experiment *x = trial->x;
	size_t units = trial->n / parts(x), begin = part * units;
	size_t n = x->is_sequential ? units : x->rows;
	uint64_t share = fixed_share(trial, coalition, input, part);

	begin += x->is_sequential ? 0 : c * x->rows;
	for (size_t at = begin; at < begin + n; at++)
		trial->in[input][at] = share;
}

/* Inputs of one run: in a batch each coalition has its rows, else its runs. */
static void set_inputs(
    struct trial *trial, const uint32_t *coalitions, uint32_t n_coalitions, size_t run)
{
	const struct experiment *x = trial->x;

	for (uint32_t c = 0; c < n_coalitions; c++)
		for (uint32_t i = 0; i < x->n_inputs; i++)
			for (uint32_t part = 0; part < parts(x); part++)
				if (!x->is_sequential || run / x->rows == c)
					set_part(trial, coalitions[c], c, i, part);
}

/* Rows of one run, and how many runs. */
static void shape(const struct experiment *x, uint32_t n_coalitions, struct world *world)
{
	size_t rows = x->rows * (x->n_inputs > 0 ? n_coalitions : 1);

	world->units = x->units > 0 ? x->units : x->is_sequential ? 1 : rows;
	world->n_runs = rows / world->units;
}

struct observation {
	struct world *world;
	const uint32_t *coalitions;
	uint32_t n_coalitions;
};

static int run_party(struct mpc *mpc, void *user, struct error *err)
{
	const struct observation *o = user;
	const struct experiment *x = o->world->x;
	struct world_party *party = &o->world->parties[mpc->self];
	struct trial trial = {.x = x,
	    .mpc = mpc,
	    .transcript = &party->transcript,
	    .world = o->world->number,
	    .n = o->world->units * parts(x),
	    .kept = &party->kept};
	int rc = 0;

	for (uint32_t i = 0; i < x->n_inputs; i++)
		trial.in[i] = mpc_vector(mpc, trial.n);
	defect_begin(x->defect, mpc, o->world->units);
	party->transcript.on_mark = x->on_mark;
	party->transcript.looks_inside = x->looks_inside;
	transcript_begin(&party->transcript, mpc);
	for (size_t run = 0; run < o->world->n_runs && rc == 0; run++) {
		struct mpc_memory *mark = mpc_mark(mpc);

		set_inputs(&trial, o->coalitions, o->n_coalitions, run);
		transcript_start_run(&party->transcript);
		rc = x->run(&trial, err);
		mpc_release(mpc, mark);
	}
	transcript_end(&party->transcript);
	defect_end(mpc);
	return rc;
}

static void observe(struct world *world, const struct experiment *x, uint32_t number,
    const uint32_t *coalitions, uint32_t n_coalitions)
{
	struct test_field field = {x->name, x->p == 0 ? 61 : 0, x->p};
	struct observation o = {world, coalitions, n_coalitions};
	struct parties parties = {.m = x->m,
	    .field = &field,
	    .seed = 1 + number,
	    .body = run_party,
	    .user = &o};

	memset(world, 0, sizeof(*world));
	world->x = x;
	world->number = number;
	shape(x, n_coalitions, world);
	assert_int_equal(test_field_init(&world->field, &field, NULL), 0);
	world_weigh(world);
	if (parties_run(&parties) != 0)
		fail_msg("%s, %u parties, %s: %s", x->name, x->m, defect_texts[x->defect],
		    parties.err.text);
	world_find_least(world);
	if (x->after != NULL)
		x->after(world);
}

static void world_finish(struct world *world)
{
	for (uint32_t p = 0; p < world->x->m; p++) {
		transcript_finish(&world->parties[p].transcript);
		for (uint32_t k = 0; k < EXPERIMENT_KEPT; k++)
			free(world->parties[p].kept.elements[k]);
	}
}

static void compare_views(const struct world *worlds, const uint32_t *coalitions,
    uint32_t c, struct view_report *report)
{
	const struct experiment *x = worlds[0].x;
	char name[40];
	struct view views[2];
	uint32_t counts[2][2];
	size_t possible = x->n_inputs > 0 ? x->rows : worlds[0].n_runs * worlds[0].units;

	for (uint32_t w = 0; w < 2; w++) {
		world_view(&worlds[w], coalitions[c], c, &views[w]);
		counts[w][0] = (uint32_t)views[w].rows;
		counts[w][1] = (uint32_t)(possible - views[w].rows);
	}
	snprintf(name, sizeof(name), "%zu and %zu rows of %zu", views[0].rows,
	    views[1].rows, possible);
	view_note(report, chi_square_two_samples(counts[0], counts[1], 2, 1), name);
	views_compare(&views[0], &views[1], report);
	view_finish(&views[0]);
	view_finish(&views[1]);
}

static const char *what_is_broken(const struct experiment *x, uint32_t enough)
{
	return enough > 0 && x->defect == SOUND ? "broken in itself"
						: defect_texts[x->defect];
}

/* Both worlds, and coalition after coalition; what is broken until `enough` have found a
 * difference, 0 = sound. */
static void measure(
    const struct experiment *x, uint32_t enough, struct experiment_result *result)
{
	static struct world worlds[2];
	uint32_t coalitions[1u << NETWORK_PARTIES_MAX], c = 0;

	*result = (struct experiment_result){.report.p = 1};
	result->n_coalitions = list_coalitions(x, coalitions);
	if (enough > 0 && result->n_coalitions > BROKEN_COALITIONS_MAX)
		result->n_coalitions = BROKEN_COALITIONS_MAX;
	for (uint32_t w = 0; w < 2; w++)
		observe(&worlds[w], x, w, coalitions, result->n_coalitions);
	for (; c < result->n_coalitions && (enough == 0 || result->n_found < enough);
	     c++) {
		struct view_report report = {.p = 1};

		compare_views(worlds, coalitions, c, &report);
		result->n_found += report.p < VIEW_P_LIMIT;
		n_comparisons += report.n_comparisons;
		view_add_report(&result->report, &report);
	}
	printf("# %s, %u parties, p = %llu, %s: %u of %u coalitions find a difference; "
	       "%llu comparisons, smallest p-value %.1e\n",
	    x->name, x->m, (unsigned long long)x->p, what_is_broken(x, enough),
	    result->n_found, c, (unsigned long long)result->report.n_comparisons,
	    result->report.p);
	world_finish(&worlds[0]);
	world_finish(&worlds[1]);
}

void experiment_expect_sound(const struct experiment *x)
{
	struct experiment_result result;

	measure(x, 0, &result);
	if (result.n_found > 0)
		fail_msg("%s, %u parties: %u of %u coalitions see a difference: %s",
		    x->name, x->m, result.n_found, result.n_coalitions,
		    result.report.what);
}

void experiment_expect_found(
    const struct experiment *x, enum defect defect, uint32_t at_least)
{
	struct experiment_result result;
	struct experiment broken = *x;

	broken.defect = defect;
	measure(&broken, at_least, &result);
	if (at_least == ALL_COALITIONS)
		at_least = result.n_coalitions;
	if (result.n_found < at_least)
		fail_msg("%s, %u parties, %s: found by %u coalitions, not %u", x->name,
		    x->m, defect_texts[defect], result.n_found, at_least);
}

void experiment_count_comparisons(void)
{
	printf("# %llu comparisons\n", (unsigned long long)n_comparisons);
	assert_true(n_comparisons <= VIEW_COMPARISONS_MAX);
}

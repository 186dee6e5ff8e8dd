/* SPDX-License-Identifier: MIT */
#include "tests/engine/experiment_view.h"

#include "engine/tables.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

/* Where a row of the view comes from. */
struct row {
	size_t run, unit;
};

struct rows {
	struct row *rows;
	size_t n;
};

void trial_keep(struct trial *trial, uint32_t which, const uint64_t *shares, size_t n)
{
	struct kept *kept = trial->kept;

	if (kept->n[which] + n > kept->room[which]) {
		kept->room[which] = 2 * kept->room[which] + n;
		kept->elements[which] =
		    realloc(kept->elements[which], kept->room[which] * sizeof(uint64_t));
		if (kept->elements[which] == NULL)
			abort();
	}
	memcpy(kept->elements[which] + kept->n[which], shares, n * sizeof(*shares));
	kept->n[which] += n;
}

void world_weigh(struct world *world)
{
	uint32_t points[NETWORK_PARTIES_MAX], t = (world->x->m - 1) / 2;

	for (uint32_t p = 0; p <= t; p++)
		points[p] = p + 1;
	tables_lagrange(&world->field, world->weights, points, t + 1, 0);
}

uint64_t world_value(const struct world *world, uint32_t which, size_t index)
{
	uint64_t values[NETWORK_PARTIES_MAX], value;
	const struct field *f = &world->field;
	uint32_t t = (world->x->m - 1) / 2;

	for (uint32_t p = 0; p <= t; p++)
		values[p] = world->parties[p].kept.elements[which][index];
	f->ops->dots(f, &value, 1, world->weights, 1, values, t + 1);
	f->ops->to_words(f, &value, &value, 1);
	return value;
}

static size_t elements_of_run(const struct world *world, size_t run)
{
	size_t n = 0;

	for (uint32_t p = 0; p < world->x->m; p++) {
		const struct transcript *t = &world->parties[p].transcript;

		for (size_t e = t->runs[run].first; e < transcript_end_of_run(t, run);
		     e++)
			n += t->entries[e].n;
	}
	return n;
}

static int has_length(const struct world *world, size_t run)
{
	uint32_t rounds = world->x->run_rounds;

	return rounds == 0 || world->parties[0].transcript.runs[run].rounds == rounds;
}

void world_find_least(struct world *world)
{
	world->least = SIZE_MAX;
	for (size_t run = 0; run < world->n_runs; run++)
		if (has_length(world, run) && elements_of_run(world, run) < world->least)
			world->least = elements_of_run(world, run);
}

static int is_standard(const struct world *world, size_t run)
{
	return !world->x->is_sequential ||
	       (has_length(world, run) && elements_of_run(world, run) == world->least);
}

/* The rows that are the coalition's and count. */
static struct rows choose_rows(const struct world *world, uint32_t c)
{
	const struct experiment *x = world->x;
	size_t first = x->n_inputs > 0 ? c * x->rows : 0;
	size_t end = x->n_inputs > 0 ? first + x->rows : world->n_runs * world->units;
	struct rows rows = {calloc(end - first, sizeof(struct row)), 0};

	assert_non_null(rows.rows);
	for (size_t at = first; at < end; at++) {
		struct row row = {at / world->units, at % world->units};

		if (is_standard(world, row.run) &&
		    (x->has_row == NULL || x->has_row(world, row.run, row.unit)))
			rows.rows[rows.n++] = row;
	}
	return rows;
}

static size_t place_of(const struct world *world, size_t n, size_t column, size_t unit)
{
	if (world->x->place != NULL)
		return world->x->place(world->x, n, column, unit);
	return column * world->units + unit;
}

static int is_seen(const struct world *world, uint32_t coalition, uint32_t party,
    const struct transcript_entry *entry)
{
	const struct experiment *x = world->x;
	uint32_t skipped = party > 2 * ((x->m - 1) / 2) ? x->skipped : 0;

	if (x->rounds > 0 && entry->round + skipped >= x->rounds)
		return 0;
	return (coalition >> party & 1) == 1 ||
	       (entry->kind == TRANSCRIPT_SENT && (coalition >> entry->index & 1) == 1);
}

static void name_column(
    char *out, uint32_t party, const struct transcript_entry *entry, size_t column)
{
	char stream[24] = "makes of integers";

	if (entry->kind == TRANSCRIPT_SENT)
		snprintf(stream, sizeof(stream), "to %u", entry->index);
	else if (entry->kind == TRANSCRIPT_DRAWN)
		transcript_stream(stream, sizeof(stream), entry->index);
	else if (entry->kind == TRANSCRIPT_COMPUTED)
		snprintf(stream, sizeof(stream), "computes %u", entry->index);
	snprintf(out, VIEW_NAME_BYTES, "party %u %s, round %u, part %zu", party, stream,
	    entry->round, column);
}

static void add_entry(const struct world *world, uint32_t party, size_t ordinal,
    const struct rows *rows, struct view *view)
{
	const struct transcript *transcript = &world->parties[party].transcript;
	size_t first = transcript->runs[rows->rows[0].run].first + ordinal;
	const struct transcript_entry *model = &transcript->entries[first];
	char name[VIEW_NAME_BYTES];

	if (model->n % world->units != 0)
		fail_msg("%s: an entry of %zu elements, round %u, is no whole number of "
			 "rows",
		    world->x->name, model->n, model->round);
	for (size_t column = 0; column < model->n / world->units; column++) {
		uint64_t *to;

		name_column(name, party, model, column);
		to = view_add(view, name);
		for (size_t r = 0; r < rows->n; r++) {
			const struct row *row = &rows->rows[r];
			const struct transcript_entry *entry =
			    &transcript
				 ->entries[transcript->runs[row->run].first + ordinal];

			if (entry->n != model->n || entry->kind != model->kind ||
			    entry->index != model->index)
				fail_msg(
				    "%s: runs differ in their shape", world->x->name);
			to[r] =
			    entry->elements[place_of(world, entry->n, column, row->unit)];
		}
	}
}

static void add_kept(const struct world *world, uint32_t party, uint32_t which,
    const struct rows *rows, struct view *view)
{
	const struct kept *kept = &world->parties[party].kept;
	size_t n = kept->n[which] / world->n_runs;

	for (size_t column = 0; column < n / world->units; column++) {
		char name[VIEW_NAME_BYTES];
		uint64_t *to;

		snprintf(name, sizeof(name), "party %u holds %u, part %zu", party, which,
		    column);
		to = view_add(view, name);
		for (size_t r = 0; r < rows->n; r++)
			to[r] = kept->elements[which][rows->rows[r].run * n +
						      place_of(world, n, column,
							  rows->rows[r].unit)];
	}
}

static uint64_t revealed(const struct world *world, const struct row *row, uint32_t index)
{
	if (world->x->reveal != NULL)
		return world->x->reveal(world, row->run, row->unit, index);
	return world_value(
	    world, 0, (row->run * world->x->n_hidden + index) * world->units + row->unit);
}

static uint64_t fresh(const struct world *world, struct random_stream *random)
{
	const struct experiment *x = world->x;

	return random_stream_below(random, x->hidden == HIDDEN_BITS     ? 2
					   : x->hidden == HIDDEN_VALUES ? x->hidden_values
									: x->p);
}

static void add_hidden(
    const struct world *world, const struct rows *rows, struct view *view)
{
	struct random_stream random;

	random_stream_seed(&random, 3);
	for (uint32_t i = 0; i < world->x->n_hidden; i++) {
		uint64_t *to = view_add(view, "what nobody knows");

		for (size_t r = 0; r < rows->n; r++)
			to[r] = world->number == 0 ? revealed(world, &rows->rows[r], i)
						   : fresh(world, &random);
	}
}

void world_view(
    const struct world *world, uint32_t coalition, uint32_t c, struct view *view)
{
	const struct experiment *x = world->x;
	struct rows rows = choose_rows(world, c);

	*view = (struct view){.p = x->p, .rows = rows.n};
	for (uint32_t p = 0; p < x->m && rows.n > 0; p++) {
		const struct transcript *t = &world->parties[p].transcript;
		size_t first = t->runs[rows.rows[0].run].first;
		size_t end = transcript_end_of_run(t, rows.rows[0].run);

		for (size_t e = first; e < end; e++)
			if (is_seen(world, coalition, p, &t->entries[e]))
				add_entry(world, p, e - first, &rows, view);
		for (uint32_t k = 0; k < KEPT_UNSEEN && (coalition >> p & 1) == 1; k++)
			add_kept(world, p, k, &rows, view);
	}
	if (x->hidden != HIDDEN_NOTHING && rows.n > 0)
		add_hidden(world, &rows, view);
	free(rows.rows);
}

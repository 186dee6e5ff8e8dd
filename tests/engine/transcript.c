/* SPDX-License-Identifier: MIT */
#include "tests/engine/transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const families[] = {"own", "deals to", "derives from", "zero", "set"};

static _Thread_local struct transcript *current;

static void *grown(void *base, size_t wanted, size_t *room, size_t size)
{
	if (wanted <= *room)
		return base;
	*room = wanted + *room;
	base = realloc(base, *room * size);
	if (base == NULL)
		abort();
	return base;
}

static struct transcript_run *run_of(struct transcript *t)
{
	return &t->runs[t->n_runs - 1];
}

static struct transcript_entry *new_entry(
    struct transcript *t, enum transcript_kind kind, uint32_t index)
{
	struct transcript_entry *entry;

	t->entries =
	    grown(t->entries, t->n_entries + 1, &t->entry_room, sizeof(*t->entries));
	entry = &t->entries[t->n_entries++];
	*entry = (struct transcript_entry){
	    .kind = kind, .index = index, .round = run_of(t)->rounds};
	return entry;
}

/* A stream is drawn from in blocks, which go to the entry of the round. */
static struct transcript_entry *open_entry(
    struct transcript *t, enum transcript_kind kind, uint32_t index)
{
	for (size_t e = t->n_entries; e-- > run_of(t)->first;) {
		struct transcript_entry *entry = &t->entries[e];

		if (entry->round < run_of(t)->rounds)
			break;
		if (entry->kind == kind && entry->index == index)
			return entry;
	}
	return new_entry(t, kind, index);
}

static void take(struct transcript *t, enum transcript_kind kind, uint32_t index,
    const uint64_t *elements, size_t n)
{
	struct transcript_entry *entry;

	if (!t->is_open || n == 0)
		return;
	t->n_elements += n;
	if (t->n_elements > TRANSCRIPT_ELEMENTS_MAX) {
		fprintf(stderr, "transcript: a protocol that does not end\n");
		abort();
	}
	entry = open_entry(t, kind, index);
	entry->elements =
	    grown(entry->elements, entry->n + n, &entry->room, sizeof(uint64_t));
	memcpy(entry->elements + entry->n, elements, n * sizeof(uint64_t));
	entry->n += n;
}

static uint32_t stream_index(const struct mpc *mpc, const struct prg *prg)
{
	const struct prg *const pairs[] = {mpc->deal_to, mpc->deal_from, mpc->zero};

	for (uint32_t family = 0; family < 3; family++)
		if (prg >= pairs[family] && prg < pairs[family] + NETWORK_PARTIES_MAX)
			return (family + 1) * TRANSCRIPT_PER_FAMILY +
			       (uint32_t)(prg - pairs[family]);
	if (prg >= mpc->sets && prg < mpc->sets + mpc->n_sets)
		return 4 * TRANSCRIPT_PER_FAMILY + (uint32_t)(prg - mpc->sets);
	return 0;
}

void transcript_stream(char *out, size_t size, uint32_t index)
{
	snprintf(out, size, "%s %u", families[index / TRANSCRIPT_PER_FAMILY],
	    index % TRANSCRIPT_PER_FAMILY);
}

static void sample(const struct field *f, struct prg *prg, uint64_t *out, size_t n)
{
	struct transcript *t = current;

	t->real->sample(f, prg, out, n);
	take(t, TRANSCRIPT_DRAWN, stream_index(t->mpc, prg), out, n);
}

/* Single ones are constants, of field_fill(). */
static void from_i64(const struct field *f, uint64_t *out, const int64_t *in, size_t n)
{
	current->real->from_i64(f, out, in, n);
	if (n > 1)
		take(current, TRANSCRIPT_MADE, 0, out, n);
}

static void combine(const struct field *f, uint64_t *const *out, unsigned n_out,
    const uint64_t *const *in, unsigned n_in, const uint64_t *coef, size_t n)
{
	current->real->combine(f, out, n_out, in, n_in, coef, n);
	for (unsigned r = 0; r < n_out && current->looks_inside; r++)
		take(current, TRANSCRIPT_COMPUTED, r, out[r], n);
}

static void sum(const struct field *f, uint64_t *out, const uint64_t *const *in,
    unsigned n_in, size_t n)
{
	current->real->sum(f, out, in, n_in, n);
	if (current->looks_inside)
		take(current, TRANSCRIPT_COMPUTED, NETWORK_PARTIES_MAX, out, n);
}

static int exchange(struct network *net, struct network_round *round, struct error *err)
{
	struct transcript *t = (struct transcript *)net;

	for (uint32_t p = 0; p < net->n_parties; p++)
		if (p != net->self)
			take(t, TRANSCRIPT_SENT, p, round->out[p].base,
			    round->out[p].len / sizeof(uint64_t));
	run_of(t)->rounds += (uint32_t)t->is_open;
	return network_exchange(t->inner, round, err);
}

static int flush(struct network *net, struct error *err)
{
	return network_flush(((struct transcript *)net)->inner, err);
}

static void mark(struct network *net, const char *name)
{
	struct transcript *t = (struct transcript *)net;

	if (t->on_mark != NULL)
		t->on_mark(t, name);
	network_mark(t->inner, name);
}

static const struct network_ops network_ops = {exchange, flush, mark};

void transcript_begin(struct transcript *transcript, struct mpc *mpc)
{
	transcript->mpc = mpc;
	transcript->inner = mpc->net;
	transcript->real = mpc->field.ops;
	transcript->ops = *mpc->field.ops;
	transcript->ops.sample = sample;
	transcript->ops.from_i64 = from_i64;
	transcript->ops.combine = combine;
	transcript->ops.sum = sum;
	transcript->net =
	    (struct network){&network_ops, mpc->net->self, mpc->net->n_parties};
	mpc->net = &transcript->net;
	mpc->field.ops = &transcript->ops;
	current = transcript;
}

void transcript_end(struct transcript *transcript)
{
	transcript->mpc->net = transcript->inner;
	transcript->mpc->field.ops = transcript->real;
	transcript->is_open = 0;
	current = NULL;
}

void transcript_finish(struct transcript *transcript)
{
	for (size_t e = 0; e < transcript->n_entries; e++)
		free(transcript->entries[e].elements);
	free(transcript->entries);
	free(transcript->runs);
	memset(transcript, 0, sizeof(*transcript));
}

void transcript_start_run(struct transcript *transcript)
{
	transcript->runs = grown(transcript->runs, transcript->n_runs + 1,
	    &transcript->run_room, sizeof(*transcript->runs));
	transcript->runs[transcript->n_runs++] =
	    (struct transcript_run){.first = transcript->n_entries};
	transcript->is_open = 1;
}

void transcript_restart_run(struct transcript *transcript)
{
	struct transcript_run *run = run_of(transcript);

	while (transcript->n_entries > run->first)
		free(transcript->entries[--transcript->n_entries].elements);
	run->rounds = 0;
	transcript->is_open = 1;
}

void transcript_close_run(struct transcript *transcript)
{
	transcript->is_open = 0;
}

size_t transcript_end_of_run(const struct transcript *transcript, size_t run)
{
	return run + 1 < transcript->n_runs ? transcript->runs[run + 1].first
					    : transcript->n_entries;
}

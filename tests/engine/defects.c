/* SPDX-License-Identifier: MIT */
#include "tests/engine/defects.h"

#include "engine/tables.h"

#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX (3 * NETWORK_PARTIES_MAX + MPC_SETS_MAX)

const char *const defect_texts[] = {
#define DEFECT_TEXT(name, text) [name] = text,
    DEFECTS(DEFECT_TEXT)
#undef DEFECT_TEXT
};

/* A stream that does not give what its key makes. */
struct broken_stream {
	const struct prg *prg;
	enum { SILENT, UNIT, REPEATING } how;
	uint64_t *first; /* REPEATING: the first `period` elements */
	size_t n;        /* drawn so far */
};

static _Thread_local struct {
	struct field_ops ops;
	const struct field_ops *real;
	struct broken_stream streams[STREAMS_MAX];
	uint32_t n;
	size_t period;
} broken;

static void repeat(struct broken_stream *stream, const struct field *f, struct prg *prg,
    uint64_t *out, size_t n)
{
	broken.real->sample(f, prg, out, n);
	for (size_t i = 0; i < n; i++, stream->n++) {
		if (stream->n < broken.period)
			stream->first[stream->n] = out[i];
		else
			out[i] = stream->first[stream->n % broken.period];
	}
}

static void sample(const struct field *f, struct prg *prg, uint64_t *out, size_t n)
{
	for (uint32_t s = 0; s < broken.n; s++) {
		struct broken_stream *stream = &broken.streams[s];

		if (stream->prg != prg)
			continue;
		if (stream->how == REPEATING)
			repeat(stream, f, prg, out, n);
		else
			field_fill(f, out, stream->how == UNIT, n);
		return;
	}
	broken.real->sample(f, prg, out, n);
}

static void add(const struct prg *prg, int how)
{
	struct broken_stream *stream = &broken.streams[broken.n++];

	stream->prg = prg;
	stream->how = how;
	stream->n = 0;
	stream->first = how == REPEATING ? calloc(broken.period, sizeof(uint64_t)) : NULL;
	if (how == REPEATING && stream->first == NULL)
		abort();
}

/* Signs, +1 if the neighbour is: the same at all parties that make them of a stream. */
static void biased(const struct field *f, uint64_t *out, const int64_t *in, size_t n)
{
	int64_t changed[MPC_BLOCK_WORDS];

	if (n == 1 || n > MPC_BLOCK_WORDS) {
		broken.real->from_i64(f, out, in, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		changed[i] = in[i] == -1 && (i ^ 1) < n && in[i ^ 1] == 1 ? 1 : in[i];
	broken.real->from_i64(f, out, changed, n);
}

static void break_pairs(struct mpc *mpc, enum defect defect)
{
	for (uint32_t p = 0; p < mpc->n_parties; p++) {
		if (defect == NO_ZEROS || defect == REUSED_ZEROS)
			add(&mpc->zero[p], defect == NO_ZEROS ? SILENT : REPEATING);
		if (defect == NO_POLYNOMIAL || defect == REUSED_POLYNOMIAL) {
			int how = defect == NO_POLYNOMIAL ? SILENT : REPEATING;

			add(&mpc->deal_to[p], how);
			add(&mpc->deal_from[p], how);
		}
	}
}

/* Our sets are numbered in the order of their masks. */
static void break_sets(struct mpc *mpc, enum defect defect)
{
	uint32_t s = 0;

	for (uint32_t set = tables_first_set(mpc->n_parties, mpc->threshold); set != 0;
	     set = tables_next_set(mpc->n_parties, set)) {
		if ((set >> mpc->self & 1) == 0)
			continue;
		if (defect == NO_SETS || (defect == KNOWN_SETS && (set & 1) == 0))
			add(&mpc->sets[s], SILENT);
		else if (defect == UNIT_SETS)
			add(&mpc->sets[s], UNIT);
		else if (defect == REUSED_SETS)
			add(&mpc->sets[s], REPEATING);
		s++;
	}
}

/* A row of the matrix takes the value of one dealer. */
static void break_extraction(struct mpc *mpc)
{
	uint64_t *at = mpc->tables->extract;

	for (uint32_t r = 0; r < mpc->n_parties - mpc->threshold; r++)
		for (uint32_t p = 0; p < mpc->n_parties; p++, at += mpc->field.limbs)
			field_fill(&mpc->field, at, p == r, 1);
}

void defect_begin(enum defect defect, struct mpc *mpc, size_t period)
{
	broken.real = mpc->field.ops;
	broken.ops = *mpc->field.ops;
	broken.ops.sample = sample;
	if (defect == BIASED_BITS)
		broken.ops.from_i64 = biased;
	broken.period = period;
	broken.n = 0;
	mpc->field.ops = &broken.ops;
	break_pairs(mpc, defect);
	break_sets(mpc, defect);
	if (defect == NO_EXTRACTION)
		break_extraction(mpc);
}

void defect_end(struct mpc *mpc)
{
	mpc->field.ops = broken.real;
	for (uint32_t s = 0; s < broken.n; s++)
		free(broken.streams[s].first);
	broken.n = 0;
}

void defect_cut_mask(const struct compare_mask *mask, const struct mpc *mpc)
{
	const struct field *f = &mpc->field;
	uint64_t unit;

	field_fill(f, &unit, (int64_t)1 << mask->width, 1);
	f->ops->scale(f, mask->top, mask->top, &unit, mask->n);
	f->ops->sub(f, mask->sum, mask->sum, mask->top, mask->n);
	memset(mask->top, 0, field_bytes(f, mask->n));
}

/* SPDX-License-Identifier: MIT */
/*
 * What one party draws from its key streams, makes of their bits, and sends, in the order
 * in which it does, over any number of runs. Taken between the party and its field and
 * network, in its own thread.
 *
 * One transcript a thread at a time.
 */
#ifndef TESTS_ENGINE_TRANSCRIPT_H
#define TESTS_ENGINE_TRANSCRIPT_H

#include "engine/mpc.h"

enum transcript_kind {
	TRANSCRIPT_SENT,  /* a frame, to party `index` */
	TRANSCRIPT_DRAWN, /* elements of stream `index`, see transcript_stream() */
	TRANSCRIPT_MADE,  /* elements made of integers: signs, small values */
	/* If `looks_inside`: sums of rows, as shares and opened values are; `index` tells
	 * the outputs of one call apart. */
	TRANSCRIPT_COMPUTED,
};

/* All elements of this kind and index between two exchanges. */
struct transcript_entry {
	enum transcript_kind kind;
	uint32_t index;
	uint32_t round; /* exchanges of the run before */
	size_t n, room;
	uint64_t *elements;
};

/* Index of the stream that this party and p derive p's shares from. */
#define TRANSCRIPT_DEALS_TO(p) (TRANSCRIPT_PER_FAMILY + (p))
#define TRANSCRIPT_PER_FAMILY  1000u

/* The process is aborted if one party has more: a broken primitive may never end. */
#define TRANSCRIPT_ELEMENTS_MAX ((size_t)1 << 25)

struct transcript_run {
	size_t first; /* entry */
	uint32_t rounds;
};

struct transcript {
	struct network net; /* first: in the place of `inner` */
	struct network *inner;
	struct mpc *mpc;
	struct field_ops ops;
	const struct field_ops *real;
	/* May be NULL. The protocol enters a phase; may call the functions below. */
	void (*on_mark)(struct transcript *transcript, const char *name);
	int looks_inside;
	int is_open; /* entries are taken */
	struct transcript_entry *entries;
	size_t n_entries, entry_room, n_elements;
	struct transcript_run *runs;
	size_t n_runs, run_room;
};

/* From here on, until transcript_end(), `mpc` computes through the transcript. */
void transcript_begin(struct transcript *transcript, struct mpc *mpc);
void transcript_end(struct transcript *transcript);
/* Return all memory. Zeroed is fine. */
void transcript_finish(struct transcript *transcript);

/* A new run begins. */
void transcript_start_run(struct transcript *transcript);
/* Forget what this run has so far. */
void transcript_restart_run(struct transcript *transcript);
/* Take no more entries of this run. */
void transcript_close_run(struct transcript *transcript);

/* The entries of a run end where those of the next begin. */
size_t transcript_end_of_run(const struct transcript *transcript, size_t run);
/* "zero 2", "set 4", ...: of a DRAWN entry. */
void transcript_stream(char *out, size_t size, uint32_t index);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One party's view of a multiparty computation: field, network, keys, tables, memory.
 *
 * Semi-honest Shamir sharing (Shamir, CACM 22 (1979)) among m parties with threshold
 * t = floor((m - 1) / 2): any t parties together learn nothing; party i holds the value
 * of a polynomial of degree t at i + 1. With m = 1 or 2, t = 0: every party holds the
 * secrets themselves, so there is no secrecy at all.
 *
 * Keys, agreed in one round of their own (phase "keys"), each made by the lowest of its
 * holders and sent to the others: one for each pair of parties, and one for each set of
 * m - t parties (Cramer, Damgard, Ishai: Share conversion, pseudorandom secret-sharing
 * and applications to secure computation, TCC 2005, section 3). They expand by
 * AES-128-CTR.
 *
 * All randomness of a party derives from the run's seed and its number, so that a run can
 * be repeated exactly. A seeded run is therefore NOT SECRET: who knows the seed knows
 * all.
 *
 * Notation of the headers built on this one: m parties, t the threshold, "elements" =
 * field elements sent by all parties together, "rounds" = dependent exchanges.
 */
#ifndef ENGINE_MPC_H
#define ENGINE_MPC_H

#include "engine/field.h"
#include "engine/network.h"

/* Words of one stream that are handled at a time, so that they stay in the cache. */
#define MPC_BLOCK_WORDS 512u
/* C(9, 4): sets of m - t parties that one party is in, 10 parties. */
#define MPC_SETS_MAX    126u

struct mpc_chunk;
struct mpc_memory;

struct mpc {
	struct network *net;
	struct field field;
	uint32_t n_parties, self;
	uint32_t threshold;
	uint32_t
	    n_dealers; /* 2 t + 1: whose shares make up a product; the first parties */

	struct prg own;                          /* this party's secret choices */
	struct prg deal_to[NETWORK_PARTIES_MAX]; /* p derives what we deal to it */
	struct prg deal_from[NETWORK_PARTIES_MAX];
	struct prg zero[NETWORK_PARTIES_MAX]; /* the same at p: summands of zero */
	struct prg *sets; /* in the order of masks, those with this party */
	uint32_t n_sets;

	struct mpc_tables *tables;
	struct mpc_memory *vectors; /* newest first */
	struct mpc_chunk *chunk;    /* the one that has the newest vector */
	struct mpc_frames {
		unsigned char *base;
		size_t bytes;
	} out[2], in;     /* frames of this and the last round; frames received */
	uint32_t current; /* index into out */
	uint64_t *scratch;
	uint64_t *halves; /* a block of 1/2 */

	/* What this party did since mpc_init() returned. */
	struct mpc_counters {
		uint64_t rounds;   /* exchanges in which it sent or awaited something */
		uint64_t elements; /* sent */
	} counters;
};

/* Join the computation: local tables, then the round of keys. `field_bits` as
 * field_init(). The field must have more than m elements (-EINVAL). Network errors as
 * network_exchange(). mpc_finish() is due in any case. */
int mpc_init(struct mpc *mpc, struct network *net, uint32_t field_bits, uint64_t seed,
    struct error *err);
/* What the first computation of a process would pay and no other: libcrypto looks for its
 * ciphers, pages of the program are mapped. A party alone joins and leaves, unseen. */
int mpc_warm_up(struct error *err);
/* As mpc_init() over a given field. */
int mpc_init_field(struct mpc *mpc, struct network *net, const struct field *field,
    uint64_t seed, struct error *err);
/* Zeroed and half-built are fine. Returns all memory; the network must be flushed. */
void mpc_finish(struct mpc *mpc);

/* A vector of n elements, uninitialised, on a cache line; NULL if there is no memory. It
 * lives until mpc_release() to a mark before it, or mpc_finish(). */
uint64_t *mpc_vector(struct mpc *mpc, size_t n);
struct mpc_memory *mpc_mark(const struct mpc *mpc);
void mpc_release(struct mpc *mpc, struct mpc_memory *mark);
/* The error of a vector that could not be had. */
int mpc_no_memory(struct error *err);

/* Room for the frames of one round: `out_bytes` to fill, valid until the exchange after
 * the next returns; `in_bytes` valid until the next call. */
int mpc_frames(struct mpc *mpc, size_t out_bytes, size_t in_bytes, unsigned char **out,
    unsigned char **in, struct error *err);
/* Exchange, count, and step to the other set of frames. */
int mpc_exchange(struct mpc *mpc, struct network_round *round, struct error *err);
/* -EPROTO that names the party if one of n elements from it is not canonical. */
int mpc_check(const struct mpc *mpc, uint32_t from, const void *elements, size_t n,
    struct error *err);

/* Elements in a block of MPC_BLOCK_WORDS words. */
static inline size_t mpc_block(const struct mpc *mpc)
{
	return MPC_BLOCK_WORDS / mpc->field.limbs;
}

/* Block `row` of the scratch memory, row < FIELD_ROWS_MAX. */
static inline uint64_t *mpc_scratch(const struct mpc *mpc, uint32_t row)
{
	return mpc->scratch + (size_t)row * MPC_BLOCK_WORDS;
}

#endif

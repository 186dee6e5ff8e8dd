/* SPDX-License-Identifier: MIT */
/*
 * The other parties of a workload, one of which lies. They know all that honest ones
 * would say to party 0: a transcript, recorded once over the memory network. In each run
 * they say it again, but from some frame on the liar does one of the things below.
 */
#ifndef TESTS_LINK_HOSTILE_PEER_H
#define TESTS_LINK_HOSTILE_PEER_H

#include "base/random.h"
#include "engine/workload.h"
#include "tests/link/scripted_transport.h"

#define HOSTILE_LIES(X)                                                                  \
	X(NOTHING, "is honest")                                                          \
	X(RANDOM, "sends random bytes from then on")                                     \
	X(ELEMENTS, "sends random elements from then on")                                \
	X(OUTSIDE, "sends elements outside the field")                                   \
	X(FLIP, "flips a bit")                                                           \
	X(SHORT, "cuts a frame short")                                                   \
	X(LONG, "sends a frame too long")                                                \
	X(EMPTY, "sends an empty frame")                                                 \
	X(OVERSIZE, "sends more than a transport may")                                   \
	X(REPEAT, "repeats a frame")                                                     \
	X(REORDER, "swaps two frames")                                                   \
	X(SKIP, "leaves a frame out")                                                    \
	X(FLOOD, "floods with random frames")                                            \
	X(LEAVE, "leaves")                                                               \
	X(BREAK, "breaks the connection")                                                \
	X(SILENCE, "falls silent")

enum hostile_lie {
#define HOSTILE_LIE_ENUM(name, text) HOSTILE_##name,
	HOSTILE_LIES(HOSTILE_LIE_ENUM)
#undef HOSTILE_LIE_ENUM
	    HOSTILE_N_LIES
};

extern const char *const hostile_texts[HOSTILE_N_LIES];

struct hostile_frames {
	struct hostile_frame {
		unsigned char *bytes;
		size_t len;
	} * frames;
	size_t n, room;
};

struct hostile_peers {
	uint32_t m;
	struct hostile_frames said[NETWORK_PARTIES_MAX]; /* to party 0, by sender */
	struct random_stream random;
	e3_party liar;
	enum hostile_lie lie;
	size_t at, next[NETWORK_PARTIES_MAX];
	uint32_t idle_turns;
	int has_swapped;
};

/* Run the workload honestly as m parties and keep what party 0 is told. */
int hostile_record(struct hostile_peers *peers, const struct workload *workload,
    const struct workload_task *task, uint32_t m, struct error *err);
void hostile_finish(struct hostile_peers *peers);

/* Begin a run: who lies, how, and from which frame on follow from `seed`. */
void hostile_begin(struct hostile_peers *peers, uint64_t seed);
/* turn() of the scripted transport; `user` is the struct hostile_peers. */
int hostile_turn(void *user, struct e3_endpoint *endpoint);

#endif

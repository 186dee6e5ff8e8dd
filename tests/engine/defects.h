/* SPDX-License-Identifier: MIT */
/*
 * Ways to break a primitive without touching its code: what its key streams give, or its
 * public tables, at every party alike, so that answers may still be right while secrecy
 * is gone.
 *
 * One defect a thread at a time.
 */
#ifndef TESTS_ENGINE_DEFECTS_H
#define TESTS_ENGINE_DEFECTS_H

#include "engine/compare_mask.h"

#define DEFECTS(X)                                                                       \
	X(SOUND, "sound")                                                                \
	X(NO_ZEROS, "summands of zero left out")                                         \
	X(REUSED_ZEROS, "summands of zero used twice")                                   \
	X(NO_POLYNOMIAL, "derived shares are zero")                                      \
	X(REUSED_POLYNOMIAL, "derived shares used twice")                                \
	X(NO_SETS, "keys of sets give zero: kings get unmasked values")                  \
	X(REUSED_SETS, "values of keys of sets used twice")                              \
	X(KNOWN_SETS, "only sets with party 0 count")                                    \
	X(UNIT_SETS, "keys of sets give one: no random factor")                          \
	X(BIASED_BITS, "five of eight bits are 1")                                       \
	X(NO_EXTRACTION, "dealt values are not mixed")

enum defect {
#define DEFECT_ENUM(name, text) name,
	DEFECTS(DEFECT_ENUM)
#undef DEFECT_ENUM
};

extern const char *const defect_texts[];

/* From here on, until defect_end(). What is used twice is used again after `period`
 * elements of its stream. */
void defect_begin(enum defect defect, struct mpc *mpc, size_t period);
void defect_end(struct mpc *mpc);

/* Make bounded masks small: nothing above 2^width. */
void defect_cut_mask(const struct compare_mask *mask, const struct mpc *mpc);

#endif

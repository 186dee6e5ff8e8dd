/* SPDX-License-Identifier: MIT */
/*
 * Every instruction that a function executes, one by one: the function runs in a child of
 * this process, which is single-stepped (ptrace), so that whatever the processor can run
 * is seen, and addresses are the same in every child.
 */
#ifndef TESTS_ENGINE_STEPS_H
#define TESTS_ENGINE_STEPS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define STEPS_MAX 2000000u

struct step {
	uint64_t at;      /* address of the instruction */
	uint64_t address; /* of its operand in memory: operand_address() */
};

struct steps {
	size_t n;
	struct step *steps;
	size_t n_gathers; /* instructions whose operands are where a vector says */
};

/* Whether this machine can do it; NULL, or why not. */
const char *steps_impossible(void);
/* Run body() and note its instructions. -EPERM if tracing is forbidden,
 * -EPROTO with a sentence if the child doesn't come to its end. */
int steps_take(struct steps *steps, void (*body)(void), struct error *err);
/* Zeroed is fine. */
void steps_finish(struct steps *steps);

#endif

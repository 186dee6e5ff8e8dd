/* SPDX-License-Identifier: MIT */
/* Run the same protocol as all parties of a memory network, and count what they sent. */
#ifndef TESTS_ENGINE_PARTIES_H
#define TESTS_ENGINE_PARTIES_H

#include "engine/memory_network.h"
#include "engine/mpc.h"

/* The fields every primitive is tested in: small ones for rare cases, large ones. */
struct test_field {
	const char *name;
	uint32_t bits; /* of field_init(); 0 = the prime below */
	uint64_t prime;
};

extern const struct test_field test_fields[];
extern const size_t n_test_fields;

struct parties {
	uint32_t m;
	const struct test_field *field; /* NULL = 2^61-1 */
	uint64_t seed;
	struct memory_network_options options; /* n_parties is set from m */
	int (*body)(struct mpc *mpc, void *user, struct error *err);
	void *user;

	/* After parties_run(): of the body alone, without keys. */
	struct mpc_counters counters[NETWORK_PARTIES_MAX];
	int codes[NETWORK_PARTIES_MAX];
	struct error err;
};

int test_field_init(struct field *f, const struct test_field *field, struct error *err);

/* Returns what memory_network_run() does; the sentence stands in parties->err. */
int parties_run(struct parties *parties);

/* Sums over all parties, and the largest number of rounds of one. */
uint64_t parties_elements(const struct parties *parties);
uint64_t parties_rounds(const struct parties *parties);

/* -EBADMSG with a sentence unless a == b, n elements. */
int expect_equal(const struct mpc *mpc, const char *what, const uint64_t *a,
    const uint64_t *b, size_t n, struct error *err);

#endif

/* SPDX-License-Identifier: MIT */
#include "tests/engine/parties.h"

#include <string.h>

const struct test_field test_fields[] = {
    {"2^61-1", 61, 0},
    {"127 bits", 127, 0},
    {"255 bits", 255, 0},
    {"p = 11", 0, 11},
    {"p = 31", 0, 31},
    {"p = 101", 0, 101},
};
const size_t n_test_fields = sizeof(test_fields) / sizeof(test_fields[0]);

int test_field_init(struct field *f, const struct test_field *field, struct error *err)
{
	if (field == NULL)
		return field_init(f, 61, err);
	if (field->bits == 0)
		return field_init_prime(f, &field->prime, 1, err);
	return field_init(f, field->bits, err);
}

static int party_main(struct network *net, void *user, struct error *err)
{
	struct parties *parties = user;
	struct field field;
	struct mpc mpc;
	int rc = test_field_init(&field, parties->field, err);

	if (rc < 0)
		return rc;
	rc = mpc_init_field(&mpc, net, &field, parties->seed, err);
	if (rc == 0)
		rc = parties->body(&mpc, parties->user, err);
	parties->counters[net->self] = mpc.counters;
	mpc_finish(&mpc);
	return rc;
}

int parties_run(struct parties *parties)
{
	struct memory_network *memory;
	int rc;

	parties->options.n_parties = parties->m;
	rc = memory_network_create(&memory, &parties->options, &parties->err);
	if (rc < 0)
		return rc;
	rc = memory_network_run(
	    memory, party_main, parties, parties->codes, &parties->err);
	memory_network_destroy(memory);
	return rc;
}

uint64_t parties_elements(const struct parties *parties)
{
	uint64_t n = 0;

	for (uint32_t p = 0; p < parties->m; p++)
		n += parties->counters[p].elements;
	return n;
}

uint64_t parties_rounds(const struct parties *parties)
{
	uint64_t most = 0;

	for (uint32_t p = 0; p < parties->m; p++)
		if (parties->counters[p].rounds > most)
			most = parties->counters[p].rounds;
	return most;
}

int expect_equal(const struct mpc *mpc, const char *what, const uint64_t *a,
    const uint64_t *b, size_t n, struct error *err)
{
	size_t limbs = mpc->field.limbs;

	for (size_t i = 0; i < n; i++)
		if (memcmp(a + i * limbs, b + i * limbs, limbs * sizeof(*a)) != 0)
			return error_set(
			    err, -EBADMSG, "%s: value %zu of %zu is wrong", what, i, n);
	return 0;
}

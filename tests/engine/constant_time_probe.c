/* SPDX-License-Identifier: MIT */
/*
 * Computes on secrets that valgrind takes for uninitialised memory (Langley's ctgrind): a
 * branch or an address that depends on one is an error it reports. What is sent to other
 * parties counts as public from there on.
 *
 * usage: valgrind --error-exitcode=N constant_time_probe WHAT
 * exit code 77: this machine can't do WHAT.
 */
#include "engine/share.h"
#include "tests/engine/arithmetic.h"
#include "tests/engine/parties.h"

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

/* Whole vectors of every width, and a tail. */
#define N 21u

static void make_secret(void *base, size_t len)
{
	VALGRIND_MAKE_MEM_UNDEFINED(base, len);
}

static void make_public(void *base, size_t len)
{
	VALGRIND_MAKE_MEM_DEFINED(base, len);
}

static int probe_field(const struct field *f)
{
	static struct arithmetic a;

	for (unsigned t = 0; t < ARITHMETIC_TERMS; t++) {
		field_fill(f, a.x[t], t + 5, N);
		field_fill(f, a.y[t], -(int64_t)t - 9, N);
	}
	field_fill(f, a.coef, 12345, 2 * ARITHMETIC_TERMS);
	make_secret(a.x, sizeof(a.x));
	make_secret(a.y, sizeof(a.y));
	make_secret(a.integers, sizeof(a.integers));
	arithmetic_run(f, &a, N);
	return 0;
}

static int probe_m61(const char *family)
{
	const char *why;
	struct field f;

	if (field_init(&f, 61, NULL) < 0)
		return 1;
	f.ops = field_m61_kernels(family, &why);
	if (f.ops == NULL) {
		printf("%s\n", why);
		return 77;
	}
	return probe_field(&f);
}

static int probe_prime(void)
{
	struct field f;

	return field_init(&f, 127, NULL) < 0 ? 1 : probe_field(&f);
}

static void on_message(void *user, struct memory_message *message)
{
	(void)user;
	make_public(message->base, message->len);
}

/* Deal, multiply, add up products, reshare. */
static int share_body(struct mpc *mpc, void *user, struct error *err)
{
	uint64_t *x = mpc_vector(mpc, N), *y = mpc_vector(mpc, N);
	uint64_t *z = mpc_vector(mpc, N);
	int rc = 0;

	(void)user;
	for (uint32_t dealer = 0; dealer < mpc->n_parties && rc == 0; dealer++) {
		field_fill(&mpc->field, x, 3, N);
		make_secret(x, field_bytes(&mpc->field, N));
		rc = share_input(mpc, dealer, x, x, N, err);
	}
	field_fill(&mpc->field, y, 4, N);
	make_secret(x, field_bytes(&mpc->field, N));
	make_secret(y, field_bytes(&mpc->field, N));
	if (rc == 0)
		rc = share_mul(mpc, z, x, y, N, err);
	make_secret(z, field_bytes(&mpc->field, N));
	share_dots(mpc, y, x, 3, z, 1, N / 3);
	return rc == 0 ? share_reshare(mpc, y, y, 3, err) : rc;
}

static int probe_share(void)
{
	struct parties parties = {.m = 3, .seed = 1, .body = share_body};

	parties.options.on_message = on_message;
	if (parties_run(&parties) == 0)
		return 0;
	fprintf(stderr, "%s\n", parties.err.text);
	return 1;
}

/* What must be reported. */
static int leak_by_branch(void)
{
	volatile uint64_t secret = 5, sum = 0;

	make_secret((void *)(uintptr_t)&secret, sizeof(secret));
	if (secret > 4)
		sum = sum + 1;
	return 0;
}

static int leak_by_address(void)
{
	static volatile unsigned char table[256];
	volatile uint64_t secret = 5, found;

	make_secret((void *)(uintptr_t)&secret, sizeof(secret));
	found = table[secret & 255];
	(void)found;
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "portable") == 0 || strcmp(what, "avx2") == 0)
		return probe_m61(what);
	if (strcmp(what, "prime") == 0)
		return probe_prime();
	if (strcmp(what, "share") == 0)
		return probe_share();
	if (strcmp(what, "branch") == 0)
		return leak_by_branch();
	if (strcmp(what, "address") == 0)
		return leak_by_address();
	fprintf(stderr,
	    "usage: constant_time_probe portable|avx2|prime|share|branch|address\n");
	return 2;
}

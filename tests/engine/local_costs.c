/* SPDX-License-Identifier: MIT */
/*
 * What this machine takes for the pieces that the engine is made of: arithmetic in 2^61-1
 * by each family of kernels and in larger fields, AES-CTR, copies. Medians of CPU time, so
 * they hold on a busy machine too.
 */
#include "base/clock.h"
#include "engine/field.h"
#include "engine/prg.h"
#include "tests/median.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 7u

/* Keeps results alive. */
static volatile uint64_t sink;

struct kernels {
	struct field f;
	uint64_t *a, *b, *out;
	struct prg prg;
};

enum { L1 = 1024, ROWS_IN = 4, DOT = 3136 };

static void op_mul(struct kernels *k)
{
	field_mul(&k->f, k->out, k->a, k->b, L1);
}

/* Each product waits for the one before it. */
static void op_dependent(struct kernels *k)
{
	for (int i = 0; i < L1; i++)
		field_mul(&k->f, k->out, k->out, k->b, 1);
}

static void op_mulsum(struct kernels *k)
{
	const uint64_t *x[] = {k->a, k->b, k->a}, *y[] = {k->b, k->b, k->a};

	k->f.ops->mulsum(&k->f, k->out, x, y, 3, L1);
}

static void op_combine(struct kernels *k)
{
	const uint64_t *in[] = {k->a, k->b, k->a + L1, k->b + L1};
	uint64_t *out[] = {k->out, k->out + L1};

	k->f.ops->combine(&k->f, out, 2, in, ROWS_IN, k->a, L1);
}

static void op_sum(struct kernels *k)
{
	const uint64_t *in[] = {k->a, k->b, k->a + L1, k->b + L1};

	k->f.ops->sum(&k->f, k->out, in, ROWS_IN, L1);
}

static void op_dots(struct kernels *k)
{
	k->f.ops->dots(&k->f, k->out, 1, k->a, 4, k->b, DOT);
}

static void op_add(struct kernels *k)
{
	k->f.ops->add(&k->f, k->out, k->a, k->b, L1);
}

static void op_check(struct kernels *k)
{
	sink = k->f.ops->check(&k->f, k->a, L1);
}

static void op_root(struct kernels *k)
{
	k->f.ops->inverse_root(&k->f, k->out, k->a, L1);
}

static void op_sample(struct kernels *k)
{
	k->f.ops->sample(&k->f, &k->prg, k->out, L1);
}

/* ns of CPU a call, median of RUNS of about 2 ms each. */
static double time_op(void (*op)(struct kernels *k), struct kernels *k)
{
	double ns[RUNS];
	uint64_t start;
	unsigned calls = 1;

	for (uint64_t spent = 0; spent < 2000000; calls *= 2) {
		start = clock_thread_cpu_ns();
		for (unsigned i = 0; i < calls; i++)
			op(k);
		spent = clock_thread_cpu_ns() - start;
	}
	calls /= 2;
	for (unsigned r = 0; r < RUNS; r++) {
		start = clock_thread_cpu_ns();
		for (unsigned i = 0; i < calls; i++)
			op(k);
		ns[r] = (double)(clock_thread_cpu_ns() - start) / calls;
	}
	return median(ns, RUNS);
}

static int kernels_init(struct kernels *k, const struct field *f)
{
	static const unsigned char key[PRG_KEY_BYTES] = {1};

	k->f = *f;
	k->a = malloc(field_bytes(f, 4 * DOT));
	k->b = malloc(field_bytes(f, 4 * DOT));
	k->out = malloc(field_bytes(f, 4 * DOT));
	memset(&k->prg, 0, sizeof(k->prg));
	if (k->a == NULL || k->b == NULL || k->out == NULL ||
	    prg_init(&k->prg, key, NULL) < 0)
		return -1;
	f->ops->sample(f, &k->prg, k->a, 4 * DOT);
	f->ops->sample(f, &k->prg, k->b, 4 * DOT);
	memcpy(k->out, k->a, field_bytes(f, 4 * DOT));
	return 0;
}

static void kernels_finish(struct kernels *k)
{
	prg_finish(&k->prg);
	free(k->a);
	free(k->b);
	free(k->out);
}

static int show_kernels(const char *name, const struct field *f)
{
	static const struct {
		const char *name;
		void (*op)(struct kernels *k);
		double per;
	} ops[] = {{"mul", op_mul, L1}, {"dep.", op_dependent, L1},
	    {"3 terms", op_mulsum, L1}, {"2x4 rows", op_combine, L1},
	    {"dots", op_dots, 4 * DOT}, {"add", op_add, L1}, {"sum 4", op_sum, L1},
	    {"check", op_check, L1}, {"sample", op_sample, L1}, {"root", op_root, L1}};
	enum { N_OPS = sizeof(ops) / sizeof(ops[0]) };
	struct kernels k;

	if (kernels_init(&k, f) < 0)
		return -1;
	if (name == NULL) {
		printf("%-14s", "ns an element");
		for (size_t i = 0; i < N_OPS; i++)
			printf(" %9s", ops[i].name);
		printf("\n");
	} else {
		printf("%-14s", name);
		for (size_t i = 0; i < N_OPS; i++)
			printf(" %9.2f", time_op(ops[i].op, &k) / ops[i].per);
		printf("\n");
	}
	kernels_finish(&k);
	return 0;
}

static int local_fields(void)
{
	static const char *const families[] = {"portable", "avx2", "ifma"};
	struct field f;
	char name[32];

	if (field_init(&f, 61, NULL) < 0 || show_kernels(NULL, &f) < 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		const char *why;

		f.ops = field_m61_kernels(families[i], &why);
		if (f.ops == NULL)
			printf("%-14s %s\n", families[i], why);
		else if (show_kernels(f.ops->name, &f) < 0)
			return -1;
	}
	for (uint32_t bits = 127; bits <= 255; bits += 128) {
		snprintf(name, sizeof(name), "%u bits", bits);
		if (field_init(&f, bits, NULL) < 0 || show_kernels(name, &f) < 0)
			return -1;
	}
	return 0;
}

struct bytes {
	struct prg prg;
	unsigned char *from, *to;
	size_t len;
};

static void aes(struct bytes *b)
{
	prg_bytes(&b->prg, b->to, b->len);
}

static void copy(struct bytes *b)
{
	memcpy(b->to, b->from, b->len);
	sink = b->to[b->len / 2];
}

/* GB/s, median. */
static double rate(void (*op)(struct bytes *b), struct bytes *b, size_t len)
{
	size_t calls = ((size_t)32 << 20) / len + 1;
	double gbps[RUNS];

	b->len = len;
	for (unsigned r = 0; r < RUNS; r++) {
		uint64_t start = clock_thread_cpu_ns();

		for (size_t i = 0; i < calls; i++)
			op(b);
		gbps[r] =
		    (double)calls * (double)len / (double)(clock_thread_cpu_ns() - start);
	}
	return median(gbps, RUNS);
}

static int local_bytes(void)
{
	static const unsigned char key[PRG_KEY_BYTES] = {2};
	size_t most = (size_t)64 << 20;
	struct bytes b = {.from = calloc(1, most), .to = calloc(1, most)};
	int rc =
	    b.from == NULL || b.to == NULL || prg_init(&b.prg, key, NULL) < 0 ? -1 : 0;

	if (rc == 0) {
		printf("AES-128-CTR, 16 / 1024 / 8192 bytes a call: %.2f / %.2f / %.2f "
		       "GB/s\n",
		    rate(aes, &b, 16), rate(aes, &b, 1024), rate(aes, &b, 8192));
		printf("memcpy, 32 KiB / 64 MiB: %.1f / %.1f GB/s\n",
		    rate(copy, &b, 32768), rate(copy, &b, most));
	}
	prg_finish(&b.prg);
	free(b.from);
	free(b.to);
	return rc;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return local_bytes() < 0 || local_fields() < 0;
}

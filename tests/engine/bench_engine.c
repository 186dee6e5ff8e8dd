/* SPDX-License-Identifier: MIT */
/*
 * What the engine costs without a network: first the local costs of this machine, then
 * protocols among m threads over memory. Times are medians of several runs; CPU times are
 * those of one party's thread, so they hold on a busy machine too.
 */
#include "base/clock.h"
#include "engine/compare.h"
#include "engine/memory_network.h"
#include "engine/random_share.h"
#include "engine/santa.h"
#include "engine/share.h"
#include "engine/share_king.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 7u

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[n / 2];
}

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

/* A protocol among m threads: CPU seconds and seconds of party 0, without keys. */
struct protocol {
	const char *name;
	int (*body)(struct mpc *mpc, struct protocol *protocol, struct error *err);
	uint32_t width;
	size_t n, times;
	double cpu_ns, wall_ns;
	struct mpc_counters counters;
};

static int party_main(struct network *net, void *user, struct error *err)
{
	struct protocol *protocol = user;
	uint64_t cpu, wall;
	struct mpc mpc;
	int rc = mpc_init(&mpc, net, 61, 7, err);

	if (rc == 0) {
		wall = clock_monotonic_ns();
		cpu = clock_thread_cpu_ns();
		rc = protocol->body(&mpc, protocol, err);
		if (net->self == 0) {
			protocol->cpu_ns = (double)(clock_thread_cpu_ns() - cpu);
			protocol->wall_ns = (double)(clock_monotonic_ns() - wall);
			protocol->counters = mpc.counters;
		}
	}
	mpc_finish(&mpc);
	return rc;
}

static int run_protocol(struct protocol *protocol, uint32_t m)
{
	struct memory_network_options options = {.n_parties = m};
	struct memory_network *memory;
	struct error err;
	int rc = memory_network_create(&memory, &options, &err);

	if (rc == 0) {
		rc = memory_network_run(memory, party_main, protocol, NULL, &err);
		memory_network_destroy(memory);
	}
	if (rc < 0)
		fprintf(stderr, "%s, %u parties: %s\n", protocol->name, m, err.text);
	return rc;
}

static int multiply(struct mpc *mpc, struct protocol *p, struct error *err)
{
	uint64_t *x = mpc_vector(mpc, p->n), *y = mpc_vector(mpc, p->n);
	int rc = 0;

	if (x == NULL || y == NULL)
		return mpc_no_memory(err);
	share_random_from_sets(mpc, x, p->n);
	memcpy(y, x, field_bytes(&mpc->field, p->n));
	for (size_t i = 0; i < p->times && rc == 0; i++) {
		struct share_job job = share_job_mul(SHARE_RESHARE, x, x, y, p->n);

		rc = p->width == 0 ? share_round(mpc, &job, 1, err)
				   : share_king_round(mpc, &job, 1, err);
	}
	return rc;
}

static int bits(struct mpc *mpc, struct protocol *p, struct error *err)
{
	uint64_t *x = mpc_vector(mpc, p->n);

	return x == NULL ? mpc_no_memory(err)
			 : share_random_bits(mpc, x, p->n, SHARE_BITS_BY_KINGS, err);
}

static int compare(struct mpc *mpc, struct protocol *p, struct error *err)
{
	struct compare_need need = {p->width, p->n};
	uint64_t *x = mpc_vector(mpc, p->n);
	struct compare *c;
	int rc;

	if (x == NULL)
		return mpc_no_memory(err);
	memset(x, 0, field_bytes(&mpc->field, p->n));
	rc = compare_create(&c, mpc, &need, 1, err);
	if (rc < 0)
		return rc;
	rc = compare_nonneg(c, x, x, p->n, NULL, 0, err);
	compare_destroy(c);
	return rc;
}

static int santa(struct mpc *mpc, struct protocol *p, struct error *err)
{
	struct santa_result result;
	int64_t out[SANTA_N_MAX];
	int rc = 0;

	for (size_t i = 0; i < p->times && rc == 0; i++)
		rc = (p->width == 0 ? santa_min : santa_mpyc)(
		    mpc, (uint32_t)p->n, out, &result, err);
	return rc;
}

static int show_protocol(struct protocol *p, double per, const char *unit)
{
	static const uint32_t parties[] = {3, 5, 7, 10};

	printf("%-34s", p->name);
	for (size_t i = 0; i < 4; i++) {
		double cpu[RUNS], wall[RUNS];

		for (unsigned r = 0; r < RUNS; r++) {
			if (run_protocol(p, parties[i]) < 0)
				return -1;
			cpu[r] = p->cpu_ns / per;
			wall[r] = p->wall_ns / per;
		}
		printf(" %9.2f %9.2f", median(cpu, RUNS), median(wall, RUNS));
	}
	printf("  %s\n", unit);
	return 0;
}

static int protocols(void)
{
	struct protocol list[] = {
	    {.name = "multiplications, 10 x 10^5",
		.body = multiply,
		.n = 100000,
		.times = 10},
	    {.name = "the same through kings",
		.body = multiply,
		.n = 100000,
		.times = 10,
		.width = 1},
	    {.name = "random bits, 10^5", .body = bits, .n = 100000},
	    {.name = "comparisons of 16 bits, 10^4",
		.body = compare,
		.n = 10000,
		.width = 16},
	    {.name = "comparisons of 23 bits, 10^4",
		.body = compare,
		.n = 10000,
		.width = 23},
	    {.name = "Secret Santa min, n = 8, 10 draws",
		.body = santa,
		.n = 8,
		.times = 10},
	    {.name = "Secret Santa mpyc, n = 8, 10 draws",
		.body = santa,
		.n = 8,
		.times = 10,
		.width = 1},
	};
	static const struct {
		double per;
		const char *unit;
	} units[] = {{1e6, "ns"}, {1e6, "ns"}, {1e5, "ns"}, {1e4, "ns"}, {1e4, "ns"},
	    {1e4, "us"}, {1e4, "us"}};

	printf("%-34s %19s %19s %19s %19s\n", "CPU of a party, wall, each", "m = 3", "5",
	    "7", "10");
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (show_protocol(&list[i], units[i].per, units[i].unit) < 0)
			return -1;
	return 0;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return local_bytes() < 0 || local_fields() < 0 || protocols() < 0;
}

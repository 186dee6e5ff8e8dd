/* SPDX-License-Identifier: MIT */
/*
 * Protocols among m threads over memory, without a network. Times are medians of several
 * runs; CPU times are those of one party's thread, so they hold on a busy machine too.
 */
#include "base/clock.h"
#include "engine/compare.h"
#include "engine/memory_network.h"
#include "engine/random_share.h"
#include "engine/santa.h"
#include "engine/share.h"
#include "engine/share_king.h"
#include "tests/median.h"

#include <stdio.h>
#include <string.h>

#define RUNS 7u

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
	return protocols() < 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The classifier among m threads over memory, phase by phase: rounds, bytes, CPU time of
 * all parties and time at party 0. Memory copies stand in for a transport.
 *
 * usage: bench_cnn_phases [PARTIES [IMAGES [RUNS]]]
 */
#include "base/clock.h"
#include "engine/cnn.h"
#include "engine/memory_network.h"
#include "tests/cnn/cnn_example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHASES_MAX       24u
#define IDX_HEADER_BYTES 16u

struct phase {
	const char *name;
	uint64_t rounds, bytes;               /* of party 0 */
	uint64_t cpu_ns[NETWORK_PARTIES_MAX]; /* at its end, by party's thread clock */
	uint64_t wall_ns;                     /* at its end */
};

struct bench {
	struct workload_task task;
	struct memory_network *memory;
	struct phase phases[PHASES_MAX];
	uint32_t n_phases[NETWORK_PARTIES_MAX];
};

/* The phase before ends. */
static void on_phase(void *user, uint32_t party, const char *name)
{
	struct bench *bench = user;
	struct phase *phase = &bench->phases[bench->n_phases[party]++];

	phase->name = name;
	phase->cpu_ns[party] = clock_thread_cpu_ns();
	if (party != 0)
		return;
	phase->rounds = memory_network_counters(bench->memory, 0)->rounds;
	phase->bytes = memory_network_counters(bench->memory, 0)->bytes;
	phase->wall_ns = clock_monotonic_ns();
}

static int party_main(struct network *net, void *user, struct error *err)
{
	struct bench *bench = user;
	struct workload_task task = bench->task;
	static _Thread_local struct workload_output out;
	int rc;

	if (net->self != 0)
		task.model = NULL;
	if (net->self != 1 % net->n_parties)
		task.images = NULL;
	on_phase(bench, net->self, "start");
	rc = workload_cnn.run(net, &task, &out, err);
	on_phase(bench, net->self, "end");
	return rc;
}

static int run(struct bench *bench, uint32_t m, struct error *err)
{
	struct memory_network_options options = {
	    .n_parties = m, .on_phase = on_phase, .user = bench};
	int rc = memory_network_create(&bench->memory, &options, err);

	memset(bench->n_phases, 0, sizeof(bench->n_phases));
	if (rc < 0)
		return rc;
	rc = memory_network_run(bench->memory, party_main, bench, NULL, err);
	memory_network_destroy(bench->memory);
	return rc;
}

static void show(const struct bench *bench, uint32_t m)
{
	double cpu_ms = 0, wall_ms = 0, bytes = 0;
	uint64_t rounds = 0;
	int is_shared = 0;

	printf("%-10s %8s %12s %12s %10s\n", "phase", "rounds", "bytes", "CPU ms, all",
	    "ms");
	for (uint32_t i = 0; i + 1 < bench->n_phases[0]; i++) {
		const struct phase *a = &bench->phases[i], *b = a + 1;
		double cpu = 0, wall = (double)(b->wall_ns - a->wall_ns) / 1e6;

		for (uint32_t p = 0; p < m; p++)
			cpu += (double)(b->cpu_ns[p] - a->cpu_ns[p]) / 1e6;
		printf("%-10s %8llu %12llu %12.2f %10.2f\n", a->name,
		    (unsigned long long)(b->rounds - a->rounds),
		    (unsigned long long)(b->bytes - a->bytes), cpu, wall);
		is_shared |= strcmp(a->name, "bits") == 0;
		if (!is_shared)
			continue;
		cpu_ms += cpu;
		wall_ms += wall;
		rounds += b->rounds - a->rounds;
		bytes += (double)(b->bytes - a->bytes);
	}
	printf("%-10s %8llu %12.0f %12.2f %10.2f\n", "from bits",
	    (unsigned long long)rounds, bytes, cpu_ms, wall_ms);
}

static double cpu_from_bits(const struct bench *bench, uint32_t m)
{
	double ms = 0;

	for (uint32_t i = 0; i < bench->n_phases[0]; i++)
		if (strcmp(bench->phases[i].name, "bits") == 0)
			for (uint32_t p = 0; p < m; p++)
				ms += (double)(bench->phases[bench->n_phases[0] - 1]
						   .cpu_ns[p] -
					       bench->phases[i].cpu_ns[p]) /
				      1e6;
	return ms;
}

/* The run of the least CPU time of `runs`. */
static int bench_parties(struct bench *bench, uint32_t m, uint32_t runs)
{
	static struct bench best;
	struct error err;

	for (uint32_t r = 0; r < runs; r++) {
		if (run(bench, m, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			return -1;
		}
		if (r == 0 || cpu_from_bits(bench, m) < cpu_from_bits(&best, m))
			best = *bench;
	}
	printf("\n%u parties, %s image(s), the best of %u runs\n", m, bench->task.size,
	    runs);
	show(&best, m);
	return 0;
}

int main(int argc, char **argv)
{
	static const uint32_t counts[] = {3, 5, 7, 10};
	struct cnn_example model = cnn_example_read("data/cnn/model.bin");
	struct cnn_example digits = cnn_example_read("data/cnn/digits.idx");
	uint32_t runs = argc > 3 ? (uint32_t)atoi(argv[3]) : 5;
	static struct bench bench;
	int rc = 0;

	if (model.bytes == NULL || digits.bytes == NULL) {
		fprintf(stderr, "run it from the project's folder, or set E3_HOME\n");
		return 1;
	}
	bench.task = (struct workload_task){.size = argc > 2 ? argv[2] : "1",
	    .field_bits = 61,
	    .seed = 1,
	    .model = model.bytes,
	    .model_bytes = model.len,
	    .images = digits.bytes + IDX_HEADER_BYTES,
	    .n_images = (digits.len - IDX_HEADER_BYTES) / 784};
	if (argc > 1)
		rc = bench_parties(&bench, (uint32_t)atoi(argv[1]), runs);
	for (size_t i = 0; i < 4 && argc <= 1 && rc == 0; i++)
		rc = bench_parties(&bench, counts[i], runs);
	cnn_example_finish(&model);
	cnn_example_finish(&digits);
	return rc < 0;
}

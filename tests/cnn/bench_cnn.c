/* SPDX-License-Identifier: MIT */
/*
 * The classifier as in a real run: m processes, the mesh over a transport on loopback,
 * the committed model, the drawn digits. The clock starts when the inputs are shared.
 *
 * usage: bench_cnn [TRANSPORT [PARTIES [BATCH]]]
 */
#include "base/clock.h"
#include "engine/cnn.h"
#include "harness/link/mesh.h"
#include "harness/plugin/plugin.h"
#include "tests/cnn/cnn_example.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARTIES_MAX NETWORK_PARTIES_MAX
#define PHASES_MAX  16u
#define RUNS        7u
#define WAIT_MS     60000u

/* What a party measured in one run; shared memory. */
struct measured {
	char names[PHASES_MAX][16];
	uint64_t wall_ns[PHASES_MAX], cpu_ns[PHASES_MAX], rounds[PHASES_MAX];
	uint64_t bytes[PHASES_MAX];
	uint32_t n_phases;
	long rss_max_kb;
};

static struct measured (*results)[PARTIES_MAX]; /* [run][party] */
static struct cnn_example model, digits;
static int signal_fds[PARTIES_MAX][PARTIES_MAX];
static uint32_t m, self, n_images;

/* The mesh's network, watched. */
struct watched {
	struct network net;
	struct network *inner;
	struct measured *measured;
	uint64_t began_ns, began_cpu_ns;
};

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "party %u: %s\n", self, what);
	_exit(1);
}

static int watched_exchange(
    struct network *net, struct network_round *round, struct error *err)
{
	struct watched *watched = (struct watched *)net;
	struct measured *measured = watched->measured;
	int is_round = 0;

	for (uint32_t p = 0; p < m; p++) {
		if (p == self)
			continue;
		if (measured->n_phases > 0)
			measured->bytes[measured->n_phases - 1] += round->out[p].len;
		is_round |= round->out[p].len + round->in[p].len > 0;
	}
	if (measured->n_phases > 0)
		measured->rounds[measured->n_phases - 1] += (uint64_t)is_round;
	return network_exchange(watched->inner, round, err);
}

static int watched_flush(struct network *net, struct error *err)
{
	return network_flush(((struct watched *)net)->inner, err);
}

/* The running phase ends; `name` begins unless NULL. */
static void watched_mark(struct network *net, const char *name)
{
	struct watched *watched = (struct watched *)net;
	struct measured *measured = watched->measured;
	uint64_t now_ns = clock_monotonic_ns(), cpu_ns = clock_process_cpu_ns();

	if (measured->n_phases > 0) {
		measured->wall_ns[measured->n_phases - 1] = now_ns - watched->began_ns;
		measured->cpu_ns[measured->n_phases - 1] = cpu_ns - watched->began_cpu_ns;
	}
	watched->began_ns = now_ns;
	watched->began_cpu_ns = cpu_ns;
	if (name == NULL || measured->n_phases == PHASES_MAX)
		return;
	snprintf(
	    measured->names[measured->n_phases++], sizeof(*measured->names), "%s", name);
}

static const struct network_ops watched_ops = {
    .exchange = watched_exchange,
    .flush = watched_flush,
    .mark = watched_mark,
};

static e3_nanos host_now(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

__attribute__((format(printf, 3, 4))) static void host_log(
    void *ctx, uint32_t level, const char *fmt, ...)
{
	va_list args;

	(void)ctx;
	if (level > E3_LOG_WARN)
		return;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static int host_signal(void *ctx, e3_party peer, struct e3_iov message)
{
	(void)ctx;
	return send(signal_fds[self][peer], message.base, message.len, 0) < 0 ? -errno
									      : 0;
}

struct signal_reader {
	uv_poll_t poll;
	const struct e3_transport *table;
	struct e3_endpoint *endpoint;
	e3_party from;
};

static void on_signal(uv_poll_t *poll, int status, int events)
{
	struct signal_reader *reader = (struct signal_reader *)poll;
	unsigned char bytes[4096];
	ssize_t n =
	    recv(signal_fds[self][reader->from], bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)status;
	(void)events;
	if (n > 0)
		reader->table->endpoint_signal(
		    reader->endpoint, reader->from, (struct e3_iov){bytes, (size_t)n});
}

static void run_once(struct network *inner, struct measured *measured)
{
	static struct workload_output out;
	struct watched watched = {
	    .net = {&watched_ops, inner->self, inner->n_parties},
	    .inner = inner,
	    .measured = measured,
	};
	struct workload_task task = {.field_bits = 61, .seed = 1};
	struct rusage usage;
	struct error err;

	if (self == 0) {
		task.model = model.bytes;
		task.model_bytes = model.len;
	}
	if (self == (m > 1 ? 1 : 0))
		task.images = digits.bytes + 16;
	task.n_images = n_images;
	if (cnn_run_shape(
		&watched.net, &cnn_shape_standard, &task, n_images, &out, &err) < 0)
		fail(err.text);
	watched_mark(&watched.net, NULL);
	task.model = model.bytes;
	task.model_bytes = model.len;
	task.images = digits.bytes + 16;
	if (cnn_check(&task, n_images, &out, &err) < 0)
		fail(err.text);
	getrusage(RUSAGE_SELF, &usage);
	measured->rss_max_kb = usage.ru_maxrss;
}

static void listen_to_signals(uv_loop_t *loop, const struct e3_transport *table,
    struct e3_endpoint *endpoint, struct signal_reader *readers)
{
	for (uint32_t p = 0; p < m; p++) {
		if (p == self)
			continue;
		readers[p].table = table;
		readers[p].endpoint = endpoint;
		readers[p].from = p;
		uv_poll_init(loop, &readers[p].poll, signal_fds[self][p]);
		uv_poll_start(&readers[p].poll, UV_READABLE, on_signal);
	}
}

static void party(const char *transport, uint32_t n_runs)
{
	static const char *addresses[PARTIES_MAX];
	static struct signal_reader readers[PARTIES_MAX];
	struct e3_host host = {.struct_size = sizeof(host),
	    .now = host_now,
	    .log = host_log,
	    .addresses = addresses,
	    .signal = host_signal};
	struct mesh_config config = {.self = self, .n_parties = m, .round_ms = WAIT_MS};
	struct error err = {0};
	struct plugin *plugin;
	struct mesh *mesh;
	uv_loop_t loop;

	for (uint32_t p = 0; p < m; p++)
		addresses[p] = "127.0.0.1";
	uv_loop_init(&loop);
	config.loop = host.loop = &loop;
	if (plugin_load(transport, &plugin, &err) < 0)
		fail(err.text);
	config.transport = &plugin->table;
	if (plugin->table.endpoint_create(&host, self, m, NULL, &config.endpoint) < 0)
		fail("endpoint_create");
	listen_to_signals(&loop, &plugin->table, config.endpoint, readers);
	if (mesh_create(&config, &mesh, &err) < 0 || mesh_open(mesh, WAIT_MS, &err) < 0)
		fail(err.text);
	for (uint32_t run = 0; run < n_runs; run++)
		run_once(mesh_network(mesh), &results[run][self]);
	if (mesh_close(mesh, WAIT_MS, &err) < 0)
		fail(err.text);
	_exit(0);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Phases [first, last) of a run: CPU of all parties, or the longest wall time, in ms. */
static double sum(
    const struct measured *parties, int of_cpu, uint32_t first, uint32_t last)
{
	double cpu = 0, wall = 0;

	for (uint32_t p = 0; p < m; p++) {
		double own = 0;

		for (uint32_t i = first; i < last; i++) {
			cpu += (double)parties[p].cpu_ns[i] / 1e6;
			own += (double)parties[p].wall_ns[i] / 1e6;
		}
		wall = own > wall ? own : wall;
	}
	return of_cpu ? cpu : wall;
}

static double median(uint32_t n_runs, int of_cpu, uint32_t first, uint32_t last)
{
	double values[RUNS];

	for (uint32_t run = 0; run < n_runs; run++)
		values[run] = sum(results[run], of_cpu, first, last);
	qsort(values, n_runs, sizeof(*values), by_value);
	return values[n_runs / 2];
}

static void show_line(const char *name, uint32_t n_runs, uint32_t first, uint32_t last)
{
	uint64_t rounds = 0, bytes = 0;

	for (uint32_t p = 0; p < m; p++) {
		uint64_t own_rounds = 0, own_bytes = 0;

		for (uint32_t i = first; i < last; i++) {
			own_rounds += results[0][p].rounds[i];
			own_bytes += results[0][p].bytes[i];
		}
		rounds = own_rounds > rounds ? own_rounds : rounds;
		bytes = own_bytes > bytes ? own_bytes : bytes;
	}
	printf("  %-12s %8.2f ms wall %9.2f ms CPU of all %4u rounds %9.3f MB\n", name,
	    median(n_runs, 0, first, last), median(n_runs, 1, first, last),
	    (unsigned)rounds, (double)bytes / 1e6);
}

/* Lines of phases, and all that comes after the inputs. */
static void show(const char *transport, uint32_t n_runs, int of_phases)
{
	const struct measured *first = &results[0][0];
	uint32_t after_inputs = 0;
	long rss_max_kb = 0;

	for (uint32_t p = 0; p < m; p++)
		if (results[n_runs - 1][p].rss_max_kb > rss_max_kb)
			rss_max_kb = results[n_runs - 1][p].rss_max_kb;
	printf("%s, %u parties, %u images, median of %u runs; at most %ld MB a party\n",
	    transport, m, n_images, n_runs, rss_max_kb / 1000);
	for (uint32_t i = 0; i < first->n_phases; i++) {
		if (of_phases || strcmp(first->names[i], "input") == 0)
			show_line(first->names[i], n_runs, i, i + 1);
		if (strcmp(first->names[i], "input") == 0)
			after_inputs = i + 1;
	}
	show_line("after inputs", n_runs, after_inputs, first->n_phases);
	fflush(stdout);
}

static int run_parties(
    const char *transport, uint32_t parties, uint32_t images, int of_phases)
{
	int failed = 0, status;

	m = parties;
	n_images = images;
	memset(results, 0, RUNS * sizeof(*results));
	for (uint32_t a = 0; a < m; a++)
		for (uint32_t b = 0; b < a; b++) {
			int pair[2];

			if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
				fail("socketpair");
			signal_fds[a][b] = pair[0];
			signal_fds[b][a] = pair[1];
		}
	for (uint32_t p = 0; p < m; p++)
		if (fork() == 0) {
			self = p;
			party(transport, RUNS);
		}
	for (uint32_t p = 0; p < m; p++)
		if (wait(&status) < 0 || status != 0)
			failed = 1;
	for (uint32_t a = 0; a < m; a++)
		for (uint32_t b = 0; b < m; b++)
			if (a != b)
				close(signal_fds[a][b]);
	if (!failed)
		show(transport, RUNS, of_phases);
	return failed;
}

int main(int argc, char **argv)
{
	static const uint32_t cells[][2] = {{3, 1}, {3, 4}, {5, 1}, {7, 1}, {10, 1}};
	const char *transport = argc > 1 ? argv[1] : "tcp";
	int failed = 0;

	model = cnn_example_read("data/cnn/model.bin");
	digits = cnn_example_read("data/cnn/digits.idx");
	results = mmap(NULL, RUNS * sizeof(*results), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (model.bytes == NULL || digits.bytes == NULL || results == MAP_FAILED)
		fail("data/cnn is not below E3_HOME");
	if (argc > 2)
		return run_parties(transport, (uint32_t)atoi(argv[2]),
		    argc > 3 ? (uint32_t)atoi(argv[3]) : 1, 1);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		failed |= run_parties(transport, cells[i][0], cells[i][1], i == 0);
	return failed;
}

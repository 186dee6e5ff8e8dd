/* SPDX-License-Identifier: MIT */
/*
 * Party 0 runs real workloads over a real mesh, among peers of which one lies
 * (hostile_peer.h): each run must end in an answer or in a typed error that names a
 * party, in time; and the same over the memory network, where messages change on their
 * way. More than a million frames; runs follow from the seeds printed.
 *
 *	fuzz_mesh [seed]
 */
#include "base/clock.h"
#include "base/units.h"
#include "engine/cnn.h"
#include "engine/memory_network.h"
#include "harness/link/mesh.h"
#include "tests/cnn/cnn_example.h"
#include "tests/link/hostile_peer.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MESSAGE_MAX 65536u
#define PATIENT_MS  20000u /* a round that never ends */
#define HASTY_MS    20u
#define RUN_NS_MAX  (60 * NS_PER_S)
#define RSS_KIB_MAX (2048 * 1024)
#define MUTATE_ONE  150u /* in so many messages */

static uint64_t first_seed = 1;

struct fuzz_case {
	const char *workload, *mode, *size;
	uint32_t m;
	uint64_t frames;
	uint32_t field_bits; /* 0 = 61 */
};

/* The classifier for a batch of one, on a shape that takes few frames. */
static const struct cnn_shape small_shape = {4, 1, 2, 2, 3, {16, 23, 30, 37}};

static int small_cnn_run(struct network *net, const struct workload_task *task,
    struct workload_output *out, struct error *err)
{
	return cnn_run_shape(net, &small_shape, task, 1, out, err);
}

static int small_cnn_check(const struct workload_task *task,
    const struct workload_output *out, struct error *err)
{
	return cnn_check(task, 1, out, err);
}

static const struct workload small_cnn = {
    .name = "small cnn", .run = small_cnn_run, .check = small_cnn_check};

static struct cnn_example model;

static const struct workload *find(const struct fuzz_case *c)
{
	return strcmp(c->workload, small_cnn.name) == 0 ? &small_cnn
							: workload_find(c->workload);
}

static struct workload_task task_of(const struct fuzz_case *c, uint64_t seed)
{
	static const unsigned char image[] = {
	    0, 9, 99, 255, 1, 0, 7, 8, 200, 3, 4, 5, 17, 18, 19, 20};

	return (struct workload_task){.size = c->size,
	    .mode = c->mode,
	    .field_bits = c->field_bits == 0 ? 61 : c->field_bits,
	    .seed = seed,
	    .model = model.bytes,
	    .model_bytes = model.len,
	    .images = image,
	    .n_images = 1};
}

struct tally {
	uint64_t n_runs, n_frames;
	uint64_t n_lies[HOSTILE_N_LIES], n_refused[HOSTILE_N_LIES];
	uint64_t longest_ns;
};

/* One end of a run, whatever it was. */
struct run_end {
	int rc;
	struct error err;
	int is_answer_right;
	uint64_t took_ns;
	uint64_t n_frames;
};

static int is_typed(const struct error *err)
{
	return (err->code == -EPROTO || err->code == -ETIMEDOUT ||
		   err->code == -ECONNRESET || err->code == -ECANCELED) &&
	       strstr(err->text, "party") != NULL;
}

static int names(const struct error *err, e3_party party)
{
	char name[16];

	snprintf(name, sizeof(name), "party %u", party);
	return strstr(err->text, name) != NULL;
}

/* Party 0 goes on: nobody has to leave. */
static void on_sent(void *user, e3_party peer, const unsigned char *bytes, size_t len)
{
	(void)peer;
	(void)bytes;
	(void)len;
	((struct hostile_peers *)user)->idle_turns = 0;
}

static void play(uv_loop_t *loop, struct hostile_peers *peers,
    const struct workload *workload, const struct workload_task *task,
    struct run_end *end)
{
	static struct workload_output out;
	static struct e3_endpoint endpoint;
	struct mesh_config config = {.loop = loop,
	    .transport = &endpoint.table,
	    .endpoint = &endpoint,
	    .n_parties = peers->m,
	    .round_ms = peers->lie == HOSTILE_SILENCE ? HASTY_MS : PATIENT_MS};
	uint64_t began_ns = clock_monotonic_ns();
	struct error err = {0};
	struct mesh *mesh;

	memset(end, 0, sizeof(*end));
	memset(&out, 0, sizeof(out));
	scripted_init(&endpoint, loop, MESSAGE_MAX, 1);
	endpoint.turn = hostile_turn;
	endpoint.sent = on_sent;
	endpoint.user = peers;
	assert_int_equal(mesh_create(&config, &mesh, &end->err), 0);
	end->rc = mesh_open(mesh, PATIENT_MS, &end->err);
	if (end->rc == 0)
		end->rc = workload->run(mesh_network(mesh), task, &out, &end->err);
	end->is_answer_right = end->rc == 0 && workload->check(task, &out, NULL) == 0;
	if (mesh_close(mesh, PATIENT_MS, &err) < 0)
		fail_msg("%s", err.text);
	mesh_destroy(mesh);
	scripted_finish(&endpoint);
	uv_run(loop, UV_RUN_NOWAIT);
	end->took_ns = clock_monotonic_ns() - began_ns;
	for (uint32_t p = 1; p < peers->m; p++)
		end->n_frames += endpoint.channels[p].n_delivered;
}

/* What is seen of a frame alone, whatever is in it. */
static int is_seen_at_once(enum hostile_lie lie)
{
	return lie == HOSTILE_SHORT || lie == HOSTILE_LONG || lie == HOSTILE_EMPTY ||
	       lie == HOSTILE_OVERSIZE || lie == HOSTILE_LEAVE || lie == HOSTILE_BREAK ||
	       lie == HOSTILE_SILENCE;
}

static void judge(const struct fuzz_case *c, uint64_t seed, enum hostile_lie lie,
    e3_party liar, const struct run_end *end)
{
	const char *wrong = NULL;

	if (lie == HOSTILE_NOTHING && (end->rc != 0 || !end->is_answer_right))
		wrong = "honest peers, no answer";
	else if (end->rc < 0 && !is_typed(&end->err))
		wrong = "no typed error of a party";
	else if (end->rc < 0 && is_seen_at_once(lie) && !names(&end->err, liar))
		wrong = "another party is blamed";
	else if (end->rc == 0 && is_seen_at_once(lie) && !end->is_answer_right)
		wrong = "a wrong answer";
	else if (end->took_ns > RUN_NS_MAX)
		wrong = "not in time";
	if (wrong != NULL)
		fail_msg("%s %s m = %u, seed %llu, party %u %s: %s (%d '%s')",
		    c->workload, c->size, c->m, (unsigned long long)seed, liar,
		    hostile_texts[lie], wrong, end->rc, end->err.text);
}

static void fuzz(const struct fuzz_case *c)
{
	const struct workload *workload = find(c);
	struct workload_task task = task_of(c, first_seed);
	struct hostile_peers *peers = calloc(1, sizeof(*peers));
	struct tally tally = {0};
	struct error err = {0};
	struct run_end end;
	uv_loop_t loop;

	if (hostile_record(peers, workload, &task, c->m, &err) < 0)
		fail_msg("%s", err.text);
	uv_loop_init(&loop);
	for (uint64_t seed = first_seed; tally.n_frames < c->frames; seed++) {
		enum hostile_lie lie;

		hostile_begin(peers, seed);
		lie = peers->lie;
		play(&loop, peers, workload, &task, &end);
		judge(c, seed, lie, peers->liar, &end);
		tally.n_runs++;
		tally.n_frames += end.n_frames;
		tally.n_lies[lie]++;
		tally.n_refused[lie] += (uint64_t)(end.rc < 0);
		if (end.took_ns > tally.longest_ns)
			tally.longest_ns = end.took_ns;
	}
	assert_int_equal(uv_loop_close(&loop), 0);
	printf("# %s %s %s, m = %u, %u bits: %llu frames, runs of seeds %llu .. %llu, "
	       "longest "
	       "%.3f s\n",
	    c->workload, c->mode, c->size, c->m, task.field_bits,
	    (unsigned long long)tally.n_frames, (unsigned long long)first_seed,
	    (unsigned long long)(first_seed + tally.n_runs - 1),
	    (double)tally.longest_ns / NS_PER_S);
	for (int lie = 0; lie < HOSTILE_N_LIES; lie++)
		printf("#   %-36s %6llu runs, %6llu refused\n", hostile_texts[lie],
		    (unsigned long long)tally.n_lies[lie],
		    (unsigned long long)tally.n_refused[lie]);
	hostile_finish(peers);
	free(peers);
}

static void a_liar_is_named(void **state)
{
	static const struct fuzz_case cases[] = {
	    {"rounds", "dependent", "50", 3, 300000, 0},
	    {"secret-santa", "mpyc", "8", 3, 500000, 0},
	    {"secret-santa", "mpyc", "5", 5, 200000, 0},
	    {"secret-santa", "min", "4", 3, 60000, 0},
	    {"secret-santa", "min", "3", 5, 60000, 0},
	    {"millionaires", "argmax", "4", 3, 80000, 0},
	    {"secret-santa", "mpyc", "8", 3, 60000, 127},
	    {"millionaires", "argmax", "4", 3, 40000, 127},
	    {"small cnn", "-", "1", 3, 200000, 0},
	    {"small cnn", "-", "1", 3, 60000, 127},
	    {"multiplications", "kings", "20", 5, 40000, 0},
	};
	struct rusage usage;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fuzz(&cases[i]);
	getrusage(RUSAGE_SELF, &usage);
	printf("# peak memory: %ld MiB\n", usage.ru_maxrss / 1024);
	assert_true(usage.ru_maxrss < RSS_KIB_MAX);
}

/* Over the memory network: what happens to messages on their way. */
struct storm {
	const struct workload *workload;
	struct workload_task task;
	struct random_stream random;
	uint64_t n_messages, n_mutated;
	int is_right[NETWORK_PARTIES_MAX];
};

static void resize(struct memory_message *message, size_t len)
{
	unsigned char *base = realloc(message->base, len > 0 ? len : 1);

	if (base == NULL)
		return;
	if (len > message->len)
		memset(base + message->len, 0x5a, len - message->len);
	message->base = base;
	message->len = len;
}

static void mutate(void *user, struct memory_message *message)
{
	struct storm *storm = user;
	struct random_stream *random = &storm->random;

	storm->n_messages++;
	if (random_stream_below(random, MUTATE_ONE) != 0)
		return;
	storm->n_mutated++;
	switch (random_stream_below(random, 8)) {
	case 0:
	case 1:
		message->base[random_stream_below(random, message->len)] ^=
		    (unsigned char)(1u << random_stream_below(random, 8));
		break;
	case 2:
		memset(message->base, 0xff, message->len);
		break;
	case 3:
		resize(message, random_stream_below(random, message->len));
		break;
	case 4:
		resize(message, message->len + 1 + random_stream_below(random, 100));
		break;
	case 5:
		message->copies = (uint32_t)random_stream_below(random, 4);
		break;
	case 6:
		message->is_held = 1;
		break;
	default:
		message->copies = 0;
		break;
	}
}

static int storm_party(struct network *net, void *user, struct error *err)
{
	struct storm *storm = user;
	struct workload_output *out = calloc(1, sizeof(*out));
	int rc = storm->workload->run(net, &storm->task, out, err);

	storm->is_right[net->self] =
	    rc == 0 && storm->workload->check(&storm->task, out, NULL) == 0;
	free(out);
	return rc;
}

static uint64_t weather(const struct fuzz_case *c, uint64_t seed)
{
	struct storm storm = {.workload = find(c), .task = task_of(c, seed)};
	struct memory_network_options options = {.n_parties = c->m,
	    .on_message = mutate,
	    .user = &storm,
	    .real_deadline_ns = NS_PER_S / 2};
	struct memory_network *memory;
	struct error err = {0};
	int rc;

	random_stream_seed(&storm.random, seed);
	assert_int_equal(memory_network_create(&memory, &options, &err), 0);
	rc = memory_network_run(memory, storm_party, &storm, NULL, &err);
	memory_network_destroy(memory);
	if (rc < 0 && !is_typed(&err))
		fail_msg("%s m = %u, seed %llu: %d '%s'", c->workload, c->m,
		    (unsigned long long)seed, rc, err.text);
	for (uint32_t p = 0; p < c->m && storm.n_mutated == 0; p++)
		if (!storm.is_right[p])
			fail_msg("%s m = %u, seed %llu: party %u has no answer: %s",
			    c->workload, c->m, (unsigned long long)seed, p, err.text);
	return storm.n_messages;
}

static void a_storm_is_survived(void **state)
{
	static const struct fuzz_case cases[] = {
	    {"rounds", NULL, "100", 2, 20000, 0},
	    {"rounds", NULL, "30", 10, 30000, 0},
	    {"secret-santa", "mpyc", "4", 3, 20000, 0},
	    {"secret-santa", "mpyc", "3", 7, 20000, 0},
	    {"secret-santa", "min", "3", 4, 3000, 0},
	    {"secret-santa", "min", "3", 5, 3000, 0},
	    {"millionaires", NULL, "3", 3, 10000, 0},
	    {"millionaires", NULL, "3", 6, 10000, 0},
	    {"secret-santa", "mpyc", "4", 3, 5000, 127},
	    {"small cnn", NULL, "1", 4, 5000, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t n = 0, seed = first_seed;

		for (; n < cases[i].frames; seed++)
			n += weather(&cases[i], seed);
		printf("# %s %s, m = %u: %llu messages, runs of seeds %llu .. %llu\n",
		    cases[i].workload, cases[i].size, cases[i].m, (unsigned long long)n,
		    (unsigned long long)first_seed, (unsigned long long)(seed - 1));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_liar_is_named),
	    cmocka_unit_test(a_storm_is_survived),
	};
	int rc;

	model = cnn_example_make(&small_shape, 1);
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	cnn_example_finish(&model);
	return rc;
}

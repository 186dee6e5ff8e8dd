/* SPDX-License-Identifier: MIT */
/*
 * The prober among peers that say anything on its lane, honest answers included: words of
 * any length and kind, answers to probes that were never sent or came back already, lost
 * channels, signals of any bytes. It counts no more answers than it sent probes, ends
 * when it is told to, and fails with nothing but a sentence.
 *
 *	fuzz_prober [runs [seed]]
 */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "harness/link/prober.h"
#include "harness/measure/recorder.h"
#include "tests/link/scripted_transport.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PARTIES     4u
#define BYTES       64u
#define MESSAGE_MAX 256u
#define RATE_HZ     20000u
#define WORDS       3000u /* of peers in a run */
#define WORDS_EARLY 1000u /* of them, before a probe was seen */
#define PATIENCE_NS (20 * NS_PER_S)
#define PING        1u
#define PONG        2u

static uint64_t n_runs = 40, first_seed = 1;

/* The other end, in the prober's thread but for what is atomic. */
struct peers {
	struct random_stream random;
	atomic_uint_fast64_t n_words, n_probes, n_signals;
	unsigned char last[PARTIES][BYTES]; /* probe */
	uint64_t signal_sum;
};

static struct peers peers;
static struct e3_transport table;

static void on_sent(void *user, e3_party peer, const unsigned char *bytes, size_t len)
{
	(void)user;
	if (len != BYTES)
		fail_msg("a probe of %zu bytes", len);
	if (bytes_load_le32(bytes) != PING)
		return;
	memcpy(peers.last[peer], bytes, len);
	atomic_fetch_add(&peers.n_probes, 1);
}

/* Something to say; returns its length. */
static size_t make_word(e3_party peer, unsigned char word[MESSAGE_MAX])
{
	struct random_stream *random = &peers.random;
	uint64_t number = bytes_load_le64(peers.last[peer] + 8);
	size_t len = BYTES;

	memset(word, 0, MESSAGE_MAX);
	bytes_store_le32(word, 1 + (uint32_t)random_stream_below(random, 2));
	bytes_store_le64(word + 8, number);
	switch (random_stream_below(random, 8)) {
	case 0: /* an honest answer */
		bytes_store_le32(word, PONG);
		break;
	case 1: /* a little off */
		number += random_stream_below(random, 200) - 100;
		bytes_store_le64(word + 8, number);
		break;
	case 2:
		bytes_store_le64(word + 8, random_stream_next(random));
		break;
	case 3:
		bytes_store_le32(word, (uint32_t)random_stream_next(random));
		break;
	case 4:
		len = random_stream_below(random, MESSAGE_MAX + 1);
		break;
	case 5:
		len = random_stream_below(random, PROBER_BYTES_MIN + 1);
		break;
	default:
		for (size_t i = 0; i < MESSAGE_MAX; i++)
			word[i] = (unsigned char)random_stream_next(random);
	}
	return len;
}

static int turn(void *user, struct e3_endpoint *endpoint)
{
	unsigned char word[MESSAGE_MAX];
	e3_party peer = 1 + (e3_party)random_stream_below(&peers.random, PARTIES - 1);
	struct e3_channel *channel = &endpoint->channels[peer];

	(void)user;
	if (atomic_load(&peers.n_words) >=
	    (atomic_load(&peers.n_probes) > 0 ? WORDS : WORDS_EARLY))
		return 0;
	atomic_fetch_add(&peers.n_words, 1);
	if (random_stream_below(&peers.random, 4 * WORDS) == 0)
		scripted_lose(channel, -ECONNRESET);
	else
		scripted_deliver(channel, word, make_word(peer, word));
	return 1;
}

static int endpoint_create(const struct e3_host *host, e3_party self, uint32_t n_parties,
    const char *const *options, struct e3_endpoint **out)
{
	struct e3_endpoint *endpoint = calloc(1, sizeof(*endpoint));

	(void)self, (void)n_parties, (void)options;
	if (endpoint == NULL)
		return -ENOMEM;
	scripted_init(endpoint, host->loop, MESSAGE_MAX, 0);
	endpoint->sent = on_sent;
	endpoint->turn = turn;
	*out = endpoint;
	return 0;
}

static void on_idle_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void endpoint_destroy(struct e3_endpoint *endpoint)
{
	if (endpoint != NULL)
		uv_close((uv_handle_t *)&endpoint->idle, on_idle_closed);
}

static void endpoint_signal(
    struct e3_endpoint *endpoint, e3_party from, struct e3_iov message)
{
	const unsigned char *bytes = message.base;

	(void)endpoint;
	/* Read it: the sanitizers look. */
	for (size_t i = 0; i < message.len; i++)
		peers.signal_sum += bytes[i] * (from + 1u);
	atomic_fetch_add(&peers.n_signals, 1);
}

static uint64_t answers(const struct recorder *recorder)
{
	cJSON *measured = recorder_json(recorder), *one;
	uint64_t n = 0;

	assert_non_null(measured);
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(measured, "histograms"))
	{
		const char *metric =
		    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "metric"));

		if (metric != NULL && strcmp(metric, "probe_rtt_ns") == 0)
			n += (uint64_t)cJSON_GetNumberValue(
			    cJSON_GetObjectItemCaseSensitive(one, "count"));
	}
	cJSON_Delete(measured);
	return n;
}

static void signal_anything(struct prober *prober, struct random_stream *random)
{
	unsigned char bytes[512];
	size_t len = random_stream_below(random, sizeof(bytes) + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)random_stream_next(random);
	prober_signal(prober, (e3_party)random_stream_below(random, PARTIES),
	    (struct e3_iov){.base = bytes, .len = len});
}

/* One prober, from its start to its end. */
static uint64_t run(uint64_t seed)
{
	uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS, answered;
	struct prober_config config = {.transport = &table,
	    .self = 0,
	    .n_parties = PARTIES,
	    .rate_hz = RATE_HZ,
	    .bytes = BYTES};
	struct random_stream random;
	struct prober *prober;
	struct error err = {0};
	int state = 0;

	memset(&peers, 0, sizeof(peers));
	random_stream_seed(&peers.random, seed);
	random_stream_seed(&random, ~seed);
	assert_int_equal(recorder_create(0, PARTIES, &config.recorder, &err), 0);
	assert_int_equal(prober_start(&config, &prober, &err), 0);
	while (state == 0 && clock_monotonic_ns() < until_ns)
		state = prober_state(prober, &err);
	assert_int_equal(state, 1);
	prober_go(prober);
	for (uint32_t i = 0; i < 20; i++)
		signal_anything(prober, &random);
	while (
	    (atomic_load(&peers.n_words) < WORDS || atomic_load(&peers.n_signals) < 20) &&
	    clock_monotonic_ns() < until_ns)
		uv_sleep(1);
	if (atomic_load(&peers.n_words) < WORDS)
		fail_msg("seed %llu: the prober stands still", (unsigned long long)seed);
	state = prober_state(prober, &err);
	if (state < 0 && err.text[0] == '\0')
		fail_msg(
		    "seed %llu: %d without a sentence", (unsigned long long)seed, state);
	prober_quiet(prober);
	recorder_finish(config.recorder, clock_monotonic_ns());
	answered = answers(config.recorder);
	prober_stop(prober);
	if (answered > atomic_load(&peers.n_probes))
		fail_msg("seed %llu: %llu answers to %llu probes",
		    (unsigned long long)seed, (unsigned long long)answered,
		    (unsigned long long)atomic_load(&peers.n_probes));
	recorder_destroy(config.recorder);
	return answered;
}

static void anything_is_survived(void **state)
{
	uint64_t n_words = 0, n_probes = 0, n_answers = 0;

	(void)state;
	table = scripted_table(MESSAGE_MAX, 0);
	table.endpoint_create = endpoint_create;
	table.endpoint_destroy = endpoint_destroy;
	table.endpoint_signal = endpoint_signal;
	for (uint64_t seed = first_seed; seed < first_seed + n_runs; seed++) {
		n_answers += run(seed);
		n_words += atomic_load(&peers.n_words);
		n_probes += atomic_load(&peers.n_probes);
	}
	printf("# %llu words of peers, %llu answers to %llu probes, seeds %llu .. %llu\n",
	    (unsigned long long)n_words, (unsigned long long)n_answers,
	    (unsigned long long)n_probes, (unsigned long long)first_seed,
	    (unsigned long long)(first_seed + n_runs - 1));
	assert_true(n_answers > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(anything_is_survived)};

	if (argc > 1)
		n_runs = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Synthetic runs, played by a small simulator of real parties, with exact figures. */
#include "base/random.h"
#include "base/units.h"
#include "harness/result/critical_path.h"
#include "harness/result/network_floor.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PARTIES 3u
#define MS      NS_PER_MS

/* m parties in lock step, all to all: what a trace of each would say. */
struct lockstep {
	uint32_t n_rounds;
	uint64_t one_way_ns[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX];
	uint64_t work_ns[NETWORK_PARTIES_MAX]; /* before each round and after the last */
	uint64_t began_ns[NETWORK_PARTIES_MAX];
	uint64_t bytes;
	uint64_t transfer_ns; /* of a message, beyond its one-way delay */
	uint64_t wake_ns;     /* after the last arrival */
	struct trace_rounds traces[NETWORK_PARTIES_MAX];
	uint64_t ended_ns[NETWORK_PARTIES_MAX];
};

static struct recorder_round *round_of(struct lockstep *run, uint32_t party, uint32_t i)
{
	return &run->traces[party].rounds[i];
}

static void receive(struct lockstep *run, uint32_t to, uint32_t i)
{
	struct recorder_round *round = round_of(run, to, i);
	uint64_t last_ns = round->started_ns;

	for (uint32_t from = 0; from < PARTIES; from++) {
		if (from == to)
			continue;
		round->bytes_out[from] = round->bytes_in[from] = run->bytes;
		round->arrived_ns[from] = round_of(run, from, i)->started_ns +
					  run->one_way_ns[from][to] + run->transfer_ns;
		if (round->arrived_ns[from] > last_ns)
			last_ns = round->arrived_ns[from];
	}
	round->ended_ns = last_ns + run->wake_ns;
}

static void play(struct lockstep *run)
{
	for (uint32_t p = 0; p < PARTIES; p++) {
		run->traces[p].began_ns = run->ended_ns[p] = run->began_ns[p];
		run->traces[p].n_rounds = run->n_rounds;
		run->traces[p].rounds =
		    calloc(run->n_rounds, sizeof(struct recorder_round));
	}
	for (uint32_t i = 0; i < run->n_rounds; i++) {
		for (uint32_t p = 0; p < PARTIES; p++)
			round_of(run, p, i)->started_ns =
			    run->ended_ns[p] + run->work_ns[p];
		for (uint32_t p = 0; p < PARTIES; p++)
			receive(run, p, i);
		for (uint32_t p = 0; p < PARTIES; p++)
			run->ended_ns[p] = round_of(run, p, i)->ended_ns;
	}
	for (uint32_t p = 0; p < PARTIES; p++)
		run->ended_ns[p] += run->work_ns[p];
}

static void forget(struct lockstep *run)
{
	for (uint32_t p = 0; p < PARTIES; p++)
		free(run->traces[p].rounds);
}

static void set_delays(struct lockstep *run, uint64_t one_way_ns)
{
	for (uint32_t from = 0; from < PARTIES; from++)
		for (uint32_t to = 0; to < PARTIES; to++)
			run->one_way_ns[from][to] = from == to ? 0 : one_way_ns;
}

static uint64_t floor_of(const struct lockstep *run, uint64_t rate_bps, int with_work)
{
	const struct network_model model = {.n_parties = PARTIES,
	    .one_way_ns = run->one_way_ns,
	    .rate_bps = rate_bps,
	    .ended_ns = with_work ? run->ended_ns : NULL};
	uint64_t floor_ns = 1;

	assert_int_equal(network_floor(&model, run->traces, &floor_ns), 0);
	return floor_ns;
}

static struct critical_path path_of(const struct lockstep *run)
{
	struct critical_path path;

	assert_int_equal(
	    critical_path(PARTIES, run->traces, run->ended_ns, run->one_way_ns, &path),
	    0);
	assert_true(path.wall_ns ==
		    path.latency_ns + path.transfer_ns + path.compute_ns + path.rest_ns);
	return path;
}

static void seventeen_rounds_at_20_ms(void **state)
{
	struct lockstep run = {.n_rounds = 17, .bytes = 8, .work_ns = {MS, MS, MS}};
	struct critical_path path;

	(void)state;
	set_delays(&run, 20 * MS);
	play(&run);
	assert_true(floor_of(&run, 0, 0) == 340 * MS);
	assert_true(floor_of(&run, 0, 1) == 358 * MS);
	path = path_of(&run);
	assert_true(path.wall_ns == 358 * (int64_t)MS);
	assert_true(path.latency_ns == 340 * (int64_t)MS);
	assert_true(path.compute_ns == 18 * (int64_t)MS);
	assert_true(path.transfer_ns == 0 && path.rest_ns == 0 && path.hops == 17);
	forget(&run);
}

static void the_longest_pair_decides(void **state)
{
	struct lockstep run = {.n_rounds = 10, .bytes = 8};

	(void)state;
	set_delays(&run, 5 * MS);
	run.one_way_ns[0][2] = run.one_way_ns[2][0] = 50 * MS;
	play(&run);
	assert_true(floor_of(&run, 0, 0) == 500 * MS);
	assert_true(path_of(&run).latency_ns == 500 * (int64_t)MS);
	forget(&run);
}

static void an_asymmetric_pair_costs_its_mean(void **state)
{
	struct lockstep run = {.n_rounds = 10, .bytes = 8};

	(void)state;
	set_delays(&run, 5 * MS);
	run.one_way_ns[0][2] = 60 * MS;
	run.one_way_ns[2][0] = 40 * MS;
	play(&run);
	/* Five times there and back, not ten times 60. */
	assert_true(floor_of(&run, 0, 0) == 500 * MS);
	forget(&run);
}

static void bandwidth_is_added_once_a_round(void **state)
{
	struct lockstep run = {.n_rounds = 4, .bytes = 125000};

	(void)state;
	set_delays(&run, 20 * MS);
	play(&run);
	assert_true(floor_of(&run, 100000000, 0) == 4 * (20 + 10) * MS);
	forget(&run);
}

static void large_messages_are_transfer_small_ones_rest(void **state)
{
	struct lockstep large = {
	    .n_rounds = 5, .bytes = 100000, .transfer_ns = 3 * MS, .wake_ns = MS};
	struct lockstep small = {
	    .n_rounds = 5, .bytes = 100, .transfer_ns = 3 * MS, .wake_ns = MS};
	struct critical_path path;

	(void)state;
	set_delays(&large, 20 * MS);
	set_delays(&small, 20 * MS);
	play(&large);
	play(&small);
	path = path_of(&large);
	assert_true(path.latency_ns == 100 * (int64_t)MS);
	assert_true(path.transfer_ns == 20 * (int64_t)MS && path.rest_ns == 0);
	path = path_of(&small);
	assert_true(path.transfer_ns == 0 && path.rest_ns == 20 * (int64_t)MS);
	forget(&large);
	forget(&small);
}

static void small_messages_behind_large_ones_are_transfer(void **state)
{
	struct lockstep run = {.n_rounds = 5, .bytes = 9000, .transfer_ns = 3 * MS};
	struct critical_path path;

	(void)state;
	set_delays(&run, 20 * MS);
	play(&run);
	/* Rounds are 23 ms apart: the one before is still within the round trip of 40. */
	path = path_of(&run);
	assert_true(path.rest_ns == 3 * (int64_t)MS); /* of the first */
	assert_true(path.transfer_ns == 12 * (int64_t)MS);
	forget(&run);
}

/* Sends much, needs nothing, and is held until its buffers are taken. */
static void being_held_by_what_one_sends_is_transfer(void **state)
{
	struct recorder_round rounds[2] = {
	    {.started_ns = 0, .ended_ns = 7 * MS, .bytes_out = {0, 100000}},
	    {.started_ns = 8 * MS, .ended_ns = 10 * MS, .bytes_out = {0, 100}}};
	const struct trace_rounds traces[2] = {{.rounds = rounds, .n_rounds = 2}, {0}};
	const uint64_t ended_ns[2] = {10 * MS, 0};
	const uint64_t one_way_ns[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX] = {{0}};
	struct critical_path path;

	(void)state;
	assert_int_equal(critical_path(2, traces, ended_ns, one_way_ns, &path), 0);
	assert_true(path.transfer_ns == 7 * (int64_t)MS);
	assert_true(path.compute_ns == (int64_t)MS && path.rest_ns == 2 * (int64_t)MS);
}

static void the_slow_party_is_on_the_path(void **state)
{
	struct lockstep run = {.n_rounds = 10, .bytes = 8, .work_ns = {MS, 30 * MS, MS}};
	struct critical_path path;

	(void)state;
	set_delays(&run, 20 * MS);
	play(&run);
	path = path_of(&run);
	/* Back and forth between it and another one: 5 x (30 + 1) ms, and its last 30. */
	assert_true(path.compute_ns == 185 * (int64_t)MS);
	assert_true(path.wall_ns == 385 * (int64_t)MS);
	assert_true(floor_of(&run, 0, 1) == (uint64_t)path.wall_ns);
	forget(&run);
}

static void a_late_start_is_rest(void **state)
{
	struct lockstep run = {.n_rounds = 3, .bytes = 8, .began_ns = {100, 100, 5 * MS}};
	struct critical_path path;

	(void)state;
	set_delays(&run, 20 * MS);
	play(&run);
	path = path_of(&run);
	assert_true(path.latency_ns == 60 * (int64_t)MS);
	assert_true(path.rest_ns == (int64_t)(5 * MS - 100));
	forget(&run);
}

static void only_the_needed_messages_count(void **state)
{
	struct lockstep run = {.n_rounds = 6, .bytes = 8};

	(void)state;
	set_delays(&run, 10 * MS);
	run.one_way_ns[2][0] = run.one_way_ns[2][1] = 90 * MS;
	play(&run);
	/* All need one message only: the near one decides, the far ones are ignored. */
	for (uint32_t p = 0; p < PARTIES; p++)
		for (uint32_t i = 0; i < run.n_rounds; i++)
			round_of(&run, p, i)->needed = 1;
	assert_true(floor_of(&run, 0, 0) == 60 * MS);
	forget(&run);
}

static void traces_that_do_not_belong_together(void **state)
{
	struct lockstep run = {.n_rounds = 6, .bytes = 8};
	const struct network_model model = {
	    .n_parties = PARTIES, .one_way_ns = run.one_way_ns};
	struct critical_path path;
	uint64_t floor_ns;

	(void)state;
	set_delays(&run, 10 * MS);
	play(&run);
	/* Party 1 never sent what party 0 says it received. */
	for (uint32_t i = 0; i < run.n_rounds; i++)
		round_of(&run, 1, i)->bytes_out[0] = 0;
	assert_int_equal(network_floor(&model, run.traces, &floor_ns), -EINVAL);
	for (uint32_t i = 0; i < run.n_rounds; i++)
		round_of(&run, 0, i)->arrived_ns[2] = round_of(&run, 0, i)->started_ns;
	run.ended_ns[0] += MS;
	assert_int_equal(
	    critical_path(PARTIES, run.traces, run.ended_ns, run.one_way_ns, &path),
	    -EINVAL);
	forget(&run);
}

static void messages_from_the_future(void **state)
{
	struct lockstep run = {.n_rounds = 2, .bytes = 8};
	struct critical_path path;

	(void)state;
	set_delays(&run, 10 * MS);
	play(&run);
	run.ended_ns[0] += MS;
	for (uint32_t p = 1; p < PARTIES; p++)
		round_of(&run, p, 1)->started_ns = round_of(&run, 0, 1)->arrived_ns[p];
	assert_int_equal(
	    critical_path(PARTIES, run.traces, run.ended_ns, run.one_way_ns, &path),
	    -EINVAL);
	forget(&run);
}

/* What three liars could report: anything that trace_decode() lets pass. */
static void make_up_rounds(
    struct trace_rounds *trace, uint32_t self, struct random_stream *s)
{
	uint64_t now_ns = trace->began_ns = random_stream_below(s, 1000);

	trace->n_rounds = (uint32_t)random_stream_below(s, 30);
	for (uint32_t i = 0; i < trace->n_rounds; i++) {
		struct recorder_round *round = &trace->rounds[i];

		*round = (struct recorder_round){0};
		round->started_ns = now_ns += random_stream_below(s, 50);
		round->ended_ns = now_ns += random_stream_below(s, 50);
		round->needed = (uint32_t)random_stream_below(s, 11);
		for (uint32_t p = 0; p < PARTIES; p++) {
			if (p == self)
				continue;
			round->bytes_out[p] = random_stream_below(s, 3);
			round->bytes_in[p] = random_stream_below(s, 3);
			if (round->bytes_in[p] != 0 && random_stream_below(s, 4) != 0)
				round->arrived_ns[p] =
				    1 + random_stream_below(s, round->ended_ns + 1);
			if (round->arrived_ns[p] > round->ended_ns)
				round->arrived_ns[p] = 0;
		}
	}
}

static void whatever_is_reported_it_ends(void **state)
{
	static struct recorder_round rounds[PARTIES][30];
	struct trace_rounds traces[PARTIES];
	uint64_t one_way_ns[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX] = {{0}};
	uint64_t ended_ns[PARTIES], floor_ns;
	uint32_t n_floors = 0, n_paths = 0;
	struct random_stream stream;
	struct critical_path path;

	(void)state;
	random_stream_seed(&stream, 5);
	for (int run = 0; run < 20000; run++) {
		const struct network_model model = {.n_parties = PARTIES,
		    .one_way_ns = one_way_ns,
		    .rate_bps = run % 3 ? 0 : 1000,
		    .ended_ns = run % 2 ? ended_ns : NULL};

		for (uint32_t p = 0; p < PARTIES; p++) {
			one_way_ns[p][(p + 1) % PARTIES] =
			    random_stream_below(&stream, 40);
			traces[p].rounds = rounds[p];
			make_up_rounds(&traces[p], p, &stream);
			ended_ns[p] = random_stream_below(&stream, 5000);
		}
		n_floors += network_floor(&model, traces, &floor_ns) == 0;
		if (critical_path(PARTIES, traces, ended_ns, one_way_ns, &path) < 0)
			continue;
		n_paths++;
		assert_true(path.wall_ns == path.latency_ns + path.transfer_ns +
						path.compute_ns + path.rest_ns);
	}
	assert_true(n_floors > 0 && n_paths > 0);
}

static void one_party_alone(void **state)
{
	const uint64_t one_way_ns[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX] = {{0}};
	const struct trace_rounds trace = {.began_ns = 1000};
	const uint64_t ended_ns = 5000;
	const struct network_model model = {
	    .n_parties = 1, .one_way_ns = one_way_ns, .ended_ns = &ended_ns};
	struct critical_path path;
	uint64_t floor_ns;

	(void)state;
	assert_int_equal(network_floor(&model, &trace, &floor_ns), 0);
	assert_true(floor_ns == 4000);
	assert_int_equal(critical_path(1, &trace, &ended_ns, one_way_ns, &path), 0);
	assert_true(path.wall_ns == 4000 && path.compute_ns == 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seventeen_rounds_at_20_ms),
	    cmocka_unit_test(the_longest_pair_decides),
	    cmocka_unit_test(an_asymmetric_pair_costs_its_mean),
	    cmocka_unit_test(bandwidth_is_added_once_a_round),
	    cmocka_unit_test(large_messages_are_transfer_small_ones_rest),
	    cmocka_unit_test(small_messages_behind_large_ones_are_transfer),
	    cmocka_unit_test(being_held_by_what_one_sends_is_transfer),
	    cmocka_unit_test(the_slow_party_is_on_the_path),
	    cmocka_unit_test(a_late_start_is_rest),
	    cmocka_unit_test(only_the_needed_messages_count),
	    cmocka_unit_test(traces_that_do_not_belong_together),
	    cmocka_unit_test(messages_from_the_future),
	    cmocka_unit_test(whatever_is_reported_it_ends),
	    cmocka_unit_test(one_party_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

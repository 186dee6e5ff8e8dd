/* SPDX-License-Identifier: MIT */
#include "harness/result/network_floor.h"

#include "base/units.h"

#include <errno.h>
#include <stdlib.h>

/* Messages of one ordered pair, in the order sent. */
struct lane {
	uint64_t *due_ns; /* when each arrives */
	uint32_t n_sent, n_delivered;
	uint32_t n_taken; /* by rounds of the receiver that are over */
	uint64_t free_ns; /* the link has sent what it was given */
};

struct replay {
	const struct network_model *model;
	const struct trace_rounds *traces;
	struct lane lanes[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX]; /* [from][to] */
	uint32_t round[NETWORK_PARTIES_MAX]; /* running, or n_rounds */
	uint64_t at_ns[NETWORK_PARTIES_MAX]; /* start of the running round */
};

static int lanes_create(struct replay *replay)
{
	uint32_t n = replay->model->n_parties;

	for (uint32_t from = 0; from < n; from++) {
		const struct trace_rounds *trace = &replay->traces[from];

		for (uint32_t to = 0; to < n; to++) {
			uint32_t count = 0;

			for (uint32_t i = 0; i < trace->n_rounds; i++)
				count += trace->rounds[i].bytes_out[to] != 0;
			if (count == 0)
				continue;
			replay->lanes[from][to].due_ns =
			    malloc(count * sizeof(*replay->lanes[from][to].due_ns));
			if (replay->lanes[from][to].due_ns == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

static void replay_destroy(struct replay *replay)
{
	for (uint32_t from = 0; from < NETWORK_PARTIES_MAX; from++)
		for (uint32_t to = 0; to < NETWORK_PARTIES_MAX; to++)
			free(replay->lanes[from][to].due_ns);
	free(replay);
}

/* What the party computed before its round `i`, or after its last. */
static uint64_t work_before(const struct replay *replay, uint32_t party, uint32_t i)
{
	const struct trace_rounds *trace = &replay->traces[party];
	uint64_t before_ns = i == 0 ? trace->began_ns : trace->rounds[i - 1].ended_ns;
	uint64_t until_ns;

	if (replay->model->ended_ns == NULL)
		return 0;
	until_ns = i < trace->n_rounds ? trace->rounds[i].started_ns
				       : replay->model->ended_ns[party];
	return until_ns > before_ns ? until_ns - before_ns : 0;
}

static void send_all(struct replay *replay, uint32_t from)
{
	const struct recorder_round *round =
	    &replay->traces[from].rounds[replay->round[from]];

	for (uint32_t to = 0; to < replay->model->n_parties; to++) {
		struct lane *lane = &replay->lanes[from][to];
		uint64_t takes_ns = 0;

		if (round->bytes_out[to] == 0)
			continue;
		if (replay->model->rate_bps != 0)
			takes_ns =
			    (uint64_t)((double)round->bytes_out[to] * BITS_PER_BYTE *
				       NS_PER_S / (double)replay->model->rate_bps);
		if (lane->free_ns < replay->at_ns[from])
			lane->free_ns = replay->at_ns[from];
		lane->free_ns += takes_ns;
		lane->due_ns[lane->n_sent++] =
		    lane->free_ns + replay->model->one_way_ns[from][to];
	}
}

/* Whether what has been delivered is enough for the running round. */
static int is_satisfied(const struct replay *replay, uint32_t party)
{
	const struct recorder_round *round =
	    &replay->traces[party].rounds[replay->round[party]];
	uint32_t due = 0, here = 0;

	for (uint32_t from = 0; from < replay->model->n_parties; from++) {
		const struct lane *lane = &replay->lanes[from][party];

		if (round->bytes_in[from] == 0)
			continue;
		due++;
		here += lane->n_delivered > lane->n_taken;
	}
	return here >= (round->needed == 0 || round->needed > due ? due : round->needed);
}

static void take_all(struct replay *replay, uint32_t party)
{
	const struct recorder_round *round =
	    &replay->traces[party].rounds[replay->round[party]];

	for (uint32_t from = 0; from < replay->model->n_parties; from++)
		replay->lanes[from][party].n_taken += round->bytes_in[from] != 0;
}

/* The party goes on, at `now_ns` or when its work is done, until it must wait. */
static void go_on(struct replay *replay, uint32_t party, uint64_t now_ns)
{
	uint32_t n_rounds = replay->traces[party].n_rounds;

	while (replay->round[party] < n_rounds && is_satisfied(replay, party)) {
		take_all(replay, party);
		if (replay->at_ns[party] < now_ns)
			replay->at_ns[party] = now_ns;
		replay->round[party]++;
		replay->at_ns[party] += work_before(replay, party, replay->round[party]);
		if (replay->round[party] < n_rounds)
			send_all(replay, party);
	}
}

/* The next message in time; 0 when none is under way. */
static int deliver_next(struct replay *replay)
{
	uint64_t next_ns = UINT64_MAX;
	uint32_t n = replay->model->n_parties, to_next = 0;
	struct lane *next = NULL;

	for (uint32_t from = 0; from < n; from++) {
		for (uint32_t to = 0; to < n; to++) {
			struct lane *lane = &replay->lanes[from][to];

			if (lane->n_delivered == lane->n_sent ||
			    lane->due_ns[lane->n_delivered] >= next_ns)
				continue;
			next = lane;
			next_ns = lane->due_ns[lane->n_delivered];
			to_next = to;
		}
	}
	if (next == NULL)
		return 0;
	next->n_delivered++;
	go_on(replay, to_next, next_ns);
	return 1;
}

static int replay_all(struct replay *replay, uint64_t *floor_ns)
{
	uint32_t n = replay->model->n_parties;
	uint64_t last_ns = 0;

	for (uint32_t p = 0; p < n; p++) {
		replay->at_ns[p] = work_before(replay, p, 0);
		if (replay->traces[p].n_rounds > 0)
			send_all(replay, p);
	}
	for (uint32_t p = 0; p < n; p++)
		go_on(replay, p, 0);
	while (deliver_next(replay))
		continue;
	for (uint32_t p = 0; p < n; p++) {
		if (replay->round[p] < replay->traces[p].n_rounds)
			return -EINVAL;
		if (replay->at_ns[p] > last_ns)
			last_ns = replay->at_ns[p];
	}
	*floor_ns = last_ns;
	return 0;
}

int network_floor(const struct network_model *model, const struct trace_rounds *traces,
    uint64_t *floor_ns)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	int rc;

	if (replay == NULL)
		return -ENOMEM;
	replay->model = model;
	replay->traces = traces;
	rc = lanes_create(replay);
	if (rc == 0)
		rc = replay_all(replay, floor_ns);
	replay_destroy(replay);
	return rc;
}

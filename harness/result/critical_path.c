/* SPDX-License-Identifier: MIT */
#include "harness/result/critical_path.h"

#include <errno.h>
#include <stdlib.h>

struct walk {
	const struct trace_rounds *traces;
	const uint64_t (*one_way_ns)[NETWORK_PARTIES_MAX];
	uint32_t n_parties;
	uint32_t party;
	int64_t round; /* the walk stands at its end; -1 = at the party's begin */
	uint64_t at_ns;
	struct critical_path path;
};

/* The peer whose message ended the round; -1 if the round did not wait for any. */
static int decisive_peer(const struct walk *walk, const struct recorder_round *round)
{
	uint32_t order[NETWORK_PARTIES_MAX], n = 0, needed;

	for (uint32_t p = 0; p < walk->n_parties; p++) {
		uint32_t at = n;

		if (round->bytes_in[p] == 0 || round->arrived_ns[p] == 0)
			continue;
		for (; at > 0 && round->arrived_ns[order[at - 1]] > round->arrived_ns[p];
		     at--)
			order[at] = order[at - 1];
		order[at] = p;
		n++;
	}
	needed = round->needed == 0 || round->needed > n ? n : round->needed;
	if (needed == 0 || round->arrived_ns[order[needed - 1]] <= round->started_ns)
		return -1;
	return (int)order[needed - 1];
}

/* The round in which `from` sent what `to` received as its round `round`; -1 = none. */
static int64_t sending_round(
    const struct walk *walk, uint32_t from, uint32_t to, int64_t round)
{
	const struct trace_rounds *sender = &walk->traces[from];
	uint64_t ordinal = 0;

	for (int64_t i = 0; i <= round; i++)
		ordinal += walk->traces[to].rounds[i].bytes_in[from] != 0;
	for (int64_t i = 0; i < sender->n_rounds; i++) {
		ordinal -= sender->rounds[i].bytes_out[to] != 0;
		if (ordinal == 0)
			return i;
	}
	return -1;
}

/* What the party gave all its connections in one round. */
static uint64_t bytes_sent_in(const struct recorder_round *round, uint32_t n_parties)
{
	uint64_t sum = 0;

	for (uint32_t p = 0; p < n_parties; p++)
		sum += round->bytes_out[p];
	return sum;
}

/* What `from` gave its connection to `to` within a round trip up to its round `sending`:
 * as much as may still be under way before the end of that round's message. */
static uint64_t bytes_under_way(
    const struct walk *walk, uint32_t from, uint32_t to, int64_t sending)
{
	const struct recorder_round *rounds = walk->traces[from].rounds;
	uint64_t round_trip_ns = walk->one_way_ns[from][to] + walk->one_way_ns[to][from];
	uint64_t sum = 0;

	for (int64_t i = sending;
	     i >= 0 && rounds[sending].started_ns - rounds[i].started_ns <= round_trip_ns;
	     i--)
		sum += rounds[i].bytes_out[to];
	return sum;
}

/* Time that `bytes` of one sender may have cost. */
static void spend(struct walk *walk, uint64_t bytes, int64_t time_ns)
{
	if (bytes > INITIAL_WINDOW_BYTES)
		walk->path.transfer_ns += time_ns;
	else
		walk->path.rest_ns += time_ns;
}

/* From the start of a round back to the end of the one before it: work. */
static void step_over_work(struct walk *walk)
{
	const struct trace_rounds *trace = &walk->traces[walk->party];
	uint64_t before_ns =
	    walk->round == 0 ? trace->began_ns : trace->rounds[walk->round - 1].ended_ns;

	walk->path.compute_ns += (int64_t)(walk->at_ns - before_ns);
	walk->at_ns = before_ns;
	walk->round--;
}

/* From the end of a round back to its start, or to that of the sender it waited for. */
static int step_over_wait(struct walk *walk)
{
	const struct recorder_round *round =
	    &walk->traces[walk->party].rounds[walk->round];
	int peer = decisive_peer(walk, round);
	const struct recorder_round *sent;
	int64_t sending, latency_ns;

	if (peer < 0) {
		spend(walk, bytes_sent_in(round, walk->n_parties),
		    (int64_t)(walk->at_ns - round->started_ns));
		walk->at_ns = round->started_ns;
		return 0;
	}
	sending = sending_round(walk, (uint32_t)peer, walk->party, walk->round);
	if (sending < 0)
		return -EINVAL;
	sent = &walk->traces[peer].rounds[sending];
	/* A message from the future would let the walk go round in circles. */
	if (sent->started_ns >= round->arrived_ns[peer])
		return -EINVAL;
	latency_ns = (int64_t)walk->one_way_ns[peer][walk->party];
	walk->path.latency_ns += latency_ns;
	spend(walk, bytes_under_way(walk, (uint32_t)peer, walk->party, sending),
	    (int64_t)(round->arrived_ns[peer] - sent->started_ns) - latency_ns);
	spend(walk, bytes_sent_in(round, walk->n_parties),
	    (int64_t)(walk->at_ns - round->arrived_ns[peer]));
	walk->path.hops++;
	walk->party = (uint32_t)peer;
	walk->round = sending;
	walk->at_ns = sent->started_ns;
	return 0;
}

/* The end of the party that was last, after its last round. */
static int start_walk(struct walk *walk, const uint64_t *ended_ns, uint64_t *began_ns)
{
	const struct trace_rounds *last;
	uint64_t after_ns;

	*began_ns = walk->traces[0].began_ns;
	for (uint32_t p = 1; p < walk->n_parties; p++) {
		if (ended_ns[p] > ended_ns[walk->party])
			walk->party = p;
		if (walk->traces[p].began_ns < *began_ns)
			*began_ns = walk->traces[p].began_ns;
	}
	last = &walk->traces[walk->party];
	after_ns = last->n_rounds == 0 ? last->began_ns
				       : last->rounds[last->n_rounds - 1].ended_ns;
	if (ended_ns[walk->party] < after_ns)
		return -EINVAL;
	walk->path.compute_ns = (int64_t)(ended_ns[walk->party] - after_ns);
	walk->round = (int64_t)last->n_rounds - 1;
	walk->at_ns = after_ns;
	return 0;
}

int critical_path(uint32_t n_parties, const struct trace_rounds *traces,
    const uint64_t *ended_ns, const uint64_t (*one_way_ns)[NETWORK_PARTIES_MAX],
    struct critical_path *out)
{
	struct walk walk = {
	    .traces = traces, .one_way_ns = one_way_ns, .n_parties = n_parties};
	uint64_t began_ns;
	int rc = start_walk(&walk, ended_ns, &began_ns);
	uint32_t last = walk.party;

	while (rc == 0 && walk.round >= 0) {
		rc = step_over_wait(&walk);
		if (rc == 0)
			step_over_work(&walk);
	}
	if (rc < 0)
		return rc;
	walk.path.rest_ns += (int64_t)(walk.at_ns - began_ns);
	walk.path.wall_ns = (int64_t)(ended_ns[last] - began_ns);
	*out = walk.path;
	return 0;
}

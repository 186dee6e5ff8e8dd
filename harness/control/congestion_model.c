/* SPDX-License-Identifier: MIT */
#include "harness/control/congestion_model.h"
#include "base/units.h"

#include <math.h>

#define INITIAL_WINDOW_SEGMENTS UINT64_C(10)
#define RTO_ABOVE_RTT_NS        (200 * NS_PER_MS)

#define CHUNK_BYTES_MAX 65536.0
#define CHUNK_SEGMENTS  2.0
#define CHUNKS_A_SECOND 1024.0
#define SLOW_START_RATE                                                                  \
	2.0 /* windows a round trip, to size chunks: tcp_pacing_ss_ratio */

#define STARTUP_GAIN        2.885 /* 2 / ln 2 */
#define PROBE_WINDOW_GAIN   2.0
#define RATE_MARGIN         0.99
#define SLOW_BYTES_PER_S    150000u /* below it chunks are single segments */
#define RATE_MEMORY_ROUNDS  10u
#define GROWTH              1.25
#define FULL_AFTER_ROUNDS   3u
#define WINDOW_SEGMENTS_MIN UINT64_C(4)
#define RTT_MEMORY_NS       (10 * NS_PER_S)
#define RTT_PROBE_NS        (200 * NS_PER_MS)
#define PROBE_PHASES        8u
#define FIRST_PROBE_PHASE   2u /* Linux draws one of seven */

static const double probe_gains[PROBE_PHASES] = {1.25, 0.75, 1, 1, 1, 1, 1, 1};

static uint64_t more_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t less_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void set_rate(struct congestion *congestion, double segments_per_s)
{
	congestion->rate_bytes_per_s =
	    (uint64_t)(segments_per_s * RATE_MARGIN * CONGESTION_SEGMENT_BYTES);
}

void congestion_init(
    struct congestion *congestion, enum congestion_kind kind, uint64_t rtt_ns)
{
	*congestion = (struct congestion){.kind = kind,
	    .rtt_ns = more_of(rtt_ns, 1),
	    .window_segments = INITIAL_WINDOW_SEGMENTS,
	    .delivered = 1}; /* the SYN */
	if (kind == CONGESTION_BBR)
		set_rate(congestion, STARTUP_GAIN * INITIAL_WINDOW_SEGMENTS * NS_PER_S /
					 (double)congestion->rtt_ns);
}

uint64_t congestion_chunk_bytes(const struct congestion *congestion)
{
	double rate = (double)congestion->rate_bytes_per_s, bytes, segments;
	uint64_t shift = congestion->rtt_ns / NS_PER_US >> 9;
	int is_slow = congestion->kind == CONGESTION_BBR && rate < SLOW_BYTES_PER_S;

	if (congestion->kind != CONGESTION_BBR)
		rate = SLOW_START_RATE * (double)congestion->window_segments *
		       CONGESTION_SEGMENT_BYTES * NS_PER_S / (double)congestion->rtt_ns;
	bytes = rate / CHUNKS_A_SECOND;
	if (shift < 16)
		bytes += CHUNK_BYTES_MAX / (double)(1u << shift);
	segments = floor(fmin(bytes, CHUNK_BYTES_MAX) / CONGESTION_SEGMENT_BYTES);
	return (uint64_t)fmax(segments, is_slow ? 1 : CHUNK_SEGMENTS) *
	       CONGESTION_SEGMENT_BYTES;
}

static uint64_t timeout_ns(const struct congestion *congestion)
{
	return congestion->rtt_ns + RTO_ABOVE_RTT_NS;
}

void congestion_resumed(struct congestion *congestion, uint64_t last_ns, uint64_t now_ns)
{
	uint64_t silent_ns = now_ns - last_ns, timeout = timeout_ns(congestion);

	if (congestion->kind != CONGESTION_SLOW_START || silent_ns <= timeout)
		return;
	for (; silent_ns > timeout; silent_ns -= timeout)
		congestion->window_segments =
		    more_of(congestion->window_segments / 2, INITIAL_WINDOW_SEGMENTS);
	congestion->used_since_ns = now_ns;
	congestion->used_most = 0;
}

/* Slow start keeps twice what is acknowledged, used or not. */
static int is_used(const struct congestion *congestion)
{
	return congestion->is_filled ||
	       congestion->window_segments < 2 * congestion->under_way_most;
}

void congestion_sent(struct congestion *congestion, uint64_t now_ns, uint64_t under_way)
{
	int is_filled = under_way >= congestion->window_segments;

	if (congestion->kind != CONGESTION_SLOW_START)
		return;
	if (is_filled || congestion->delivered >= congestion->under_way_until ||
	    (!congestion->is_filled && under_way > congestion->under_way_most)) {
		congestion->is_filled = is_filled;
		congestion->under_way_most = under_way;
		congestion->under_way_until = congestion->delivered + under_way;
	}
	if (!is_used(congestion)) {
		congestion->used_most = more_of(congestion->used_most, under_way);
		if (now_ns - congestion->used_since_ns < timeout_ns(congestion))
			return;
		congestion->used_most =
		    more_of(congestion->used_most, INITIAL_WINDOW_SEGMENTS);
		if (congestion->used_most < congestion->window_segments)
			congestion->window_segments =
			    (congestion->window_segments + congestion->used_most) / 2;
	}
	congestion->used_most = 0;
	congestion->used_since_ns = now_ns;
}

/* BBR's estimate of what the path holds, in segments. */
static double path_holds(const struct congestion *congestion)
{
	return congestion->best_rate * (double)congestion->rtt_ns / NS_PER_S;
}

static int is_full(const struct congestion *congestion)
{
	return congestion->rounds_without_growth >= FULL_AFTER_ROUNDS;
}

static void take_rate(struct congestion *congestion, const struct congestion_ack *ack)
{
	double rate;

	if (ack->interval_ns < congestion->rtt_ns)
		return;
	rate = (double)(congestion->delivered - ack->delivered_before) * NS_PER_S /
	       (double)ack->interval_ns;
	if (rate < congestion->best_rate &&
	    (ack->lacked_data ||
		congestion->round - congestion->best_round <= RATE_MEMORY_ROUNDS))
		return;
	congestion->best_rate = rate;
	congestion->best_round = congestion->round;
	/* The shortest of all round trips is met where most are measured. */
	if (!ack->lacked_data)
		congestion->rtt_seen_ns = ack->now_ns;
}

/* Once a round trip. */
static void look_for_growth(struct congestion *congestion)
{
	if (congestion->best_rate >= GROWTH * congestion->full_rate) {
		congestion->full_rate = congestion->best_rate;
		congestion->rounds_without_growth = 0;
	} else if (++congestion->rounds_without_growth == FULL_AFTER_ROUNDS) {
		congestion->is_draining = 1;
	}
}

static double sending_gain(
    struct congestion *congestion, const struct congestion_ack *ack)
{
	double holds = path_holds(congestion), gain;
	int is_over;

	if (!is_full(congestion))
		return STARTUP_GAIN;
	if (congestion->is_draining && (double)ack->under_way > holds)
		return 1 / STARTUP_GAIN;
	if (congestion->is_draining) {
		congestion->is_draining = 0;
		congestion->probe_phase = FIRST_PROBE_PHASE;
		congestion->probe_since_ns = ack->now_ns;
	}
	gain = probe_gains[congestion->probe_phase];
	is_over = ack->now_ns - congestion->probe_since_ns > congestion->rtt_ns;
	if (gain > 1)
		is_over = is_over && (double)ack->under_way >= gain * holds;
	else if (gain < 1)
		is_over = is_over || (double)ack->under_way <= holds;
	if (is_over) {
		congestion->probe_phase = (congestion->probe_phase + 1) % PROBE_PHASES;
		congestion->probe_since_ns = ack->now_ns;
	}
	return probe_gains[congestion->probe_phase];
}

static void grow_window(struct congestion *congestion, uint64_t segments)
{
	int is_probing = is_full(congestion) && !congestion->is_draining;
	double gain = is_probing ? PROBE_WINDOW_GAIN : STARTUP_GAIN;
	uint64_t target =
	    (uint64_t)ceil(gain * path_holds(congestion)) +
	    3 * congestion_chunk_bytes(congestion) / CONGESTION_SEGMENT_BYTES;

	if (is_full(congestion))
		congestion->window_segments =
		    less_of(congestion->window_segments + segments, target);
	else if (congestion->window_segments < target ||
		 congestion->delivered < INITIAL_WINDOW_SEGMENTS)
		congestion->window_segments += segments;
	congestion->window_segments =
	    more_of(congestion->window_segments, WINDOW_SEGMENTS_MIN);
}

/* Ten seconds after the shortest round trip a busy connection empties the path, to see
 * it again. */
static void probe_rtt(struct congestion *congestion, const struct congestion_ack *ack)
{
	uint64_t *until_ns = &congestion->rtt_probe_until_ns;
	int is_expired = ack->now_ns > congestion->rtt_seen_ns + RTT_MEMORY_NS;

	if (congestion->window_before_probe == 0 && is_expired) {
		congestion->rtt_seen_ns = ack->now_ns;
		if (!ack->after_silence)
			congestion->window_before_probe = congestion->window_segments;
	}
	if (congestion->window_before_probe == 0)
		return;
	congestion->window_segments = WINDOW_SEGMENTS_MIN;
	if (*until_ns == 0 && ack->under_way <= WINDOW_SEGMENTS_MIN)
		*until_ns = ack->now_ns + more_of(RTT_PROBE_NS, congestion->rtt_ns);
	if (*until_ns == 0 || ack->now_ns < *until_ns)
		return;
	congestion->window_segments = congestion->window_before_probe;
	congestion->rtt_seen_ns = ack->now_ns;
	congestion->window_before_probe = *until_ns = 0;
}

static void bbr_acked(struct congestion *congestion, const struct congestion_ack *ack)
{
	uint64_t rate_before = congestion->rate_bytes_per_s;
	int is_new_round = ack->delivered_before >= congestion->round_end;

	if (is_new_round) {
		congestion->round_end = congestion->delivered;
		congestion->round++;
	}
	take_rate(congestion, ack);
	if (is_new_round && !ack->lacked_data && !is_full(congestion))
		look_for_growth(congestion);
	set_rate(congestion, congestion->best_rate * sending_gain(congestion, ack));
	if (!is_full(congestion))
		congestion->rate_bytes_per_s =
		    more_of(congestion->rate_bytes_per_s, rate_before);
	grow_window(congestion, ack->segments);
	probe_rtt(congestion, ack);
}

void congestion_acked(struct congestion *congestion, const struct congestion_ack *ack)
{
	congestion->delivered += ack->segments;
	if (congestion->kind == CONGESTION_BBR)
		bbr_acked(congestion, ack);
	else if (is_used(congestion))
		congestion->window_segments += ack->segments;
}

/* SPDX-License-Identifier: MIT */
/*
 * How much a TCP connection may have under way, and how fast it may send: Linux's
 * congestion control where nothing is lost, in units of full segments.
 *
 * Slow start (RFC 5681 section 3.1; initial window RFC 6928): each acknowledged segment
 * lets one more be under way, so the window doubles in a round trip. Nothing ends it here
 * but silence: after more than a retransmission timeout without sending the window halves
 * for each, and where it was not used it moves half way to what was (RFC 7661's concern;
 * tcp_cwnd_restart() and tcp_cwnd_application_limited() of Linux). Stands for cubic, reno
 * and all others that slow start.
 *
 * BBR (draft-cardwell-iccrg-bbr-congestion-control-00; net/ipv4/tcp_bbr.c): sends at 2.885
 * x the delivery rate seen so far, never in bursts, and has at most 2.885 rate x round
 * trip under way; when three round trips in which it lacked no data bring no quarter more,
 * the path is full, and it probes around that rate. Silence costs nothing.
 */
#ifndef HARNESS_CONTROL_CONGESTION_MODEL_H
#define HARNESS_CONTROL_CONGESTION_MODEL_H

#include <stdint.h>

/* Payload of a full segment at MTU 1500: 20 bytes IP, 20 TCP, 12 of timestamps. */
#define CONGESTION_SEGMENT_BYTES UINT64_C(1448)

enum congestion_kind { CONGESTION_SLOW_START, CONGESTION_BBR };

struct congestion {
	enum congestion_kind kind;
	uint64_t rtt_ns;
	uint64_t window_segments;
	uint64_t rate_bytes_per_s; /* of sending; 0 = as fast as the host can */
	uint64_t delivered;        /* segments */

	/* Slow start: how much of the window was used lately. */
	uint64_t under_way_most, under_way_until; /* in the flight that ends there */
	uint64_t used_most, used_since_ns;        /* since the window was last filled */
	int is_filled;

	/* BBR: delivery rates in segments per second, rounds are of packets. */
	double best_rate, full_rate;
	uint64_t round_end, round, best_round;
	uint32_t rounds_without_growth;
	int is_draining;
	uint32_t probe_phase;
	uint64_t probe_since_ns;
	uint64_t rtt_seen_ns, rtt_probe_until_ns; /* when; 0 = not probing */
	uint64_t window_before_probe;
};

/* One acknowledgement and the rate it shows (draft-cheng-iccrg-delivery-rate). */
struct congestion_ack {
	uint64_t now_ns;
	uint64_t segments;         /* that it acknowledges */
	uint64_t under_way;        /* after it */
	uint64_t delivered_before; /* when the newest of these was sent ... */
	uint64_t interval_ns;      /* ... so long ago, or as long as sending took */
	int lacked_data;           /* then the application had nothing more to send */
	int after_silence;         /* nothing was under way before */
};

void congestion_init(
    struct congestion *congestion, enum congestion_kind kind, uint64_t rtt_ns);
/* Nothing was under way, and the last was sent at `last_ns`. */
void congestion_resumed(struct congestion *congestion, uint64_t last_ns, uint64_t now_ns);
/* All that may be sent now was. */
void congestion_sent(struct congestion *congestion, uint64_t now_ns, uint64_t under_way);
void congestion_acked(struct congestion *congestion, const struct congestion_ack *ack);

/* Bytes that Linux sends at a time: a millisecond of its rate, 64 KB at most, more where
 * the round trip is below milliseconds (tcp_tso_autosize()). Whole segments. */
uint64_t congestion_chunk_bytes(const struct congestion *congestion);

#endif

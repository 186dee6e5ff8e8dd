/* SPDX-License-Identifier: MIT */
/*
 * What a party says at its end: one JSON line,
 *
 *	{"t":"report","party":0,
 *	 "measured": recorder_json(),
 *	 "phases_ns": {"up": 1200, ...},                 optional; life phases, own clock
 *	 "output": {"values":[...],"attempts":1} | null,  null: it has none
 *	 "process": {"cpu_user_ns","cpu_sys_ns","rss_max_bytes",
 *	             "helpers_cpu_ns","runqueue_ns","context_switches"},
 *	                                                  the last three optional
 *	 "facts": {"congestion_control": "cubic", ...},  optional; as negotiated
 *	 "channels": [{"peer","lane", "wire_bytes_sent","wire_bytes_received",
 *	               "retransmits","rtt_ns","queued_bytes","refusals","blocked_ns"}]}
 *	                                 optional; all but peer optional or null = unknown
 *
 * It comes from another machine: every type, range, length and sum is checked.
 */
#ifndef HARNESS_RESULT_PARTY_REPORT_H
#define HARNESS_RESULT_PARTY_REPORT_H

#include "base/error.h"
#include "base/histogram.h"
#include "harness/measure/trace.h"
#include "harness/result/phase_figures.h"

#include <stdint.h>

struct cJSON;

#define PARTY_REPORT_BYTES_MAX (16u << 20)

struct party_report {
	struct cJSON *json; /* as it goes into the document: no "t", "party" */
	uint64_t rounds, messages_out, app_bytes_out;
	uint64_t wall_ns, compute_ns;
	uint64_t cpu_ns, runqueue_ns, rss_max_bytes;
	uint64_t retransmits; /* of all channels that know */
	uint64_t probes_answered, probes_lost;
	struct histogram *round_ns; /* all phases */
	struct phase_figures phases;
	int has_trace;
	struct trace_rounds trace;
	int has_output;
	char output_sha256[65]; /* of the values as decimal text, one a line */
	uint32_t attempts;
};

/* -EINVAL with a sentence that names the key, or -ENOMEM; *out is untouched then. */
int party_report_read(const char *line, size_t line_bytes, uint32_t party,
    uint32_t n_parties, struct party_report *out, struct error *err);
void party_report_finish(struct party_report *report); /* zeroed is fine */

#endif

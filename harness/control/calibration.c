/* SPDX-License-Identifier: MIT */
#include "harness/control/calibration.h"
#include "base/units.h"
#include "harness/control/run.h"
#include "harness/measure/calibrate.h"
#include "harness/party/party_message.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_TEXT       "9"
#define INTERVAL_US_TEXT "20000"
#define PATIENCE_MS_TEXT "3000"
#define FIXED_ARGUMENTS  8u
#define RTT_NS_MAX       (UINT64_C(1) << 50)

struct question {
	const char *argv[FIXED_ARGUMENTS + TESTBED_HOSTS_MAX + 1];
};

static void ask_about_others(struct run *run, uint32_t host, struct question *question)
{
	static const char *const fixed[FIXED_ARGUMENTS] = {"e3", "calibrate", "--count",
	    COUNT_TEXT, "--interval-us", INTERVAL_US_TEXT, "--patience-ms",
	    PATIENCE_MS_TEXT};
	uint32_t n = FIXED_ARGUMENTS;

	memset(question, 0, sizeof(*question));
	memcpy(question->argv, fixed, sizeof(fixed));
	for (uint32_t h = 0; h < run->n_hosts; h++)
		if (h != host)
			question->argv[n++] = run->inventory.hosts[h].address;
}

/* Clocks of two hosts differ by more than what a one-way delay measured with them would
 * tell: half of the round trip it is. */
static void note_one_way(
    struct run *run, uint32_t from, uint32_t to, const struct calibrate_pair *measured)
{
	run->one_way_ns[from][to] = measured->p50_ns / 2;
	run->knows_one_way &= measured->received > 0;
}

static int take_pair(
    struct run *run, uint32_t from, uint32_t to, const cJSON *pair, struct error *err)
{
	const cJSON *rtt = cJSON_GetObjectItemCaseSensitive(pair, "rtt_ns");
	struct calibrate_pair measured = {0};
	uint64_t sent, received;

	if (party_message_number(pair, "sent", CALIBRATE_COUNT_MAX, &sent, err) < 0 ||
	    party_message_number(pair, "received", CALIBRATE_COUNT_MAX, &received, err) <
		0)
		return -EPROTO;
	measured.sent = (uint32_t)sent;
	measured.received = (uint32_t)received;
	/* A real network may well keep echoes back, and nothing else. */
	if (received == 0 && run->testbed != NULL)
		return error_set(err, -EIO,
		    "%s gets no answer from %s (%s): the network between them is dead",
		    run->inventory.hosts[from].name, run->inventory.hosts[to].name,
		    run->inventory.hosts[to].address);
	if (received > 0 &&
	    (party_message_number(rtt, "min", RTT_NS_MAX, &measured.min_ns, err) < 0 ||
		party_message_number(rtt, "p50", RTT_NS_MAX, &measured.p50_ns, err) < 0 ||
		party_message_number(rtt, "p99", RTT_NS_MAX, &measured.p99_ns, err) < 0))
		return -EPROTO;
	if (run->testbed == NULL)
		note_one_way(run, from, to, &measured);
	result_calibration_pair(run->result, from, to,
	    run->testbed != NULL ? scenario_rtt_ns(run->scenario, from, to)
				 : RESULT_RTT_UNKNOWN,
	    &measured);
	return 0;
}

static int take_reply(
    struct run *run, uint32_t from, const cJSON *reply, struct error *err)
{
	const cJSON *pairs = cJSON_GetObjectItemCaseSensitive(reply, "pairs");
	uint32_t n = 0;

	if (cJSON_GetArraySize(pairs) != (int)run->n_hosts - 1)
		return error_set(err, -EPROTO, "%s: calibration of not all pairs",
		    run->inventory.hosts[from].name);
	for (uint32_t to = 0; to < run->n_hosts; to++) {
		int rc = to == from ? 0
				    : take_pair(run, from, to,
					  cJSON_GetArrayItem(pairs, (int)n++), err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int ask_all(struct run *run, struct error *err)
{
	struct question questions[TESTBED_HOSTS_MAX];
	const char *const *argvs[TESTBED_HOSTS_MAX];
	cJSON *replies[TESTBED_HOSTS_MAX];
	int rc;

	for (uint32_t h = 0; h < run->n_hosts; h++) {
		ask_about_others(run, h, &questions[h]);
		argvs[h] = questions[h].argv;
	}
	rc = fleet_step_ask(&run->hosts, argvs, replies, err);
	for (uint32_t h = 0; h < run->n_hosts; h++) {
		if (rc == 0)
			rc = take_reply(run, h, replies[h], err);
		cJSON_Delete(replies[h]);
	}
	return rc;
}

int calibrate_pairs(struct run *run, struct error *err)
{
	struct testbed_counters *around;
	int rc;

	run->knows_one_way = 1;
	if (run->n_hosts < 2)
		return 0;
	if (run->testbed == NULL) {
		rc = ask_all(run, err);
		return rc < 0 ? error_wrap(err, "calibration") : 0;
	}
	around = calloc(2, sizeof(*around));
	if (around == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = testbed_counters(run->testbed, &around[0], err);
	if (rc == 0)
		rc = ask_all(run, err);
	if (rc == 0)
		rc = testbed_counters(run->testbed, &around[1], err);
	if (rc == 0)
		result_calibration_emulator(
		    run->result, &around[0], &around[1], run->n_hosts);
	free(around);
	return rc < 0 ? error_wrap(err, "calibration") : 0;
}

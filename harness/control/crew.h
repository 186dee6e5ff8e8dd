/* SPDX-License-Identifier: MIT */
/*
 * The parties of one run of one cell, as the controller sees them: a fleet command each.
 * The crew hands cards and signals round, counts barriers, and keeps what each party
 * said.
 */
#ifndef HARNESS_CONTROL_CREW_H
#define HARNESS_CONTROL_CREW_H

#include "harness/fleet/fleet.h"
#include "harness/party/party_message.h"

#include <uv.h>

/* In this order; a party moves forward, one step at a time and none before the controller
 * has asked for it. A message that does not fit is its failure (-EPROTO). */
enum crew_state {
	CREW_STARTED,
	CREW_PREPARED,
	CREW_UP,
	CREW_OPEN,
	CREW_REPORTED,
	CREW_HUNG_UP,
	CREW_CLOSED,
	CREW_ENDED,
};

/* Life cycle phases a party times itself, ns. */
#define CREW_PHASES(X)                                                                   \
	X(prepare) X(exchange) X(up) X(open) X(run) X(close) X(down) X(finalise)

struct crew_phases {
#define CREW_PHASE_FIELD(name) uint64_t name##_ns;
	CREW_PHASES(CREW_PHASE_FIELD)
#undef CREW_PHASE_FIELD
};

struct crew_member {
	struct crew *crew;
	uint32_t party;
	struct fleet_command *command;
	enum crew_state state;
	enum crew_state reached; /* the last it spoke of itself, never CREW_ENDED */
	struct crew_phases phases;
	char *card;        /* base64 as it came */
	cJSON *report;     /* NULL until reported */
	char *report_line; /* the same as it came */
	size_t report_bytes;
	enum party_fault fault; /* valid if error.code != 0 */
	struct error error;     /* why this party gave up */
	struct outcome outcome; /* of its command, valid once ended */
	int has_ended;
	const char *line; /* under way, during the call that takes it */
	size_t line_bytes;
};

struct crew {
	uv_loop_t *loop;
	struct fleet *fleet;
	uint32_t n_parties;
	const char *hosts[NETWORK_PARTIES_MAX]; /* names; party p is on hosts[p] */
	struct crew_member members[NETWORK_PARTIES_MAX];
	enum crew_state may_reach; /* by what all were told so far */
	/* The first thing that went wrong; code 0 while all is well. */
	struct error failure;
	enum party_fault failure_fault;
	/* Asked on every turn of a wait: why the run must end, or NULL. */
	const struct error *(*must_end)(void *user);
	void *user;
	void (*log)(void *user, uint32_t party, const char *text); /* may be NULL */
};

/* Start all parties with their plans (host p runs party p). Zeroed crew with loop, fleet,
 * n_parties, hosts, must_end and user set. */
int crew_start(struct crew *crew, const struct party_plan *plans, struct error *err);

/* Run the loop until all are at least at `state`. On failure, of one party or by
 * must_end, returns its code; crew->failure has the sentence. */
int crew_await(struct crew *crew, enum crew_state state, uint32_t deadline_ms);

/* What a party may do next; the step it then says is out of turn before. */
int crew_send_cards(struct crew *crew);
void crew_send(
    struct crew *crew, const char *type); /* "go", "close", "down", "stop" to all */

/* Tell all to stop, wait until every command has ended; cancel what does not. */
void crew_end(struct crew *crew, uint32_t deadline_ms);

void crew_finish(struct crew *crew); /* after crew_end(); zeroed is fine */

#endif

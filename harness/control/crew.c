/* SPDX-License-Identifier: MIT */
#include "harness/control/crew.h"
#include "harness/link/loop_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANCEL_DEADLINE_MS 5000u
/* A failing party drags the others along; who was first is the cause. Give the cause this
 * long to be heard before a lost peer is blamed. */
#define BLAME_MS           300u

static const char *const state_words[] = {[CREW_STARTED] = "started",
    [CREW_PREPARED] = "prepared",
    [CREW_UP] = "up",
    [CREW_OPEN] = "open",
    [CREW_REPORTED] = "done",
    [CREW_HUNG_UP] = "hung up",
    [CREW_CLOSED] = "closed",
    [CREW_ENDED] = "ended"};

static void member_failed(
    struct crew_member *member, enum party_fault fault, int code, const char *text)
{
	struct crew *crew = member->crew;

	if (member->error.code == 0) {
		member->fault = fault;
		error_set(&member->error, code, "%s", text);
	}
	/* "Lost" and "cancelled" are what others see of the real cause: it may replace
	 * them. */
	if (crew->failure.code == 0 ||
	    ((crew->failure_fault == PARTY_FAULT_LOST ||
		 crew->failure_fault == PARTY_FAULT_CANCELLED) &&
		fault != PARTY_FAULT_LOST && fault != PARTY_FAULT_CANCELLED)) {
		crew->failure_fault = fault;
		error_set(&crew->failure, code, "party %u on %s: %s", member->party,
		    crew->hosts[member->party], text);
	}
}

static void send_message(struct crew_member *member, cJSON *message)
{
	char *text = cJSON_PrintUnformatted(message);

	if (text != NULL && !member->has_ended) {
		fleet_command_write(member->command, text, strlen(text));
		fleet_command_write(member->command, "\n", 1);
	}
	cJSON_free(text);
}

static int take_number(
    struct crew_member *member, const cJSON *message, const char *key, uint64_t *out)
{
	struct error err = {0};

	if (party_message_number(message, key, UINT64_C(1) << 53, out, &err) == 0)
		return 0;
	member_failed(member, PARTY_FAULT_FAILED, -EPROTO, err.text);
	return -EPROTO;
}

static const char *take_text(
    struct crew_member *member, const cJSON *message, const char *key)
{
	struct error err = {0};
	const char *text = party_message_text(message, key, &err);

	if (text == NULL)
		member_failed(member, PARTY_FAULT_FAILED, -EPROTO, err.text);
	return text;
}

static void out_of_turn(struct crew_member *member, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "spoke out of turn: said '%s' while it was %s", what,
	    state_words[member->state]);
	member_failed(member, PARTY_FAULT_FAILED, -EPROTO, text);
}

/* Each step follows the one before it, and what the controller said to all. Only who has
 * given up says "closed" from wherever it is. */
static int is_in_turn(const struct crew_member *member, enum crew_state state)
{
	if (state == CREW_CLOSED && member->error.code != 0)
		return member->state < CREW_CLOSED;
	return member->state + 1 == state && state <= member->crew->may_reach;
}

static int took_step(struct crew_member *member, enum crew_state state, const char *what)
{
	if (!is_in_turn(member, state)) {
		out_of_turn(member, what);
		return -EPROTO;
	}
	member->state = member->reached = state;
	return 0;
}

static void on_prepared(struct crew_member *member, const cJSON *message)
{
	const char *card = take_text(member, message, "card");

	if (card == NULL ||
	    take_number(member, message, "prepare_ns", &member->phases.prepare_ns) < 0)
		return;
	if (member->card == NULL)
		member->card = strdup(card);
	if (member->card == NULL)
		member_failed(
		    member, PARTY_FAULT_FAILED, -ENOMEM, "no memory for its card");
	took_step(member, CREW_PREPARED, "prepared");
}

static void on_up(struct crew_member *member, const cJSON *message)
{
	if (take_number(member, message, "exchange_ns", &member->phases.exchange_ns) ==
		0 &&
	    take_number(member, message, "up_ns", &member->phases.up_ns) == 0)
		took_step(member, CREW_UP, "up");
}

static void on_open(struct crew_member *member, const cJSON *message)
{
	if (take_number(member, message, "open_ns", &member->phases.open_ns) == 0)
		took_step(member, CREW_OPEN, "open");
}

/* Whole, whatever bytes it has: JSON takes a NUL for a blank. */
static void keep_line(struct crew_member *member)
{
	member->report_line = malloc(member->line_bytes + 1);
	if (member->report_line == NULL) {
		member_failed(
		    member, PARTY_FAULT_FAILED, -ENOMEM, "no memory for its report");
		return;
	}
	memcpy(member->report_line, member->line, member->line_bytes);
	member->report_line[member->line_bytes] = '\0';
	member->report_bytes = member->line_bytes;
}

static void on_report(struct crew_member *member, const cJSON *message)
{
	if (take_number(member, cJSON_GetObjectItemCaseSensitive(message, "phases_ns"),
		"run", &member->phases.run_ns) < 0 ||
	    took_step(member, CREW_REPORTED, "report") < 0)
		return;
	member->report = cJSON_Duplicate(message, 1);
	keep_line(member);
}

static void on_hung_up(struct crew_member *member, const cJSON *message)
{
	(void)message;
	took_step(member, CREW_HUNG_UP, "hung_up");
}

static void on_closed(struct crew_member *member, const cJSON *message)
{
	if (take_number(member, message, "close_ns", &member->phases.close_ns) == 0 &&
	    cJSON_GetObjectItemCaseSensitive(message, "down_ns") != NULL) {
		take_number(member, message, "down_ns", &member->phases.down_ns);
		take_number(member, message, "finalise_ns", &member->phases.finalise_ns);
	}
	took_step(member, CREW_CLOSED, "closed");
}

/* Pass it on; the receiver checks the data. */
static void on_signal(struct crew_member *member, const cJSON *message)
{
	cJSON *passed;
	uint64_t to;

	if (take_number(member, message, "to", &to) < 0)
		return;
	if (to >= member->crew->n_parties || to == member->party) {
		member_failed(member, PARTY_FAULT_FAILED, -EPROTO,
		    "sent a signal to a party that is no peer of it");
		return;
	}
	if (member->state >= CREW_CLOSED) {
		out_of_turn(member, "signal");
		return;
	}
	passed = cJSON_Duplicate(message, 1);
	cJSON_DeleteItemFromObjectCaseSensitive(passed, "to");
	cJSON_AddNumberToObject(passed, "from", member->party);
	send_message(&member->crew->members[to], passed);
	cJSON_Delete(passed);
}

static void on_log(struct crew_member *member, const cJSON *message)
{
	const char *text = take_text(member, message, "text");

	if (text != NULL && member->crew->log != NULL)
		member->crew->log(member->crew->user, member->party, text);
}

static void on_error(struct crew_member *member, const cJSON *message)
{
	static const int codes[] = {[PARTY_FAULT_UNSUPPORTED] = -ENOTSUP,
	    [PARTY_FAULT_FAILED] = -EIO,
	    [PARTY_FAULT_TIMEOUT] = -ETIMEDOUT,
	    [PARTY_FAULT_LOST] = -ECONNRESET,
	    [PARTY_FAULT_CANCELLED] = -ECANCELED};
	const char *code = take_text(member, message, "code");
	const char *text = take_text(member, message, "text");
	const char *phase = take_text(member, message, "phase");
	char sentence[ERROR_TEXT_BYTES];
	enum party_fault fault;

	if (code == NULL || text == NULL || phase == NULL)
		return;
	fault = party_fault_parse(code);
	if (fault == PARTY_FAULT_UNSUPPORTED)
		snprintf(sentence, sizeof(sentence), "%s", text);
	else
		snprintf(sentence, sizeof(sentence), "%.16s: %.900s", phase, text);
	member_failed(member, fault, codes[fault], sentence);
}

static const struct {
	const char *type;
	void (*take)(struct crew_member *member, const cJSON *message);
} message_types[] = {
    {"prepared", on_prepared},
    {"up", on_up},
    {"open", on_open},
    {"report", on_report},
    {"hung_up", on_hung_up},
    {"closed", on_closed},
    {"signal", on_signal},
    {"log", on_log},
    {"error", on_error},
};

static void on_line(void *user, const char *line, size_t len)
{
	struct crew_member *member = user;
	cJSON *message = cJSON_ParseWithLength(line, len);
	const char *type = party_message_text(message, "t", NULL);

	member->line = line;
	member->line_bytes = len;
	for (size_t i = 0;
	     type != NULL && i < sizeof(message_types) / sizeof(*message_types); i++)
		if (strcmp(message_types[i].type, type) == 0) {
			message_types[i].take(member, message);
			cJSON_Delete(message);
			return;
		}
	cJSON_Delete(message);
	member_failed(
	    member, PARTY_FAULT_FAILED, -EPROTO, "said something that is no message");
}

static void on_ended(void *user, const struct outcome *outcome, const char *stderr_tail)
{
	struct crew_member *member = user;
	char text[ERROR_TEXT_BYTES];

	member->outcome = *outcome;
	member->has_ended = 1;
	member->command = NULL;
	if (outcome->kind != OUTCOME_OK && member->error.code == 0) {
		const char *tail = strlen(stderr_tail) > 600
				       ? stderr_tail + strlen(stderr_tail) - 600
				       : stderr_tail;

		snprintf(text, sizeof(text), "%.300s%s%s", outcome->error.text,
		    tail[0] != '\0' ? "; it said: " : "", tail);
		member_failed(member,
		    outcome->kind == OUTCOME_CANCELLED ? PARTY_FAULT_CANCELLED
		    : outcome->kind == OUTCOME_TIMEOUT ? PARTY_FAULT_TIMEOUT
						       : PARTY_FAULT_FAILED,
		    -EIO, text);
	} else if (member->state < CREW_CLOSED && member->error.code == 0) {
		member_failed(
		    member, PARTY_FAULT_FAILED, -EIO, "ended before its work was done");
	}
	member->state = CREW_ENDED;
}

static int start_member(
    struct crew *crew, uint32_t p, const struct party_plan *plan, struct error *err)
{
	static const char *const argv[] = {"e3", "party", NULL};
	struct crew_member *member = &crew->members[p];
	const struct fleet_command_events events = {
	    .line = on_line, .ended = on_ended, .user = member};
	cJSON *message;
	int rc;

	member->crew = crew;
	member->party = p;
	rc = fleet_command_start(crew->fleet, p, argv, &events, &member->command, err);
	if (rc < 0) {
		member->has_ended = 1;
		return rc;
	}
	message = party_plan_json(plan);
	send_message(member, message);
	cJSON_Delete(message);
	return 0;
}

int crew_start(struct crew *crew, const struct party_plan *plans, struct error *err)
{
	crew->may_reach = CREW_PREPARED;
	for (uint32_t p = 0; p < crew->n_parties; p++)
		crew->members[p].has_ended = 1;
	for (uint32_t p = 0; p < crew->n_parties; p++) {
		int rc;

		crew->members[p].has_ended = 0;
		rc = start_member(crew, p, &plans[p], err);
		if (rc < 0) {
			crew->failure_fault = PARTY_FAULT_FAILED;
			error_set(&crew->failure, rc,
			    "party %u on %s could not be started: %s", p, crew->hosts[p],
			    err->text);
			return rc;
		}
	}
	return 0;
}

struct await {
	struct crew *crew;
	enum crew_state state;
};

static int is_reached(void *user)
{
	struct await *await = user;
	struct crew *crew = await->crew;
	const struct error *why =
	    crew->must_end == NULL ? NULL : crew->must_end(crew->user);

	if (why != NULL && crew->failure.code == 0) {
		crew->failure = *why;
		crew->failure_fault = party_fault_of(why->code);
	}
	if (crew->failure.code != 0)
		return 1;
	for (uint32_t p = 0; p < crew->n_parties; p++)
		if (crew->members[p].state < await->state)
			return 0;
	return 1;
}

static int never(void *user)
{
	(void)user;
	return 0;
}

static void name_the_late(struct crew *crew, enum crew_state state, uint32_t deadline_ms)
{
	for (uint32_t p = 0; p < crew->n_parties; p++)
		if (crew->members[p].state < state) {
			crew->failure_fault = PARTY_FAULT_TIMEOUT;
			error_set(&crew->failure, -ETIMEDOUT,
			    "party %u on %s was not %s within %u s", p, crew->hosts[p],
			    state_words[state], deadline_ms / 1000);
			return;
		}
}

int crew_await(struct crew *crew, enum crew_state state, uint32_t deadline_ms)
{
	struct await await = {.crew = crew, .state = state};

	if (loop_wait(crew->loop, deadline_ms, is_reached, &await) < 0)
		name_the_late(crew, state, deadline_ms);
	if (crew->failure.code != 0 && crew->failure_fault == PARTY_FAULT_LOST)
		loop_wait(crew->loop, BLAME_MS, never, NULL);
	return crew->failure.code;
}

int crew_send_cards(struct crew *crew)
{
	cJSON *message = party_message("cards");
	cJSON *cards = cJSON_AddArrayToObject(message, "cards");

	for (uint32_t p = 0; p < crew->n_parties; p++) {
		cJSON *card = cJSON_CreateObject();

		cJSON_AddStringToObject(card, "card", crew->members[p].card);
		cJSON_AddItemToArray(cards, card);
	}
	crew->may_reach = CREW_OPEN;
	for (uint32_t p = 0; p < crew->n_parties; p++)
		send_message(&crew->members[p], message);
	cJSON_Delete(message);
	return 0;
}

static const struct {
	const char *type;
	enum crew_state may_reach; /* of those that hear it */
} orders[] = {{"go", CREW_REPORTED}, {"close", CREW_HUNG_UP}, {"down", CREW_CLOSED}};

void crew_send(struct crew *crew, const char *type)
{
	cJSON *message = party_message(type);

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(orders[i].type, type) == 0)
			crew->may_reach = orders[i].may_reach;
	for (uint32_t p = 0; p < crew->n_parties; p++)
		send_message(&crew->members[p], message);
	cJSON_Delete(message);
}

static int all_ended(void *user)
{
	struct crew *crew = user;

	for (uint32_t p = 0; p < crew->n_parties; p++)
		if (!crew->members[p].has_ended)
			return 0;
	return 1;
}

void crew_end(struct crew *crew, uint32_t deadline_ms)
{
	if (crew->failure.code != 0)
		crew_send(crew, "stop");
	if (loop_wait(crew->loop, deadline_ms, all_ended, crew) == 0)
		return;
	for (uint32_t p = 0; p < crew->n_parties; p++)
		if (!crew->members[p].has_ended)
			fleet_command_cancel(crew->members[p].command);
	loop_wait(crew->loop, CANCEL_DEADLINE_MS, all_ended, crew);
}

void crew_finish(struct crew *crew)
{
	for (uint32_t p = 0; p < crew->n_parties; p++) {
		free(crew->members[p].card);
		cJSON_Delete(crew->members[p].report);
		free(crew->members[p].report_line);
	}
	memset(crew, 0, sizeof(*crew));
}

/* SPDX-License-Identifier: MIT */
/* One peer sends frames that are short, long, outside the field, or none: whoever uses
 * them says so and names it; nobody takes a wrong answer. */
#include "tests/engine/parties.h"
#include "tests/engine/protocols.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

enum fault { NONE, SHORT, LONG, EMPTY, OUTSIDE, LOST };

struct liar {
	uint32_t party, to;
	uint64_t number; /* of its message to that party */
	enum fault fault;
	const struct test_field *field;
	uint64_t n_sent; /* how many such there were */
	int is_keys;
};

static void change_length(struct memory_message *message, size_t len)
{
	unsigned char *base = malloc(len > 0 ? len : 1);

	memset(base, 0, len);
	memcpy(base, message->base, len < message->len ? len : message->len);
	free(message->base);
	message->base = base;
	message->len = len;
}

static void on_message(void *user, struct memory_message *message)
{
	struct liar *liar = user;

	if (message->from != liar->party || message->to != liar->to)
		return;
	liar->n_sent++;
	if (message->number != liar->number)
		return;
	/* Keys are sent first, to higher parties; any 16 bytes are a key. */
	liar->is_keys = message->number == 0 && message->from < message->to;
	if (liar->fault == SHORT)
		change_length(message, message->len - 1);
	else if (liar->fault == LONG)
		change_length(message, message->len + 8);
	else if (liar->fault == EMPTY)
		change_length(message, 0);
	else if (liar->fault == OUTSIDE && !liar->is_keys)
		memset(message->base + message->len - 8, 255, 8);
	else if (liar->fault == LOST)
		message->copies = 0;
}

/* The code of the run with one message changed; fails the test if it is not right. */
static void lie(const struct protocol *protocol, struct liar *liar)
{
	static const int want[] = {0, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -ETIMEDOUT};
	char name[16];
	struct parties parties = {.m = 3,
	    .field = liar->field,
	    .seed = 5,
	    .body = protocol->body,
	    .options = {.on_message = on_message,
		.user = liar,
		.real_deadline_ns = UINT64_C(20000000000)}};
	int rc;

	liar->n_sent = 0;
	rc = parties_run(&parties);
	/* Openings do without the slowest: a fault there may go unseen. */
	if (rc == 0 || (rc == -EBADMSG && liar->is_keys && liar->fault == OUTSIDE))
		return;
	snprintf(name, sizeof(name), "party %u sent", liar->party);
	if (rc != want[liar->fault] || strstr(parties.err.text, name) == NULL)
		fail_msg("%s, %s, message %u, fault %d: %d: %s", protocol->name,
		    liar->field->name, (unsigned)liar->number, (int)liar->fault, rc,
		    parties.err.text);
}

static void name_liars(const struct test_field *field)
{
	for (size_t i = 0; i < n_protocols; i++)
		for (uint32_t pair = 0; pair < 6; pair++) {
			uint32_t party = pair / 2, to = (party + 1 + pair % 2) % 3;
			struct liar liar = {.party = party, .to = to, .field = field};
			uint64_t n_messages;

			lie(&protocols[i], &liar);
			n_messages = liar.n_sent < 12 ? liar.n_sent : 12;
			for (int fault = SHORT; fault <= LOST; fault++)
				for (uint64_t n = 0; n < n_messages; n++) {
					liar = (struct liar){.party = party,
					    .to = to,
					    .number = n,
					    .fault = (enum fault)fault,
					    .field = field};
					lie(&protocols[i], &liar);
				}
		}
}

static void liars_are_named(void **state)
{
	static const struct test_field fields[] = {
	    {"2^61-1", 61, 0}, {"127 bits", 127, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		name_liars(&fields[i]);
}

/* A product's frame is needed: its faults never go unseen. */
static void needed_frames_are_checked(void **state)
{
	static const int want[] = {0, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -ETIMEDOUT};

	(void)state;
	for (int fault = SHORT; fault <= LOST; fault++) {
		/* 1 to 0: the input, the product, the opening. */
		struct liar liar = {
		    .party = 1, .to = 0, .number = 1, .fault = (enum fault)fault};
		struct parties parties = {.m = 3,
		    .body = protocols[0].body,
		    .options = {.on_message = on_message, .user = &liar}};

		assert_int_equal(parties_run(&parties), want[fault]);
		assert_int_equal(parties.codes[0], want[fault]);
		assert_non_null(strstr(parties.err.text, "party 1 sent"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(liars_are_named),
	    cmocka_unit_test(needed_frames_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

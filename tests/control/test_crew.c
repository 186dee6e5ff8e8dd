/* SPDX-License-Identifier: MIT */
/* What a party says must fit where it is and what it was asked for. */
#include "harness/control/crew.h"
#include "tests/control/fake_fleet.h"
#include "tests/tap.h"

#include <string.h>

#define PREPARED "{\"t\":\"prepared\",\"card\":\"\",\"prepare_ns\":1}"
#define UP       "{\"t\":\"up\",\"exchange_ns\":1,\"up_ns\":1}"
#define OPEN     "{\"t\":\"open\",\"open_ns\":1}"
#define REPORT   "{\"t\":\"report\",\"phases_ns\":{\"run\":1}}"
#define HUNG_UP  "{\"t\":\"hung_up\"}"
#define CLOSED   "{\"t\":\"closed\",\"close_ns\":1,\"down_ns\":1,\"finalise_ns\":1}"
#define GAVE_UP  "{\"t\":\"error\",\"phase\":\"up\",\"code\":\"failed\",\"text\":\"no\"}"

/* Until where a crew is brought before the odd one speaks. */
static const char *const steps[] = {PREPARED, UP, OPEN, REPORT, HUNG_UP, CLOSED};

static struct crew crew;
static uv_loop_t loop;

static void say(uint32_t party, const char *line)
{
	fake_fleet_say(party, line, strlen(line));
}

static void begin(void)
{
	uv_loop_init(&loop);
	fake_fleet_start_crew(&crew, &loop, "tcp");
}

static void bring_to(enum crew_state state)
{
	for (enum crew_state at = CREW_STARTED; at < state; at++) {
		for (uint32_t p = 0; p < FAKE_FLEET_HOSTS; p++)
			say(p, steps[at]);
		assert_int_equal(crew.failure.code, 0);
		if (at + 1 == CREW_PREPARED)
			crew_send_cards(&crew);
		else if (at + 1 == CREW_OPEN)
			crew_send(&crew, "go");
		else if (at + 1 == CREW_REPORTED)
			crew_send(&crew, "close");
		else if (at + 1 == CREW_HUNG_UP)
			crew_send(&crew, "down");
	}
}

static void end(void)
{
	for (uint32_t p = 0; p < FAKE_FLEET_HOSTS; p++)
		fake_fleet_end(p);
	crew_end(&crew, 10000);
	crew_finish(&crew);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void each_step_in_its_turn_is_taken(void **state)
{
	(void)state;
	begin();
	bring_to(CREW_CLOSED);
	assert_int_equal(crew.failure.code, 0);
	assert_int_equal(crew.members[2].state, CREW_CLOSED);
	end();
}

/* Of every pair of place and step but the one that follows. */
static void a_step_out_of_turn_names_the_host(void **state)
{
	(void)state;
	for (enum crew_state at = CREW_STARTED; at <= CREW_CLOSED; at++)
		for (enum crew_state step = CREW_PREPARED; step <= CREW_CLOSED; step++) {
			if (step == at + 1)
				continue;
			begin();
			bring_to(at);
			say(1, steps[step - 1]);
			assert_int_equal(crew.failure.code, -EPROTO);
			assert_int_equal(crew.failure_fault, PARTY_FAULT_FAILED);
			assert_int_equal(crew.members[1].state, at);
			assert_non_null(strstr(crew.failure.text,
			    "party 1 on bob: spoke out of turn: said '"));
			assert_true(
			    (crew.members[1].report != NULL) == (at >= CREW_REPORTED));
			end();
		}
}

static void a_step_nobody_asked_for_is_out_of_turn(void **state)
{
	/* What follows is the last step asked for before cards, go, close and down. */
	static const enum crew_state before[] = {
	    CREW_STARTED, CREW_UP, CREW_OPEN, CREW_REPORTED};

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		begin();
		bring_to(before[i]);
		/* It has run ahead: the others have not come as far. */
		say(0, steps[before[i]]);
		assert_int_equal(crew.failure.code, 0);
		say(0, steps[before[i] + 1]);
		assert_int_equal(crew.failure.code, -EPROTO);
		assert_non_null(strstr(crew.failure.text, "party 0 on ada: "));
		end();
	}
}

static void who_gave_up_closes_from_anywhere(void **state)
{
	(void)state;
	for (enum crew_state at = CREW_STARTED; at <= CREW_HUNG_UP; at++) {
		begin();
		bring_to(at);
		say(2, GAVE_UP);
		assert_string_equal(crew.failure.text, "party 2 on cyd: up: no");
		say(2, CLOSED);
		assert_string_equal(crew.failure.text, "party 2 on cyd: up: no");
		assert_int_equal(crew.members[2].state, CREW_CLOSED);
		end();
	}
}

static void what_lacks_a_part_is_no_message(void **state)
{
	static const char *const lacking[] = {"{\"t\":\"prepared\",\"prepare_ns\":1}",
	    "{\"t\":\"log\",\"level\":1}", "{\"t\":\"error\",\"phase\":\"up\"}",
	    "{\"t\":\"signal\",\"data\":\"\"}", "{\"t\":\"signal\",\"to\":3}",
	    "{\"t\":\"signal\",\"to\":1}", "{\"t\":\"hum\"}", "", "[]"};

	(void)state;
	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		begin();
		say(1, lacking[i]);
		assert_int_equal(crew.failure.code, -EPROTO);
		assert_non_null(strstr(crew.failure.text, "party 1 on bob: "));
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_step_in_its_turn_is_taken),
	    cmocka_unit_test(a_step_out_of_turn_names_the_host),
	    cmocka_unit_test(a_step_nobody_asked_for_is_out_of_turn),
	    cmocka_unit_test(who_gave_up_closes_from_anywhere),
	    cmocka_unit_test(what_lacks_a_part_is_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

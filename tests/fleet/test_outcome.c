/* SPDX-License-Identifier: MIT */
#include "harness/fleet/outcome.h"

#include "tests/tap.h"

#include <string.h>

static void test_texts(void **state)
{
	static const struct {
		enum outcome_kind kind;
		int number;
		const char *text;
	} table[] = {
	    {OUTCOME_OK, 0, "ok"},
	    {OUTCOME_EXIT, 3, "exit:3"},
	    {OUTCOME_EXIT, 255, "exit:255"},
	    {OUTCOME_SIGNAL, 9, "signal:9"},
	    {OUTCOME_TIMEOUT, 0, "timeout"},
	    {OUTCOME_UNREACHABLE, 0, "unreachable"},
	    {OUTCOME_AUTH, 0, "auth"},
	    {OUTCOME_HOSTKEY, 0, "hostkey"},
	    {OUTCOME_LOST, 0, "lost"},
	    {OUTCOME_CANCELLED, 0, "cancelled"},
	    {OUTCOME_SKIPPED, 0, "skipped"},
	};
	struct outcome outcome;
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		outcome_set(&outcome, table[i].kind, table[i].number, "host%d: why", 7);
		assert_string_equal(outcome_text(&outcome, text), table[i].text);
		if (table[i].kind == OUTCOME_OK) {
			assert_int_equal(outcome.error.code, 0);
			assert_string_equal(outcome.error.text, "");
		} else {
			assert_true(outcome.error.code < 0);
			assert_string_equal(outcome.error.text, "host7: why");
		}
	}
}

static void test_stderr_tail(void **state)
{
	static struct stderr_tail tail;
	static char want[20000];
	char line[64];
	size_t len = 0;

	(void)state;
	stderr_tail_last_line(&tail, line, sizeof(line));
	assert_string_equal(line, "");
	for (int i = 0; i < 1000; i++) {
		char text[32];
		int n = snprintf(text, sizeof(text), "complaint %d\n", i);

		stderr_tail_add(&tail, text, (size_t)n);
		memcpy(want + len, text, (size_t)n);
		len += (size_t)n;
		assert_memory_equal(tail.text,
		    want + (len > STDERR_TAIL_BYTES ? len - STDERR_TAIL_BYTES : 0),
		    tail.len);
		assert_int_equal(tail.text[tail.len], 0);
	}
	assert_int_equal(tail.len, STDERR_TAIL_BYTES);
	stderr_tail_last_line(&tail, line, sizeof(line));
	assert_string_equal(line, "complaint 999");
	stderr_tail_add(&tail, want, len); /* longer than the tail */
	assert_memory_equal(tail.text, want + len - STDERR_TAIL_BYTES, STDERR_TAIL_BYTES);
	stderr_tail_add(&tail, "a\0b \n\n", 6);
	stderr_tail_last_line(&tail, line, sizeof(line));
	assert_string_equal(line, "a?b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_stderr_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

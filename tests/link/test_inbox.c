/* SPDX-License-Identifier: MIT */
#include "harness/link/inbox.h"
#include "tests/tap.h"

#include <string.h>

static struct inbox inbox;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	inbox_init(&inbox, 4);
	memset(&err, 0, sizeof(err));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	inbox_finish(&inbox);
	return 0;
}

static void pieces_fill_what_is_due(void **state)
{
	char base[10] = "..........";

	(void)state;
	assert_int_equal(inbox_expect(&inbox, base, 10, 1, &err), 0);
	assert_int_equal(inbox_piece(&inbox, "abcd", 4, &err), 0);
	assert_int_equal(inbox_piece(&inbox, "efgh", 4, &err), 0);
	assert_false(inbox_is_empty(&inbox));
	assert_int_equal(inbox_piece(&inbox, "ij", 2, &err), 0);
	assert_true(inbox_is_empty(&inbox));
	assert_memory_equal(base, "abcdefghij", 10);
}

static void early_pieces_wait(void **state)
{
	char first[3], second[6];

	(void)state;
	assert_int_equal(inbox_piece(&inbox, "abc", 3, &err), 0);
	assert_int_equal(inbox_piece(&inbox, "defg", 4, &err), 0);
	assert_int_equal(inbox.backlog_bytes, 7 + 2 * INBOX_PIECE_BYTES);
	assert_int_equal(inbox_expect(&inbox, first, 3, 1, &err), 0);
	assert_true(inbox_is_empty(&inbox));
	assert_int_equal(inbox_expect(&inbox, second, 6, 1, &err), 0);
	assert_int_equal(inbox_piece(&inbox, "hi", 2, &err), 0);
	assert_memory_equal(first, "abc", 3);
	assert_memory_equal(second, "defghi", 6);
	assert_int_equal(inbox.backlog_bytes, 0);
}

/* A flood of tiny pieces costs what it takes to keep them, not their bytes alone. */
static void tiny_pieces_fill_the_backlog_too(void **state)
{
	uint32_t n = 0;

	(void)state;
	for (; !inbox_is_full(&inbox); n++)
		assert_int_equal(inbox_piece(&inbox, "x", 1, &err), 0);
	assert_in_range(n, 1, INBOX_BACKLOG_BYTES / INBOX_PIECE_BYTES);
}

static void wrong_lengths_are_refused(void **state)
{
	char base[8];

	(void)state;
	assert_int_equal(inbox_expect(&inbox, base, 6, 1, &err), 0);
	assert_int_equal(inbox_piece(&inbox, "abc", 3, &err), -EPROTO);
	assert_non_null(strstr(err.text, "3 bytes where 4 of 6 are due"));
	assert_int_equal(inbox_piece(&inbox, "abcde", 5, &err), -EPROTO);
	assert_int_equal(inbox_piece(&inbox, "", 0, &err), -EPROTO);
}

static void early_wrong_length_is_refused_when_due(void **state)
{
	char base[8];

	(void)state;
	assert_int_equal(inbox_piece(&inbox, "abc", 3, &err), 0);
	assert_int_equal(inbox_expect(&inbox, base, 4, 1, &err), -EPROTO);
}

static void place_is_offered_only_for_the_due_piece(void **state)
{
	char base[6];

	(void)state;
	assert_null(inbox_place(&inbox, 4));
	assert_int_equal(inbox_expect(&inbox, base, 6, 1, &err), 0);
	assert_null(inbox_place(&inbox, 3));
	assert_ptr_equal(inbox_place(&inbox, 4), base);
	memcpy(base, "abcd", 4);
	assert_int_equal(inbox_piece(&inbox, base, 4, &err), 0);
	assert_ptr_equal(inbox_place(&inbox, 2), base + 4);
	inbox_drop(&inbox);
	assert_null(inbox_place(&inbox, 2));
}

static void dropped_messages_are_still_checked(void **state)
{
	char late[4] = "....", next[2];

	(void)state;
	assert_int_equal(inbox_expect(&inbox, late, 4, 0, &err), 0);
	assert_null(inbox_place(&inbox, 4));
	inbox_drop(&inbox);
	assert_int_equal(inbox_expect(&inbox, next, 2, 1, &err), 0);
	assert_int_equal(inbox_piece(&inbox, "abcd", 4, &err), 0);
	assert_memory_equal(late, "....", 4);
	assert_int_equal(inbox_piece(&inbox, "xy", 2, &err), 0);
	assert_memory_equal(next, "xy", 2);
	assert_true(inbox_is_empty(&inbox));
}

static void too_far_behind_is_an_error(void **state)
{
	char base[1];

	(void)state;
	for (uint32_t i = 0; i < INBOX_DUES_MAX; i++)
		assert_int_equal(inbox_expect(&inbox, base, 1, 0, &err), 0);
	assert_int_equal(inbox_expect(&inbox, base, 1, 0, &err), -EOVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(pieces_fill_what_is_due, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(early_pieces_wait, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		tiny_pieces_fill_the_backlog_too, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(wrong_lengths_are_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		early_wrong_length_is_refused_when_due, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		place_is_offered_only_for_the_due_piece, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		dropped_messages_are_still_checked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		too_far_behind_is_an_error, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

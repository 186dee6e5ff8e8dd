/* SPDX-License-Identifier: MIT */
/* The tests of the suite, one table: a function each, in the file named above it, and
 * what a transport must have for it (ALL: nothing). */
#ifndef TESTS_CONFORMANCE_SUITE_TESTS_H
#define TESTS_CONFORMANCE_SUITE_TESTS_H

#include "tests/conformance/suite_mesh.h"

extern const struct transport_under_test *suite_tested;

#define SUITE_TESTS(X)                                                                   \
	/* suite_messages.c */                                                           \
	X(suite_mesh_exchanges, ALL)                                                     \
	X(suite_mesh_opened_backwards_exchanges, ALL)                                    \
	X(suite_mesh_dialled_the_other_way_exchanges, TURNED)                            \
	X(suite_many_small_messages, ALL)                                                \
	X(suite_maximum_message, ALL)                                                    \
	X(suite_lanes_have_an_order_each, ALL)                                           \
	X(suite_polled_messages, ALL)                                                    \
	X(suite_polled_then_waited_for, ALL)                                             \
	X(suite_second_endpoints_carry_beside, ALL)                                      \
	/* suite_pressure.c */                                                           \
	X(suite_pause_stops_the_sender, ALL)                                             \
	X(suite_pause_inside_message, ALL)                                               \
	X(suite_pressure_both_ways, ALL)                                                 \
	X(suite_long_pause_then_resume, ALL)                                             \
	/* suite_opening.c */                                                            \
	X(suite_absent_peer_is_a_timeout, HASTY)                                         \
	X(suite_wrong_party_is_refused, ALL)                                             \
	X(suite_gone_peer_is_an_error, SIGNALS)                                          \
	X(suite_lost_signals_are_a_timeout, SIGNALS)                                     \
	X(suite_hostile_signals_change_nothing, ALL)                                     \
	/* suite_closing.c */                                                            \
	X(suite_close_after_n_turns, ALL)                                                \
	X(suite_close_at_once_without_a_turn, ALL)                                       \
	X(suite_reopened_channel_carries, ALL)                                           \
	X(suite_close_delivers_what_was_sent, ALL)                                       \
	X(suite_close_with_unread_bytes, ALL)                                            \
	X(suite_close_against_a_paused_peer, ALL)                                        \
	X(suite_close_inside_every_event, ALL)                                           \
	/* suite_manners.c */                                                            \
	X(suite_declares_itself, ALL)                                                    \
	X(suite_refuses_bad_options, ALL)                                                \
	X(suite_reports_facts_and_stats, ALL)                                            \
	X(suite_leaves_the_process_alone, ALL)                                           \
	/* suite_secrets.c */                                                            \
	X(suite_seals_what_it_claims, SECURE)

#define SUITE_DECLARE(test, needs) void test(void **state);
SUITE_TESTS(SUITE_DECLARE)
#undef SUITE_DECLARE

#endif

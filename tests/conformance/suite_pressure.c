/* SPDX-License-Identifier: MIT */
/* Back-pressure: a sender is refused and called back, a reader that pauses is left alone
 * and its peer is stopped, nothing is lost. */
#include "tests/conformance/suite_tests.h"

#include "tests/tap.h"

#define MESSAGE_BYTES  (256u << 10)
#define FLOOD_MESSAGES 4000u /* 1 GB: nobody may take that much from a sender */
#define PAUSE_MS       1500u

/* Send until refused. Returns how many were taken. */
static uint64_t flood(struct suite_end *end)
{
	uint64_t n = 0;

	for (int quiet = 0; quiet < 200 && n < FLOOD_MESSAGES;) {
		int rc = suite_send(end, MESSAGE_BYTES);

		if (rc == 0) {
			n++;
			quiet = 0;
		} else {
			assert_int_equal(rc, -EAGAIN);
			quiet++;
			suite_turn(end->mesh);
		}
	}
	return n;
}

void suite_pause_stops_the_sender(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;
	struct link_stats stats;
	uint64_t n, writable;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	link_pause(b->link, 1);
	n = flood(a);
	assert_in_range(n, 1, FLOOD_MESSAGES - 1);
	for (int turn = 0; turn < 100; turn++)
		suite_turn(mesh);
	assert_int_equal(b->n_messages, 0);
	writable = a->n_writable;
	link_stats(a->link, &stats);
	assert_true(stats.refusals > 0);
	link_pause(b->link, 0);
	suite_wait(mesh, b->n_messages == n);
	suite_wait(mesh, a->n_writable == writable + 1);
	suite_send_all(a, 8, 1);
	suite_wait(mesh, b->n_messages == n + 1 && a->n_done_ok == n + 1);
	link_stats(a->link, &stats);
	assert_true(stats.blocked_ns > 0);
	suite_finish(mesh);
}

static void on_event_pause(struct suite_end *end, enum suite_event event)
{
	if (event == SUITE_MESSAGE)
		link_pause(end->link, 1);
}

/* One message a resume: none slips through behind the brake. */
void suite_pause_inside_message(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	b->on_event = on_event_pause;
	suite_send_all(a, 100, 20);
	for (uint64_t n = 1; n <= 20; n++) {
		suite_wait(mesh, b->n_messages == n);
		for (int turn = 0; turn < 10; turn++)
			suite_turn(mesh);
		assert_int_equal(b->n_messages, n);
		link_pause(b->link, 0);
	}
	suite_finish(mesh);
}

/* Both send more than both can hold, and both read. */
void suite_pressure_both_ways(void **state)
{
	uint64_t n = suite_tested->is_slow ? 60 : 400;
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *ends[2];

	(void)state;
	suite_join(mesh, 0, 1, 0, &ends[0], &ends[1]);
	ends[0]->places = 1;
	while (ends[0]->n_messages < n || ends[1]->n_messages < n) {
		uint64_t before = mesh->n_events;

		for (int i = 0; i < 2; i++)
			while (ends[i]->n_sent < n &&
			       suite_send(ends[i], MESSAGE_BYTES) == 0)
				;
		suite_wait(mesh, mesh->n_events > before);
	}
	suite_wait(mesh, ends[0]->n_done_ok == n && ends[1]->n_done_ok == n);
	suite_finish(mesh);
}

/* Longer than keep-alives and retransmissions of a local path; the reader is only slow.
 */
void suite_long_pause_then_resume(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	uint64_t n, began = suite_now_ms();
	struct suite_end *a, *b;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	link_pause(b->link, 1);
	n = flood(a);
	suite_wait(mesh, suite_now_ms() - began > PAUSE_MS);
	assert_int_equal(a->n_lost + b->n_lost, 0);
	link_pause(b->link, 0);
	suite_wait(mesh, b->n_messages == n);
	suite_finish(mesh);
}

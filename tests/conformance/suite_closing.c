/* SPDX-License-Identifier: MIT */
/* Closing: in every state, from inside every event, after any number of loop turns; what
 * was sent arrives, what was not is given back, and nothing happens afterwards. */
#include "tests/conformance/suite_tests.h"

#include "tests/tap.h"

#include <string.h>

#define TURNS_MAX 20000

static int is_gone(const struct suite_end *end)
{
	return end->n_closed == 1;
}

static void send_now_and_then(struct suite_end *a, struct suite_end *b, int turn)
{
	if (!a->n_opened || !b->n_opened || turn % 3 != 0)
		return;
	suite_send(a, 70000);
	suite_send(b, 10);
}

/* Close one side after n turns, then the other, for n = 0, 1, 2, ... until that is well
 * after opening. */
void suite_close_after_n_turns(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	int n_opened = 0;

	(void)state;
	for (int n = 0; n < TURNS_MAX && n_opened < 5; n += 1 + n / 12) {
		struct suite_end *a = suite_open(mesh, 0, 1, (uint32_t)n);
		struct suite_end *b = suite_open(mesh, 1, 0, (uint32_t)n);
		struct suite_end *first = n % 2 ? a : b, *second = n % 2 ? b : a;

		for (int turn = 0; turn < n; turn++) {
			suite_turn(mesh);
			send_now_and_then(a, b, turn);
		}
		n_opened += a->n_opened && b->n_opened;
		suite_close(first);
		suite_wait(mesh, is_gone(first));
		suite_close(second);
		suite_wait(mesh, is_gone(second));
	}
	assert_int_equal(n_opened, 5);
	suite_finish(mesh);
}

void suite_close_at_once_without_a_turn(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;

	(void)state;
	for (int again = 0; again < 3; again++) { /* the lane is free again */
		a = suite_open(mesh, 0, 1, 0);
		b = suite_open(mesh, 1, 0, 0);
		suite_close(a);
		suite_close(b);
		suite_wait(mesh, is_gone(a) && is_gone(b));
	}
	suite_join(mesh, 0, 1, 0, &a, &b);
	suite_send_all(a, 100, 1);
	suite_wait(mesh, b->n_messages == 1);
	suite_finish(mesh);
}

void suite_reopened_channel_carries(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);

	(void)state;
	for (int again = 0; again < 5; again++) {
		struct suite_end *a, *b;

		suite_join(mesh, again % 2, 1 - again % 2, 0, &a, &b);
		suite_send_all(a, 5000, 3);
		suite_send_all(b, 50, 3);
		suite_wait(mesh, a->n_messages == 3 && b->n_messages == 3);
		suite_close(a);
		suite_close(b);
		suite_wait(mesh, is_gone(a) && is_gone(b));
	}
	suite_finish(mesh);
}

/* What was accepted before channel_close() still arrives, then the peer is told. */
void suite_close_delivers_what_was_sent(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;
	uint64_t n = 0;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	while (n < 100 && suite_send(a, 100000) == 0)
		n++;
	suite_close(a);
	suite_wait(mesh, b->n_lost == 1);
	assert_int_equal(b->n_messages, n);
	assert_int_equal(b->lost_status, -ESHUTDOWN);
	suite_wait(mesh, is_gone(a));
	assert_int_equal(a->n_done_ok, n);
	assert_int_equal(a->n_lost, 0);
	assert_int_equal(suite_send(b, 1), -ENOTCONN);
	suite_finish(mesh);
}

/* Unread bytes of the peer must not destroy what the closing side has sent. */
void suite_close_with_unread_bytes(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	link_pause(a->link, 1);
	suite_send_all(b, 100000, 10);
	for (int turn = 0; turn < 20; turn++)
		suite_turn(mesh);
	suite_send_all(a, 100000, 10);
	suite_close(a);
	suite_wait(mesh, b->n_lost == 1);
	assert_int_equal(b->n_messages, 10);
	suite_wait(mesh, is_gone(a));
	assert_int_equal(a->n_messages, 0);
	suite_finish(mesh);
}

/* A peer that never reads does not hold up closing for ever. */
void suite_close_against_a_paused_peer(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;
	int rc;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	link_pause(b->link, 1);
	for (int quiet = 0; quiet < 100;) {
		rc = suite_send(a, 1u << 20);
		quiet = rc == 0 ? 0 : quiet + 1;
		suite_turn(mesh);
	}
	assert_int_equal(rc, -EAGAIN);
	suite_close(a);
	suite_wait(mesh, is_gone(a));
	assert_true(a->n_cancelled > 0);
	assert_int_equal(a->n_sent, a->n_done);
	link_pause(b->link, 0);
	suite_wait(mesh, b->n_lost == 1);
	assert_true(b->n_messages >= a->n_done_ok);
	suite_finish(mesh);
}

static enum suite_event close_at;
static int also_closes_the_other;
static struct suite_end *pair[2];

static void on_event_close(struct suite_end *end, enum suite_event event)
{
	if (event != close_at || end->is_closing)
		return;
	suite_close(end);
	if (also_closes_the_other && !pair[end == pair[0]]->is_closing)
		suite_close(pair[end == pair[0]]);
}

/* Make `event` happen at pair[1], by whatever it takes. */
static void provoke(struct suite_mesh *mesh, enum suite_event event)
{
	struct suite_end *a = pair[0], *b = pair[1];

	if (event != SUITE_OPENED)
		suite_wait(mesh, a->n_opened && b->n_opened);
	if (event == SUITE_MESSAGE)
		suite_send_all(a, 30, 5);
	if (event == SUITE_PLACE)
		suite_send(a, 400000);
	if (event == SUITE_DONE) {
		suite_send(b, 400000);
		suite_send(b, 10);
	}
	if (event == SUITE_LOST)
		suite_close(a);
	if (event == SUITE_WRITABLE) {
		link_pause(a->link, 1);
		for (int quiet = 0; quiet < 100;) {
			quiet = suite_send(b, 1u << 20) == 0 ? 0 : quiet + 1;
			suite_turn(mesh);
		}
		link_pause(a->link, 0);
	}
}

static void close_inside(enum suite_event event, int both)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);

	close_at = event;
	also_closes_the_other = both;
	pair[0] = suite_open(mesh, 0, 1, 0);
	pair[1] = suite_open(mesh, 1, 0, 0);
	pair[1]->on_event = on_event_close;
	pair[1]->places = 1;
	provoke(mesh, event);
	if (event == SUITE_PLACE && pair[1]->n_placed == 0) {
		/* A plugin may never ask. */
		suite_wait(mesh, pair[1]->is_closing || pair[1]->n_messages == 1);
		if (!pair[1]->is_closing)
			suite_close(pair[1]);
	}
	suite_wait(mesh, is_gone(pair[1]));
	if (both)
		suite_wait(mesh, is_gone(pair[0]));
	else if (event != SUITE_LOST && event != SUITE_OPENED)
		suite_wait(mesh, pair[0]->n_lost == 1);
	suite_finish(mesh);
}

void suite_close_inside_every_event(void **state)
{
	(void)state;
	for (int event = 0; event < SUITE_EVENTS; event++) {
		close_inside((enum suite_event)event, 0);
		close_inside((enum suite_event)event, 1);
	}
}

/* SPDX-License-Identifier: MIT */
/* Opening: peers that are absent, late, gone or hostile, and signals that get lost. */
#include "tests/conformance/suite_tests.h"

#include "base/random.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

void suite_absent_peer_is_a_timeout(void **state)
{
	struct suite_mesh *mesh;
	struct suite_end *a, *b;

	(void)state;
	mesh = suite_start(suite_tested, 2, suite_tested->options_hasty);
	a = suite_open(mesh, 0, 1, 0);
	suite_wait(mesh, a->n_opened == 1);
	assert_int_equal(a->opened_status, -ETIMEDOUT);
	suite_close(a);
	b = suite_open(mesh, 1, 0, 0);
	suite_wait(mesh, b->n_opened == 1);
	assert_true(b->opened_status < 0);
	suite_finish(mesh);
}

void suite_wrong_party_is_refused(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	static const e3_party wrong[] = {0, 2, 1000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct link *link = NULL;
		struct error err = {0};

		suite_enter(mesh, 0);
		assert_int_equal(
		    link_open(&mesh->plugin->table, mesh->parties[0].endpoint, wrong[i],
			0, &(struct link_events){0}, NULL, &link, &err),
		    -EINVAL);
	}
	suite_finish(mesh);
}

/* The peer's plugin has signalled and is gone: nobody listens there any more. */
void suite_gone_peer_is_an_error(void **state)
{
	struct suite_mesh *mesh;
	struct suite_end *ends[2];

	(void)state;
	for (e3_party gone = 0; gone < 2; gone++) {
		mesh = suite_start(suite_tested, 2, suite_tested->options_hasty);
		ends[gone] = suite_open(mesh, gone, 1 - gone, 0);
		suite_close(ends[gone]);
		suite_wait(mesh, ends[gone]->n_closed);
		suite_party_gone(&mesh->parties[gone]);
		ends[1 - gone] = suite_open(mesh, 1 - gone, gone, 0);
		suite_wait(mesh, ends[1 - gone]->n_opened == 1);
		assert_true(ends[1 - gone]->opened_status < 0);
		suite_finish(mesh);
	}
}

void suite_lost_signals_are_a_timeout(void **state)
{
	struct suite_mesh *mesh;
	struct suite_end *a, *b;

	(void)state;
	mesh = suite_start(suite_tested, 2, suite_tested->options_hasty);
	mesh->drops_signals = 1;
	a = suite_open(mesh, 0, 1, 0);
	b = suite_open(mesh, 1, 0, 0);
	suite_wait(mesh, a->n_opened == 1 && b->n_opened == 1);
	assert_int_equal(a->opened_status, -ETIMEDOUT);
	assert_int_equal(b->opened_status, -ETIMEDOUT);
	suite_finish(mesh);
}

static void signal_to(
    struct suite_mesh *mesh, e3_party to, e3_party from, const void *bytes, size_t len)
{
	suite_enter(mesh, to);
	mesh->plugin->table.endpoint_signal(
	    mesh->parties[to].endpoint, from, (struct e3_iov){bytes, len});
}

/* Random, truncated, repeated and misattributed signals change nothing for honest
 * parties: the channels between 0 and 1 work whatever 2 says. */
void suite_hostile_signals_change_nothing(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 3, NULL);
	struct random_stream random;
	unsigned char bytes[512];
	struct suite_end *a, *b;

	(void)state;
	random_stream_seed(&random, 7);
	for (int i = 0; i < 3000; i++) {
		size_t len = random_stream_below(&random, sizeof(bytes));

		for (size_t at = 0; at < len; at++)
			bytes[at] = (unsigned char)random_stream_next(&random);
		signal_to(mesh, (e3_party)(i % 2), 2, bytes, len);
		signal_to(mesh, (e3_party)(i % 2), (e3_party)(3 + i), bytes, len);
		signal_to(mesh, (e3_party)(i % 2), (e3_party)(i % 2), bytes, len);
	}
	suite_join(mesh, 0, 1, 0, &a, &b);
	for (struct suite_signal *at = mesh->signals; at != NULL; at = at->next)
		for (size_t len = 0; len <= at->len; len++)
			signal_to(mesh, at->to, 2, at->bytes, len);
	suite_send_all(a, 100, 10);
	suite_send_all(b, 100, 10);
	suite_wait(mesh, a->n_messages == 10 && b->n_messages == 10);
	suite_finish(mesh);
}

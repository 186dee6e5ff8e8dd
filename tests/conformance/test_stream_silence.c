/* SPDX-License-Identifier: MIT */
/*
 * A path that goes dead in the middle of a run, between real network stacks: channels
 * over it are lost in time, whether they carry something or not. A reader that merely
 * pauses for as long is not.
 */
#include "tests/conformance/suite_hosts.h"
#include "tests/conformance/suite_mesh.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

#define LOST_WITHIN_MS 28000u /* 16 s with data under way, 20 s when idle */

static const struct transport_under_test tcp = {
    .plugin = "tcp",
    .parties = 3,
    .has_signals = 1,
    .enter = suite_hosts_enter,
    .address = suite_hosts_address,
};

static uint64_t flood(struct suite_end *end)
{
	uint64_t n = 0;

	for (int quiet = 0; quiet < 200;) {
		if (suite_send(end, 100000) == 0) {
			n++;
			quiet = 0;
		} else {
			quiet++;
			suite_turn(end->mesh);
		}
	}
	return n;
}

/* Host 2 disappears; hosts 0 and 1 stay. */
static void a_dead_path_is_noticed_and_a_pause_is_none(void **state)
{
	struct suite_mesh *mesh = suite_start(&tcp, 3, NULL);
	struct suite_end *idle, *busy, *writer, *reader, *gone[2];
	uint64_t began, n;

	(void)state;
	suite_join(mesh, 0, 2, 0, &idle, &gone[0]);
	suite_join(mesh, 1, 2, 0, &busy, &gone[1]);
	suite_join(mesh, 0, 1, 0, &writer, &reader);
	link_pause(reader->link, 1);
	n = flood(writer);
	suite_hosts_cut(2);
	began = suite_now_ms();
	suite_send_all(busy, 1000, 1);
	while (suite_now_ms() - began < LOST_WITHIN_MS && !(idle->n_lost && busy->n_lost))
		suite_turn(mesh);
	assert_int_equal(busy->n_lost, 1);
	assert_int_equal(busy->lost_status, -ETIMEDOUT);
	assert_int_equal(idle->n_lost, 1);
	assert_int_equal(idle->lost_status, -ETIMEDOUT);
	assert_true(suite_now_ms() - began > 10000); /* not at the first hiccup */
	assert_int_equal(writer->n_lost + reader->n_lost, 0);
	link_pause(reader->link, 0);
	suite_wait(mesh, reader->n_messages == n);
	suite_finish(mesh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_dead_path_is_noticed_and_a_pause_is_none),
	};
	const char *missing = suite_hosts_missing();
	int rc;

	if (missing != NULL) {
		printf("# skip: %s\nok 1 - silence # SKIP\n1..1\n", missing);
		return 0;
	}
	if (suite_hosts_up(3) < 0) {
		printf("not ok 1 - hosts\n1..1\n");
		return 1;
	}
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	suite_hosts_down();
	return rc;
}

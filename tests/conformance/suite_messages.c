/* SPDX-License-Identifier: MIT */
/* Messages: whole, in order, of every size, between all parties, on several lanes. */
#include "tests/conformance/suite_tests.h"

#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Sizes around every border that an implementation might have. */
static const size_t sizes[] = {0, 1, 3, 4, 7, 8, 21, 100, 1024, 1400, 4096, 16383, 16384,
    16385, 65531, 65532, 65533, 65536, 65537, 131072, 1000003};
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void open_mesh(struct suite_mesh *mesh, int is_turned,
    struct suite_end *ends[SUITE_PARTIES_MAX][SUITE_PARTIES_MAX])
{
	for (e3_party i = 0; i < mesh->n; i++) {
		e3_party a = is_turned ? mesh->n - 1 - i : i;

		for (e3_party b = 0; b < mesh->n; b++)
			if (a != b)
				ends[a][b] = suite_open(mesh, a, b, 0);
		for (int turn = 0; turn < 3; turn++)
			suite_turn(mesh);
	}
	for (e3_party a = 0; a < mesh->n; a++)
		for (e3_party b = 0; b < mesh->n; b++)
			if (a != b) {
				suite_wait(mesh, ends[a][b]->n_opened);
				assert_int_equal(ends[a][b]->opened_status, 0);
			}
}

static void exchange_all(const char *const *options, int is_turned)
{
	struct suite_mesh *mesh =
	    suite_start(suite_tested, suite_tested->parties, options);
	struct suite_end *ends[SUITE_PARTIES_MAX][SUITE_PARTIES_MAX];

	open_mesh(mesh, is_turned, ends);
	for (size_t s = 0; s < N_SIZES; s++)
		for (e3_party a = 0; a < mesh->n; a++)
			for (e3_party b = 0; b < mesh->n; b++)
				if (a != b) {
					ends[a][b]->places = s % 2;
					suite_send_all(ends[a][b], sizes[s], 1);
				}
	for (e3_party a = 0; a < mesh->n; a++)
		for (e3_party b = 0; b < mesh->n; b++)
			if (a != b) {
				suite_wait(mesh, ends[a][b]->n_messages == N_SIZES);
				suite_wait(mesh, ends[a][b]->n_done_ok == N_SIZES);
			}
	suite_finish(mesh);
}

void suite_mesh_exchanges(void **state)
{
	(void)state;
	exchange_all(NULL, 0);
}

void suite_mesh_opened_backwards_exchanges(void **state)
{
	(void)state;
	exchange_all(NULL, 1);
}

void suite_mesh_dialled_the_other_way_exchanges(void **state)
{
	(void)state;
	exchange_all(suite_tested->options_turned, 0);
}

void suite_many_small_messages(void **state)
{
	uint64_t n = suite_tested->is_slow ? 20000 : 100000;
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	for (uint64_t i = 0; i < n; i += 100) {
		suite_send_all(a, i % 64, 100);
		suite_send_all(b, i % 48, 100);
		suite_turn(mesh);
	}
	suite_wait(mesh, a->n_messages == n && b->n_messages == n);
	suite_wait(mesh, a->n_done_ok == n && b->n_done_ok == n);
	suite_finish(mesh);
}

#define TILE_BYTES (1u << 20)

struct large_send {
	struct link_request request;
	int n_done, status;
};

static void on_large_done(struct link_request *request, int status)
{
	struct large_send *large = (struct large_send *)request;

	large->n_done++;
	large->status = status;
}

static unsigned char tile[TILE_BYTES];

static void on_large_message(struct suite_end *end, struct e3_iov message)
{
	const unsigned char *bytes = message.base;

	(void)end;
	for (size_t at = 0; at < message.len; at += TILE_BYTES) {
		size_t len =
		    message.len - at < TILE_BYTES ? message.len - at : TILE_BYTES;

		if (memcmp(bytes + at, tile, len) != 0)
			fail_msg("bytes from %zu on are wrong", at);
	}
}

/* The maximum in pieces that all lie in one tile: no memory but the receiver's. */
static void send_large(struct suite_end *from, struct suite_end *to, size_t len)
{
	uint32_t n = (uint32_t)((len + TILE_BYTES - 1) / TILE_BYTES);
	struct e3_iov *iov = calloc(n, sizeof(*iov));
	struct large_send large = {.request.done = on_large_done};
	uint64_t before = to->n_messages;
	int rc;

	assert_non_null(iov);
	for (uint32_t i = 0; i < n; i++) {
		size_t at = (size_t)i * TILE_BYTES;

		iov[i] =
		    (struct e3_iov){tile, len - at < TILE_BYTES ? len - at : TILE_BYTES};
	}
	to->on_message = on_large_message;
	suite_enter(from->mesh, from->party->self);
	rc = link_send(from->link, &large.request, iov, n);
	free(iov);
	if (rc == -EMSGSIZE)
		fail_msg(
		    "transport %s declares messages of up to %llu bytes, but refuses "
		    "one of %zu",
		    suite_tested->plugin,
		    (unsigned long long)from->mesh->plugin->table.message_max, len);
	assert_int_equal(rc, 0);
	assert_int_equal(large.n_done, 0);
	suite_wait(from->mesh, to->n_messages == before + 1);
	suite_wait(from->mesh, large.n_done == 1);
	assert_int_equal(large.status, 0);
	to->on_message = NULL;
}

void suite_maximum_message(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	size_t max = mesh->plugin->table.message_max;
	struct link_request request = {.done = on_large_done};
	struct e3_iov too_long[2] = {{tile, 1}, {tile, 0}};
	struct suite_end *a, *b;

	(void)state;
	for (size_t i = 0; i < TILE_BYTES; i++)
		tile[i] = (unsigned char)(i * 2654435761u >> 13);
	suite_join(mesh, 0, 1, 0, &a, &b);
	if (suite_tested->is_slow)
		send_large(a, b, max < (8u << 20) ? max : 8u << 20);
	else
		send_large(a, b, max);
	b->places = 1;
	send_large(a, b, max < (20u << 20) ? max : 20u << 20);
	too_long[1].len = max;
	assert_int_equal(link_send(a->link, &request, too_long, 2), -EMSGSIZE);
	suite_send_all(a, 8, 1); /* nothing of it was taken */
	suite_wait(mesh, b->n_messages == 3);
	suite_finish(mesh);
}

static void wait_for_lane(struct suite_end *end, uint64_t n)
{
	uint64_t deadline = suite_now_ms() + SUITE_WAIT_MS / 3;

	while (end->n_messages < n && suite_now_ms() < deadline)
		suite_turn(end->mesh);
	if (end->n_messages < n)
		fail_msg("transport %s: lane %u stands still while lane 0 is paused%s",
		    suite_tested->plugin, end->lane,
		    end->mesh->plugin->table.caps & E3_CAP_LANES
			? ", but it claims that lanes don't block one another"
			: "");
}

void suite_lanes_have_an_order_each(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a[3], *b[3];
	struct link *again = NULL;
	struct error err = {0};

	(void)state;
	for (uint32_t lane = 0; lane < 3; lane++)
		suite_join(mesh, 0, 1, lane, &a[lane], &b[lane]);
	suite_enter(mesh, 0);
	assert_int_equal(link_open(&mesh->plugin->table, mesh->parties[0].endpoint, 1, 1,
			     &(struct link_events){0}, NULL, &again, &err),
	    -EEXIST);
	if (mesh->plugin->table.caps & E3_CAP_LANES)
		link_pause(b[0]->link, 1);
	for (int i = 0; i < 50; i++)
		for (uint32_t lane = 0; lane < 3; lane++)
			suite_send_all(a[lane], 1000, 1);
	for (uint32_t lane = 1; lane < 3; lane++)
		wait_for_lane(b[lane], 50);
	if (mesh->plugin->table.caps & E3_CAP_LANES) {
		assert_int_equal(b[0]->n_messages, 0);
		link_pause(b[0]->link, 0);
	}
	suite_wait(mesh, b[0]->n_messages == 50);
	suite_finish(mesh);
}

/* Without a loop turn, once open. */
void suite_polled_messages(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;
	uint64_t deadline;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	if (mesh->plugin->table.channel_poll == NULL) {
		suite_finish(mesh);
		skip_because("transport %s has no channel_poll", suite_tested->plugin);
	}
	deadline = suite_now_ms() + SUITE_WAIT_MS;
	for (uint64_t i = 1; i <= 1000; i++) {
		assert_int_equal(suite_send(a, 8), 0);
		assert_int_equal(suite_send(b, 16), 0);
		while ((a->n_messages < i || b->n_messages < i || a->n_done < i ||
			   b->n_done < i) &&
		       suite_now_ms() < deadline) {
			link_poll(a->link);
			link_poll(b->link);
		}
		assert_int_equal(a->n_messages, i);
		assert_int_equal(b->n_messages, i);
		assert_int_equal(a->n_done_ok, i);
	}
	suite_finish(mesh);
}

static void poll_often(struct suite_end *end)
{
	for (int i = 0; i < 1000; i++)
		link_poll(end->link);
}

/* A channel that was polled for a while is no less awake when the loop waits again: for
 * a message, for room to send, for the end. */
void suite_polled_then_waited_for(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	for (uint64_t i = 1; i <= 3; i++) {
		poll_often(b);
		suite_send_all(a, 8, 1);
		suite_wait(mesh, b->n_messages == i);
	}
	poll_often(a);
	poll_often(b);
	suite_send_all(a, 1u << 20, 20);
	suite_wait(mesh, b->n_messages == 23 && a->n_done == 23);
	poll_often(b);
	suite_close(a);
	suite_wait(mesh, b->n_lost == 1);
	assert_int_equal(b->lost_status, -ESHUTDOWN);
	suite_finish(mesh);
}

/* The harness probes beside the workload by an endpoint of its own. */
void suite_second_endpoints_carry_beside(void **state)
{
	struct suite_mesh *first = suite_start(suite_tested, 2, NULL), *second;
	struct suite_end *a, *b, *probe_a, *probe_b;

	(void)state;
	suite_join(first, 0, 1, 0, &a, &b);
	second = suite_start_second(first);
	suite_join(second, 0, 1, 0, &probe_a, &probe_b);
	suite_send_all(a, 1000, 20);
	suite_send_all(probe_a, 16, 10);
	suite_send_all(probe_b, 16, 10);
	suite_wait(second, probe_a->n_messages == 10 && probe_b->n_messages == 10);
	suite_wait(first, b->n_messages == 20);
	suite_finish(second);
	suite_send_all(b, 1000, 20);
	suite_wait(first, a->n_messages == 20);
	suite_finish(first);
}

/* SPDX-License-Identifier: MIT */
/* Mesh and exchange against peers that the test speaks for. We are party 0. */
#include "harness/link/inbox.h"
#include "harness/link/mesh.h"
#include "tests/link/scripted_transport.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

#define FOREVER_MS 60000u
#define SOON_MS    150u /* the watchdog looks every 100 ms */

struct line {
	e3_party from;
	const char *bytes;
	size_t len; /* 0: strlen(bytes) */
};

/* What peers say, in this order, `after` the victim has sent so many messages. */
struct scene {
	uv_loop_t loop;
	struct e3_endpoint endpoint;
	struct mesh *mesh;
	struct network *net;
	const struct line *lines;
	size_t n_lines, next;
	uint32_t after;
	uint32_t n_sent;
	char sent[NETWORK_PARTIES_MAX][64]; /* all bytes sent to a peer */
	size_t sent_lens[16];
	int (*trouble)(struct scene *scene); /* once all lines are said */
	struct error err;
};

static void on_sent(void *user, e3_party peer, const unsigned char *bytes, size_t len)
{
	struct scene *scene = user;
	size_t used = strlen(scene->sent[peer]);

	if (used + len < sizeof(scene->sent[peer]))
		memcpy(scene->sent[peer] + used, bytes, len);
	scene->sent_lens[scene->n_sent++ % 16] = len;
}

static int on_turn(void *user, struct e3_endpoint *endpoint)
{
	struct scene *scene = user;
	const struct line *line;

	if (scene->n_sent < scene->after)
		return 0;
	if (scene->next == scene->n_lines)
		return scene->trouble != NULL && scene->trouble(scene);
	line = &scene->lines[scene->next];
	if (!scripted_deliver(&endpoint->channels[line->from], line->bytes,
		line->len > 0 ? line->len : strlen(line->bytes)))
		return 0;
	scene->next++;
	return 1;
}

static struct scene *scene_make(uint32_t m, uint64_t message_max, uint32_t round_ms)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct mesh_config config = {.n_parties = m, .round_ms = round_ms};

	assert_non_null(scene);
	uv_loop_init(&scene->loop);
	scripted_init(&scene->endpoint, &scene->loop, message_max, 1);
	scene->endpoint.user = scene;
	scene->endpoint.sent = on_sent;
	scene->endpoint.turn = on_turn;
	config.loop = &scene->loop;
	config.transport = &scene->endpoint.table;
	config.endpoint = &scene->endpoint;
	assert_int_equal(mesh_create(&config, &scene->mesh, &scene->err), 0);
	scene->net = mesh_network(scene->mesh);
	return scene;
}

static struct scene *scene_open(uint32_t m, uint64_t message_max, uint32_t round_ms)
{
	struct scene *scene = scene_make(m, message_max, round_ms);

	assert_int_equal(mesh_open(scene->mesh, FOREVER_MS, &scene->err), 0);
	return scene;
}

static void scene_say(struct scene *scene, const struct line *lines, size_t n)
{
	scene->lines = lines;
	scene->n_lines = n;
	scene->next = 0;
}

static void scene_close(struct scene *scene)
{
	struct error err = {0};

	if (mesh_close(scene->mesh, FOREVER_MS, &err) < 0)
		fail_msg("%s", err.text);
	mesh_destroy(scene->mesh);
	scripted_finish(&scene->endpoint);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	free(scene);
}

/* Send "out" to all, expect `len` bytes of each of the first `due` peers. */
static int swap(struct scene *scene, const char *out, char in[][16], size_t len,
    uint32_t needed, uint32_t *arrived)
{
	struct network_round round = {.needed = needed};
	int rc;

	for (uint32_t p = 1; p < scene->net->n_parties; p++) {
		round.out[p].base = out;
		round.out[p].len = out == NULL ? 0 : strlen(out);
		round.in[p].base = in[p];
		round.in[p].len = len;
	}
	rc = network_exchange(scene->net, &round, &scene->err);
	if (arrived != NULL)
		*arrived = round.arrived;
	return rc;
}

static void expect_error(struct scene *scene, int rc, int code, const char *says)
{
	if (rc != code || strstr(scene->err.text, says) == NULL)
		fail_msg("%d '%s' where %d '%s' is due", rc, scene->err.text, code, says);
}

static void first_shares_suffice(void **state)
{
	static const struct line first[] = {{2, "two", 0}};
	static const struct line late[] = {{1, "one", 0}, {1, "ONE", 0}, {2, "TWO", 0}};
	struct scene *scene = scene_open(3, 16, FOREVER_MS);
	char in[3][16] = {"", "...", "..."};
	uint32_t arrived;

	(void)state;
	scene_say(scene, first, 1);
	assert_int_equal(swap(scene, "abc", in, 3, 1, &arrived), 0);
	assert_int_equal(arrived, 1u << 2);
	assert_string_equal(in[2], "two");
	scene_say(scene, late, 3);
	assert_int_equal(swap(scene, "def", in, 3, 0, &arrived), 0);
	assert_int_equal(arrived, 1u << 1 | 1u << 2);
	assert_string_equal(in[1], "ONE");
	assert_string_equal(in[2], "TWO");
	assert_int_equal(network_flush(scene->net, &scene->err), 0);
	assert_string_equal(scene->sent[1], "abcdef");
	assert_string_equal(scene->sent[2], "abcdef");
	scene_close(scene);
}

static void a_late_message_is_checked_too(void **state)
{
	static const struct line first[] = {{2, "two", 0}};
	static const struct line late[] = {{1, "four", 0}};
	struct scene *scene = scene_open(3, 16, FOREVER_MS);
	char in[3][16] = {"", "...", "..."};

	(void)state;
	scene_say(scene, first, 1);
	assert_int_equal(swap(scene, "abc", in, 3, 1, NULL), 0);
	scene_say(scene, late, 1);
	expect_error(scene, swap(scene, "def", in, 3, 0, NULL), -EPROTO,
	    "party 1 sent a message of 4 bytes where 3 of 3 are due");
	assert_string_equal(in[1], "...");
	scene_close(scene);
}

static void a_message_travels_in_pieces(void **state)
{
	static const struct line lines[] = {{1, "0123", 0}, {1, "4567", 0}, {1, "89", 0}};
	struct scene *scene = scene_open(2, 4, FOREVER_MS);
	char in[2][16] = {"", "..........+"};

	(void)state;
	scene_say(scene, lines, 3);
	assert_int_equal(swap(scene, "abcdefghij", in, 10, 0, NULL), 0);
	assert_int_equal(network_flush(scene->net, &scene->err), 0);
	assert_string_equal(in[1], "0123456789+");
	assert_string_equal(scene->sent[1], "abcdefghij");
	assert_int_equal(scene->n_sent, 3);
	assert_int_equal(scene->sent_lens[0], 4);
	assert_int_equal(scene->sent_lens[2], 2);
	scene_close(scene);
}

static int make_room(struct scene *scene)
{
	if (!scene->endpoint.channels[1].is_full)
		return 0;
	scene->endpoint.channels[1].is_full = 0;
	return 1;
}

static void a_refused_piece_goes_when_writable(void **state)
{
	static const struct line lines[] = {{1, "xyz", 0}};
	struct scene *scene = scene_open(2, 4, FOREVER_MS);
	char in[2][16] = {"", ""};

	(void)state;
	scene_say(scene, lines, 1);
	scene->endpoint.channels[1].is_full = 1;
	scene->trouble = make_room;
	assert_int_equal(swap(scene, "abcdef", in, 3, 0, NULL), 0);
	assert_int_equal(network_flush(scene->net, &scene->err), 0);
	assert_string_equal(scene->sent[1], "abcdef");
	scene_close(scene);
}

static void short_rounds_are_polled(void **state)
{
	static const struct line lines[] = {{1, "x", 0}};
	struct scene *scene = scene_open(2, 16, FOREVER_MS);
	char in[2][16] = {"", ""};

	(void)state;
	for (int r = 0; r < 1000 && !scene->endpoint.has_polled; r++) {
		scene_say(scene, lines, 1);
		scene->after = scene->n_sent + 1;
		assert_int_equal(swap(scene, "y", in, 1, 0, NULL), 0);
		assert_int_equal(network_flush(scene->net, &scene->err), 0);
	}
	assert_true(scene->endpoint.has_polled);
	scene_close(scene);
}

static void silence_names_the_late(void **state)
{
	static const struct line lines[] = {{1, "one", 0}, {3, "3", 0}};
	struct scene *scene = scene_open(5, 2, SOON_MS);
	char in[5][16] = {"", "", "", "", ""};

	(void)state;
	scene_say(scene, lines + 1, 1);
	expect_error(scene, swap(scene, "a", in, 1, 0, NULL), -ETIMEDOUT,
	    "round 1: nothing from party 1, 2, 4 within 150 ms");
	expect_error(
	    scene, swap(scene, "a", in, 1, 0, NULL), -ETIMEDOUT, "nothing from party 1");
	scene_close(scene);
}

static void a_peer_that_takes_nothing_is_late(void **state)
{
	static const struct line lines[] = {{1, "x", 0}, {1, "y", 0}};
	struct scene *scene = scene_open(2, 16, SOON_MS);
	char in[2][16] = {"", ""};

	(void)state;
	scene_say(scene, lines, 2);
	scene->endpoint.channels[1].is_full = 1;
	assert_int_equal(swap(scene, "a", in, 1, 0, NULL), 0);
	expect_error(scene, swap(scene, "b", in, 1, 0, NULL), -ETIMEDOUT,
	    "nothing from party 1 within");
	scene_close(scene);
}

static int stop_it(struct scene *scene)
{
	struct error why = {.code = -ECANCELED, .text = "stopped by the controller"};

	mesh_stop(scene->mesh, &why);
	return 0;
}

static int lose_orderly(struct scene *scene)
{
	scripted_lose(&scene->endpoint.channels[2], -ESHUTDOWN);
	return 0;
}

static int lose_broken(struct scene *scene)
{
	scripted_lose(&scene->endpoint.channels[1], -EPIPE);
	return 0;
}

static int lose_hostile(struct scene *scene)
{
	scripted_lose(&scene->endpoint.channels[1], -EPROTO);
	return 0;
}

static int break_contract(struct scene *scene)
{
	struct e3_channel *channel = &scene->endpoint.channels[2];

	if (!channel->is_closing)
		channel->events->writable(channel->user);
	return 0;
}

static int send_nothing(struct scene *scene)
{
	return scripted_deliver(&scene->endpoint.channels[2], "", 0);
}

static int send_too_much(struct scene *scene)
{
	static const char bytes[17];

	return scripted_deliver(&scene->endpoint.channels[2], bytes, sizeof(bytes));
}

static void troubles_end_a_round(void **state)
{
	static const struct line lines[] = {{1, "xyz", 0}};
	static const struct {
		int (*trouble)(struct scene *scene);
		int code;
		const char *says;
	} troubles[] = {
	    {stop_it, -ECANCELED, "stopped by the controller"},
	    {lose_orderly, -ECANCELED, "party 2 has left the run"},
	    {lose_broken, -ECONNRESET, "party 1 was lost (Broken pipe)"},
	    {lose_hostile, -EPROTO, "party 1 sent bytes that are no message"},
	    {break_contract, -EPROTO, "channel to party 2, lane 0: writable() without"},
	    {send_nothing, -EPROTO, "party 2 sent an empty message"},
	    {send_too_much, -EPROTO, "channel to party 2, lane 0: place() of 17 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		struct scene *scene = scene_open(3, 16, FOREVER_MS);
		char in[3][16] = {"", "", ""};

		scene_say(scene, lines, 1);
		scene->trouble = troubles[i].trouble;
		expect_error(scene, swap(scene, "abc", in, 3, 0, NULL), troubles[i].code,
		    troubles[i].says);
		scene_close(scene);
	}
}

/* After a failure the engine frees its buffers: the plugin must have let go of them. */
static void buffers_are_back_after_a_failure(void **state)
{
	static const struct line lines[] = {{1, "wrong", 0}};
	struct scene *scene = scene_open(3, 16, FOREVER_MS);
	char(*in)[16] = calloc(3, sizeof(*in));
	char *out = strdup("abc");

	(void)state;
	scene_say(scene, lines, 1);
	scene->endpoint.channels[2].holds = 1;
	expect_error(
	    scene, swap(scene, out, in, 3, 0, NULL), -EPROTO, "party 1 sent a message");
	assert_int_equal(scene->endpoint.channels[2].n_sends, 0);
	assert_string_equal(scene->sent[2], "abc");
	free(out);
	free(in);
	scene_close(scene);
}

static int flood(struct scene *scene)
{
	static const char bytes[1 << 16];

	while (scripted_deliver(&scene->endpoint.channels[1], bytes, sizeof(bytes)))
		;
	return 0;
}

/* Peer 1 floods while peer 2 lets us wait. */
static void a_flood_is_braked(void **state)
{
	struct scene *scene = scene_open(3, 1 << 16, SOON_MS);
	struct network_round round = {.needed = 0};
	char in[16];

	(void)state;
	scene->trouble = flood;
	scripted_wake(&scene->endpoint);
	round.in[2].base = in;
	round.in[2].len = 1;
	expect_error(scene, network_exchange(scene->net, &round, &scene->err), -ETIMEDOUT,
	    "nothing from party 2 within");
	assert_int_equal(scene->endpoint.channels[1].n_pauses, 1);
	assert_true(
	    scene->endpoint.channels[1].n_delivered <= INBOX_BACKLOG_BYTES / (1 << 16));
	scene_close(scene);
}

static void a_brake_is_released(void **state)
{
	struct scene *scene = scene_open(2, 1 << 16, FOREVER_MS);
	unsigned char *in = malloc(1 << 16);
	uint64_t n;

	(void)state;
	scene->trouble = flood;
	scripted_wake(&scene->endpoint);
	for (n = 0; n < 2000; n++) {
		struct network_round round = {.needed = 0};

		round.in[1].base = in;
		round.in[1].len = 1 << 16;
		assert_int_equal(network_exchange(scene->net, &round, &scene->err), 0);
	}
	assert_true(scene->endpoint.channels[1].n_delivered >= 2000);
	assert_true(scene->endpoint.channels[1].n_pauses > 0);
	free(in);
	scene_close(scene);
}

static void a_dead_peer_fails_the_opening(void **state)
{
	struct scene *scene = scene_make(3, 16, FOREVER_MS);

	(void)state;
	scene->endpoint.channels[2].is_dead = 1;
	expect_error(scene, mesh_open(scene->mesh, 50, &scene->err), -ETIMEDOUT,
	    "no channel to party 2 within 50 ms");
	scene_close(scene);
	scene = scene_make(3, 16, FOREVER_MS);
	scene->endpoint.channels[1].open_fails = -ECONNREFUSED;
	expect_error(scene, mesh_open(scene->mesh, FOREVER_MS, &scene->err),
	    -ECONNREFUSED, "party 1 could not be reached");
	scene_close(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_shares_suffice),
	    cmocka_unit_test(a_late_message_is_checked_too),
	    cmocka_unit_test(a_message_travels_in_pieces),
	    cmocka_unit_test(a_refused_piece_goes_when_writable),
	    cmocka_unit_test(short_rounds_are_polled),
	    cmocka_unit_test(silence_names_the_late),
	    cmocka_unit_test(a_peer_that_takes_nothing_is_late),
	    cmocka_unit_test(troubles_end_a_round),
	    cmocka_unit_test(buffers_are_back_after_a_failure),
	    cmocka_unit_test(a_flood_is_braked),
	    cmocka_unit_test(a_brake_is_released),
	    cmocka_unit_test(a_dead_peer_fails_the_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

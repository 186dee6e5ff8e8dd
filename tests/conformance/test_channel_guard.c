/* SPDX-License-Identifier: MIT */
/* The guard: each way to break the contract is one sentence that names the plugin, and no
 * event that the harness does not expect comes through. */
#include "harness/link/channel_guard.h"
#include "harness/plugin/plugin.h"
#include "tests/tap.h"

#include <string.h>
#include <uv.h>

#define TURNS 20

struct caught {
	struct link *link;
	struct link_request requests[3];
	int n_opened, n_messages, n_writable, n_lost, n_violated, n_done, n_closed;
	int pauses, last_status;
	char sentence[ERROR_TEXT_BYTES];
};

static void on_opened(void *user, int status)
{
	struct caught *caught = user;

	assert_int_equal(status, 0);
	caught->n_opened++;
}

static void on_message(void *user, struct e3_iov message, uint64_t arrived_ns)
{
	struct caught *caught = user;

	assert_true(message.len <= 1024);
	assert_true(arrived_ns > 0);
	caught->n_messages++;
	if (caught->pauses)
		link_pause(caught->link, 1);
}

static void on_writable(void *user)
{
	((struct caught *)user)->n_writable++;
}

static void on_lost(void *user, int status)
{
	assert_true(status < 0);
	((struct caught *)user)->n_lost++;
}

static void on_violated(void *user, const struct error *why)
{
	struct caught *caught = user;

	caught->n_violated++;
	assert_int_equal(why->code, -EPROTO);
	strcpy(caught->sentence, why->text);
}

static struct caught *done_to;

static void on_done(struct link_request *request, int status)
{
	assert_true(request >= done_to->requests && request < done_to->requests + 3);
	done_to->n_done++;
	done_to->last_status = status;
}

static void on_closed(void *user)
{
	((struct caught *)user)->n_closed++;
}

static const struct link_events events = {
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
    .violated = on_violated,
};

static void turn(uv_loop_t *loop, int n)
{
	while (n-- > 0)
		uv_run(loop, UV_RUN_NOWAIT);
}

/* Open, send one message, wait for its echo, close. */
static void run(const char *rogue, struct caught *caught)
{
	const char *options[] = {"rogue", rogue, NULL};
	struct e3_endpoint *endpoint;
	struct e3_host host = {.struct_size = sizeof(host)};
	struct plugin *plugin;
	struct error err = {0};
	struct e3_iov iov = {"echo", 4};
	uv_loop_t loop;
	int rc;

	memset(caught, 0, sizeof(*caught));
	done_to = caught;
	caught->pauses = strcmp(rogue, "message while paused") == 0;
	assert_int_equal(plugin_load("rogue", &plugin, &err), 0);
	uv_loop_init(&loop);
	host.loop = &loop;
	plugin->table.endpoint_create(&host, 0, 2, options, &endpoint);
	assert_int_equal(link_open(&plugin->table, endpoint, 1, 7, &events, caught,
			     &caught->link, &err),
	    0);
	turn(&loop, TURNS);
	caught->requests[0].done = on_done;
	rc = link_send(caught->link, &caught->requests[0], &iov, 1);
	turn(&loop, strcmp(rogue, "forgets a send") == 0 ? 0 : TURNS);
	link_close(caught->link, on_closed);
	turn(&loop, TURNS);
	assert_int_equal(caught->n_closed, 1);
	if (rc == 0)
		assert_int_equal(caught->n_done, 1);
	plugin->table.endpoint_destroy(endpoint);
	assert_int_equal(uv_loop_close(&loop), 0);
	plugin_destroy(plugin);
}

static void an_honest_plugin_passes(void **state)
{
	struct caught caught;

	(void)state;
	run("not at all", &caught);
	assert_int_equal(caught.n_violated, 0);
	assert_int_equal(caught.n_opened, 1);
	assert_int_equal(caught.n_messages, 1);
	assert_int_equal(caught.last_status, 0);
}

static void every_breach_is_named(void **state)
{
	static const struct {
		const char *rogue, *says;
		int n_messages; /* that come through */
	} breaches[] = {
	    {"completes twice", "a send completed twice", 0},
	    {"completes inside", "a send completed from inside channel_send()", 0},
	    {"refuses and completes", "a send completed from inside channel_send()", 0},
	    {"oversize", "message() of 1025 bytes, its maximum is 1024", 0},
	    {"message before opened", "message() before opened()", 0},
	    {"opened twice", "opened() twice", 0},
	    {"opened inside", "opened() from inside channel_open()", 0},
	    {"message inside", "message() from inside channel_send()", 0},
	    {"writable unasked", "writable() without a refused send", 0},
	    {"lost without error", "lost(0), which is no error", 0},
	    {"message after lost", "message() after lost()", 0},
	    {"message while paused", "message() while paused", 1},
	    {"event after close", "message() after channel_close()", 1},
	    {"forgets a send", "closed() with 1 sends not completed", 0},
	    {"closed inside", "closed() from inside channel_close()", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
		struct caught caught;

		run(breaches[i].rogue, &caught);
		if (caught.n_violated != 1 ||
		    strstr(caught.sentence, breaches[i].says) == NULL ||
		    strstr(caught.sentence, "transport rogue ") == NULL ||
		    strstr(caught.sentence, "party 1, lane 7") == NULL)
			fail_msg("%s: %d times '%s'", breaches[i].rogue,
			    caught.n_violated, caught.sentence);
		if (caught.n_messages != breaches[i].n_messages)
			fail_msg("%s: %d messages", breaches[i].rogue, caught.n_messages);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_honest_plugin_passes),
	    cmocka_unit_test(every_breach_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

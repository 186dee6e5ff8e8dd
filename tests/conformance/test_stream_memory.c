/* SPDX-License-Identifier: MIT */
/*
 * Memory runs out in the transport tcp: its first, second, third ... allocation fails
 * until none is left that could. Whatever fails, every request is done once, the contract
 * holds, the loops empty themselves and nothing leaks.
 *
 * The program's own malloc, calloc, realloc and free stand in front of libc's for every
 * object of the process; only calls from the plugin count.
 */
#include "base/clock.h"
#include "harness/link/channel_guard.h"
#include "harness/plugin/plugin.h"
#include "tests/tap.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define LIVE_MAX  1024
#define MESSAGES  4
#define TURNS_MAX 20000

static void *live[LIVE_MAX]; /* allocations of the plugin */
static long countdown = -1;  /* allocations that succeed before one fails; -1 = all */
static int has_failed;
static const void *plugin_base; /* where it is mapped; NULL = not yet */

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void __libc_free(void *pointer);

static int is_plugin(const void *caller)
{
	Dl_info info;

	return plugin_base != NULL && dladdr(caller, &info) != 0 &&
	       info.dli_fbase == plugin_base;
}

static int fails(const void *caller)
{
	if (!is_plugin(caller) || countdown < 0 || countdown-- > 0)
		return 0;
	has_failed = 1;
	return 1;
}

static void *remember(const void *caller, void *pointer)
{
	for (int i = 0; i < LIVE_MAX && pointer != NULL && is_plugin(caller); i++)
		if (live[i] == NULL) {
			live[i] = pointer;
			break;
		}
	return pointer;
}

static void forget(const void *pointer)
{
	for (int i = 0; i < LIVE_MAX && pointer != NULL; i++)
		if (live[i] == pointer)
			live[i] = NULL;
}

__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
	const void *caller = __builtin_return_address(0);

	return fails(caller) ? NULL : remember(caller, __libc_malloc(bytes));
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t bytes)
{
	const void *caller = __builtin_return_address(0);

	return fails(caller) ? NULL : remember(caller, __libc_calloc(n, bytes));
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t bytes)
{
	const void *caller = __builtin_return_address(0);

	if (fails(caller))
		return NULL;
	forget(old);
	return remember(caller, __libc_realloc(old, bytes));
}

__attribute__((visibility("default"))) void free(void *pointer)
{
	forget(pointer);
	__libc_free(pointer);
}

static int n_live(void)
{
	int n = 0;

	for (int i = 0; i < LIVE_MAX; i++)
		n += live[i] != NULL;
	return n;
}

struct side {
	struct e3_host host;
	uv_loop_t loop;
	struct e3_endpoint *endpoint;
	struct link *link;
	int n_opened, is_dead, n_messages, n_sent, n_done;
};

static struct side sides[2];
static const struct e3_transport *table;
static struct link_request requests[2][MESSAGES];
static unsigned char signalled[2][256];
static size_t signalled_bytes[2]; /* for side i */
static unsigned char payload[200000];

static void on_opened(void *user, int status)
{
	struct side *side = user;

	side->n_opened++;
	side->is_dead |= status < 0;
}

static void on_message(void *user, struct e3_iov message, uint64_t arrived_ns)
{
	(void)message, (void)arrived_ns;
	((struct side *)user)->n_messages++;
}

static void on_writable(void *user)
{
	(void)user;
}

static void on_lost(void *user, int status)
{
	(void)status;
	((struct side *)user)->is_dead = 1;
}

static void on_violated(void *user, const struct error *why)
{
	(void)user;
	fail_msg("%s", why->text);
}

static void on_closed(void *user)
{
	((struct side *)user)->link = NULL;
}

static void on_done(struct link_request *request, int status)
{
	(void)status;
	sides[request >= requests[1]].n_done++;
}

static const struct link_events events = {
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
    .violated = on_violated,
};

static e3_nanos host_now(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

__attribute__((format(printf, 3, 4))) static void host_log(
    void *ctx, uint32_t level, const char *fmt, ...)
{
	(void)ctx, (void)level, (void)fmt;
}

static int host_signal(void *ctx, e3_party peer, struct e3_iov message)
{
	(void)ctx;
	assert_true(message.len <= sizeof(signalled[peer]));
	memcpy(signalled[peer], message.base, message.len);
	signalled_bytes[peer] = message.len;
	return 0;
}

static void turn(void)
{
	for (e3_party p = 0; p < 2; p++) {
		if (sides[p].endpoint != NULL && signalled_bytes[p] > 0) {
			table->endpoint_signal(sides[p].endpoint, 1 - p,
			    (struct e3_iov){signalled[p], signalled_bytes[p]});
			signalled_bytes[p] = 0;
		}
		uv_run(&sides[p].loop, UV_RUN_NOWAIT);
	}
}

static int is_settled(const struct side *side)
{
	return side->link == NULL || side->n_opened;
}

static void open_both(const char *open_ms)
{
	static const char *addresses[] = {"127.0.0.1", "127.0.0.1"};
	const char *const options[] = {"open_ms", open_ms, NULL};

	for (e3_party p = 0; p < 2; p++) {
		struct side *side = &sides[p];

		memset(side, 0, sizeof(*side));
		uv_loop_init(&side->loop);
		side->host = (struct e3_host){.struct_size = sizeof(side->host),
		    .loop = &side->loop,
		    .now = host_now,
		    .log = host_log,
		    .addresses = addresses,
		    .signal = host_signal};
		if (table->endpoint_create(&side->host, p, 2, options, &side->endpoint) <
		    0)
			side->endpoint = NULL;
		else if (link_open(table, side->endpoint, 1 - p, 0, &events, side,
			     &side->link, NULL) < 0)
			side->link = NULL;
	}
	while (!is_settled(&sides[0]) || !is_settled(&sides[1]))
		turn();
}

/* A small message, one of many pieces, one that needs the reader's own memory. */
static void send_some(struct side *side, struct link_request *of_side)
{
	static const size_t sizes[MESSAGES] = {8, 0, 200000, 3000};
	struct e3_iov iov[20];

	for (int i = 0; i < MESSAGES && side->link != NULL && !side->is_dead; i++) {
		uint32_t n = i == 3 ? 20 : 1;

		for (uint32_t piece = 0; piece < n; piece++)
			iov[piece] = (struct e3_iov){payload, sizes[i] / n};
		of_side[i].done = on_done;
		side->n_sent += link_send(side->link, &of_side[i], iov, n) == 0;
	}
}

static void close_both(void)
{
	for (int p = 0; p < 2; p++)
		if (sides[p].link != NULL)
			link_close(sides[p].link, on_closed);
	while (sides[0].link != NULL || sides[1].link != NULL)
		turn();
	for (int p = 0; p < 2; p++) {
		table->endpoint_destroy(sides[p].endpoint);
		sides[p].endpoint = NULL;
		uv_run(&sides[p].loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&sides[p].loop), 0);
		assert_int_equal(sides[p].n_done, sides[p].n_sent);
	}
}

static void one_life(const char *open_ms)
{
	open_both(open_ms);
	send_some(&sides[0], requests[0]);
	send_some(&sides[1], requests[1]);
	for (int n = 0; n < TURNS_MAX && !sides[0].is_dead && !sides[1].is_dead &&
			(sides[0].n_messages < sides[1].n_sent ||
			    sides[1].n_messages < sides[0].n_sent);
	     n++)
		turn();
	close_both();
	assert_int_equal(n_live(), 0);
}

static void every_allocation_fails_once(void **state)
{
	long k = 0;

	(void)state;
	one_life("20000"); /* with memory, everything arrives */
	assert_int_equal(sides[0].n_messages, MESSAGES);
	assert_int_equal(sides[1].n_messages, MESSAGES);
	do {
		has_failed = 0;
		countdown = k++;
		one_life("100");
		countdown = -1;
	} while (has_failed);
	assert_in_range(k, 8, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once)};
	struct plugin *plugin;
	struct error err = {0};
	Dl_info info;
	int rc;

	if (plugin_load("tcp", &plugin, &err) < 0) {
		printf("not ok 1 - %s\n1..1\n", err.text);
		return 1;
	}
	table = &plugin->table;
	if (dladdr((const void *)(uintptr_t)table->endpoint_create, &info) == 0)
		return 1;
	plugin_base = info.dli_fbase;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	plugin_destroy(plugin);
	return rc;
}

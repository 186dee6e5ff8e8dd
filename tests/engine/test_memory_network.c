/* SPDX-License-Identifier: MIT */
/* The network of threads: virtual time, what arrives first, counters, and its errors. */
#include "base/clock.h"
#include "engine/memory_network.h"
#include "tests/tap.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000u

static const uint64_t delays[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX] = {
    {0, 10 * MS, 20 * MS},
    {12 * MS, 0, 30 * MS},
    {25 * MS, 40 * MS, 0},
};

struct script {
	uint32_t needed, silent_party, bytes[3];
	uint32_t arrived[3];
	uint64_t rounds;
	void (*hook)(struct memory_message *message);
};

static void on_message(void *user, struct memory_message *message)
{
	((struct script *)user)->hook(message);
}

/* All to all, `rounds` times. Each byte says who sent it and in which round. */
static int all_to_all(struct network *net, void *user, struct error *err)
{
	struct script *script = user;
	unsigned char out[64], in[3][64];

	if (net->self == script->silent_party)
		return 0;
	for (uint64_t r = 0; r < script->rounds; r++) {
		struct network_round round = {.needed = script->needed};
		int rc;

		memset(out, (int)(16 * net->self + r), sizeof(out));
		for (uint32_t p = 0; p < net->n_parties; p++) {
			round.out[p] =
			    (struct network_out){out, script->bytes[net->self]};
			round.in[p] = (struct network_in){in[p], script->bytes[p]};
		}
		rc = network_exchange(net, &round, err);
		if (rc < 0)
			return rc;
		script->arrived[net->self] = round.arrived;
		for (uint32_t p = 0; p < net->n_parties; p++)
			if ((round.arrived >> p & 1) == 1 && in[p][0] != 16 * p + r)
				return error_set(err, -EBADMSG, "round %d: %x from %u",
				    (int)r, in[p][0], p);
	}
	return 0;
}

static int run(struct memory_network_options *options, struct script *script,
    struct memory_counters *counters, int *codes, struct error *err)
{
	struct memory_network *memory;
	int rc;

	options->n_parties = 3;
	options->user = script;
	if (script->hook != NULL)
		options->on_message = on_message;
	assert_int_equal(memory_network_create(&memory, options, err), 0);
	rc = memory_network_run(memory, all_to_all, script, codes, err);
	for (uint32_t p = 0; p < 3 && counters != NULL; p++)
		counters[p] = *memory_network_counters(memory, p);
	memory_network_destroy(memory);
	return rc;
}

static struct script usual(void)
{
	return (struct script){.silent_party = 9, .bytes = {8, 16, 24}, .rounds = 1};
}

static void waits_for_the_last(void **state)
{
	struct memory_network_options options = {.delay_ns = delays};
	struct script script = usual();
	struct memory_counters counters[3];
	struct error err;

	(void)state;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
	assert_int_equal(counters[0].now_ns, 25 * MS);
	assert_int_equal(counters[1].now_ns, 40 * MS);
	assert_int_equal(counters[2].now_ns, 30 * MS);
	script.rounds = 3;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
	/* Party 1 sent its second message at 40 ms, so 2 ends that round at 70, and so
	 * on: 2 -> 1 -> 2 -> 1. */
	assert_int_equal(counters[1].now_ns, 110 * MS);
	assert_int_equal(counters[0].rounds, 3);
}

static void takes_the_first(void **state)
{
	struct memory_network_options options = {.delay_ns = delays};
	struct script script = usual();
	struct memory_counters counters[3];
	struct error err;

	(void)state;
	script.needed = 1;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
	assert_int_equal(script.arrived[0], 1 << 1);
	assert_int_equal(script.arrived[1], 1 << 0);
	assert_int_equal(script.arrived[2], 1 << 0);
	assert_int_equal(counters[0].now_ns, 12 * MS);
	assert_int_equal(counters[1].now_ns, 10 * MS);
	assert_int_equal(counters[2].now_ns, 20 * MS);
	/* What was not waited for does not get in the way later. */
	script.rounds = 5;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
}

static void counts(void **state)
{
	struct memory_network_options options = {.delay_ns = NULL};
	struct script script = usual();
	struct memory_counters counters[3];
	struct error err;

	(void)state;
	script.rounds = 4;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
	for (uint32_t p = 0; p < 3; p++) {
		assert_int_equal(counters[p].rounds, 4);
		assert_int_equal(counters[p].messages, 8);
		assert_int_equal(counters[p].bytes, 8 * script.bytes[p]);
		assert_int_equal(counters[p].bytes_to[(p + 1) % 3], 4 * script.bytes[p]);
		assert_int_equal(counters[p].messages_to[p], 0);
		assert_int_equal(counters[p].now_ns, 0);
	}
}

static void deadline_in_virtual_time(void **state)
{
	struct memory_network_options options = {
	    .delay_ns = delays, .deadline_ns = 30 * MS};
	struct script script = usual();
	struct error err;
	int codes[3];

	(void)state;
	assert_int_equal(run(&options, &script, NULL, codes, &err), -ETIMEDOUT);
	assert_int_equal(codes[0], 0);
	assert_int_equal(codes[1], -ETIMEDOUT);
	assert_int_equal(codes[2], 0);
	assert_non_null(strstr(err.text, "party 2"));
}

static void who_leaves_is_named(void **state)
{
	struct memory_network_options options = {.delay_ns = delays};
	struct script script = usual();
	struct error err;
	int codes[3];

	(void)state;
	script.silent_party = 1;
	assert_int_equal(run(&options, &script, NULL, codes, &err), -ECONNRESET);
	assert_int_equal(codes[0], -ECONNRESET);
	assert_non_null(strstr(err.text, "party 1 left"));
	/* One is enough. */
	script.needed = 1;
	assert_int_equal(run(&options, &script, NULL, codes, &err), 0);
	assert_int_equal(script.arrived[0], 1 << 2);
}

static void lose(struct memory_message *message)
{
	if (message->from == 2 && message->to == 0)
		message->copies = 0;
}

static void shorten(struct memory_message *message)
{
	if (message->from == 2 && message->to == 0)
		message->len--;
}

static void repeat(struct memory_message *message)
{
	if (message->from == 2 && message->to == 0 && message->number == 0)
		message->copies = 2;
}

static void hold(struct memory_message *message)
{
	message->is_held = message->from == 2 && message->to == 0 && message->number == 0;
}

static void slow(struct memory_message *message)
{
	if (message->from == 2 && message->to == 0)
		message->delay_ns = 70 * MS;
}

static void hooks(void **state)
{
	struct memory_network_options options = {.real_deadline_ns = 300 * MS};
	struct script script = usual();
	struct memory_counters counters[3];
	struct error err;
	int codes[3];

	(void)state;
	script.hook = lose;
	assert_int_equal(run(&options, &script, NULL, codes, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "party 2 sent nothing"));
	assert_int_equal(codes[1], 0);
	script.hook = shorten;
	assert_int_equal(run(&options, &script, NULL, codes, &err), -EPROTO);
	assert_non_null(strstr(err.text, "party 2 sent 23 bytes where 24 are due"));
	script.hook = repeat;
	script.rounds = 2;
	assert_int_equal(run(&options, &script, NULL, codes, &err), -EBADMSG);
	/* The second message comes first. */
	script.hook = hold;
	assert_int_equal(run(&options, &script, NULL, codes, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "21 from 2"));
	script.rounds = 1;
	script.hook = slow;
	assert_int_equal(run(&options, &script, counters, codes, &err), 0);
	assert_int_equal(counters[0].now_ns, 70 * MS);
}

/* Party 1's first message leaves its buffer late: that holds up its second round, and so
 * whom that is sent to. */
static void linger(struct memory_message *message)
{
	if (message->from == 1 && message->number == 0)
		message->left_ns = 60 * MS;
}

static void buffers_are_free_a_round_later(void **state)
{
	struct memory_network_options options = {.delay_ns = delays};
	struct script script = usual();
	struct memory_counters counters[3];
	struct error err;

	(void)state;
	script.hook = linger;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
	assert_int_equal(counters[1].now_ns, 40 * MS);
	script.needed = 1;
	script.rounds = 2;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
	assert_int_equal(counters[1].now_ns, 60 * MS);
}

static void cost_both(struct memory_message *message)
{
	message->give_ns = 1 * MS;
	message->take_ns = 2 * MS;
}

/* Party 0 gives twice (2 ms), waits for party 2's message, which left at 0 (25 ms), and
 * takes two, the first while it waits; party 1 waits for 2's second message. */
static void messages_cost_both_ends(void **state)
{
	struct memory_network_options options = {.delay_ns = delays};
	struct script script = usual();
	struct memory_counters counters[3];
	struct error err;

	(void)state;
	script.hook = cost_both;
	assert_int_equal(run(&options, &script, counters, NULL, &err), 0);
	assert_int_equal(counters[0].now_ns, (25 + 2) * MS);
	assert_int_equal(counters[1].now_ns, (40 + 1 + 2) * MS);
	assert_int_equal(counters[2].now_ns, (30 + 1 + 2) * MS);
}

static void linger_long(struct memory_message *message)
{
	message->left_ns = 500 * MS;
}

static int send_then_flush(struct network *net, void *user, struct error *err)
{
	struct network_round round = {.out[1] = {"x", net->self == 0}};
	int rc = network_exchange(net, &round, err);

	(void)user;
	return rc < 0 ? rc : network_flush(net, err);
}

static void a_flush_waits_for_buffers(void **state)
{
	struct script script = {.hook = linger_long};
	struct memory_network_options options = {
	    .n_parties = 2, .on_message = on_message, .user = &script};
	struct memory_network *memory;
	struct error err;

	(void)state;
	assert_int_equal(memory_network_create(&memory, &options, &err), 0);
	assert_int_equal(
	    memory_network_run(memory, send_then_flush, &script, NULL, &err), 0);
	assert_int_equal(memory_network_counters(memory, 0)->now_ns, 500 * MS);
	assert_int_equal(memory_network_counters(memory, 1)->now_ns, 0);
	memory_network_destroy(memory);
}

/* Party 0 works for 20 ms before its round; all others wait for that. */
static int work_then_round(struct network *net, void *user, struct error *err)
{
	uint64_t until_ns = clock_thread_cpu_ns() + 20 * MS;

	while (net->self == 0 && clock_thread_cpu_ns() < until_ns)
		;
	return all_to_all(net, user, err);
}

static void work_takes_virtual_time(void **state)
{
	struct script script = usual();
	struct memory_network_options options = {.n_parties = 3, .delay_ns = delays};
	struct memory_network *memory;
	struct error err;

	(void)state;
	for (int counts_work = 0; counts_work < 3; counts_work++) {
		options.counts_work = counts_work > 0;
		options.work_stretch = counts_work == 2 ? 1.5 : 0;
		assert_int_equal(memory_network_create(&memory, &options, &err), 0);
		assert_int_equal(
		    memory_network_run(memory, work_then_round, &script, NULL, &err), 0);
		/* 20 or 30 ms of work, and 20 ms of way to party 2, who waits 30 for
		 * party 1. */
		assert_in_range(memory_network_counters(memory, 2)->now_ns,
		    30 * MS + 10 * MS * (unsigned)counts_work,
		    30 * MS + 20 * MS * (unsigned)counts_work);
		memory_network_destroy(memory);
	}
}

static int mute_main(struct network *net, void *user, struct error *err)
{
	struct network_round round = {0};
	unsigned char byte;

	(void)user;
	/* Everyone waits for the one before it. */
	round.in[(net->self + 2) % 3] = (struct network_in){&byte, 1};
	return network_exchange(net, &round, err);
}

static unsigned n_too_small;

static void shrink(struct memory_message *message)
{
	n_too_small += malloc_usable_size(message->base) < message->len;
	if (message->from != 0)
		return;
	message->base = realloc(message->base, 1);
	message->len = 1;
	message->copies = 0;
}

/* Messages are used again: what a hook has made smaller must not pass for larger. */
static void a_shrunk_message_is_small(void **state)
{
	struct memory_network_options options = {.delay_ns = delays};
	struct script script = usual();
	struct error err;

	(void)state;
	script.bytes[0] = script.bytes[1] = script.bytes[2] = 64;
	script.needed = 1;
	script.rounds = 3;
	script.hook = shrink;
	n_too_small = 0;
	assert_int_equal(run(&options, &script, NULL, NULL, &err), 0);
	assert_int_equal(n_too_small, 0);
}

static void deadline_in_real_time(void **state)
{
	struct memory_network_options options = {
	    .n_parties = 3, .real_deadline_ns = 50 * MS};
	struct memory_network *memory;
	struct error err;
	int codes[3];

	(void)state;
	assert_int_equal(memory_network_create(&memory, &options, &err), 0);
	assert_int_equal(
	    memory_network_run(memory, mute_main, NULL, codes, &err), -ETIMEDOUT);
	memory_network_destroy(memory);
}

static void refuses(void **state)
{
	struct memory_network_options options = {.n_parties = 0};
	struct memory_network *memory;
	struct error err;

	(void)state;
	assert_int_equal(memory_network_create(&memory, &options, &err), -EINVAL);
	options.n_parties = 11;
	assert_int_equal(memory_network_create(&memory, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "11"));
	memory_network_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(waits_for_the_last),
	    cmocka_unit_test(takes_the_first),
	    cmocka_unit_test(counts),
	    cmocka_unit_test(deadline_in_virtual_time),
	    cmocka_unit_test(who_leaves_is_named),
	    cmocka_unit_test(hooks),
	    cmocka_unit_test(buffers_are_free_a_round_later),
	    cmocka_unit_test(messages_cost_both_ends),
	    cmocka_unit_test(a_flush_waits_for_buffers),
	    cmocka_unit_test(work_takes_virtual_time),
	    cmocka_unit_test(a_shrunk_message_is_small),
	    cmocka_unit_test(deadline_in_real_time),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

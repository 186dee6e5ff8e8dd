/* SPDX-License-Identifier: MIT */
/* Secret Santa: right answers, the rounds and elements stated, and uniformity. */
#include "base/random.h"
#include "engine/random_share.h"
#include "engine/santa.h"
#include "tests/engine/parties.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS_MAX 1100u

/* What a run of several draws found out. */
struct draws {
	int (*algorithm)(struct mpc *mpc, uint32_t n, int64_t *p,
	    struct santa_result *result, struct error *err);
	uint32_t n, n_draws;
	/* Written by party 0. */
	struct santa_result results[DRAWS_MAX];
	uint64_t rounds[DRAWS_MAX], elements[DRAWS_MAX];
	int64_t p[DRAWS_MAX][16];
};

static int is_derangement(const int64_t *p, uint32_t n)
{
	uint64_t taken = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (p[i] < 0 || p[i] >= n || p[i] == i || (taken >> p[i] & 1) == 1)
			return 0;
		taken |= (uint64_t)1 << p[i];
	}
	return 1;
}

static int draw_body(struct mpc *mpc, void *user, struct error *err)
{
	struct draws *draws = user;

	for (uint32_t i = 0; i < draws->n_draws; i++) {
		struct mpc_counters before = mpc->counters;
		struct santa_result result = {0};
		int64_t p[64];
		int rc = draws->algorithm(mpc, draws->n, p, &result, err);

		if (rc < 0)
			return rc;
		if (!is_derangement(p, draws->n))
			return error_set(err, -EBADMSG, "draw %u is no derangement", i);
		if (mpc->self != 0)
			continue;
		draws->results[i] = result;
		draws->rounds[i] = mpc->counters.rounds - before.rounds;
		draws->elements[i] = mpc->counters.elements - before.elements;
		memcpy(draws->p[i], p, (draws->n < 16 ? draws->n : 16) * sizeof(*p));
	}
	return 0;
}

static void run_draws(struct draws *draws, uint32_t m, const struct test_field *field,
    uint64_t seed, struct parties *parties)
{
	*parties = (struct parties){
	    .m = m, .field = field, .seed = seed, .body = draw_body, .user = draws};
	if (parties_run(parties) != 0)
		fail_msg("%u parties, n = %u: %s", m, draws->n, parties->err.text);
}

static void stated_rounds_of_mpyc(void **state)
{
	static const struct {
		uint32_t n, rounds;
	} known[] = {{4, 12}, {8, 22}, {16, 40}, {24, 60}, {32, 74}, {48, 110}};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(santa_mpyc_rounds(known[i].n), known[i].rounds);
}

static void rounds_of_mpyc(void **state)
{
	static const uint32_t sizes[] = {4, 8, 16, 24, 48};
	static struct draws draws;
	struct parties parties;

	(void)state;
	for (uint32_t m = 1; m <= 10; m++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint32_t n = sizes[i], exact = 0;

			draws = (struct draws){
			    .algorithm = santa_mpyc, .n = n, .n_draws = n > 16 ? 2 : 4};
			run_draws(&draws, m, NULL, m, &parties);
			for (uint32_t d = 0; d < draws.n_draws; d++) {
				uint64_t stated =
				    draws.results[d].attempts * santa_mpyc_rounds(n) + 1;

				if (m <= 2)
					assert_int_equal(draws.rounds[d], 0);
				else if (draws.results[d].restarts == 0)
					assert_int_equal(draws.rounds[d], stated);
				else
					assert_true(draws.rounds[d] >= stated);
				exact += draws.results[d].restarts == 0;
			}
			if (n == 4)
				assert_true(exact > 0);
		}
}

static void rounds_and_elements_of_min(void **state)
{
	static struct draws draws;
	struct parties parties;

	(void)state;
	for (uint32_t m = 1; m <= 10; m++)
		for (uint32_t n = 2; n <= 48; n = n * 2 + 1) {
			uint64_t t = (m - 1) / 2, k = SANTA_CANDIDATES, n2 = n * n;
			uint64_t levels = t > 0 ? 1 + (t > 1) + (t > 3) : 0;
			uint64_t deal = (m - 1 - t) * k * (t * 2 * n2 + n2 + n);
			uint64_t product = (2 * t + 1) * (m - 1 - t) * k;
			uint64_t open = t > 0 ? (2 * t + 1) * (m - 1) * k * (n + 1) : 0;
			uint64_t tree = 0, runs;

			if (t == 2)
				tree = 2 * n2; /* of 3, one pair */
			else if (t == 3)
				tree = 2 * n2 + n2 + n; /* of 4, the last factor too */
			else if (t == 4)
				tree = 4 * n2 + 2 * n2; /* of 5: two pairs, then one */
			draws =
			    (struct draws){.algorithm = santa_min, .n = n, .n_draws = 1};
			run_draws(&draws, m, NULL, m + 100 * n, &parties);
			runs = (draws.results[0].attempts + k - 1) / k;
			assert_int_equal(draws.rounds[0], runs * ((m > 1) + levels));
			assert_int_equal(parties_elements(&parties),
			    runs * (deal + product * tree + open));
		}
}

static void in_other_fields(void **state)
{
	static struct draws draws;
	struct parties parties;

	(void)state;
	for (size_t i = 0; i < n_test_fields; i++)
		for (uint32_t m = 1; m <= 10; m += 3) {
			draws =
			    (struct draws){.algorithm = santa_mpyc, .n = 8, .n_draws = 2};
			run_draws(&draws, m, &test_fields[i], m, &parties);
			draws.algorithm = santa_min;
			run_draws(&draws, m, &test_fields[i], m, &parties);
		}
}

/* Number of a permutation in lexical order. */
static uint32_t rank_of(const int64_t *p, uint32_t n)
{
	uint32_t rank = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t smaller = 0;

		for (uint32_t j = i + 1; j < n; j++)
			smaller += p[j] < p[i];
		rank = rank * (n - i) + smaller;
	}
	return rank;
}

/* Chi-square over the D_n derangements; infinite if one never came. */
static double chi_square(const struct draws *draws, uint32_t n_derangements)
{
	static uint32_t counts[120];
	double expected = (double)draws->n_draws / n_derangements, chi2 = 0;
	uint32_t seen = 0;

	memset(counts, 0, sizeof(counts));
	for (uint32_t d = 0; d < draws->n_draws; d++)
		counts[rank_of(draws->p[d], draws->n)]++;
	for (uint32_t r = 0; r < 120; r++) {
		if (counts[r] == 0)
			continue;
		seen++;
		chi2 += (counts[r] - expected) * (counts[r] - expected) / expected;
	}
	return seen == n_derangements ? chi2 : INFINITY;
}

/* D_n, draws, and the limit at p = 0.001 for D_n - 1 degrees. */
static const struct {
	uint32_t n, n_derangements, n_draws;
	double limit;
} tables[] = {{4, 9, 540, 26.12}, {5, 44, 1100, 77.42}};

static void uniform(struct draws *draws, uint32_t m)
{
	struct parties parties;

	for (size_t i = 0; i < 2; i++) {
		double chi2;

		draws->n = tables[i].n;
		draws->n_draws = tables[i].n_draws;
		run_draws(draws, m, NULL, 20 + m, &parties);
		chi2 = chi_square(draws, tables[i].n_derangements);
		if (chi2 > tables[i].limit)
			fail_msg("n = %u: chi-square %.1f above %.1f", draws->n, chi2,
			    tables[i].limit);
	}
}

static void swap(int64_t *p, uint32_t i, uint64_t j)
{
	int64_t kept = p[i];

	p[i] = p[j];
	p[j] = kept;
}

/* Derangements that look right: Sattolo's cycles, or a permutation whose fixed points are
 * swapped with their neighbours. */
static void derange(struct random_stream *random, int64_t *p, uint32_t n, int is_cycle)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = i;
	for (uint32_t i = n - 1; i > 0; i--)
		swap(p, i, random_stream_below(random, i + !is_cycle));
	for (uint32_t i = 0; i < n; i++)
		if (p[i] == i)
			swap(p, i, (i + 1) % n);
}

static void other_draws_are_not_uniform(void **state)
{
	static struct draws draws;
	struct random_stream random;

	(void)state;
	random_stream_seed(&random, 1);
	for (int is_cycle = 0; is_cycle < 2; is_cycle++)
		for (size_t i = 0; i < 2; i++) {
			draws.n = tables[i].n;
			draws.n_draws = tables[i].n_draws;
			for (uint32_t d = 0; d < draws.n_draws; d++)
				derange(&random, draws.p[d], draws.n, is_cycle);
			assert_true(chi_square(&draws, tables[i].n_derangements) >
				    tables[i].limit);
		}
}

static void uniform_mpyc(void **state)
{
	static struct draws draws = {.algorithm = santa_mpyc};

	(void)state;
	uniform(&draws, 1);
	uniform(&draws, 3);
}

static void uniform_min(void **state)
{
	static struct draws draws = {.algorithm = santa_min};

	(void)state;
	uniform(&draws, 1);
	uniform(&draws, 3);
	uniform(&draws, 5);
}

/* Expected n!/D_n = 24/9 and 120/44 attempts. */
static void attempts_are_counted(void **state)
{
	static struct draws draws = {.algorithm = santa_mpyc, .n = 5, .n_draws = 400};
	struct parties parties;
	uint32_t attempts = 0;

	(void)state;
	run_draws(&draws, 1, NULL, 5, &parties);
	for (uint32_t d = 0; d < draws.n_draws; d++)
		attempts += draws.results[d].attempts;
	assert_in_range(attempts, 400 * 2.727 - 200, 400 * 2.727 + 200); /* 4.6 sigma */
	draws.algorithm = santa_min;
	run_draws(&draws, 1, NULL, 5, &parties);
	attempts = 0;
	for (uint32_t d = 0; d < draws.n_draws; d++)
		attempts += draws.results[d].attempts;
	assert_in_range(attempts, 400 * 2.727 - 200, 400 * 2.727 + 200);
}

/* Through the table, as the harness runs it. */
static int workload_main(struct network *net, void *user, struct error *err)
{
	const struct workload *santa = workload_find("secret-santa");
	const struct workload_task *task = user;
	static _Thread_local struct workload_output out;
	int rc = santa->run(net, task, &out, err);

	return rc == 0 ? santa->check(task, &out, err) : rc;
}

static int run_task(struct workload_task *task, uint32_t m, struct error *err)
{
	struct memory_network_options options = {.n_parties = m};
	struct memory_network *memory;
	int rc;

	assert_int_equal(memory_network_create(&memory, &options, err), 0);
	rc = memory_network_run(memory, workload_main, task, NULL, err);
	memory_network_destroy(memory);
	return rc;
}

static void as_workload(void **state)
{
	static const char *const modes[] = {NULL, "mpyc", "min"};
	struct error err;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (uint32_t m = 1; m <= 10; m++) {
			struct workload_task task = {.size = i == 1 ? "medium" : "low",
			    .mode = modes[i],
			    .field_bits = 61,
			    .seed = m};

			if (run_task(&task, m, &err) != 0)
				fail_msg("%u parties: %s", m, err.text);
		}
}

static void refuses(void **state)
{
	struct workload_task task = {.size = "1", .field_bits = 61};
	struct workload_output out = {.n_values = 8, .values = {1, 0, 3, 2, 5, 4, 7, 6}};
	struct error err;

	(void)state;
	assert_int_equal(run_task(&task, 3, &err), -EINVAL);
	task.size = "201";
	assert_int_equal(run_task(&task, 3, &err), -EINVAL);
	task.size = "8";
	task.mode = "none";
	assert_int_equal(run_task(&task, 3, &err), -EINVAL);
	assert_non_null(strstr(err.text, "none"));
	task.mode = "min";
	task.field_bits = 4;
	task.size = "48";
	assert_int_equal(run_task(&task, 3, &err), -EINVAL);
	task.size = "8";
	assert_int_equal(workload_santa.check(&task, &out, &err), 0);
	out.values[0] = 0;
	out.values[1] = 1;
	assert_int_equal(workload_santa.check(&task, &out, &err), -EBADMSG);
	out.values[0] = 3;
	assert_int_equal(workload_santa.check(&task, &out, &err), -EBADMSG);
	out.values[0] = 8;
	assert_int_equal(workload_santa.check(&task, &out, &err), -EBADMSG);
}

struct lies {
	struct random_stream random;
	size_t len; /* of the messages that are lied about */
};

static void lie(void *user, struct memory_message *message)
{
	struct lies *lies = user;

	if (message->len != lies->len)
		return;
	for (size_t i = 0; i < message->len; i++)
		message->base[i] = (unsigned char)random_stream_next(&lies->random) &
				   (i % 8 == 7 ? 0x0f : 0xff);
}

/* Peers who never let a test come out well: an error, not a run without end. */
static void lies_without_end_are_noticed(void **state)
{
	static const struct {
		int (*algorithm)(struct mpc *mpc, uint32_t n, int64_t *p,
		    struct santa_result *result, struct error *err);
		size_t len;
	} cases[] = {
	    {santa_min, SANTA_CANDIDATES * 4 * 8}, /* the opening */
	    {santa_mpyc, 8},                       /* tests, one at a time */
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct lies lies = {.len = cases[i].len};
		struct draws *draws = calloc(1, sizeof(*draws));
		struct parties parties = {
		    .m = 3, .seed = 5, .body = draw_body, .user = draws};

		random_stream_seed(&lies.random, 1);
		draws->algorithm = cases[i].algorithm;
		draws->n = 3;
		draws->n_draws = 1;
		parties.options.on_message = lie;
		parties.options.user = &lies;
		assert_int_equal(parties_run(&parties), -EPROTO);
		if (strstr(parties.err.text, "a party left the protocol") == NULL)
			fail_msg("%s", parties.err.text);
		free(draws);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stated_rounds_of_mpyc),
	    cmocka_unit_test(rounds_of_mpyc),
	    cmocka_unit_test(rounds_and_elements_of_min),
	    cmocka_unit_test(in_other_fields),
	    cmocka_unit_test(uniform_mpyc),
	    cmocka_unit_test(uniform_min),
	    cmocka_unit_test(other_draws_are_not_uniform),
	    cmocka_unit_test(attempts_are_counted),
	    cmocka_unit_test(as_workload),
	    cmocka_unit_test(lies_without_end_are_noticed),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

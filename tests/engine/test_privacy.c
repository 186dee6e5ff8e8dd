/* SPDX-License-Identifier: MIT */
/*
 * Everything that any t parties see is distributed alike for different secrets; and for
 * primitives broken on purpose it is not. Small prime fields, thousands of samples in one
 * run: each vector holds the same secrets in all places.
 *
 * The coalition's input shares are fixed, which settles those of the others: all that
 * varies is what the protocol itself draws.
 */
#include "engine/compare_mask.h"
#include "engine/random_share.h"
#include "engine/share.h"
#include "engine/share_king.h"
#include "engine/tables.h"
#include "tests/engine/parties.h"
#include "tests/engine/views.h"
#include "tests/tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N       9990u /* kings have equal parts: a multiple of 15 */
#define INPUTS  2u
#define STREAMS 64u

/* How a primitive is broken before it runs. */
enum defect {
	SOUND,
	NO_ZEROS,      /* summands of zero are all zero */
	REUSED_ZEROS,  /* a second opening under the summands of the first */
	NO_POLYNOMIAL, /* derived shares are zero */
	NO_SETS,       /* what comes from the keys of sets is zero */
	BIASED_BITS,   /* three of four signs are +1 */
};

struct experiment {
	const char *name;
	uint32_t m, coalition; /* a set of t parties */
	uint64_t p;
	int64_t secrets[2][INPUTS]; /* of two worlds */
	int (*run)(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
	    uint64_t *out, struct error *err);
	enum defect defect;

	/* One run. */
	uint32_t world;
	pthread_mutex_t lock;
	struct view view;
	uint64_t shares[NETWORK_PARTIES_MAX][N]; /* of the output */
};

static int is_member(const struct experiment *x, uint32_t party)
{
	return (x->coalition >> party & 1) == 1;
}

static void add_column(
    struct experiment *x, const char *name, const uint64_t *numbers, size_t n)
{
	pthread_mutex_lock(&x->lock);
	view_add(&x->view, name, numbers, n);
	pthread_mutex_unlock(&x->lock);
}

static int masked_opening(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err);

/* What reaches or leaves the coalition, cut into vectors of N elements; where kings have
 * parts of a batch, into the smallest part. (Keys are shorter.) */
static void on_message(void *user, struct memory_message *message)
{
	struct experiment *x = user;
	size_t n = message->len % (N * sizeof(uint64_t)) == 0
		       ? N
		       : N / (2 * ((x->m - 1) / 2) + 1);
	size_t step = n * sizeof(uint64_t);
	char name[40];

	if (x->run == masked_opening ||
	    (!is_member(x, message->from) && !is_member(x, message->to)))
		return;
	for (size_t at = 0; at + step <= message->len; at += step) {
		snprintf(name, sizeof(name), "%u to %u, message %u part %zu",
		    message->from, message->to, (unsigned)message->number, at / step);
		add_column(x, name, (const uint64_t *)(message->base + at), n);
	}
}

/* Shares of a secret whose polynomial passes through fixed points at the coalition. */
static void fixed_shares(
    const struct mpc *mpc, const struct experiment *x, uint64_t *out, uint32_t input)
{
	uint32_t points[NETWORK_PARTIES_MAX] = {0}, n = 1;
	uint64_t weights[NETWORK_PARTIES_MAX], values[NETWORK_PARTIES_MAX], sum[1];
	const struct field *f = &mpc->field;

	field_fill(f, &values[0], x->secrets[x->world][input], 1);
	for (uint32_t p = 0; p < x->m; p++) {
		if (!is_member(x, p))
			continue;
		field_fill(f, &values[n], 1 + (p + 2 * input) % 3, 1);
		points[n++] = p + 1;
	}
	tables_lagrange(f, weights, points, n, mpc->self + 1);
	f->ops->dots(f, sum, 1, weights, 1, values, n);
	for (size_t i = 0; i < N; i++)
		out[i] = sum[0];
}

struct streams {
	struct prg copies[STREAMS];
	struct prg *originals[STREAMS];
	char names[STREAMS][40];
	uint32_t n;
};

static void watch(
    struct streams *s, struct prg *prg, uint32_t self, const char *what, uint32_t index)
{
	if (!prg->is_open)
		return;
	snprintf(
	    s->names[s->n], sizeof(s->names[0]), "party %u: %s %u", self, what, index);
	s->originals[s->n] = prg;
	prg_copy(&s->copies[s->n++], prg, NULL);
}

static void watch_all(struct streams *s, struct mpc *mpc)
{
	s->n = 0;
	for (uint32_t p = 0; p < mpc->n_parties; p++) {
		watch(s, &mpc->deal_to[p], mpc->self, "dealt to", p);
		watch(s, &mpc->deal_from[p], mpc->self, "derived from", p);
		watch(s, &mpc->zero[p], mpc->self, "common with", p);
	}
	for (uint32_t k = 0; k < mpc->n_sets; k++)
		watch(s, &mpc->sets[k], mpc->self, "set", k);
}

static int was_used(const struct prg *before, const struct prg *after)
{
	unsigned char one[16], other[16];
	struct prg a, b;

	prg_copy(&a, before, NULL);
	prg_copy(&b, after, NULL);
	prg_bytes(&a, one, sizeof(one));
	prg_bytes(&b, other, sizeof(other));
	prg_finish(&a);
	prg_finish(&b);
	return memcmp(one, other, sizeof(one)) != 0;
}

/* Columns of the streams that were drawn from, as the protocol drew them: in blocks. */
static void add_streams(struct experiment *x, struct streams *s, const struct mpc *mpc)
{
	uint64_t *drawn = malloc(N * sizeof(*drawn));

	assert_non_null(drawn);
	for (uint32_t k = 0; k < s->n; k++) {
		if (was_used(&s->copies[k], s->originals[k]) &&
		    (x->view.n == N || x->view.n == 0)) {
			for (size_t at = 0; at < N; at += MPC_BLOCK_WORDS)
				mpc->field.ops->sample(&mpc->field, &s->copies[k],
				    drawn + at,
				    N - at < MPC_BLOCK_WORDS ? N - at : MPC_BLOCK_WORDS);
			add_column(x, s->names[k], drawn, N);
		}
		prg_finish(&s->copies[k]);
	}
	free(drawn);
}

/* Streams that are all zeros from now on: field operations with a sample() of their own.
 */
struct silent_field {
	struct field_ops ops;
	const struct field_ops *real;
	const struct prg *silent[STREAMS];
	uint32_t n;
};

static _Thread_local struct silent_field silent_field;

static void sample_or_zero(
    const struct field *f, struct prg *prg, uint64_t *out, size_t n)
{
	for (uint32_t s = 0; s < silent_field.n; s++)
		if (silent_field.silent[s] == prg) {
			memset(out, 0, field_bytes(f, n));
			return;
		}
	silent_field.real->sample(f, prg, out, n);
}

static void silence(struct mpc *mpc, const struct prg *prg)
{
	if (mpc->field.ops != &silent_field.ops) {
		silent_field.real = mpc->field.ops;
		silent_field.ops = *mpc->field.ops;
		silent_field.ops.sample = sample_or_zero;
		silent_field.n = 0;
		mpc->field.ops = &silent_field.ops;
	}
	silent_field.silent[silent_field.n++] = prg;
}

/* The next bits of the stream are 0 three times out of four. */
static void bias(struct prg *prg)
{
	unsigned char one[PRG_BUFFER_BYTES], other[PRG_BUFFER_BYTES];

	if (!prg->is_open)
		return;
	prg_bytes(prg, one, sizeof(one));
	prg_bytes(prg, other, sizeof(other));
	for (size_t i = 0; i < sizeof(other); i++)
		prg->buffer[i] = one[i] & other[i];
	prg->at = 0;
}

static void damage(struct mpc *mpc, enum defect defect)
{
	for (uint32_t p = 0; p < mpc->n_parties; p++) {
		if (defect == NO_ZEROS)
			silence(mpc, &mpc->zero[p]);
		if (defect == NO_POLYNOMIAL) {
			silence(mpc, &mpc->deal_to[p]);
			silence(mpc, &mpc->deal_from[p]);
		}
		if (defect == BIASED_BITS)
			bias(&mpc->zero[p]);
	}
	for (uint32_t s = 0; s < mpc->n_sets && defect == NO_SETS; s++)
		silence(mpc, &mpc->sets[s]);
	if (defect == BIASED_BITS)
		bias(&mpc->own);
}

static int deal(struct mpc *mpc, struct experiment *x, uint64_t *const *in, uint64_t *out,
    struct error *err)
{
	/* Party 2 deals the secret itself. */
	field_fill(&mpc->field, in[0], x->secrets[x->world][0], N);
	return share_input(mpc, 2, out, in[0], N, err);
}

static int reshare(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err)
{
	struct share_job job = share_job_mul(SHARE_RESHARE, out, in[0], in[1], N);

	(void)x;
	return share_round(mpc, &job, 1, err);
}

static int open_sum(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err)
{
	(void)x;
	mpc->field.ops->add(&mpc->field, out, in[0], in[1], N);
	return share_open(mpc, out, out, N, err);
}

/* A product, and twice the product. */
static int open_products(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err)
{
	struct share_job job = share_job_mul(SHARE_OPEN_PRODUCT, out, in[0], in[1], N);
	struct prg before[NETWORK_PARTIES_MAX] = {0};
	int rc;

	for (uint32_t p = 0; p < x->m; p++)
		if (p != mpc->self)
			prg_copy(&before[p], &mpc->zero[p], NULL);
	rc = share_round(mpc, &job, 1, err);
	for (uint32_t p = 0; p < x->m; p++) {
		struct prg kept = mpc->zero[p];

		if (x->defect == REUSED_ZEROS) {
			mpc->zero[p] = before[p];
			before[p] = kept;
		}
		prg_finish(&before[p]);
	}
	mpc->field.ops->add(&mpc->field, in[0], in[0], in[0], N);
	return rc == 0 ? share_round(mpc, &job, 1, err) : rc;
}

static int kings(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err)
{
	struct share_job job = share_job_mul(SHARE_RESHARE, out, in[0], in[1], N);

	(void)x;
	return share_king_round(mpc, &job, 1, err);
}

static int random_values(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err)
{
	(void)x;
	(void)in;
	return share_random(mpc, out, N, err);
}

static int bits_by_kings(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err)
{
	(void)x;
	(void)in;
	return share_random_bits(mpc, out, N, SHARE_BITS_BY_KINGS, err);
}

/* What compare_nonneg() opens, x under a full mask, cut two ways. */
static int masked_opening(struct mpc *mpc, struct experiment *x, uint64_t *const *in,
    uint64_t *out, struct error *err)
{
	const struct field *f = &mpc->field;
	struct compare_mask mask;
	int rc = compare_mask_shape(&mask, f, x->m, f->bits - 3, err);

	mask.n = N;
	if (rc == 0)
		rc = compare_masks_make(mpc, &mask, 1, err);
	if (rc < 0)
		return rc;
	f->ops->add(f, out, in[0], in[0], N);
	f->ops->add(f, out, out, mask.sum, N);
	rc = share_open_product(mpc, out, out, N, err);
	if (rc < 0 || mpc->self != 0)
		return rc;
	f->ops->to_words(f, out, out, N);
	x->view.values = 32;
	add_column(x, "opened, lowest bits", out, N);
	for (size_t i = 0; i < N; i++)
		out[i] >>= f->bits - 5;
	add_column(x, "opened, highest bits", out, N);
	return 0;
}

static int party_body(struct mpc *mpc, void *user, struct error *err)
{
	struct experiment *x = user;
	uint64_t *in[INPUTS], *out = mpc_vector(mpc, N);
	struct streams *streams = malloc(sizeof(*streams));
	int rc;

	assert_true(out != NULL && streams != NULL);
	for (uint32_t i = 0; i < INPUTS; i++) {
		in[i] = mpc_vector(mpc, N);
		fixed_shares(mpc, x, in[i], i);
	}
	damage(mpc, x->defect);
	watch_all(streams, mpc);
	rc = x->run(mpc, x, in, out, err);
	memcpy(x->shares[mpc->self], out, sizeof(x->shares[0]));
	if (is_member(x, mpc->self) && x->run != masked_opening)
		add_streams(x, streams, mpc);
	else
		for (uint32_t k = 0; k < streams->n; k++)
			prg_finish(&streams->copies[k]);
	free(streams);
	return rc;
}

/* The view of the coalition in one world. */
static void observe(struct experiment *x, uint32_t world, uint64_t seed)
{
	struct test_field field = {x->name, 0, x->p};
	struct parties parties = {.m = x->m,
	    .field = &field,
	    .seed = seed,
	    .body = party_body,
	    .user = x,
	    .options = {.on_message = on_message, .user = x}};

	x->world = world;
	memset(&x->view, 0, sizeof(x->view));
	x->view.values = x->p > UINT16_MAX ? UINT16_MAX : (uint32_t)x->p;
	if (parties_run(&parties) != 0)
		fail_msg("%s: %s", x->name, parties.err.text);
	view_sort(&x->view);
}

/* An element is recorded as it stands, a Montgomery residue: as good as the number. */
static void judge(const struct experiment *x, double distance, const char *what)
{
	int differs = distance > VIEW_LIMIT;

	if (differs != (x->defect != SOUND))
		fail_msg("%s, %u parties, coalition %x, defect %d: deviate %.1f at %s",
		    x->name, x->m, x->coalition, (int)x->defect, distance, what);
}

static struct experiment experiment;

/* Two worlds look the same to the coalition. */
static void two_worlds(struct experiment template)
{
	struct view first;
	char what[96];

	experiment = template;
	pthread_mutex_init(&experiment.lock, NULL);
	observe(&experiment, 0, 1);
	first = experiment.view;
	observe(&experiment, 1, 2);
	judge(&experiment, views_distance(&first, &experiment.view, what), what);
	view_finish(&first);
	view_finish(&experiment.view);
	pthread_mutex_destroy(&experiment.lock);
}

/* The output, which nobody knows, is independent of the view. */
static void hidden_output(struct experiment template)
{
	static uint8_t is_b[N];
	uint32_t points[NETWORK_PARTIES_MAX], t = (template.m - 1) / 2;
	uint64_t weights[NETWORK_PARTIES_MAX], values[NETWORK_PARTIES_MAX], secret;
	struct field f;
	char what[96];

	experiment = template;
	pthread_mutex_init(&experiment.lock, NULL);
	observe(&experiment, 0, 3);
	assert_int_equal(field_init_prime(&f, &experiment.p, 1, NULL), 0);
	for (uint32_t p = 0; p <= t; p++)
		points[p] = p + 1;
	tables_lagrange(&f, weights, points, t + 1, 0);
	for (size_t i = 0; i < N; i++) {
		for (uint32_t p = 0; p <= t; p++)
			values[p] = experiment.shares[p][i];
		f.ops->dots(&f, &secret, 1, weights, 1, values, t + 1);
		f.ops->to_words(&f, &secret, &secret, 1);
		is_b[i] = secret > 0;
	}
	judge(&experiment, view_distance_within(&experiment.view, is_b, what), what);
	view_finish(&experiment.view);
	pthread_mutex_destroy(&experiment.lock);
}

static void dealing(void **state)
{
	struct experiment x = {
	    .name = "deal", .m = 3, .p = 5, .secrets = {{0}, {3}}, .run = deal};

	(void)state;
	for (uint32_t party = 0; party < 2; party++) {
		x.coalition = 1u << party;
		two_worlds(x);
	}
	x.m = 5;
	x.p = 7;
	x.coalition = 1 << 0 | 1 << 1;
	two_worlds(x);
	x.coalition = 1 << 1 | 1 << 4;
	two_worlds(x);
	x.defect = NO_POLYNOMIAL;
	two_worlds(x);
}

static void resharing(void **state)
{
	struct experiment x = {.name = "reshare",
	    .m = 3,
	    .p = 5,
	    .secrets = {{0, 0}, {1, 2}},
	    .run = reshare};

	(void)state;
	for (uint32_t party = 0; party < 3; party++) {
		x.coalition = 1u << party;
		x.defect = SOUND;
		two_worlds(x);
		x.defect = NO_POLYNOMIAL;
		two_worlds(x);
	}
	x.defect = SOUND;
	x.m = 4;
	x.coalition = 1 << 3;
	two_worlds(x);
	x.m = 5;
	x.p = 7;
	for (uint32_t party = 0; party < 5; party++) {
		x.coalition = 1u << party | 1u << (party + 2) % 5;
		two_worlds(x);
	}
	x.defect = NO_POLYNOMIAL;
	two_worlds(x);
}

static void openings(void **state)
{
	struct experiment x = {
	    .name = "open", .m = 3, .p = 5, .secrets = {{1, 3}, {2, 2}}, .run = open_sum};

	(void)state;
	for (uint32_t party = 0; party < 3; party++) {
		x.coalition = 1u << party;
		two_worlds(x);
	}
}

static void opened_products(void **state)
{
	static const enum defect defects[] = {SOUND, NO_ZEROS, REUSED_ZEROS};
	struct experiment x = {.name = "open product",
	    .p = 7,
	    .secrets = {{1, 4}, {2, 2}},
	    .run = open_products};

	(void)state;
	for (size_t d = 0; d < 3; d++) {
		x.defect = defects[d];
		for (x.m = 3; x.m <= 5; x.m++) {
			x.coalition = x.m == 5 ? 1 << 0 | 1 << 3 : 1 << 1;
			two_worlds(x);
			x.coalition = x.m == 5 ? 1 << 3 | 1 << 4 : 1 << (x.m - 1);
			two_worlds(x);
		}
	}
}

static void multiplication_by_kings(void **state)
{
	struct experiment x = {
	    .name = "kings", .p = 7, .secrets = {{0, 0}, {1, 2}}, .run = kings};

	(void)state;
	for (x.m = 3; x.m <= 5; x.m++) {
		uint32_t t = (x.m - 1) / 2;

		for (uint32_t party = 0; party < x.m; party++) {
			x.coalition = 1u << party;
			if (t == 2)
				x.coalition |= 1u << (party + 1) % 5;
			x.defect = SOUND;
			two_worlds(x);
			x.defect = NO_SETS;
			if (party < 2)
				two_worlds(x);
		}
	}
}

static void randomness(void **state)
{
	struct experiment x = {.name = "random values", .p = 5, .run = random_values};

	(void)state;
	for (x.m = 3; x.m <= 4; x.m++)
		for (uint32_t party = 0; party < x.m; party++) {
			x.coalition = 1u << party;
			hidden_output(x);
		}
	/* By extraction: of the first row of values, the first of each message. */
	x.m = 8;
	x.p = 11;
	x.coalition = 1 << 0 | 1 << 1 | 1 << 2;
	hidden_output(x);
	x.coalition = 1 << 2 | 1 << 5 | 1 << 7;
	hidden_output(x);
	x.name = "random bits";
	x.run = bits_by_kings;
	for (x.m = 3; x.m <= 5; x.m++)
		for (uint32_t party = 0; party < x.m; party++) {
			x.p = x.m == 5 ? 7 : 5;
			x.coalition =
			    1u << party | (x.m == 5 ? 1u << (party + 1) % 5 : 0);
			x.defect = SOUND;
			hidden_output(x);
		}
	/* Party 1 is A of the first third: C's deal shows it the bit. */
	x.m = 3;
	x.p = 5;
	x.coalition = 1 << 1;
	x.defect = NO_POLYNOMIAL;
	hidden_output(x);
}

static void comparison(void **state)
{
	struct experiment x = {.name = "masked opening",
	    .m = 3,
	    .p = 8191,
	    .coalition = 1,
	    .secrets = {{5, 0}, {-700, 0}},
	    .run = masked_opening};

	(void)state;
	two_worlds(x);
	x.defect = BIASED_BITS;
	two_worlds(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dealing),
	    cmocka_unit_test(resharing),
	    cmocka_unit_test(openings),
	    cmocka_unit_test(opened_products),
	    cmocka_unit_test(multiplication_by_kings),
	    cmocka_unit_test(randomness),
	    cmocka_unit_test(comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

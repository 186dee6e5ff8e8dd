/* SPDX-License-Identifier: MIT */
/* Secret Santa as MPyC's demo does it: unit vectors grow while swaps are made. */
#include "engine/random_share.h"
#include "engine/santa.h"
#include "engine/share.h"

#include <string.h>

/* What a unit vector waits for. */
enum unit_state {
	UNIT_BITS,    /* random bits */
	UNIT_TEST,    /* the product that tells whether to start again */
	UNIT_OPENING, /* that product, opened */
	UNIT_GROWTH,  /* bit times vector */
	UNIT_READY,
};

/* A secret unit vector of `length` on its way there by doublings: length / 2^level,
 * rounded up. */
struct unit {
	enum unit_state state;
	uint32_t length, n_levels, level;
	uint64_t *bits;   /* [n_levels] */
	uint64_t *vector; /* [length + 1] */
	uint64_t *test;   /* [1] */
};

/* One attempt. Each round collects what is ready: values to reshare, to open, bits. */
struct attempt {
	struct mpc *mpc;
	uint32_t n, limbs;
	struct unit units[SANTA_N_MAX + 1]; /* [length], from 2 */
	uint32_t n_restarts;
	uint32_t n_again; /* restarts, and bits asked for again, of this attempt */
	uint64_t *p;      /* [n] */
	uint64_t *products, *reshared, *tests, *opened, *bits;
	size_t n_products, n_tests, n_bits;
	/* Swaps: vector `step` deep; its first round (p_r) is done or not. */
	uint32_t step;
	int has_pick;
	uint64_t *pick, *spread;
};

static uint32_t half_up(uint32_t length)
{
	return (length + 1) / 2;
}

static uint32_t length_at(const struct unit *unit, uint32_t level)
{
	uint32_t length = unit->length;

	while (level-- > 0)
		length = half_up(length);
	return length;
}

static uint32_t levels_of(uint32_t length)
{
	uint32_t levels = 0;

	for (; length > 1; length = half_up(length))
		levels++;
	return levels;
}

uint32_t santa_mpyc_rounds(uint32_t n)
{
	uint32_t rounds = 2 * n + levels_of(n);

	for (uint32_t length = n; length > 1; length = half_up(length))
		rounds += length % 2 == 0 ? 1 : 3;
	return rounds;
}

static uint64_t *at(const struct attempt *a, uint64_t *vector, size_t i)
{
	return vector + i * a->limbs;
}

/* Room for n more products, to be reshared in this round. */
static uint64_t *reserve(struct attempt *a, size_t n)
{
	uint64_t *products = at(a, a->products, a->n_products);

	a->n_products += n;
	return products;
}

static uint64_t *bit_of(const struct attempt *a, const struct unit *unit)
{
	return at(a, unit->bits, unit->level - 1);
}

/* The state to grow to the next level. */
static enum unit_state growing(const struct unit *unit)
{
	return length_at(unit, unit->level - 1) % 2 == 0 ? UNIT_GROWTH : UNIT_TEST;
}

static void unit_start(struct attempt *a, struct unit *unit)
{
	unit->state = UNIT_BITS;
	unit->level = unit->n_levels;
	field_fill(&a->mpc->field, unit->vector, 1, 1);
}

static size_t bits_wanted(const struct attempt *a)
{
	size_t n = 0;

	for (uint32_t k = a->n; k >= 2; k--)
		if (a->units[k].state == UNIT_BITS)
			n += a->units[k].n_levels;
	return n;
}

/* What the unit does this round. */
static void unit_out(struct attempt *a, struct unit *unit)
{
	const struct field *f = &a->mpc->field;

	if (unit->state == UNIT_TEST) {
		field_mul(f, reserve(a, 1), unit->vector, bit_of(a, unit), 1);
	} else if (unit->state == UNIT_OPENING) {
		memcpy(at(a, a->tests, a->n_tests++), unit->test, field_bytes(f, 1));
	} else if (unit->state == UNIT_GROWTH) {
		uint32_t length = length_at(unit, unit->level);

		f->ops->scale(
		    f, reserve(a, length), unit->vector, bit_of(a, unit), length);
	}
}

/* [bit v, v - bit v], less its first place (known to be 0) if the length is odd. */
static void grow(struct attempt *a, struct unit *unit, const uint64_t *product)
{
	const struct field *f = &a->mpc->field;
	uint32_t half = length_at(unit, unit->level);
	uint32_t drop = length_at(unit, unit->level - 1) % 2;

	f->ops->sub(f, at(a, unit->vector, half), unit->vector, product, half);
	memcpy(unit->vector, product, field_bytes(f, half));
	memmove(unit->vector, at(a, unit->vector, drop), field_bytes(f, 2 * half - drop));
	unit->level--;
	unit->state = unit->level == 0 ? UNIT_READY : growing(unit);
}

static int is_zero(const struct attempt *a, const uint64_t *element)
{
	static const uint64_t zero[FIELD_LIMBS_MAX];

	return memcmp(element, zero, field_bytes(&a->mpc->field, 1)) == 0;
}

/* Bits from place `from` on. A unit that got one without a bit in it asks again. */
static void take_bits(
    struct attempt *a, struct unit *unit, const uint64_t *roots, size_t from)
{
	for (uint32_t i = 0; i < unit->n_levels; i++)
		if (is_zero(a, roots + (from + i) * a->limbs)) {
			a->n_again++;
			return;
		}
	memcpy(unit->bits, at(a, a->bits, from),
	    field_bytes(&a->mpc->field, unit->n_levels));
	unit->state = growing(unit);
}

/* What the round brought it, from the same places as unit_out() left it. */
static void unit_in(struct attempt *a, struct unit *unit, const uint64_t *roots)
{
	const struct field *f = &a->mpc->field;

	if (unit->state == UNIT_BITS) {
		take_bits(a, unit, roots, a->n_bits);
		a->n_bits += unit->n_levels;
	} else if (unit->state == UNIT_TEST) {
		memcpy(
		    unit->test, at(a, a->reshared, a->n_products++), field_bytes(f, 1));
		unit->state = UNIT_OPENING;
	} else if (unit->state == UNIT_OPENING) {
		if (is_zero(a, at(a, a->opened, a->n_tests++))) {
			unit->state = UNIT_GROWTH;
		} else {
			a->n_restarts++;
			a->n_again++;
			unit_start(a, unit);
		}
	} else if (unit->state == UNIT_GROWTH) {
		uint32_t length = length_at(unit, unit->level);
		uint64_t *product = at(a, a->reshared, a->n_products);

		a->n_products += length;
		grow(a, unit, product);
	}
}

static void swap_out(struct attempt *a)
{
	const struct field *f = &a->mpc->field;
	uint32_t k = a->n - a->step;
	const struct unit *unit = &a->units[k];
	uint64_t *p = at(a, a->p, a->step);

	if (a->step + 1 == a->n || unit->state != UNIT_READY)
		return;
	if (!a->has_pick) {
		f->ops->dots(f, reserve(a, 1), 1, p, 1, unit->vector, k);
		return;
	}
	f->ops->sub(f, a->spread, p, a->pick, 1);
	f->ops->scale(f, reserve(a, k - 1), at(a, unit->vector, 1), a->spread, k - 1);
}

/* p[step] = the one picked, which leaves what stood there in its place. */
static void swap_in(struct attempt *a)
{
	const struct field *f = &a->mpc->field;
	uint32_t k = a->n - a->step;
	uint64_t *p = at(a, a->p, a->step);
	const uint64_t *product = at(a, a->reshared, a->n_products);

	if (a->step + 1 == a->n || a->units[k].state != UNIT_READY)
		return;
	if (!a->has_pick) {
		memcpy(a->pick, product, field_bytes(f, 1));
		a->n_products++;
		a->has_pick = 1;
		return;
	}
	f->ops->add(f, at(a, p, 1), at(a, p, 1), product, k - 1);
	memcpy(p, a->pick, field_bytes(f, 1));
	a->n_products += k - 1;
	a->has_pick = 0;
	a->step++;
}

static int one_round(struct attempt *a, struct error *err)
{
	size_t n_bits = bits_wanted(a), n_jobs = 0;
	uint64_t *roots = at(a, a->bits, n_bits);
	struct share_job jobs[3];
	int rc;

	a->n_products = a->n_tests = 0;
	swap_out(a);
	for (uint32_t k = a->n; k >= 2; k--)
		unit_out(a, &a->units[k]);
	share_random_from_sets(a->mpc, a->bits, n_bits);
	if (a->n_products > 0)
		jobs[n_jobs++] =
		    share_job(SHARE_RESHARE, a->reshared, a->products, a->n_products);
	if (a->n_tests > 0)
		jobs[n_jobs++] = share_job(SHARE_OPEN, a->opened, a->tests, a->n_tests);
	if (n_bits > 0)
		jobs[n_jobs++] =
		    share_job_mul(SHARE_OPEN_PRODUCT, roots, a->bits, a->bits, n_bits);
	rc = share_round(a->mpc, jobs, n_jobs, err);
	if (rc < 0)
		return rc;
	a->n_products = a->n_tests = 0;
	a->n_bits = 0;
	share_bits_finish(a->mpc, a->bits, a->bits, roots, n_bits);
	swap_in(a);
	for (uint32_t k = a->n; k >= 2; k--)
		unit_in(a, &a->units[k], roots);
	return 0;
}

/* All vectors of the attempt in one piece. */
static int allocate(struct attempt *a, struct error *err)
{
	uint32_t n = a->n, n_bits = 0, n_places = 0;
	uint64_t *memory;

	for (uint32_t k = 2; k <= n; k++) {
		n_bits += levels_of(k);
		n_places += levels_of(k) + k + 3;
	}
	/* A round has at most one product for a place, one test a unit. */
	memory = mpc_vector(a->mpc, 3 * (size_t)n_places + 2 * n_bits + 6 * n);
	if (memory == NULL)
		return mpc_no_memory(err);
	a->p = memory;
	a->pick = memory = at(a, memory, n);
	a->spread = memory = at(a, memory, 1);
	a->tests = memory = at(a, memory, 1);
	a->opened = memory = at(a, memory, n);
	a->bits = memory = at(a, memory, n);
	a->products = memory = at(a, memory, 2 * n_bits);
	a->reshared = memory = at(a, memory, n_places);
	memory = at(a, memory, n_places);
	for (uint32_t k = 2; k <= n; k++) {
		struct unit *unit = &a->units[k];

		unit->length = k;
		unit->n_levels = levels_of(k);
		unit->bits = memory;
		unit->vector = memory = at(a, memory, unit->n_levels);
		unit->test = memory = at(a, memory, k + 1);
		memory = at(a, memory, 1);
	}
	return 0;
}

/* The product of p[i] - i is 0, told from nothing but a random multiple. */
static int has_fixed_point(struct attempt *a, int *ret, struct error *err)
{
	struct mpc *mpc = a->mpc;
	uint64_t *v = a->products, *random = a->bits;
	uint32_t n = a->n;
	struct share_job test;
	int rc = 0;

	for (uint32_t i = 0; i < n; i++)
		field_fill(&mpc->field, at(a, v, i), i, 1);
	mpc->field.ops->sub(&mpc->field, v, a->p, v, n);
	while (n > 1 && rc == 0) {
		uint32_t half = n / 2;
		struct share_job job =
		    share_job_mul(SHARE_RESHARE, v, v, at(a, v, half), half);

		rc = share_round(mpc, &job, 1, err);
		if (n % 2 == 1)
			memcpy(
			    at(a, v, half), at(a, v, n - 1), field_bytes(&mpc->field, 1));
		n = half_up(n);
	}
	if (rc < 0)
		return rc;
	share_random_from_sets(mpc, random, 1);
	test = share_job_mul(SHARE_OPEN_PRODUCT, a->opened, v, random, 1);
	rc = share_round(mpc, &test, 1, err);
	*ret = rc == 0 && is_zero(a, a->opened);
	return rc;
}

static int attempt(struct attempt *a, struct error *err)
{
	int rc = allocate(a, err);

	if (rc < 0)
		return rc;
	a->step = 0;
	a->n_again = 0;
	a->has_pick = 0;
	for (uint32_t i = 0; i < a->n; i++)
		field_fill(&a->mpc->field, at(a, a->p, i), i, 1);
	for (uint32_t k = 2; k <= a->n; k++)
		unit_start(a, &a->units[k]);
	while (a->step + 1 < a->n && rc == 0)
		rc = a->n_again < SANTA_RESTARTS_MAX * a->n ? one_round(a, err)
							    : santa_gives_up(err);
	return rc;
}

int santa_mpyc(struct mpc *mpc, uint32_t n, int64_t *p, struct santa_result *result,
    struct error *err)
{
	struct mpc_memory *mark = mpc_mark(mpc);
	struct attempt a = {.mpc = mpc, .n = n, .limbs = mpc->field.limbs};
	int again = 1, rc = 0;

	result->attempts = 0;
	while (again && rc == 0) {
		mpc_release(mpc, mark);
		network_mark(mpc->net, "attempt");
		if (++result->attempts > SANTA_ATTEMPTS_MAX) {
			rc = santa_gives_up(err);
			break;
		}
		rc = attempt(&a, err);
		if (rc == 0)
			rc = has_fixed_point(&a, &again, err);
	}
	if (rc == 0) {
		network_mark(mpc->net, "output");
		rc = share_open(mpc, a.p, a.p, n, err);
	}
	if (rc == 0)
		rc = santa_decode(mpc, p, a.p, n, err);
	result->restarts = a.n_restarts;
	mpc_release(mpc, mark);
	return rc;
}

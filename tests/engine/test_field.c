/* SPDX-License-Identifier: MIT */
/* Every operation of every kernel family against GMP, on random and edge values. */
#include "base/random.h"
#include "engine/field.h"
#include "tests/tap.h"

#include <gmp.h>
#include <stdlib.h>
#include <string.h>

/* No multiple of 4 or 8, more than one block: vector kernels show their tails. */
#define N     1043u
#define ROWS  5u
#define INNER 1301u

struct fixture {
	struct field f;
	mpz_t p;
	struct random_stream random;
	uint64_t *a, *b, *c, *out; /* N elements each, out ROWS * N */
};

static void oracle(const struct fixture *x, mpz_t out, const uint64_t *element)
{
	uint64_t words[FIELD_LIMBS_MAX];

	x->f.ops->to_words(&x->f, words, element, 1);
	mpz_import(out, x->f.limbs, -1, sizeof(*words), 0, 0, words);
}

static void assert_is(const struct fixture *x, const uint64_t *element, const mpz_t value)
{
	mpz_t got, want;

	mpz_inits(got, want, NULL);
	oracle(x, got, element);
	mpz_mod(want, value, x->p);
	if (mpz_cmp(got, want) != 0)
		gmp_printf("# %s: %Zd, not %Zd\n", x->f.ops->name, got, want);
	assert_int_equal(mpz_cmp(got, want), 0);
	assert_int_equal(x->f.ops->check(&x->f, element, 1), 1);
	mpz_clears(got, want, NULL);
}

/* Edges of the representation first, then uniform ones. */
static void draw(struct fixture *x, uint64_t *out, size_t n)
{
	uint32_t limbs = x->f.limbs;

	for (size_t i = 0; i < n; i++) {
		uint64_t *e = out + i * limbs, kind = random_stream_below(&x->random, 8);

		memset(e, 0, limbs * sizeof(*e));
		if (kind == 0)
			e[0] = random_stream_below(&x->random, x->f.p[0] > 4 ? 4 : 2);
		else if (kind == 1)
			mpn_sub_1(
			    e, x->f.p, limbs, 1 + random_stream_below(&x->random, 3));
		else if (kind == 2)
			mpn_rshift(e, x->f.p, limbs, 1);
		else
			do {
				for (uint32_t w = 0; w < limbs; w++)
					e[w] = random_stream_next(&x->random);
				e[limbs - 1] &= UINT64_MAX >> (64 * limbs - x->f.bits);
			} while (mpn_cmp(e, x->f.p, limbs) >= 0);
	}
}

static void open_fixture(struct fixture *x, const struct field *f)
{
	x->f = *f;
	mpz_init(x->p);
	mpz_import(x->p, f->limbs, -1, sizeof(uint64_t), 0, 0, f->p);
	random_stream_seed(&x->random, f->bits);
	x->a = malloc(field_bytes(f, ROWS * INNER));
	x->b = malloc(field_bytes(f, INNER));
	x->c = malloc(field_bytes(f, FIELD_ROWS_MAX));
	x->out = malloc(field_bytes(f, ROWS * N));
	assert_true(x->a != NULL && x->b != NULL && x->c != NULL && x->out != NULL);
	draw(x, x->a, ROWS * INNER);
	draw(x, x->b, INNER);
	draw(x, x->c, FIELD_ROWS_MAX);
}

static void close_fixture(struct fixture *x)
{
	mpz_clear(x->p);
	free(x->a);
	free(x->b);
	free(x->c);
	free(x->out);
}

static void element_wise(struct fixture *x)
{
	const struct field *f = &x->f;
	const uint64_t *xs[3], *ys[3];
	mpz_t u, v, w;

	mpz_inits(u, v, w, NULL);
	for (unsigned kind = 0; kind < 5; kind++) {
		for (unsigned t = 0; t < 3; t++) {
			xs[t] = x->a + t * N * f->limbs;
			ys[t] = t == 1 ? x->a : x->b;
		}
		if (kind == 0)
			f->ops->add(f, x->out, x->a, x->b, N);
		else if (kind == 1)
			f->ops->sub(f, x->out, x->a, x->b, N);
		else if (kind == 2)
			field_mul(f, x->out, x->a, x->b, N);
		else if (kind == 3)
			f->ops->scale(f, x->out, x->a, x->c, N);
		else
			f->ops->mulsum(f, x->out, xs, ys, 3, N);
		for (size_t i = 0; i < N; i++) {
			oracle(x, u, x->a + i * f->limbs);
			oracle(x, v, (kind == 3 ? x->c : x->b + i * f->limbs));
			if (kind == 0)
				mpz_add(w, u, v);
			else if (kind == 1)
				mpz_sub(w, u, v);
			else
				mpz_mul(w, u, v);
			for (unsigned t = 1; t < 3 && kind == 4; t++) {
				oracle(x, u, xs[t] + i * f->limbs);
				oracle(x, v, ys[t] + i * f->limbs);
				mpz_addmul(w, u, v);
			}
			assert_is(x, x->out + i * f->limbs, w);
		}
	}
	mpz_clears(u, v, w, NULL);
}

/* In place, and the exact lengths around the width of a vector. */
static void in_place(struct fixture *x)
{
	const struct field *f = &x->f;

	for (size_t n = 0; n < 20; n++) {
		uint64_t want[20 * FIELD_LIMBS_MAX], got[20 * FIELD_LIMBS_MAX];

		memcpy(got, x->a, sizeof(got));
		field_mul(f, want, got, x->b, n);
		field_mul(f, got, got, x->b, n);
		assert_memory_equal(got, want, field_bytes(f, n));
		assert_memory_equal(got + n * f->limbs, x->a + n * f->limbs,
		    sizeof(got) - field_bytes(f, n));
		f->ops->add(f, want, got, got, n);
		f->ops->add(f, got, got, got, n);
		assert_memory_equal(got, want, field_bytes(f, n));
		f->ops->sub(f, want, got, x->b, n);
		f->ops->sub(f, got, got, x->b, n);
		assert_memory_equal(got, want, field_bytes(f, n));
	}
}

/* A number that kernels may treat apart: +-1, or a few bits of either sign. */
static void small_number(struct fixture *x, uint64_t *out, int is_signed)
{
	int64_t value = 1;

	if (random_stream_below(&x->random, 2) == 0)
		value = (int64_t)(random_stream_next(&x->random) >>
				  (20 + random_stream_below(&x->random, 44)));
	if (is_signed && random_stream_below(&x->random, 2) == 0)
		value = -value;
	x->f.ops->from_i64(&x->f, out, &value, 1);
}

static void matrices(struct fixture *x, unsigned n_in)
{
	const struct field *f = &x->f;
	const uint64_t *in[FIELD_ROWS_MAX];
	uint64_t *out[2] = {x->out, x->out + N * f->limbs};
	uint64_t *coef = malloc(field_bytes(f, 2 * n_in)), *total;
	mpz_t u, v, w;

	assert_non_null(coef);
	draw(x, coef, 2 * n_in);
	for (unsigned c = 0; c < 2 * n_in; c += 3)
		small_number(x, coef + c * f->limbs, n_in % 4 == 3);
	mpz_inits(u, v, w, NULL);
	for (unsigned c = 0; c < n_in; c++)
		in[c] = x->a + (size_t)(c * 37 % 4000) * f->limbs;
	f->ops->combine(f, out, 2, in, n_in, coef, N);
	for (unsigned r = 0; r < 2; r++)
		for (size_t i = 0; i < N; i += 7) {
			mpz_set_ui(w, 0);
			for (unsigned c = 0; c < n_in; c++) {
				oracle(x, u, in[c] + i * f->limbs);
				oracle(x, v, coef + (r * n_in + c) * f->limbs);
				mpz_addmul(w, u, v);
			}
			assert_is(x, out[r] + i * f->limbs, w);
		}
	total = out[0];
	f->ops->sum(f, total, in, n_in, N);
	for (size_t i = 0; i < N; i += 7) {
		mpz_set_ui(w, 0);
		for (unsigned c = 0; c < n_in; c++) {
			oracle(x, u, in[c] + i * f->limbs);
			mpz_add(w, w, u);
		}
		assert_is(x, total + i * f->limbs, w);
	}
	free(coef);
	mpz_clears(u, v, w, NULL);
}

static void dot_products(struct fixture *x, size_t inner)
{
	const struct field *f = &x->f;
	mpz_t u, v, w;

	mpz_inits(u, v, w, NULL);
	f->ops->dots(f, x->out, 3, x->a, ROWS, x->b, inner);
	for (size_t r = 0; r < ROWS; r++) {
		mpz_set_ui(w, 0);
		for (size_t k = 0; k < inner; k++) {
			oracle(x, u, x->a + (r * inner + k) * f->limbs);
			oracle(x, v, x->b + k * f->limbs);
			mpz_addmul(w, u, v);
		}
		assert_is(x, x->out + r * 3 * f->limbs, w);
	}
	mpz_clears(u, v, w, NULL);
}

static void largest_values(struct fixture *x)
{
	const struct field *f = &x->f;
	mpz_t w;

	mpz_init(w);
	for (size_t i = 0; i < (size_t)ROWS * INNER; i++)
		mpn_sub_1(x->a + i * f->limbs, f->p, f->limbs, 1);
	memcpy(x->b, x->a, field_bytes(f, INNER));
	memcpy(x->c, x->a, field_bytes(f, FIELD_ROWS_MAX));
	element_wise(x);
	matrices(x, FIELD_ROWS_MAX);
	dot_products(x, INNER);
	mpz_clear(w);
}

static void inverses_and_roots(struct fixture *x)
{
	const struct field *f = &x->f;
	uint64_t one[FIELD_LIMBS_MAX], *square = x->out + N * f->limbs;
	static const uint64_t zero[FIELD_LIMBS_MAX];
	size_t n = f->limbs > 1 ? 40 : N;

	field_fill(f, one, 1, 1);
	field_inverse(f, x->out, x->a, n);
	field_mul(f, x->out, x->out, x->a, n);
	field_mul(f, square, x->a, x->a, n);
	for (size_t i = 0; i < n; i++) {
		int is_zero = memcmp(x->a + i * f->limbs, zero, field_bytes(f, 1)) == 0;

		assert_memory_equal(
		    x->out + i * f->limbs, is_zero ? zero : one, field_bytes(f, 1));
	}
	f->ops->inverse_root(f, x->out, square, n);
	field_mul(f, x->out, x->out, x->out, n);
	field_mul(f, x->out, x->out, square, n);
	for (size_t i = 0; i < n; i++) {
		int is_zero = memcmp(x->a + i * f->limbs, zero, field_bytes(f, 1)) == 0;

		assert_memory_equal(
		    x->out + i * f->limbs, is_zero ? zero : one, field_bytes(f, 1));
	}
}

static void range_check(struct fixture *x)
{
	const struct field *f = &x->f;

	assert_int_equal(f->ops->check(f, x->a, N), N);
	for (size_t i = 0; i < 70; i++) {
		uint64_t *e = x->a + i * f->limbs, kept[FIELD_LIMBS_MAX];

		memcpy(kept, e, sizeof(kept));
		memcpy(e, f->p, field_bytes(f, 1));
		assert_int_equal(f->ops->check(f, x->a, 70), i);
		memset(e, 255, field_bytes(f, 1));
		assert_int_equal(f->ops->check(f, x->a, 70), i);
		memset(e, 0, field_bytes(f, 1));
		if (f->bits % 64 != 0) {
			e[f->limbs - 1] = (uint64_t)1 << 63;
			assert_int_equal(f->ops->check(f, x->a, 70), i);
		}
		memcpy(e, kept, sizeof(kept));
	}
}

static void integers(struct fixture *x)
{
	static const int64_t cases[] = {0, 1, -1, 2, 1000000, -1000000, (int64_t)1 << 59,
	    -((int64_t)1 << 59), INT64_MAX, INT64_MIN, INT64_MIN + 1};
	enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };
	const struct field *f = &x->f;
	int64_t back;
	mpz_t w;

	mpz_init(w);
	f->ops->from_i64(f, x->out, cases, N_CASES);
	for (size_t i = 0; i < N_CASES; i++) {
		mpz_set_si(w, cases[i]);
		assert_is(x, x->out + i * f->limbs, w);
		if (f->bits < 66 && (cases[i] > 1 || cases[i] < -1) &&
		    !(f->bits == 61 && llabs(cases[i] / 2) < (int64_t)1 << 59))
			continue;
		if (cases[i] == INT64_MIN) {
			assert_int_equal(
			    field_to_i64(f, &back, x->out + i * f->limbs, 1), -ERANGE);
			continue;
		}
		assert_int_equal(field_to_i64(f, &back, x->out + i * f->limbs, 1), 0);
		assert_true(back == cases[i]);
	}
	mpz_clear(w);
}

static void samples(struct fixture *x)
{
	static const unsigned char key[PRG_KEY_BYTES] = {1, 2, 3};
	const struct field *f = &x->f;
	struct prg one = {0}, other = {0};
	struct error err;
	unsigned halves = 0;

	assert_int_equal(prg_init(&one, key, &err), 0);
	assert_int_equal(prg_init(&other, key, &err), 0);
	f->ops->sample(f, &one, x->out, N);
	f->ops->sample(f, &other, x->out + N * f->limbs, N);
	assert_memory_equal(x->out, x->out + N * f->limbs, field_bytes(f, N));
	assert_int_equal(f->ops->check(f, x->out, N), N);
	f->ops->sample(f, &one, x->out, N);
	assert_true(memcmp(x->out, x->out + N * f->limbs, field_bytes(f, N)) != 0);
	mpn_rshift(x->c, f->p, f->limbs, 1);
	for (size_t i = 0; i < N; i++)
		halves += mpn_cmp(x->out + i * f->limbs, x->c, f->limbs) > 0;
	if (f->bits > 4)
		assert_in_range(halves, N * 2 / 5, N * 3 / 5); /* 6 sigma */
	prg_finish(&one);
	prg_finish(&other);
}

static void all_of(const struct field *f)
{
	struct fixture x;

	open_fixture(&x, f);
	element_wise(&x);
	in_place(&x);
	for (unsigned n_in = 1; n_in <= FIELD_ROWS_MAX; n_in = n_in * 3 / 2 + 1)
		matrices(&x, n_in);
	for (size_t inner = 1; inner < 20; inner++)
		dot_products(&x, inner);
	dot_products(&x, INNER);
	inverses_and_roots(&x);
	range_check(&x);
	integers(&x);
	samples(&x);
	largest_values(&x);
	close_fixture(&x);
}

static void family(const char *name)
{
	const char *why;
	const struct field_ops *ops = field_m61_kernels(name, &why);
	struct field f;

	if (ops == NULL)
		skip_because("%s", why);
	assert_int_equal(field_init(&f, 61, NULL), 0);
	f.ops = ops;
	all_of(&f);
}

static void m61_portable(void **state)
{
	(void)state;
	family("portable");
}

static void m61_avx2(void **state)
{
	(void)state;
	family("avx2");
}

static void m61_ifma(void **state)
{
	(void)state;
	family("ifma");
}

static void primes(void **state)
{
	static const uint32_t bits[] = {
	    4, 5, 8, 31, 60, 62, 63, 64, 65, 127, 128, 129, 255, 256, 512};
	static const uint64_t small[] = {3, 5, 7, 11, 13, 31, 101, 127, 8191, 2147483647};
	struct error err;
	struct field f;

	(void)state;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		assert_int_equal(field_init(&f, bits[i], &err), 0);
		assert_int_equal(f.bits, bits[i]);
		all_of(&f);
	}
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		assert_int_equal(field_init_prime(&f, &small[i], 1, &err), 0);
		all_of(&f);
	}
}

static void refuses(void **state)
{
	uint64_t composite = 91, even = 2;
	struct error err;
	struct field f;

	(void)state;
	assert_int_equal(field_init(&f, 3, &err), -EINVAL);
	assert_int_equal(field_init(&f, 513, &err), -EINVAL);
	assert_non_null(strstr(err.text, "513"));
	assert_int_equal(field_init_prime(&f, &composite, 1, &err), -EINVAL);
	assert_int_equal(field_init_prime(&f, &even, 1, &err), -EINVAL);
	assert_null(field_m61_kernels("none", NULL));
}

static void mersenne(void **state)
{
	uint64_t p = 127;
	struct field f;

	(void)state;
	assert_int_equal(field_init(&f, 61, NULL), 0);
	assert_true(field_is_mersenne(&f));
	assert_int_equal(field_init_prime(&f, &p, 1, NULL), 0);
	assert_true(field_is_mersenne(&f));
	assert_int_equal(field_init(&f, 127, NULL), 0);
	assert_false(field_is_mersenne(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(m61_portable),
	    cmocka_unit_test(m61_avx2),
	    cmocka_unit_test(m61_ifma),
	    cmocka_unit_test(primes),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(mersenne),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

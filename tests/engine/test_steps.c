/* SPDX-License-Identifier: MIT */
/*
 * The same instructions in the same order, at the same addresses, whatever the secrets
 * are: field kernels, those with AVX-512 included, and the key streams.
 */
#include "base/random.h"
#include "engine/prg.h"
#include "tests/engine/arithmetic.h"
#include "tests/engine/operand.h"
#include "tests/engine/steps.h"
#include "tests/tap.h"

#include <string.h>

/* All zero, all ones or p - 1, and random ones. */
#define SECRETS 4u

struct probe {
	struct field field;
	size_t n; /* elements of a vector */
	struct arithmetic secrets[SECRETS];
	unsigned char keys[SECRETS][PRG_KEY_BYTES];
	/* One of them, always in the same place. */
	struct arithmetic secret;
	unsigned char key[PRG_KEY_BYTES];
};

static struct probe probe;

static void set_secrets(uint32_t bits, const char *family)
{
	const struct field *f = &probe.field;
	struct random_stream random;

	memset(&probe, 0, sizeof(probe));
	assert_int_equal(field_init(&probe.field, bits, NULL), 0);
	if (family != NULL)
		probe.field.ops = field_m61_kernels(family, NULL);
	random_stream_seed(&random, 1);
	for (uint32_t s = 0; s < SECRETS; s++)
		for (uint32_t c = 0; c < 2 * ARITHMETIC_TERMS; c++)
			field_fill(f, probe.secrets[s].coef + c * f->limbs,
			    c % 3 == 0 ? -1 : (int64_t)c * c * c * c * 997, 1);
	for (uint32_t s = 1; s < SECRETS; s++) {
		struct arithmetic *a = &probe.secrets[s];

		for (uint32_t i = 0; i < PRG_KEY_BYTES; i++)
			probe.keys[s][i] =
			    s == 1 ? 0xff : (unsigned char)random_stream_next(&random);
		for (uint32_t i = 0; i < ARITHMETIC_N; i++) {
			a->integers[i] =
			    s == 1 ? -1 : (int64_t)random_stream_next(&random) >> 4;
			for (uint32_t t = 0; t < ARITHMETIC_TERMS && f->ops != NULL;
			     t++) {
				int64_t x = a->integers[i] - (s > 1) * (int64_t)t;
				int64_t y = s == 1 ? -1 : x / 3 + (int64_t)t;

				field_fill(f, a->x[t] + i * f->limbs, x, 1);
				field_fill(f, a->y[t] + i * f->limbs, y, 1);
			}
		}
	}
}

static void compute(void)
{
	arithmetic_run(&probe.field, &probe.secret, probe.n);
}

/* Short and long requests, elements. The vectors' memory is in place of a heap. */
static void draw(void)
{
	static unsigned char bytes[3 * PRG_BUFFER_BYTES];
	static uint64_t elements[512];
	struct prg prg;

	if (prg_init(&prg, probe.key, NULL) < 0)
		return;
	prg_bytes(&prg, bytes, 24);
	prg_bytes(&prg, bytes, sizeof(bytes));
	probe.field.ops->sample(&probe.field, &prg, elements, 512);
	prg_finish(&prg);
}

static void leak_by_branch(void)
{
	volatile uint64_t sum = 0;

	if (probe.key[0] > 4)
		sum = sum + 1;
}

static void leak_by_address(void)
{
	static volatile unsigned char table[256];
	unsigned char found;

	found = table[probe.key[0]];
	(void)found;
}

/* Which registers an operand's address is made of; encodings by GNU as. */
static void addresses_are_read(void **state)
{
	enum { A = 1, C = 2, D = 4, B = 8, S = 64, DI = 128, R8 = 256, R9 = 512 };
	enum { R10 = 1024, R12 = 4096, R13 = 8192, R14 = 16384, SP = 16 };
	static const struct {
		unsigned char code[16];
		uint32_t registers; /* beside rsp, which counts always */
		int is_gather;
	} known[] = {
	    {{0x48, 0x8b, 0x14, 0xc1}, C | A, 0}, /* mov (%rcx,%rax,8),%rdx */
	    {{0x49, 0x89, 0x55, 0xf8}, R13, 0},   /* mov %rdx,-8(%r13) */
	    {{0x48, 0x8d, 0x14, 0xc1}, 0, 0},     /* lea */
	    {{0x0f, 0x1f, 0x04, 0x00}, 0, 0},     /* nopl (%rax,%rax) */
	    {{0xf3, 0x48, 0xab}, C | DI, 0},      /* rep stos */
	    {{0xf3, 0x48, 0xa5}, C | S | DI, 0},  /* rep movsq */
	    {{0x8b, 0x05, 0x10}, 0, 0},           /* mov 16(%rip),%eax */
	    /* vmovdqu64 (%r9,%r10,8),%zmm17 */
	    {{0x62, 0x81, 0xfe, 0x48, 0x6f, 0x0c, 0xd1}, R9 | R10, 0},
	    /* vpmadd52luq 64(%r12),%zmm3,%zmm20 */
	    {{0x62, 0xc2, 0xe5, 0x48, 0xb4, 0x64, 0x24, 0x01}, R12, 0},
	    {{0xc5, 0xfe, 0x6f, 0x0e}, S, 0}, /* vmovdqu (%rsi),%ymm1 */
	    /* vpaddq (%r8,%rcx),%ymm9,%ymm10 */
	    {{0xc4, 0x41, 0x35, 0xd4, 0x14, 0x08}, R8 | C, 0},
	    /* vpgatherqq (%rdx,%zmm2,8),%zmm1 */
	    {{0x62, 0xf2, 0xfd, 0x49, 0x91, 0x0c, 0xd2}, D, 1},
	    {{0x48, 0x01, 0xc3}, 0, 0},                    /* add %rax,%rbx */
	    {{0x42, 0x0f, 0xb6, 0x04, 0x37}, DI | R14, 0}, /* movzbl (%rdi,%r14) */
	    {{0xc4, 0xe2, 0xfb, 0xf6, 0x1e}, S, 0},        /* mulx (%rsi) */
	    {{0xc3}, 0, 0},                                /* ret */
	    {{0xc5, 0xf8, 0x77}, 0, 0},                    /* vzeroupper */
	    {{0x48, 0x8b, 0x04, 0xdd}, B, 0},              /* mov 0(,%rbx,8) */
	    /* pextrq $1,%xmm0,(%rdi) */
	    {{0x66, 0x48, 0x0f, 0x3a, 0x16, 0x07, 0x01}, DI, 0},
	    {{0xc4, 0xe2, 0x7d, 0xdc, 0x0a}, D, 0}, /* vaesenc (%rdx) */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint64_t numbered[16] = {0}, before;
		struct operand_registers registers;
		uint32_t found = 0;
		int is_gather;

		memcpy(&registers, numbered, sizeof(registers));
		before = operand_address(known[i].code, &registers, &is_gather);
		assert_int_equal(is_gather, known[i].is_gather);
		for (uint32_t r = 0; r < 16; r++) {
			numbered[r] = 5;
			memcpy(&registers, numbered, sizeof(registers));
			numbered[r] = 0;
			if (operand_address(known[i].code, &registers, &is_gather) !=
			    before)
				found |= 1u << r;
		}
		if (found != (known[i].registers | SP))
			fail_msg("instruction %zu: registers %#x", i, found);
	}
}

struct difference {
	size_t n_steps, n_gathers;
	int instructions, addresses; /* differ */
	uint64_t at;
};

/* The first secret's steps against those of all others. */
static void compare(void (*body)(void), struct difference *d)
{
	/* In memory: a register that counts secrets would differ on its own. */
	static volatile uint32_t s;
	struct steps first, other;
	struct error err = {0};

	memset(d, 0, sizeof(*d));
	if (steps_impossible() != NULL)
		skip_because("%s", steps_impossible());
	for (s = 0; s < SECRETS; s++) {
		struct steps steps;
		int rc;

		probe.secret = probe.secrets[s];
		memcpy(probe.key, probe.keys[s], sizeof(probe.key));
		rc = steps_take(&steps, body, &err);
		if (rc == -EPERM)
			skip_because("%s", err.text);
		if (rc < 0)
			fail_msg("%s", err.text);
		if (s == 0) {
			first = steps;
			d->n_steps = first.n;
			d->n_gathers = first.n_gathers;
			continue;
		}
		other = steps;
		for (size_t i = 0;
		     i < first.n && i < other.n && !d->instructions && !d->addresses;
		     i++) {
			d->at = first.steps[i].at;
			d->instructions |= first.steps[i].at != other.steps[i].at;
			d->addresses |= first.steps[i].address != other.steps[i].address;
		}
		d->instructions |= other.n != first.n;
		steps_finish(&other);
	}
	steps_finish(&first);
}

static void expect_alike(const char *what, void (*body)(void))
{
	struct difference d;

	compare(body, &d);
	printf("# %s: %zu steps, %zu gathers\n", what, d.n_steps, d.n_gathers);
	assert_true(d.n_steps > 100);
	if (d.instructions || d.addresses)
		fail_msg("%s: other %s, at %#llx", what,
		    d.instructions ? "instructions" : "addresses",
		    (unsigned long long)d.at);
	assert_int_equal(d.n_gathers, 0);
}

static void kernels(const char *family)
{
	const char *why = NULL;

	if (field_m61_kernels(family, &why) == NULL)
		skip_because("%s: %s", family, why);
	set_secrets(61, family);
	/* Whole vectors; then a tail, which some kernels do one by one. */
	probe.n = 48;
	expect_alike(family, compute);
	probe.n = 21;
	expect_alike(family, compute);
}

static void portable_kernels(void **state)
{
	(void)state;
	kernels("portable");
}

static void avx2_kernels(void **state)
{
	(void)state;
	kernels("avx2");
}

static void ifma_kernels(void **state)
{
	(void)state;
	kernels("ifma");
}

static void other_primes(void **state)
{
	(void)state;
	set_secrets(127, NULL);
	probe.n = 6;
	expect_alike("127 bits", compute);
}

static void key_streams(void **state)
{
	(void)state;
	set_secrets(61, NULL);
	expect_alike("key streams", draw);
}

static void leaks_are_found(void **state)
{
	struct difference d;

	(void)state;
	set_secrets(61, NULL);
	compare(leak_by_branch, &d);
	assert_true(d.instructions);
	compare(leak_by_address, &d);
	assert_false(d.instructions);
	assert_true(d.addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_read),
	    cmocka_unit_test(portable_kernels),
	    cmocka_unit_test(avx2_kernels),
	    cmocka_unit_test(ifma_kernels),
	    cmocka_unit_test(other_primes),
	    cmocka_unit_test(key_streams),
	    cmocka_unit_test(leaks_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

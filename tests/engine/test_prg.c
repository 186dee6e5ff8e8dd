/* SPDX-License-Identifier: MIT */
/* The stream: known answers, both ways of making it, cuts, copies. */
#include "base/bytes.h"
#include "engine/mpc.h"
#include "engine/prg.h"
#include "tests/tap.h"

#include <string.h>

/* SP 800-38A's key; AES-128 of counters 0 and 1, from openssl enc -aes-128-ctr. */
static const unsigned char key[PRG_KEY_BYTES] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2,
    0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};

static void known_answer(void **state)
{
	static const char want[] =
	    "7df76b0c1ab899b33e42f047b91b546f57127d4034b1bebfaef466b9c7726fc6";
	unsigned char bytes[32], fips[16];
	struct prg prg = {0}, other = {0};
	char text[65];

	(void)state;
	assert_int_equal(prg_init(&prg, key, NULL), 0);
	assert_int_equal(prg_init_libcrypto(&other, key, NULL), 0);
	prg_bytes(&prg, bytes, sizeof(bytes));
	bytes_to_hex(text, bytes, sizeof(bytes));
	assert_string_equal(text, want);
	prg_bytes(&other, bytes, sizeof(bytes));
	bytes_to_hex(text, bytes, sizeof(bytes));
	assert_string_equal(text, want);
	/* FIPS 197, appendix C.1: a block, by the derivation of keys. */
	assert_int_equal(
	    prg_derive(fips,
		(const unsigned char[]){
		    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		UINT64_C(0x7766554433221100), UINT64_C(0xffeeddccbbaa9988), NULL),
	    0);
	bytes_to_hex(text, fips, 16);
	assert_string_equal(text, "69c4e0d86a7b0430d8cdb78070b4c55a");
	prg_finish(&prg);
	prg_finish(&other);
}

static void both_ways_agree(void **state)
{
	static unsigned char one[70000], other[70000];
	struct prg a = {0}, b = {0};

	(void)state;
	if (!prg_vaes_runs_here())
		skip_because("this CPU has no VAES");
	assert_int_equal(prg_init(&a, key, NULL), 0);
	assert_null(a.cipher);
	assert_int_equal(prg_init_libcrypto(&b, key, NULL), 0);
	for (size_t len = 1; len < sizeof(one); len = len * 3 / 2 + 1) {
		prg_bytes(&a, one, len);
		prg_bytes(&b, other, len);
		assert_memory_equal(one, other, len);
	}
	prg_finish(&a);
	prg_finish(&b);
}

static void cuts_do_not_matter(void **state)
{
	static unsigned char whole[40000], cut[40000];
	struct prg a = {0}, b = {0}, c = {0};
	size_t at = 0;

	(void)state;
	assert_int_equal(prg_init(&a, key, NULL), 0);
	assert_int_equal(prg_init(&b, key, NULL), 0);
	prg_bytes(&a, whole, sizeof(whole));
	for (size_t len = 0; at + len <= sizeof(cut); len = len * 5 / 4 + 1) {
		prg_bytes(&b, cut + at, len);
		at += len;
	}
	assert_memory_equal(whole, cut, at);
	assert_int_equal(prg_copy(&c, &b, NULL), 0);
	prg_bytes(&b, cut, 5000);
	prg_bytes(&c, whole, 5000);
	assert_memory_equal(cut, whole, 5000);
	prg_finish(&a);
	prg_finish(&b);
	prg_finish(&c);
	assert_int_equal(b.is_open, 0);
}

/* Under sanitizers: and leaves nothing. */
static void warms_up_again_and_again(void **state)
{
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		if (mpc_warm_up(&err) < 0)
			fail_msg("%s", err.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_answer),
	    cmocka_unit_test(both_ways_agree),
	    cmocka_unit_test(cuts_do_not_matter),
	    cmocka_unit_test(warms_up_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

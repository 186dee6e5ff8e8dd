/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "tests/tap.h"

#include <errno.h>

static void little_endian(void **state)
{
	const unsigned char bytes[] = {1, 2, 3, 4, 5, 6, 7, 0x88};
	unsigned char out[8];

	(void)state;
	assert_int_equal(bytes_load_le32(bytes), 0x04030201);
	assert_true(bytes_load_le64(bytes) == UINT64_C(0x8807060504030201));
	bytes_store_le64(out, UINT64_C(0x8807060504030201));
	assert_memory_equal(out, bytes, 8);
}

/* RFC 4648, section 10. */
static const struct {
	const char *plain, *coded;
} base64_vectors[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

static void base64_both_ways(void **state)
{
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(base64_vectors) / sizeof(*base64_vectors); i++) {
		size_t len = strlen(base64_vectors[i].plain);

		bytes_to_base64(out, base64_vectors[i].plain, len);
		assert_string_equal(out, base64_vectors[i].coded);
		assert_int_equal(
		    bytes_from_base64(out, sizeof(out), base64_vectors[i].coded), len);
		assert_memory_equal(out, base64_vectors[i].plain, len);
	}
}

static void bad_text_is_refused(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(bytes_from_base64(out, sizeof(out), "Zg="), -EINVAL);
	assert_int_equal(bytes_from_base64(out, sizeof(out), "Z*=="), -EINVAL);
	assert_int_equal(bytes_from_base64(out, sizeof(out), "===="), -EINVAL);
	assert_int_equal(bytes_from_base64(out, 2, "Zm9v"), -EMSGSIZE);
	assert_int_equal(bytes_from_hex(out, 2, "00f"), -EINVAL);
	assert_int_equal(bytes_from_hex(out, 2, "00fg"), -EINVAL);
	assert_int_equal(bytes_from_hex(out, 2, "00fF"), -EINVAL);
}

static void hex_both_ways(void **state)
{
	unsigned char bytes[3] = {0x00, 0xab, 0xff}, back[3];
	char text[7];

	(void)state;
	bytes_to_hex(text, bytes, 3);
	assert_string_equal(text, "00abff");
	assert_int_equal(bytes_from_hex(back, 3, text), 0);
	assert_memory_equal(back, bytes, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(little_endian),
	    cmocka_unit_test(base64_both_ways),
	    cmocka_unit_test(bad_text_is_refused),
	    cmocka_unit_test(hex_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

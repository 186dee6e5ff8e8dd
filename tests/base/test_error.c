/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "tests/tap.h"

#include <string.h>

static void grows_outward(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set(&err, -EINVAL, "'%s' is not a delay", "20"), -EINVAL);
	assert_int_equal(error_wrap(&err, "link %d-%d", 0, 2), -EINVAL);
	assert_string_equal(err.text, "link 0-2: '20' is not a delay");
	assert_int_equal(err.code, -EINVAL);
}

static void names_the_errno(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set_errno(&err, -ENOENT, "%s", "a.json"), -ENOENT);
	assert_string_equal(err.text, "a.json: No such file or directory");
}

static void cuts_what_is_too_long(void **state)
{
	char text[2 * ERROR_TEXT_BYTES];
	struct error err = {0};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, -EIO, "%s", text);
	error_wrap(&err, "outer");
	assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
	assert_memory_equal(err.text, "outer: xxx", 10);
}

static void null_is_fine(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(error_wrap(NULL, "x"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grows_outward),
	    cmocka_unit_test(names_the_errno),
	    cmocka_unit_test(cuts_what_is_too_long),
	    cmocka_unit_test(null_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "harness/scenario/json_reader.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_says(const char *text, size_t len, const char *sentence)
{
	struct error err = {0};
	int rc = json_check("a.json", text, len, &err);

	if (sentence == NULL && rc == 0)
		return;
	if (sentence == NULL || rc != -EINVAL || strcmp(err.text, sentence) != 0)
		fail_msg("%.60s: %d '%s' instead of '%s'", text, rc, err.text,
		    sentence == NULL ? "(fine)" : sentence);
}

static void says_where_the_syntax_is_wrong(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
	    {"{}", NULL},
	    {" [1, -0, 0.5e+3, \"\\u00e9\\ud83d\\ude00\\n\", true, false, null] \n",
		NULL},
	    {"\"\xc3\xa9\xf0\x9f\x98\x80\"", NULL},
	    {"", "a.json: line 1, column 1: expected a value, but the file ends here"},
	    {"{", "a.json: line 1, column 2: expected a key in double quotes, but the "
		  "file ends here"},
	    {"{\n\t\"a\": 1,\n}",
		"a.json: line 3, column 1: expected a key in double quotes, not '}'"},
	    {"{\"a\" 1}", "a.json: line 1, column 6: expected ':', not '1'"},
	    {"{\"a\": 1 \"b\": 2}",
		"a.json: line 1, column 9: expected ',' or '}', not '\"'"},
	    {"[1,]", "a.json: line 1, column 4: expected a value, not ']'"},
	    {"[1 2]", "a.json: line 1, column 4: expected ',' or ']', not '2'"},
	    {"{} {}", "a.json: line 1, column 4: expected the end of the file, not '{'"},
	    {"{'a': 1}",
		"a.json: line 1, column 2: expected a key in double quotes, not '''"},
	    {"// no\n{}", "a.json: line 1, column 1: expected a value, not '/'"},
	    {"tru", "a.json: line 1, column 1: expected a value, not 't'"},
	    {"NaN", "a.json: line 1, column 1: expected a value, not 'N'"},
	    {"+1", "a.json: line 1, column 1: expected a value, not '+'"},
	    {"01", "a.json: line 1, column 2: a number must not begin with 0"},
	    {"1.", "a.json: line 1, column 3: expected a digit, but the file ends here"},
	    {".5", "a.json: line 1, column 1: expected a value, not '.'"},
	    {"1e", "a.json: line 1, column 3: expected a digit, but the file ends here"},
	    {"1ex", "a.json: line 1, column 3: expected a digit, not 'x'"},
	    {"1e+", "a.json: line 1, column 4: expected a digit, but the file ends here"},
	    {"-", "a.json: line 1, column 2: expected a digit, but the file ends here"},
	    {"\"a", "a.json: line 1, column 3: expected '\"' at the end of a string, but "
		    "the file ends here"},
	    {"\"a\nb\"", "a.json: line 1, column 3: a line break or control character "
			 "inside a string"},
	    {"\"\\x\"", "a.json: line 1, column 3: expected one of \"\\/bfnrtu after a "
			"backslash, not 'x'"},
	    {"\"\\u12g4\"",
		"a.json: line 1, column 6: expected a hexadecimal digit, not 'g'"},
	    {"\"\\u0000\"",
		"a.json: line 1, column 8: \\u0000 is not allowed in a string"},
	    {"\"\\ud800\"", "a.json: line 1, column 8: half of a surrogate pair"},
	    {"\"\\udc00\"", "a.json: line 1, column 8: half of a surrogate pair"},
	    {"\"\\ud800\\u0041\"", "a.json: line 1, column 14: half of a surrogate pair"},
	    {"\"\xc3(\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", NULL},
	    {"\"\x80\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xe0\x9f\xbf\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xf0\x8f\xbf\xbf\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xf4\x90\x80\x80\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xe2\x82\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xe2\x82", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xc0\x80\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xed\xa0\x80\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\"\xf5\x80\x80\x80\"", "a.json: line 1, column 2: not UTF-8"},
	    {"\xef\xbb\xbf{}",
		"a.json: line 1, column 1: expected a value, not byte 0xef"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_says(cases[i].text, strlen(cases[i].text), cases[i].sentence);
	check_says("{}\0", 3,
	    "a.json: line 1, column 3: expected the end of the file, not byte 0x00");
	check_says("\"\\\0\"", 4,
	    "a.json: line 1, column 3: expected one of \"\\/bfnrtu after a backslash, "
	    "not byte 0x00");
}

static void bounds_depth_keys_and_numbers(void **state)
{
	char text[8192], *at;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	check_says(text, 2 * JSON_DEPTH_MAX, NULL);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	check_says(
	    text, JSON_DEPTH_MAX + 1, "a.json: line 1, column 33: nested deeper than 32");

	at = text + sprintf(text, "{\"k\": 0");
	for (unsigned i = 1; i <= JSON_KEYS_MAX; i++)
		at += sprintf(at, ",\n\"k%u\": 0", i);
	check_says(text, (size_t)(at - text),
	    "a.json: line 257, column 1: an object with more than 256 keys");
	memset(text, '1', 61);
	check_says(
	    text, 61, "a.json: line 1, column 62: a number of more than 60 characters");
}

static void refuses_a_key_twice(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
	    {"{\"a\": 1, \"a\": 2}", "a.json: the key 'a' stands here twice"},
	    {"{\"a\": 1, \"\\u0061\": 2}", "a.json: the key 'a' stands here twice"},
	    {"{\"x\": [0, {\"b/c\": {\"a\": 1, \"b\": 2, \"a\": 2}}]}",
		"a.json: /x/1/b~1c: the key 'a' stands here twice"},
	    {"{\"a~b\": {\"c\": 1, \"c\": 2}}",
		"a.json: /a~0b: the key 'c' stands here twice"},
	    {"{\"\\n\": {\"~\": 1, \"~\": 2}}",
		"a.json: /?: the key '~' stands here twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_document document = {0};
		struct error err = {0};

		assert_int_equal(json_document_parse("a.json", cases[i].text,
				     strlen(cases[i].text), &document, &err),
		    -EINVAL);
		assert_string_equal(err.text, cases[i].sentence);
		assert_null(document.root);
	}
}

static void reads_regular_files_of_bounded_size_only(void **state)
{
	char folder[] = "/tmp/e3-json-XXXXXX", path[64], expected[128];
	struct json_document document = {0};
	struct error err = {0};
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(json_document_read(folder, &document, &err), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: not a regular file", folder);
	assert_string_equal(err.text, expected);

	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(json_document_read(path, &document, &err), -EINVAL);
	unlink(path);
	assert_int_equal(json_document_read(path, &document, &err), -ENOENT);

	snprintf(path, sizeof(path), "%s/large.json", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	for (unsigned i = 0; i <= JSON_FILE_BYTES_MAX; i++)
		fputc(i == 0 ? '1' : ' ', file);
	fclose(file);
	assert_int_equal(json_document_read(path, &document, &err), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: larger than 1048576 bytes", path);
	assert_string_equal(err.text, expected);
	assert_int_equal(truncate(path, JSON_FILE_BYTES_MAX), 0);
	assert_int_equal(json_document_read(path, &document, &err), 0);
	assert_true(cJSON_IsNumber(document.root));
	json_document_finish(&document);
	json_document_finish(&document);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_where_the_syntax_is_wrong),
	    cmocka_unit_test(bounds_depth_keys_and_numbers),
	    cmocka_unit_test(refuses_a_key_twice),
	    cmocka_unit_test(reads_regular_files_of_bounded_size_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

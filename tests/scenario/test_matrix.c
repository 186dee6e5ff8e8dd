/* SPDX-License-Identifier: MIT */
#include "harness/scenario/matrix.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char good[] =
    "{\"$schema\": \"e3/matrix/v1\", \"name\": \"m\",\n"
    "\"quantity\": \"rtt\", \"unit\": \"ms\", \"percentile\": 95,\n"
    "\"source\": {\"title\": \"t\", \"licence\": \"CC0-1.0\",\n"
    "\"mapping\": {\"aa\": \"A\"}},\n"
    "\"rtt\": [[null, 1.5, 3], [2, 0, 4], [5, 6, null]],\n"
    "\"sites\": [\"aa\", \"bb\", \"cc\"]}\n";

static char path[] = "/tmp/e3-matrix-XXXXXX";

static int read_matrix(const char *text, struct matrix *matrix, struct error *err)
{
	FILE *file = fopen(path, "w");
	char *kept = NULL;
	int rc;

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	rc = matrix_read(path, matrix, &kept, err);
	if (rc == 0)
		assert_string_equal(kept, text);
	free(kept);
	return rc;
}

static void reads_rows_as_sources(void **state)
{
	static struct matrix matrix;
	struct error err = {0};

	(void)state;
	if (read_matrix(good, &matrix, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(matrix.name, "m");
	assert_true(matrix.percentile == 95);
	assert_int_equal(matrix.n_sites, 3);
	assert_int_equal(matrix.rtt_ns[0][1], 1500000);
	assert_int_equal(matrix.rtt_ns[1][0], 2000000);
	assert_int_equal(matrix.rtt_ns[2][1], 6000000);
	assert_int_equal(matrix.rtt_ns[1][1], 0);
	assert_int_equal(matrix_site(&matrix, "BB"), 1);
	assert_int_equal(matrix_site(&matrix, "dd"), -ENOENT);
}

static const struct {
	const char *find, *replace, *sentence;
} edits[] = {
    {"\"rtt\",", "\"owd\",", "/quantity: 'owd' is not \"rtt\""},
    {"\"ms\"", "\"s\"", "/unit: 's' is not \"ms\""},
    {"95", "101", "/percentile: 101 is not 0..100"},
    {"\"licence\"", "\"license\"",
	"/source/license: unknown key; did you mean 'licence'?"},
    {"\"A\"", "7", "/source/mapping/aa: expected a text in double quotes"},
    {"{\"aa\": \"A\"}", "7", "/source/mapping: expected an object {...}"},
    {"\"cc\"", "\"aa\"", "/sites/2: the site 'aa' stands here twice"},
    {"\"cc\"", "\"a b\"",
	"/sites/2: 'a b' is not a name (lower-case letters, digits and '-')"},
    {", \"cc\"", "", "/rtt: 3 rows for 2 sites"},
    {"[2, 0, 4]", "[2, 0]", "/rtt/1: expected an array of 3 RTTs from bb"},
    {"[2, 0, 4]", "2", "/rtt/1: expected an array of 3 RTTs from bb"},
    {"[2, 0, 4]", "[2, 1, 4]", "/rtt/1/1: from bb to itself must be null"},
    {"[2, 0, 4]", "[2, 0, null]", "/rtt/1/2: expected the RTT from bb to cc in ms"},
    {"[2, 0, 4]", "[2, 0, -4]", "/rtt/1/2: -4 is not 0..10000"},
    {"\"rtt\": [[", "\"rtt\": 7, \"x\": [[", "/rtt: expected an array [...]"},
};

static void refuses_with_one_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		static struct matrix matrix;
		char text[2 * sizeof(good)], expected[256];
		const char *at = strstr(good, edits[i].find);
		struct error err = {0};

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good,
		    edits[i].replace, at + strlen(edits[i].find));
		snprintf(expected, sizeof(expected), "%s: %s", path, edits[i].sentence);
		assert_int_equal(read_matrix(text, &matrix, &err), -EINVAL);
		assert_string_equal(err.text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_rows_as_sources),
	    cmocka_unit_test(refuses_with_one_sentence),
	};
	int rc, fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}

/* SPDX-License-Identifier: MIT */
/* Quoted words through a real shell, byte for byte. */
#include "harness/fleet/quote.h"

#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

static void test_plain_words_stay_bare(void **state)
{
	char *line;

	(void)state;
	line = quote_words((const char *[]){"exec", "/a/b-c.d", "x:y,z+1", NULL});
	assert_string_equal(line, "exec /a/b-c.d x:y,z+1");
	free(line);
	line = quote_words((const char *[]){"", "a b", "it's", "~", "a=b", NULL});
	assert_string_equal(line, "'' 'a b' 'it'\\''s' '~' 'a=b'");
	free(line);
	line = quote_words((const char *[]){NULL});
	assert_string_equal(line, "");
	free(line);
}

/* Has `shell` print the words, each followed by \1, and compares. */
static void through_shell(const char *shell, const char *const *words)
{
	char *line = quote_words(words), command[16384], out[8192], want[8192] = "";
	char *all;
	size_t n;
	FILE *pipe;

	snprintf(command, sizeof(command), "printf '%%s\\001' %s", line);
	all = quote_words((const char *[]){shell, "-c", command, NULL});
	pipe = popen(all, "re");
	assert_non_null(pipe);
	n = fread(out, 1, sizeof(out) - 1, pipe);
	out[n] = '\0';
	assert_int_equal(pclose(pipe), 0);
	for (size_t i = 0; words[i]; i++) {
		strcat(want, words[i]);
		strcat(want, "\001");
	}
	assert_string_equal(out, want);
	free(line);
	free(all);
}

static void test_every_byte_arrives(void **state)
{
	char every[256];
	const char *words[] = {every,
	    "$HOME `id` $(id) \\ \" ! * ? [a] {b,c} ; & | < > #", "line\nbreak\ttab\r",
	    "''", "'", "-n", "\\n", "=ls", "^a^b", "%1", "\x80\xff", NULL};

	(void)state;
	for (int i = 0; i < 254; i++)
		every[i] = (char)(i + 2);
	every[254] = '\0';
	through_shell("/bin/sh", words);
	through_shell("/bin/bash", words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain_words_stay_bare),
	    cmocka_unit_test(test_every_byte_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "harness/command/command.h"
#include "tests/tap.h"

#include <string.h>

struct bake_options {
	int quick;
	const char *out;
	int64_t loaves, offset;
};

static const struct option_rule bake_rules[] = {
    {"quick", NULL, "be quick", OPTION_FLAG, offsetof(struct bake_options, quick), 0, 0},
    {"out", "FILE", "write FILE", OPTION_TEXT, offsetof(struct bake_options, out), 0, 0},
    {"loaves", "N", "how many", OPTION_NUMBER, offsetof(struct bake_options, loaves), 1,
	20},
    {"offset", "N", "which way", OPTION_NUMBER, offsetof(struct bake_options, offset),
	INT64_MIN, INT64_MAX},
    {0},
};

static const struct command bake = {
    .name = "bake",
    .arguments = "FLOUR [SALT]",
    .options = bake_rules,
    .options_bytes = sizeof(struct bake_options),
    .n_arguments_min = 1,
    .n_arguments_max = 2,
};

static const struct command plain = {.name = "plain"};

#define WORDS_MAX 8

/* Split at blanks; an empty word is written as ''. */
static int split(const char *line, char *copy, char **argv)
{
	int n = 0;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
		size_t len = strlen(word);

		if (len >= 2 && strcmp(word + len - 2, "''") == 0)
			word[len - 2] = '\0';
		argv[n++] = word;
	}
	return n;
}

static void refuses_with_one_sentence(void **state)
{
	static const struct {
		const struct command *command;
		const char *line, *sentence;
	} cases[] = {
	    {&bake, "rye --lvoaes 3",
		"bake: unknown option --lvoaes; did you mean --loaves?"},
	    {&bake, "rye --colour=red",
		"bake: unknown option --colour; `e3 help bake` lists them"},
	    {&bake, "rye --loave=3",
		"bake: unknown option --loave; did you mean --loaves?"},
	    {&bake, "rye --=3", "bake: unknown option --; `e3 help bake` lists them"},
	    {&bake, "rye -q", "bake: unknown option -q; options begin with two dashes"},
	    {&bake, "rye --loaves 21", "bake: --loaves: 21 is not 1..20"},
	    {&bake, "rye --loaves=0", "bake: --loaves: 0 is not 1..20"},
	    {&bake, "rye --loaves -3", "bake: --loaves: -3 is not 1..20"},
	    {&bake, "rye --loaves 99999999999999999999",
		"bake: --loaves: 99999999999999999999 is not 1..20"},
	    {&bake, "rye --loaves 3x", "bake: --loaves: '3x' is not a number in 1..20"},
	    {&bake, "rye --loaves +3", "bake: --loaves: '+3' is not a number in 1..20"},
	    {&bake, "rye --loaves 0x3", "bake: --loaves: '0x3' is not a number in 1..20"},
	    {&bake, "rye --loaves -", "bake: --loaves: '-' is not a number in 1..20"},
	    {&bake, "rye --loaves", "bake: --loaves needs a value: --loaves N"},
	    {&bake, "rye --loaves=''", "bake: --loaves needs a value: --loaves N"},
	    {&bake, "rye --out --quick", "bake: --out needs a value: --out FILE"},
	    {&bake, "rye --out ''", "bake: --out needs a value: --out FILE"},
	    {&bake, "rye --quick=1", "bake: --quick takes no value"},
	    {&bake, "rye --quick --quick", "bake: --quick is given twice"},
	    {&bake, "rye --loaves 3 --loaves=3", "bake: --loaves is given twice"},
	    {&bake, "", "bake: too few arguments; usage: e3 bake FLOUR [SALT]"},
	    {&bake, "a b c", "bake: unexpected 'c'; usage: e3 bake FLOUR [SALT]"},
	    {&bake, "-- -- --quick x",
		"bake: unexpected 'x'; usage: e3 bake FLOUR [SALT]"},
	    {&plain, "x", "plain: unexpected 'x'; it takes no argument"},
	    {&plain, "--json",
		"plain: unknown option --json; `e3 help plain` lists them"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bake_options options = {0};
		char copy[128], *argv[WORDS_MAX + 1];
		int argc = split(cases[i].line, copy, argv);
		struct error err = {0};

		assert_int_equal(
		    command_parse(cases[i].command, argc, argv, &options, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].sentence);
	}
}

static void reads_options_anywhere(void **state)
{
	static const struct {
		const char *line;
		int n;
		struct bake_options expected;
	} cases[] = {
	    {"rye", 1, {0}},
	    {"--quick rye --out a.txt --loaves 20 salt", 2, {1, "a.txt", 20, 0}},
	    {"--out=a=b --loaves=1 rye", 1, {0, "a=b", 1, 0}},
	    {"--out - rye", 1, {0, "-", 0, 0}},
	    {"--offset -9223372036854775808 rye", 1, {0, NULL, 0, INT64_MIN}},
	    {"--offset=9223372036854775807 rye", 1, {0, NULL, 0, INT64_MAX}},
	    {"--out=--quick rye -", 2, {0, "--quick", 0, 0}},
	    {"--quick -- rye --out", 2, {1, NULL, 0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bake_options options = {0};
		char copy[128], *argv[WORDS_MAX + 1];
		int argc = split(cases[i].line, copy, argv);
		struct error err = {0};

		assert_int_equal(
		    command_parse(&bake, argc, argv, &options, &err), cases[i].n);
		assert_int_equal(options.quick, cases[i].expected.quick);
		assert_int_equal(options.loaves, cases[i].expected.loaves);
		assert_true(options.offset == cases[i].expected.offset);
		if (cases[i].expected.out == NULL)
			assert_null(options.out);
		else
			assert_string_equal(options.out, cases[i].expected.out);
		if (strstr(cases[i].line, "rye -") == NULL)
			assert_string_equal(argv[0], "rye");
	}
}

static void help_wins_over_missing_arguments(void **state)
{
	static const char *const lines[] = {
	    "--help", "-h", "rye --quick --help", "a b c -h"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct bake_options options = {0};
		char copy[128], *argv[WORDS_MAX + 1];
		int argc = split(lines[i], copy, argv);
		struct error err = {0};

		assert_int_equal(
		    command_parse(&bake, argc, argv, &options, &err), -ECANCELED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_with_one_sentence),
	    cmocka_unit_test(reads_options_anywhere),
	    cmocka_unit_test(help_wins_over_missing_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

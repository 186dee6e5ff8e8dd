/* SPDX-License-Identifier: MIT */
/*
 * A subcommand is one file with one const table; its options are data, so that parsing,
 * help and errors can't disagree.
 */
#ifndef HARNESS_COMMAND_COMMAND_H
#define HARNESS_COMMAND_COMMAND_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Exit codes of every command. */
#define EXIT_USAGE       2 /* usage, bad input, not comparable */
#define EXIT_RUN_FAILED  4
#define EXIT_UNSUPPORTED 69

enum option_kind {
	OPTION_FLAG,   /* --json            int */
	OPTION_TEXT,   /* --out FILE        const char * */
	OPTION_NUMBER, /* --blocks 3        int64_t, range checked */
};

struct option_rule {
	const char *name;     /* without dashes */
	const char *argument; /* "FILE"; NULL for a flag */
	const char *help;     /* one line */
	enum option_kind kind;
	size_t offset;    /* in the command's own options struct */
	int64_t min, max; /* of a number */
};
/* A field of the options struct stays 0 or NULL when its option is not given: a number
 * for which 0 is a value of its own has to say so in its help. */

struct command {
	const char *name;
	const char *arguments; /* "SCENARIO [OPTION...]" */
	const char *summary;   /* one line */
	const char *detail;    /* paragraphs for `e3 help NAME`; may be NULL */
	const struct option_rule *options; /* ends with .name = NULL; may be NULL */
	size_t options_bytes; /* sizeof the options struct; zeroed before parsing */
	int n_arguments_min, n_arguments_max;
	int is_internal; /* a role that E3 starts itself; not in the overview */
	/* `options` is the filled struct; arguments[0..n) are what is no option. */
	int (*run)(const void *options, char *const *arguments, int n_arguments);
};

extern const struct command *const commands[]; /* NULL-terminated, in command_table.c */

/* Parse argv and run: the whole of main(). Usage errors: one sentence, EXIT_USAGE. */
int command_main(int argc, char **argv);

/* The command line that command_main() was given, NULL-terminated. */
char *const *command_line(void);

/* NULL when there is none of this name. */
const struct command *command_find(const char *name);

/* Fill the zeroed `options` and pack the arguments that are no option to the front of
 * argv (of argc texts, without program and command name); returns their number. -EINVAL
 * with a sentence. -ECANCELED: `--help` was asked for. */
int command_parse(const struct command *command, int argc, char **argv, void *options,
    struct error *err);

/* The way a command ends that could not do its work: "e3: SENTENCE" to stderr; returns
 * `exit_code`, so that `return command_failed(&err, EXIT_USAGE)` is the idiom. */
int command_failed(const struct error *err, int exit_code);

#endif

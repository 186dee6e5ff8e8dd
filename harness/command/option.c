/* SPDX-License-Identifier: MIT */
/* Options of a command, by its table: --name, --name=value, --name value; -- ends them.
 */
#include "harness/command/command.h"

#include "base/nearest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const struct command *command;
	char **argv;
	int argc, at;
	char *options;
	uint64_t given; /* bit i = rule i */
	struct error *err;
};

static const struct option_rule *find_rule(
    const struct command *command, const char *name, size_t len)
{
	for (const struct option_rule *r = command->options; r != NULL && r->name != NULL;
	     r++)
		if (strlen(r->name) == len && memcmp(r->name, name, len) == 0)
			return r;
	return NULL;
}

static int unknown_option(const struct parser *p, const char *name, size_t len)
{
	char word[64];
	struct nearest near;

	if (len >= sizeof(word))
		len = sizeof(word) - 1;
	memcpy(word, name, len);
	word[len] = '\0';
	nearest_init(&near, word);
	for (const struct option_rule *r = p->command->options;
	     r != NULL && r->name != NULL; r++)
		nearest_offer(&near, r->name);
	if (near.best != NULL)
		return error_set(p->err, -EINVAL,
		    "%s: unknown option --%s; did you mean --%s?", p->command->name, word,
		    near.best);
	return error_set(p->err, -EINVAL,
	    "%s: unknown option --%s; `e3 help %s` lists them", p->command->name, word,
	    p->command->name);
}

static int store_number(
    const struct parser *p, const struct option_rule *rule, const char *value)
{
	const char *digits = value[0] == '-' ? value + 1 : value;
	long long number;
	char *end;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (digits[0] < '0' || digits[0] > '9' || *end != '\0')
		return error_set(p->err, -EINVAL,
		    "%s: --%s: '%s' is not a number in %" PRId64 "..%" PRId64,
		    p->command->name, rule->name, value, rule->min, rule->max);
	if (errno == ERANGE || number < rule->min || number > rule->max)
		return error_set(p->err, -EINVAL,
		    "%s: --%s: %s is not %" PRId64 "..%" PRId64, p->command->name,
		    rule->name, value, rule->min, rule->max);
	*(int64_t *)(void *)(p->options + rule->offset) = number;
	return 0;
}

/* `value` is what follows '=', NULL if there was none. */
static int store_option(
    struct parser *p, const struct option_rule *rule, const char *value)
{
	uint64_t bit = UINT64_C(1) << (rule - p->command->options);

	if (p->given & bit)
		return error_set(p->err, -EINVAL, "%s: --%s is given twice",
		    p->command->name, rule->name);
	p->given |= bit;
	if (rule->kind == OPTION_FLAG) {
		if (value != NULL)
			return error_set(p->err, -EINVAL, "%s: --%s takes no value",
			    p->command->name, rule->name);
		*(int *)(void *)(p->options + rule->offset) = 1;
		return 0;
	}
	if (value == NULL && p->at + 1 < p->argc &&
	    strncmp(p->argv[p->at + 1], "--", 2) != 0)
		value = p->argv[++p->at];
	if (value == NULL || value[0] == '\0')
		return error_set(p->err, -EINVAL, "%s: --%s needs a value: --%s %s",
		    p->command->name, rule->name, rule->name, rule->argument);
	if (rule->kind == OPTION_NUMBER)
		return store_number(p, rule, value);
	*(const char **)(void *)(p->options + rule->offset) = value;
	return 0;
}

static int parse_option(struct parser *p)
{
	const char *name = p->argv[p->at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const struct option_rule *rule = find_rule(p->command, name, len);

	if (rule != NULL)
		return store_option(p, rule, equals == NULL ? NULL : equals + 1);
	if (strcmp(name, "help") == 0)
		return -ECANCELED;
	return unknown_option(p, name, len);
}

static int check_arguments(const struct parser *p, int n)
{
	const struct command *c = p->command;

	if (n >= c->n_arguments_min && n <= c->n_arguments_max)
		return n;
	if (n > c->n_arguments_max && c->n_arguments_max == 0)
		return error_set(p->err, -EINVAL,
		    "%s: unexpected '%s'; it takes no argument", c->name, p->argv[0]);
	if (n > c->n_arguments_max)
		return error_set(p->err, -EINVAL, "%s: unexpected '%s'; usage: e3 %s %s",
		    c->name, p->argv[c->n_arguments_max], c->name, c->arguments);
	return error_set(p->err, -EINVAL, "%s: too few arguments; usage: e3 %s %s",
	    c->name, c->name, c->arguments);
}

int command_parse(const struct command *command, int argc, char **argv, void *options,
    struct error *err)
{
	struct parser p = {command, argv, argc, 0, options, 0, err};
	int n = 0, ended = 0, rc;

	for (; p.at < argc; p.at++) {
		char *text = argv[p.at];

		if (ended || text[0] != '-' || text[1] == '\0') {
			argv[n++] = text;
			continue;
		}
		if (strcmp(text, "--") == 0) {
			ended = 1;
			continue;
		}
		if (strcmp(text, "-h") == 0)
			return -ECANCELED;
		if (text[1] != '-')
			return error_set(err, -EINVAL,
			    "%s: unknown option %s; options begin with two dashes",
			    command->name, text);
		rc = parse_option(&p);
		if (rc < 0)
			return rc;
	}
	return check_arguments(&p, n);
}

/* SPDX-License-Identifier: MIT */
#include "harness/command/help.h"

#include "harness/command/version.h"

#include <inttypes.h>
#include <string.h>

#define HELP_COLUMN_MAX 28

void help_overview(FILE *out)
{
	fprintf(out,
	    "E3 %s measures what a multiparty computation costs over a given network.\n\n"
	    "usage: e3 COMMAND [OPTION...]\n\n",
	    version_text());
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->is_internal)
			fprintf(
			    out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out,
	    "\nStart here:  e3 run scenarios/distant-4.json\n"
	    "More on one: e3 help COMMAND\n\n"
	    "Exit codes: 0 done; 1 worse than the baseline; 2 wrong usage or input;\n"
	    "3 inconclusive; 4 a run failed; 69 something this needs is missing.\n");
}

/* "--blocks N" into `out`. */
static const char *option_text(const struct option_rule *rule, char *out, size_t room)
{
	snprintf(out, room, "--%s%s%s", rule->name, rule->argument == NULL ? "" : " ",
	    rule->argument == NULL ? "" : rule->argument);
	return out;
}

static void help_option(FILE *out, const struct option_rule *rule, int width)
{
	char text[64];

	fprintf(
	    out, "  %-*s  %s", width, option_text(rule, text, sizeof(text)), rule->help);
	if (rule->kind == OPTION_NUMBER)
		fprintf(out, " (%" PRId64 "..%" PRId64 ")", rule->min, rule->max);
	fprintf(out, "\n");
}

static void help_options(FILE *out, const struct option_rule *rules)
{
	static const struct option_rule help = {
	    .name = "help", .help = "show this", .kind = OPTION_FLAG};
	int width = 0;
	char text[64];

	for (const struct option_rule *r = rules; r != NULL && r->name != NULL; r++) {
		int len = (int)strlen(option_text(r, text, sizeof(text)));

		if (len > width && len <= HELP_COLUMN_MAX)
			width = len;
	}
	if (width < (int)strlen("--help"))
		width = (int)strlen("--help");
	fprintf(out, "\noptions:\n");
	for (const struct option_rule *r = rules; r != NULL && r->name != NULL; r++)
		help_option(out, r, width);
	help_option(out, &help, width);
}

void help_command(FILE *out, const struct command *command)
{
	fprintf(out, "usage: e3 %s%s%s\n\n%s\n", command->name,
	    command->arguments == NULL ? "" : " ",
	    command->arguments == NULL ? "" : command->arguments, command->summary);
	if (command->detail != NULL)
		fprintf(out, "\n%s\n", command->detail);
	help_options(out, command->options);
}

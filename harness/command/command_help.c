/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"

#include "harness/command/help.h"

static int help_run(const void *options, char *const *arguments, int n_arguments)
{
	const struct command *command;
	struct error err;

	(void)options;
	if (n_arguments == 0) {
		help_overview(stdout);
		return 0;
	}
	command = command_find(arguments[0]);
	if (command == NULL) {
		error_set(&err, -EINVAL, "help: no command '%s'; `e3 help` lists them",
		    arguments[0]);
		return command_failed(&err, EXIT_USAGE);
	}
	help_command(stdout, command);
	return 0;
}

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "show what commands there are, or all about one",
    .n_arguments_max = 1,
    .run = help_run,
};

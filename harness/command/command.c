/* SPDX-License-Identifier: MIT */
#include "harness/command/command.h"

#include "base/nearest.h"
#include "harness/command/help.h"
#include "harness/command/version.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int command_failed(const struct error *err, int exit_code)
{
	fflush(stdout);
	fprintf(stderr, "e3: %s\n", err->text);
	return exit_code;
}

static int unknown_command(const char *name)
{
	struct error err;
	struct nearest near;

	nearest_init(&near, name);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->is_internal)
			nearest_offer(&near, commands[i]->name);
	if (near.best != NULL)
		error_set(&err, -EINVAL, "unknown command '%s'; did you mean '%s'?", name,
		    near.best);
	else
		error_set(
		    &err, -EINVAL, "unknown command '%s'; `e3 help` lists them", name);
	return command_failed(&err, EXIT_USAGE);
}

static int run(const struct command *command, int argc, char **argv)
{
	/* One byte more: calloc(0) may be NULL. */
	void *options = calloc(1, command->options_bytes + 1);
	struct error err = {0};
	int rc;

	if (options == NULL) {
		error_set(&err, -ENOMEM, "out of memory");
		return command_failed(&err, EXIT_RUN_FAILED);
	}
	rc = command_parse(command, argc, argv, options, &err);
	if (rc == -ECANCELED) {
		help_command(stdout, command);
		rc = 0;
	} else if (rc < 0) {
		rc = command_failed(&err, EXIT_USAGE);
	} else {
		rc = command->run(options, argv, rc);
	}
	free(options);
	return rc;
}

/* What a command printed must have arrived: a full disk is a failure. */
static int finish_output(int rc)
{
	struct error err;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	error_set_errno(&err, -errno, "standard output");
	return command_failed(&err, rc == 0 ? EXIT_RUN_FAILED : rc);
}

static char *const *whole_line;

char *const *command_line(void)
{
	return whole_line;
}

/* Where a standard file is closed, the next file opened would be in its place: a sentence
 * meant for people would go to the journal, and libuv ends the program over it. Opened
 * the wrong way round, so that using it still fails. */
static void occupy_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			return;
}

int command_main(int argc, char **argv)
{
	const struct command *command;

	occupy_standard_files();
	whole_line = argv;
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_overview(stdout);
		return finish_output(0);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("e3 %s\n", version_text());
		return finish_output(0);
	}
	command = command_find(argv[1]);
	if (command == NULL)
		return unknown_command(argv[1]);
	return finish_output(run(command, argc - 2, argv + 2));
}

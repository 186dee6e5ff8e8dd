/* SPDX-License-Identifier: MIT */
/* `e3 down`: removes what `e3 up` made, and what is left of it if its keeper was killed.
 */
#include "harness/command/command_table.h"
#include "harness/control/keeper.h"
#include "harness/control/kept.h"

#include <stdio.h>
#include <sys/stat.h>

#define KEPT_MAX 64

static int stop(const char *name)
{
	struct error err = {0};

	if (keeper_stop(name, &err) < 0)
		return command_failed(&err, EXIT_RUN_FAILED);
	printf("%s: removed\n", name);
	return 0;
}

static int stop_all(void)
{
	static char names[KEPT_MAX][KEPT_NAME_BYTES];
	size_t n = kept_names(names, KEPT_MAX);
	int worst = 0;

	for (size_t i = 0; i < n; i++) {
		int code = stop(names[i]);

		worst = code != 0 ? code : worst;
	}
	if (n == 0)
		printf("no emulated hosts are up\n");
	return worst;
}

static int run(const void *data, char *const *arguments, int n_arguments)
{
	struct error err = {0};
	struct stat registry;
	int lock_fd, code;

	(void)data;
	if (n_arguments == 0 && stat(KEPT_ROOT, &registry) < 0)
		return stop_all(); /* nothing to lock, nothing to write: needs no root */
	lock_fd = kept_lock(&err);
	if (lock_fd < 0)
		return command_failed(&err, EXIT_RUN_FAILED);
	kept_sweep();
	code = n_arguments > 0 ? stop(arguments[0]) : stop_all();
	kept_unlock(lock_fd);
	return code;
}

const struct command command_down = {
    .name = "down",
    .arguments = "[NAME]",
    .summary = "remove the emulated hosts that `e3 up` keeps",
    .detail = "Without NAME: those of every scenario.",
    .n_arguments_max = 1,
    .run = run,
};

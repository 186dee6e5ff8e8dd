/* SPDX-License-Identifier: MIT */
/* `e3 up`: emulated hosts for the user's own programs. */
#include "harness/command/command_table.h"
#include "harness/control/keeper.h"
#include "harness/control/kept.h"
#include "testbed/testbed.h"

#include <stdio.h>
#include <string.h>

struct up_options {
	int64_t n_parties;
};

static const struct option_rule rules[] = {
    {.name = "parties",
	.argument = "N",
	.help = "hosts of the first N parties (the scenario's largest number)",
	.kind = OPTION_NUMBER,
	.offset = offsetof(struct up_options, n_parties),
	.min = 1,
	.max = TESTBED_HOSTS_MAX},
    {.name = NULL},
};

static void print_hosts(const struct scenario *scenario, uint32_t n_hosts)
{
	char path[KEPT_PATH_BYTES];

	kept_path(path, scenario->name, "ssh_config");
	printf("%s: %u emulated host%s up\n", scenario->name, n_hosts,
	    n_hosts == 1 ? " is" : "s are");
	for (uint32_t h = 0; h < n_hosts; h++)
		printf("    host%u  %s\n", h,
		    scenario->regions[scenario_region(scenario, h)]);
	printf("Log in, as root:  ssh -F %s host0\n", path);
	if (n_hosts > 1)
		printf("Or, for example:  ssh -F %s host0 ping -c 3 host1\n", path);
	kept_path(path, scenario->name, "inventory.json");
	printf("Run E3 on them:   e3 run %s --inventory %s\n", scenario->path, path);
	printf("Remove them:      e3 down %s\n", scenario->name);
}

/* With the registry locked. */
static int start(const struct scenario *scenario, uint32_t n_hosts, struct error *err)
{
	kept_sweep();
	if (kept_keeper(scenario->name) > 0)
		return error_set(err, -EBUSY,
		    "hosts '%s' are up already: run `e3 down %s` first", scenario->name,
		    scenario->name);
	return keeper_start(scenario->name, scenario, n_hosts, err);
}

static int up(const struct scenario *scenario, uint32_t n_hosts, struct error *err)
{
	int lock_fd, rc;

	if (!kept_is_name(scenario->name))
		return error_set(err, -EINVAL,
		    "%s: /name: '%s' can't be a folder's name: use letters, digits, '-', "
		    "'_' "
		    "and '.'",
		    scenario->path, scenario->name);
	rc = testbed_probe(err);
	if (rc < 0)
		return rc;
	lock_fd = kept_lock(err);
	if (lock_fd < 0)
		return lock_fd;
	rc = start(scenario, n_hosts, err);
	kept_unlock(lock_fd);
	return rc;
}

static int exit_code(int rc)
{
	if (rc == -EPERM || rc == -ENODEV || rc == -ENOENT)
		return EXIT_UNSUPPORTED;
	return rc == -EINVAL || rc == -EBUSY ? EXIT_USAGE : EXIT_RUN_FAILED;
}

static int run(const void *data, char *const *arguments, int n_arguments)
{
	const struct up_options *options = data;
	struct scenario *scenario = NULL;
	struct error err = {0};
	uint32_t n_hosts;
	int rc;

	(void)n_arguments;
	if (scenario_read(arguments[0], &scenario, &err) < 0)
		return command_failed(&err, EXIT_USAGE);
	n_hosts = options->n_parties > 0 ? (uint32_t)options->n_parties
					 : scenario_parties_max(scenario);
	rc = up(scenario, n_hosts, &err);
	if (rc == 0)
		print_hosts(scenario, n_hosts);
	scenario_free(scenario);
	return rc < 0 ? command_failed(&err, exit_code(rc)) : 0;
}

const struct command command_up = {
    .name = "up",
    .arguments = "SCENARIO [OPTION...]",
    .summary = "keep a scenario's emulated hosts for programs of your own",
    .detail =
	"Makes the hosts of SCENARIO and the network between them, and leaves them\n"
	"to you until `e3 down`. Stock ssh reaches them by the ssh_config that is\n"
	"printed: any program of this machine runs on each of them, over the network\n"
	"of the scenario.",
    .options = rules,
    .options_bytes = sizeof(struct up_options),
    .n_arguments_min = 1,
    .n_arguments_max = 1,
    .run = run,
};

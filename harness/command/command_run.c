/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"
#include "harness/command/home.h"
#include "harness/command/plan_options.h"
#include "harness/control/run.h"

struct options {
	struct plan_filter filter;
	const char *inventory_path, *results_folder, *mnist_folder;
	int is_quiet, is_json;
};

static const struct option_rule rules[] = {
    PLAN_OPTIONS(struct options, filter),
    {.name = "inventory",
	.argument = "FILE",
	.help = "run on the hosts of FILE, over the network between them",
	.kind = OPTION_TEXT,
	.offset = offsetof(struct options, inventory_path)},
    {.name = "mnist",
	.argument = "DIR",
	.help = "classify MNIST's own images (IDX files in DIR) instead of E3's digits",
	.kind = OPTION_TEXT,
	.offset = offsetof(struct options, mnist_folder)},
    {.name = "results",
	.argument = "DIR",
	.help = "write the result there instead of to results",
	.kind = OPTION_TEXT,
	.offset = offsetof(struct options, results_folder)},
    {.name = "json",
	.help = "print the summary as JSON, and no progress",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct options, is_json)},
    {.name = "quiet",
	.help = "no progress",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct options, is_quiet)},
    {.name = NULL},
};

static int run(const void *options, char *const *arguments, int n_arguments)
{
	const struct options *o = options;
	const struct run_options run_options = {
	    .scenario_path = arguments[0],
	    .inventory_path = o->inventory_path,
	    .filter = o->filter,
	    .results_folder =
		o->results_folder != NULL ? o->results_folder : RESULTS_FOLDER,
	    .mnist_folder = o->mnist_folder,
	    .is_quiet = o->is_quiet || o->is_json,
	    .is_json = o->is_json,
	    .argv = command_line(),
	};

	(void)n_arguments;
	return run_scenario(&run_options);
}

const struct command command_run = {
    .name = "run",
    .arguments = "SCENARIO [OPTION...]",
    .summary = "run a scenario and write its result",
    .detail =
	"Makes an emulated host (namespaces and an sshd) for each party, joins them by "
	"a\n"
	"network with the scenario's delays, and runs every cell of the plan (`e3 plan\n"
	"SCENARIO`) block by block. With --inventory it makes none: the parties run on\n"
	"hosts that you have, over the network that is there (docs/scenarios.md).\n"
	"The result is results/NAME-TIME.json. Ctrl-C ends in order with a partial\n"
	"result, a second Ctrl-C at once; what was measured before a kill -9 is had by\n"
	"`e3 recover`. Exit: 0 done, 2 refused, 4 a cell or the run failed, 130\n"
	"interrupted.",
    .options = rules,
    .options_bytes = sizeof(struct options),
    .n_arguments_min = 1,
    .n_arguments_max = 1,
    .run = run,
};

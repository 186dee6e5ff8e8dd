/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"
#include "harness/party/party.h"

static int run_party(const void *options, char *const *arguments, int n_arguments)
{
	(void)options, (void)arguments, (void)n_arguments;
	return party_main();
}

const struct command command_party = {
    .name = "party",
    .arguments = "",
    .summary = "be one party of one cell (started on a host by `e3 run`)",
    .is_internal = 1,
    .run = run_party,
};

/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"
#include "harness/measure/environment.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static int run_facts(const void *options, char *const *arguments, int n_arguments)
{
	cJSON *facts = environment_json("");
	char *text = cJSON_PrintUnformatted(facts);

	(void)options, (void)arguments, (void)n_arguments;
	cJSON_Delete(facts);
	if (text == NULL)
		return EXIT_FAILURE;
	puts(text);
	cJSON_free(text);
	return EXIT_SUCCESS;
}

const struct command command_facts = {
    .name = "facts",
    .arguments = "",
    .summary = "print what this host is (asked by `e3 run` on every host)",
    .is_internal = 1,
    .run = run_facts,
};

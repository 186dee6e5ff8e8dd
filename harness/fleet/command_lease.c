/* SPDX-License-Identifier: MIT */
/* `e3 lease`: what the fleet starts on a host, see lease.h. */
#include "harness/command/command.h"
#include "harness/fleet/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lease_options {
	const char *nonce;
	int64_t beat_timeout_ms;
};

static const struct option_rule rules[] = {
    {.name = "nonce",
	.argument = "TEXT",
	.help = "said in the first line",
	.kind = OPTION_TEXT,
	.offset = offsetof(struct lease_options, nonce)},
    {.name = "beat-timeout-ms",
	.argument = "MS",
	.help = "end the program when the controller is silent for so long",
	.kind = OPTION_NUMBER,
	.offset = offsetof(struct lease_options, beat_timeout_ms),
	.min = 1,
	.max = 3600000},
    {.name = NULL},
};

static int run(const void *data, char *const *arguments, int n_arguments)
{
	const struct lease_options *options = data;
	struct lease_config config = {
	    .nonce = options->nonce,
	    .beat_timeout_ms = options->beat_timeout_ms > 0
				   ? (uint32_t)options->beat_timeout_ms
				   : LEASE_BEAT_TIMEOUT_MS,
	};
	char **argv;
	int rc;

	if (!config.nonce) {
		fprintf(stderr, "e3 lease: --nonce is missing\n");
		return EXIT_USAGE;
	}
	argv = calloc((size_t)n_arguments + 1, sizeof(*argv));
	if (!argv)
		return EXIT_RUN_FAILED;
	memcpy(argv, arguments, (size_t)n_arguments * sizeof(*argv));
	config.argv = argv;
	rc = lease_run(&config);
	free(argv);
	return rc < 0 ? EXIT_RUN_FAILED : 0;
}

const struct command command_lease = {
    .name = "lease",
    .arguments = "--nonce TEXT [--beat-timeout-ms MS] -- PROGRAM [ARGUMENT...]",
    .summary = "run a program for as long as the controller is there",
    .options = rules,
    .options_bytes = sizeof(struct lease_options),
    .n_arguments_min = 1,
    .n_arguments_max = 4096,
    .is_internal = 1,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/* `e3 calibrate`: what the controller starts on a host, see calibrate.h. */
#include "base/units.h"
#include "harness/command/command_table.h"
#include "harness/measure/calibrate.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT_DEFAULT       20
#define INTERVAL_US_DEFAULT 10000
#define PATIENCE_MS_DEFAULT 2000

struct calibrate_options {
	int64_t count, interval_us, patience_ms;
};

static const struct option_rule rules[] = {
    {.name = "count",
	.argument = "N",
	.help = "echoes to each address (20)",
	.kind = OPTION_NUMBER,
	.offset = offsetof(struct calibrate_options, count),
	.min = 1,
	.max = CALIBRATE_COUNT_MAX},
    {.name = "interval-us",
	.argument = "US",
	.help = "between two echoes to one address (10000)",
	.kind = OPTION_NUMBER,
	.offset = offsetof(struct calibrate_options, interval_us),
	.min = 1,
	.max = 10000000},
    {.name = "patience-ms",
	.argument = "MS",
	.help = "for replies, after the last echo (2000)",
	.kind = OPTION_NUMBER,
	.offset = offsetof(struct calibrate_options, patience_ms),
	.min = 1,
	.max = 60000},
    {.name = NULL},
};

static int64_t value_or(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static int add_pair(cJSON *pairs, const char *address, const struct calibrate_pair *pair)
{
	cJSON *item = cJSON_CreateObject();
	cJSON *rtt = pair->received > 0 ? cJSON_CreateObject() : cJSON_CreateNull();

	cJSON_AddItemToArray(pairs, item);
	cJSON_AddStringToObject(item, "address", address);
	cJSON_AddNumberToObject(item, "sent", pair->sent);
	cJSON_AddNumberToObject(item, "received", pair->received);
	if (pair->received > 0) {
		cJSON_AddNumberToObject(rtt, "min", (double)pair->min_ns);
		cJSON_AddNumberToObject(rtt, "p50", (double)pair->p50_ns);
		cJSON_AddNumberToObject(rtt, "p99", (double)pair->p99_ns);
	}
	return cJSON_AddItemToObject(item, "rtt_ns", rtt);
}

static int print_pairs(
    const struct calibrate_config *config, const struct calibrate_pair *pairs)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(root, "pairs");
	int is_whole = list != NULL;
	struct error err;
	char *text;

	for (uint32_t a = 0; a < config->n_addresses && is_whole; a++)
		is_whole = add_pair(list, config->addresses[a], &pairs[a]);
	text = is_whole ? cJSON_PrintUnformatted(root) : NULL;
	cJSON_Delete(root);
	if (text == NULL) {
		error_set(&err, -ENOMEM, "no memory for the figures");
		return command_failed(&err, EXIT_RUN_FAILED);
	}
	puts(text);
	free(text);
	return 0;
}

static int run(const void *data, char *const *arguments, int n_arguments)
{
	const struct calibrate_options *options = data;
	const struct calibrate_config config = {
	    .addresses = (const char *const *)arguments,
	    .n_addresses = (uint32_t)n_arguments,
	    .count = (uint32_t)value_or(options->count, COUNT_DEFAULT),
	    .interval_ns =
		(uint64_t)value_or(options->interval_us, INTERVAL_US_DEFAULT) * NS_PER_US,
	    .patience_ns =
		(uint64_t)value_or(options->patience_ms, PATIENCE_MS_DEFAULT) * NS_PER_MS,
	};
	struct calibrate_pair pairs[CALIBRATE_ADDRESSES_MAX];
	struct error err = {0};
	int rc = calibrate_run(&config, pairs, &err);

	if (rc < 0)
		return command_failed(&err, rc == -EINVAL ? EXIT_USAGE : EXIT_RUN_FAILED);
	return print_pairs(&config, pairs);
}

const struct command command_calibrate = {
    .name = "calibrate",
    .arguments = "[OPTION...] ADDRESS...",
    .summary = "measure the round-trip time to other hosts by ICMP echo",
    .detail = "Prints one JSON object: {\"pairs\":[{\"address\",\"sent\",\"received\",\n"
	      "\"rtt_ns\":{\"min\",\"p50\",\"p99\"}}]}; rtt_ns is null without a reply.",
    .options = rules,
    .options_bytes = sizeof(struct calibrate_options),
    .n_arguments_min = 1,
    .n_arguments_max = CALIBRATE_ADDRESSES_MAX,
    .is_internal = 1,
    .run = run,
};

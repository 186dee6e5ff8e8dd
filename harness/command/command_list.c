/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"

#include "base/nearest.h"
#include "harness/command/json_output.h"
#include "harness/command/list_kinds.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

struct list_options {
	int json;
};

static const struct option_rule list_rules[] = {
    {.name = "json",
	.help = "print one JSON document",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct list_options, json)},
    {0},
};

static const struct {
	const char *name;
	int (*list)(struct cJSON *json, struct error *err);
} kinds[] = {
    {"transports", list_transports},
    {"workloads", list_workloads},
    {"scenarios", list_scenarios},
    {"regions", list_regions},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static int find_kind(const char *name, size_t *kind, struct error *err)
{
	struct nearest near;

	nearest_init(&near, name);
	for (*kind = 0; *kind < KINDS; (*kind)++) {
		if (strcmp(kinds[*kind].name, name) == 0)
			return 0;
		nearest_offer(&near, kinds[*kind].name);
	}
	if (near.best != NULL)
		return error_set(err, -EINVAL, "list: no kind '%s'; did you mean '%s'?",
		    name, near.best);
	return error_set(err, -EINVAL,
	    "list: no kind '%s'; there is: transports, workloads, scenarios, regions",
	    name);
}

static int list_kind(size_t kind, cJSON *document, int is_first, struct error *err)
{
	cJSON *list = NULL;

	if (document != NULL)
		list = cJSON_AddArrayToObject(document, kinds[kind].name);
	else if (!is_first)
		putchar('\n');
	return kinds[kind].list(list, err);
}

static int list_run(const void *options, char *const *arguments, int n_arguments)
{
	const struct list_options *o = options;
	cJSON *document = o->json ? cJSON_CreateObject() : NULL;
	struct error err = {0};
	size_t kind = 0;
	int rc = 0;

	if (n_arguments == 1) {
		rc = find_kind(arguments[0], &kind, &err);
		if (rc == 0)
			rc = list_kind(kind, document, 1, &err);
	} else {
		for (; rc == 0 && kind < KINDS; kind++)
			rc = list_kind(kind, document, kind == 0, &err);
	}
	if (rc == 0)
		return o->json ? json_output(document) : 0;
	cJSON_Delete(document);
	return command_failed(&err, EXIT_USAGE);
}

const struct command command_list = {
    .name = "list",
    .arguments = "[transports|workloads|scenarios|regions] [OPTION...]",
    .summary = "show the transports, workloads, scenarios and regions there are",
    .detail =
	"\"here\" tells whether a transport can be used on this machine, and if not,\n"
	"what to do. --json tells all that a transport declares: what it needs, who\n"
	"else takes part, how keys are handed round, encryption, identity.",
    .options = list_rules,
    .options_bytes = sizeof(struct list_options),
    .n_arguments_max = 1,
    .run = list_run,
};

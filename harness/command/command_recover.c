/* SPDX-License-Identifier: MIT */
/* `e3 recover`: a result from what a run left whose controller was killed. */
#include "harness/command/command_table.h"
#include "harness/command/home.h"
#include "harness/control/run_report.h"
#include "harness/result/journal.h"
#include "harness/result/recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOURNALS_MAX 64

struct recover_options {
	const char *results_folder;
	int json;
};

static const struct option_rule recover_rules[] = {
    {.name = "results",
	.argument = "DIR",
	.help = "without JOURNAL: all that are left there instead of in results",
	.kind = OPTION_TEXT,
	.offset = offsetof(struct recover_options, results_folder)},
    {.name = "json",
	.help = "print the summary as JSON",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct recover_options, json)},
    {.name = NULL},
};

static int recover(const char *path, int is_json)
{
	struct result *result = NULL;
	struct error err = {0};
	int rc = result_recover(path, &result, &err);

	if (rc < 0)
		return command_failed(&err, rc == -EINVAL || rc == -EBUSY ||
						    rc == -EEXIST || rc == -ENOENT ||
						    rc == -ENODATA
						? EXIT_USAGE
						: EXIT_RUN_FAILED);
	rc = result_finish(result, RESULT_PARTIAL,
	    "the controller ended before its run did; recovered from its journal", &err);
	if (rc == 0)
		run_report_print(result_document(result), result_path(result), is_json);
	result_destroy(result);
	return rc < 0 ? command_failed(&err, EXIT_RUN_FAILED) : 0;
}

struct journals {
	char *paths[JOURNALS_MAX];
	size_t n, n_left; /* kept, and those there is no room for */
};

static void keep(void *user, const char *path)
{
	struct journals *journals = user;
	char *copy = journals->n < JOURNALS_MAX ? strdup(path) : NULL;

	if (copy == NULL)
		journals->n_left++;
	else
		journals->paths[journals->n++] = copy;
}

static int recover_all(const char *folder, int is_json)
{
	struct journals journals = {0};
	int worst = 0;

	if (journal_left_behind(folder, keep, &journals) == 0 && !is_json)
		printf("%s: no journal is left behind\n", folder);
	for (size_t i = 0; i < journals.n; i++) {
		int code = recover(journals.paths[i], is_json);

		worst = code > worst ? code : worst;
		free(journals.paths[i]);
	}
	if (journals.n_left > 0)
		fprintf(stderr, "e3: %s: %zu more journals; do it again\n", folder,
		    journals.n_left);
	return worst;
}

static int run(const void *options, char *const *arguments, int n_arguments)
{
	const struct recover_options *o = options;

	if (n_arguments > 0)
		return recover(arguments[0], o->json);
	return recover_all(
	    o->results_folder != NULL ? o->results_folder : RESULTS_FOLDER, o->json);
}

const struct command command_recover = {
    .name = "recover",
    .arguments = "[JOURNAL] [OPTION...]",
    .summary = "make a result of what a killed run has measured",
    .detail =
	"While it runs, `e3 run` writes every block to results/NAME-TIME.journal.jsonl.\n"
	"If it is killed (or the disk is full at the end), that file stays: this makes\n"
	"results/NAME-TIME.json of it, a partial result with all whole blocks, and\n"
	"removes the journal. Without JOURNAL: every one that is left behind.",
    .options = recover_rules,
    .options_bytes = sizeof(struct recover_options),
    .n_arguments_max = 1,
    .run = run,
};

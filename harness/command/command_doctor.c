/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"
#include "harness/command/home.h"
#include "harness/command/json_output.h"
#include "harness/command/machine_check.h"
#include "harness/command/table_row.h"
#include "harness/result/journal.h"

#include <cjson/cJSON.h>
#include <unistd.h>

struct doctor_options {
	int json;
};

static const struct option_rule doctor_rules[] = {
    {.name = "json",
	.help = "print one JSON document",
	.kind = OPTION_FLAG,
	.offset = offsetof(struct doctor_options, json)},
    {0},
};

static const enum style level_styles[] = {
    [CHECK_OK] = STYLE_GOOD,
    [CHECK_WORSE] = STYLE_WARN,
    [CHECK_LESS] = STYLE_WARN,
    [CHECK_MISSING] = STYLE_BAD,
};

static uint32_t count(
    const struct machine_check *checks, uint32_t n, enum check_level level)
{
	uint32_t of_level = 0;

	for (uint32_t i = 0; i < n; i++)
		of_level += checks[i].level == level;
	return of_level;
}

static void add_journal(void *list, const char *path)
{
	cJSON_AddItemToArray(list, cJSON_CreateString(path));
}

static void print_journal(void *n_printed, const char *path)
{
	if ((*(int *)n_printed)++ == 0)
		printf("\nLeft of runs that were killed; `e3 recover` makes results of "
		       "them:\n");
	printf("  %s\n", path);
}

static int print_json(const struct machine_check *checks, uint32_t n)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "checks");

	cJSON_AddBoolToObject(
	    json, "can_run_emulated", count(checks, n, CHECK_MISSING) == 0);
	for (uint32_t i = 0; i < n; i++) {
		cJSON *check = cJSON_CreateObject();

		cJSON_AddStringToObject(check, "name", checks[i].name);
		cJSON_AddStringToObject(
		    check, "level", check_level_text(checks[i].level));
		cJSON_AddStringToObject(check, "found", checks[i].found);
		if (checks[i].fix[0] != '\0')
			cJSON_AddStringToObject(check, "fix", checks[i].fix);
		cJSON_AddItemToArray(list, check);
	}
	list = cJSON_AddArrayToObject(json, "journals_left");
	journal_left_behind(RESULTS_FOLDER, add_journal, list);
	return json_output(json);
}

static void print_fixes(const struct machine_check *checks, uint32_t n)
{
	struct terminal terminal;

	terminal_detect(STDOUT_FILENO, &terminal);
	for (uint32_t i = 0; i < n; i++)
		if (checks[i].level != CHECK_OK)
			printf("  %s%s%s: %s\n", terminal_style(&terminal, STYLE_BOLD),
			    checks[i].name, terminal_plain(&terminal, STYLE_BOLD),
			    checks[i].fix);
}

static void print_checks(const struct machine_check *checks, uint32_t n)
{
	static const struct text_column columns[] = {
	    {"check", 0, 0}, {"is", 0, 0}, {"found", 0, 0}};
	struct text_table *table = text_table_create(columns, 3);
	uint32_t missing = count(checks, n, CHECK_MISSING);
	uint32_t limited = n - missing - count(checks, n, CHECK_OK);
	int n_journals = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct table_row row = table_row_begin(table);

		table_row_add(&row, STYLE_PLAIN, "%s", checks[i].name);
		table_row_add(&row, level_styles[checks[i].level], "%s",
		    check_level_text(checks[i].level));
		table_row_add(&row, STYLE_PLAIN, "%s", checks[i].found);
	}
	table_print(table);
	if (missing + limited > 0) {
		printf("\nWhat to do:\n");
		print_fixes(checks, n);
	}
	if (missing > 0)
		printf("\nThis machine can't run emulated hosts yet: %u missing.\n",
		    missing);
	else if (limited > 0)
		printf(
		    "\nThis machine can run emulated hosts; %u thing%s limit%s them.\n",
		    limited, limited == 1 ? "" : "s", limited == 1 ? "s" : "");
	else
		printf(
		    "\nThis machine can run emulated hosts, and nothing limits them.\n");
	journal_left_behind(RESULTS_FOLDER, print_journal, &n_journals);
}

static int doctor_run(const void *options, char *const *arguments, int n_arguments)
{
	const struct doctor_options *o = options;
	struct machine_check checks[MACHINE_CHECKS_MAX];
	char home[PATH_MAX];
	struct error err;
	uint32_t n;
	int rc = 0;

	(void)arguments, (void)n_arguments;
	if (home_folder(home, &err) < 0)
		return command_failed(&err, EXIT_USAGE);
	n = machine_check_all("", home, checks);
	if (o->json)
		rc = print_json(checks, n);
	else
		print_checks(checks, n);
	return rc == 0 && count(checks, n, CHECK_MISSING) > 0 ? EXIT_UNSUPPORTED : rc;
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "[OPTION...]",
    .summary = "tell what this machine can and can't do, and what would help",
    .detail =
	"Changes nothing. Levels: ok; worse (a run works, its figures suffer); less (a\n"
	"transport is missing, the others work); missing (`e3 run` can't make emulated\n"
	"hosts). Ends with 69 when something is missing, else with 0.",
    .options = doctor_rules,
    .options_bytes = sizeof(struct doctor_options),
    .run = doctor_run,
};

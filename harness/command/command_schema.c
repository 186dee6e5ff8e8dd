/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"

#include "base/nearest.h"
#include "harness/command/home.h"
#include "harness/scenario/inventory.h"
#include "harness/scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 10000

static int print_file(const char *path, struct error *err)
{
	char bytes[4096];
	size_t n;
	FILE *in = fopen(path, "re");

	if (in == NULL)
		return error_set_errno(err, -errno, "%s", path);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		fwrite(bytes, 1, n, stdout);
	fclose(in);
	return 0;
}

static int print_schema(const char *kind, struct error *err)
{
	char home[PATH_MAX], path[PATH_MAX + 128];
	int rc;

	if (strlen(kind) > 64 || strchr(kind, '/') != NULL)
		return error_set(
		    err, -EINVAL, "schema: '%s' is no kind of document", kind);
	rc = home_folder(home, err);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/docs/schema/%s.schema.json", home, kind);
	rc = print_file(path, err);
	if (rc == -ENOENT)
		return error_set(err, rc,
		    "schema: there is no %s; kinds are the files of docs/schema", path);
	return rc;
}

static int check_scenario(const char *path, struct error *err)
{
	struct scenario *scenario = NULL;
	int rc = scenario_read(path, &scenario, err);

	scenario_free(scenario);
	return rc;
}

static int check_matrix(const char *path, struct error *err)
{
	struct matrix *matrix = malloc(sizeof(*matrix));
	char *text = NULL;
	int rc = matrix == NULL ? error_set(err, -ENOMEM, "out of memory")
				: matrix_read(path, matrix, &text, err);

	free(text);
	free(matrix);
	return rc;
}

static int check_inventory(const char *path, struct error *err)
{
	struct inventory inventory;

	return inventory_read(path, &inventory, err);
}

typedef int (*document_check)(const char *path, struct error *err);

static document_check find_check(const char *kind, struct error *err)
{
	static const struct {
		const char *kind;
		document_check check;
	} checks[] = {
	    {"scenario", check_scenario},
	    {"matrix", check_matrix},
	    {"inventory", check_inventory},
	};
	struct nearest near;

	nearest_init(&near, kind);
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		if (strcmp(checks[i].kind, kind) == 0)
			return checks[i].check;
		nearest_offer(&near, checks[i].kind);
	}
	if (near.best != NULL)
		error_set(err, -EINVAL, "schema: can't check '%s'; did you mean '%s'?",
		    kind, near.best);
	else
		error_set(err, -EINVAL,
		    "schema: can't check '%s'; there is: scenario, matrix, inventory",
		    kind);
	return NULL;
}

/* A line a file; the exit code. */
static int check_files(const char *kind, char *const *paths, int n)
{
	struct error err = {0};
	document_check check = find_check(kind, &err);
	int n_bad = 0;

	if (check == NULL)
		return command_failed(&err, EXIT_USAGE);
	for (int i = 0; i < n; i++) {
		int is_bad = check(paths[i], &err) < 0;

		n_bad += is_bad;
		if (is_bad)
			printf("%s\n", err.text);
		else
			printf("%s: ok\n", paths[i]);
	}
	return n_bad > 0 ? EXIT_USAGE : 0;
}

static int schema_run(const void *options, char *const *arguments, int n_arguments)
{
	struct error err;

	(void)options;
	if (strcmp(arguments[0], "check") == 0 && n_arguments > 2)
		return check_files(arguments[1], arguments + 2, n_arguments - 2);
	if (strcmp(arguments[0], "print") == 0 && n_arguments == 2)
		return print_schema(arguments[1], &err) < 0
			   ? command_failed(&err, EXIT_USAGE)
			   : 0;
	error_set(&err, -EINVAL,
	    "schema: usage: e3 schema print KIND, or e3 schema check KIND FILE...");
	return command_failed(&err, EXIT_USAGE);
}

const struct command command_schema = {
    .name = "schema",
    .arguments = "print KIND | check KIND FILE...",
    .summary = "print the JSON Schema of a kind of document, or check documents",
    .detail =
	"print: the file docs/schema/KIND.schema.json.\n"
	"check: read each FILE as E3 does (KIND: scenario, matrix, inventory) and say\n"
	"what is wrong with it. Ends with 2 if anything is.",
    .n_arguments_min = 2,
    .n_arguments_max = FILES_MAX,
    .run = schema_run,
};

/* SPDX-License-Identifier: MIT */
#include "harness/command/list_kinds.h"

#include "base/units.h"
#include "harness/command/home.h"
#include "harness/command/table_row.h"
#include "harness/scenario/matrix.h"

#include <cjson/cJSON.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* Columns beside those of the sites: the site itself and what it really is. */
#define SITES_SHOWN_MAX (TEXT_COLUMNS_MAX - 2u)

/* What the matrix's provenance says a site really is; "" when it doesn't. */
static const char *mapped(const cJSON *document, const char *site)
{
	const cJSON *source = cJSON_GetObjectItemCaseSensitive(document, "source");
	const cJSON *mapping = cJSON_GetObjectItemCaseSensitive(source, "mapping");
	const char *text =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(mapping, site));

	return text == NULL ? "" : text;
}

static void add_json(
    cJSON *list, const char *file, const struct matrix *matrix, const cJSON *document)
{
	for (uint32_t i = 0; i < matrix->n_sites; i++) {
		cJSON *json = cJSON_CreateObject(), *rtt;

		cJSON_AddItemToArray(list, json);
		cJSON_AddStringToObject(json, "name", matrix->sites[i]);
		cJSON_AddStringToObject(json, "matrix", file);
		cJSON_AddStringToObject(json, "is", mapped(document, matrix->sites[i]));
		rtt = cJSON_AddObjectToObject(json, "rtt_ns");
		for (uint32_t j = 0; j < matrix->n_sites; j++)
			if (j != i)
				cJSON_AddNumberToObject(
				    rtt, matrix->sites[j], (double)matrix->rtt_ns[i][j]);
	}
}

static void print_matrix(
    const char *file, const struct matrix *matrix, const cJSON *document)
{
	struct text_column columns[TEXT_COLUMNS_MAX] = {{"site", 0, 0}, {"is", 0, 1}};
	uint32_t shown =
	    matrix->n_sites < SITES_SHOWN_MAX ? matrix->n_sites : SITES_SHOWN_MAX;
	struct text_table *table = text_table_create(columns, shown + 2);

	for (uint32_t j = 0; j < shown; j++)
		columns[j + 2] = (struct text_column){matrix->sites[j], 1, 0};
	for (uint32_t i = 0; i < matrix->n_sites; i++) {
		struct table_row row = table_row_begin(table);

		table_row_add(&row, STYLE_BOLD, "%s", matrix->sites[i]);
		table_row_add(
		    &row, STYLE_PLAIN, "%s", mapped(document, matrix->sites[i]));
		for (uint32_t j = 0; j < shown; j++)
			if (i == j)
				table_row_add(&row, STYLE_DIM, "-");
			else
				table_row_add(&row, STYLE_PLAIN, "%g",
				    (double)matrix->rtt_ns[i][j] / NS_PER_MS);
	}
	printf("%s: RTT in ms, row to column\n", file);
	table_print(table);
}

static int list_matrix(cJSON *json, const char *path, const char *file, struct error *err)
{
	struct matrix *matrix = malloc(sizeof(*matrix));
	cJSON *document = NULL;
	char *text = NULL;
	int rc;

	if (matrix == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = matrix_read(path, matrix, &text, err);
	if (rc == 0)
		document = cJSON_Parse(text);
	if (rc == 0 && json != NULL)
		add_json(json, file, matrix, document);
	else if (rc == 0)
		print_matrix(file, matrix, document);
	cJSON_Delete(document);
	free(text);
	free(matrix);
	return rc;
}

int list_regions(struct cJSON *json, struct error *err)
{
	char home[PATH_MAX], pattern[PATH_MAX + 32];
	glob_t found = {0};
	int rc = home_folder(home, err);

	if (rc < 0)
		return rc;
	snprintf(pattern, sizeof(pattern), "%s/scenarios/matrices/*.json", home);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
			rc = list_matrix(json, found.gl_pathv[i],
			    found.gl_pathv[i] + strlen(home) + 1, err);
	globfree(&found);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "harness/command/list_kinds.h"

#include "engine/workload.h"
#include "harness/command/table_row.h"

#include <cjson/cJSON.h>
#include <string.h>

static void add_json(cJSON *list, const struct workload *workload)
{
	static const char *const names[] = {"low", "medium", "high"};
	cJSON *json = cJSON_CreateObject(), *modes, *sizes;

	cJSON_AddItemToArray(list, json);
	cJSON_AddStringToObject(json, "name", workload->name);
	cJSON_AddStringToObject(json, "summary", workload->summary);
	modes = cJSON_AddArrayToObject(json, "modes");
	for (size_t i = 0; workload->modes[i] != NULL; i++)
		cJSON_AddItemToArray(modes, cJSON_CreateString(workload->modes[i]));
	cJSON_AddStringToObject(json, "size_unit", workload->size_unit);
	sizes = cJSON_AddObjectToObject(json, "sizes");
	for (int i = 0; i < 3; i++)
		cJSON_AddNumberToObject(sizes, names[i], workload->sizes[i]);
	cJSON_AddNumberToObject(json, "parties_min", workload->parties_min);
	cJSON_AddNumberToObject(json, "parties_max", workload->parties_max);
}

static void add_row(struct text_table *table, const struct workload *workload)
{
	struct table_row row = table_row_begin(table);
	char modes[128] = "";

	for (size_t i = 0; workload->modes[i] != NULL; i++) {
		size_t used = strlen(modes);

		snprintf(modes + used, sizeof(modes) - used, "%s%s", used == 0 ? "" : " ",
		    workload->modes[i]);
	}
	table_row_add(&row, STYLE_PLAIN, "%s", workload->name);
	table_row_add(&row, STYLE_PLAIN, "%s", modes);
	for (int i = 0; i < 3; i++)
		table_row_add(&row, STYLE_PLAIN, "%u", workload->sizes[i]);
	table_row_add(&row, STYLE_PLAIN, "%s", workload->size_unit);
	table_row_add(
	    &row, STYLE_PLAIN, "%u..%u", workload->parties_min, workload->parties_max);
	table_row_add(&row, STYLE_PLAIN, "%s", workload->summary);
}

int list_workloads(struct cJSON *json, struct error *err)
{
	static const struct text_column columns[] = {{"workload", 0, 0}, {"modes", 0, 0},
	    {"low", 1, 0}, {"medium", 1, 0}, {"high", 1, 0}, {"size is", 0, 0},
	    {"parties", 0, 1}, {"what it computes", 0, 2}};
	struct text_table *table = NULL;

	(void)err;
	if (json == NULL)
		table = text_table_create(columns, 8);
	for (size_t i = 0; workloads[i] != NULL; i++)
		if (json != NULL)
			add_json(json, workloads[i]);
		else
			add_row(table, workloads[i]);
	table_print(table);
	return 0;
}

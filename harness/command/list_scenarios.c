/* SPDX-License-Identifier: MIT */
#include "harness/command/list_kinds.h"

#include "harness/command/home.h"
#include "harness/command/table_row.h"
#include "harness/scenario/scenario.h"

#include <cjson/cJSON.h>
#include <glob.h>
#include <string.h>

/* "4" or "1..10" or "2, 4, 8" */
static const char *counts_text(const struct scenario *s, char *out, size_t room)
{
	uint32_t n = s->n_parties_counts;
	size_t used = 0;

	if (n > 2 && s->parties[n - 1] - s->parties[0] == n - 1) {
		snprintf(out, room, "%u..%u", s->parties[0], s->parties[n - 1]);
		return out;
	}
	for (uint32_t i = 0; i < n && used < room; i++)
		used += (size_t)snprintf(
		    out + used, room - used, "%s%u", i == 0 ? "" : ", ", s->parties[i]);
	return out;
}

static const char *regions_text(const struct scenario *s, char *out, size_t room)
{
	size_t used = 0;

	for (uint32_t i = 0; i < s->n_regions && used < room; i++)
		used += (size_t)snprintf(
		    out + used, room - used, "%s%s", i == 0 ? "" : " ", s->regions[i]);
	return out;
}

static void add_json(
    cJSON *list, const char *file, const struct scenario *s, const struct error *why)
{
	cJSON *json = cJSON_CreateObject(), *parties, *regions;

	cJSON_AddItemToArray(list, json);
	cJSON_AddStringToObject(json, "file", file);
	if (s == NULL) {
		cJSON_AddStringToObject(json, "error", why->text);
		return;
	}
	cJSON_AddStringToObject(json, "name", s->name);
	cJSON_AddStringToObject(json, "description", s->description);
	parties = cJSON_AddArrayToObject(json, "parties");
	for (uint32_t i = 0; i < s->n_parties_counts; i++)
		cJSON_AddItemToArray(parties, cJSON_CreateNumber(s->parties[i]));
	regions = cJSON_AddArrayToObject(json, "regions");
	for (uint32_t i = 0; i < s->n_regions; i++)
		cJSON_AddItemToArray(regions, cJSON_CreateString(s->regions[i]));
}

static void add_row(struct text_table *table, const char *file, const struct scenario *s,
    const struct error *why)
{
	struct table_row row = table_row_begin(table);
	char text[SCENARIO_REGIONS_MAX * MATRIX_SITE_BYTES];

	table_row_add(&row, STYLE_PLAIN, "%s", file);
	if (s == NULL) {
		table_row_add(&row, STYLE_PLAIN, "?");
		table_row_add(&row, STYLE_PLAIN, "?");
		table_row_add(&row, STYLE_BAD, "%s", why->text);
		return;
	}
	table_row_add(&row, STYLE_PLAIN, "%s", counts_text(s, text, sizeof(text)));
	table_row_add(&row, STYLE_PLAIN, "%s", regions_text(s, text, sizeof(text)));
	table_row_add(&row, STYLE_PLAIN, "%s", s->description);
}

static void add(cJSON *json, struct text_table *table, const char *path, size_t home_len)
{
	struct scenario *scenario = NULL;
	struct error why = {0};
	const char *file = path + home_len + 1;

	scenario_read(path, &scenario, &why);
	if (json != NULL)
		add_json(json, file, scenario, &why);
	else
		add_row(table, file, scenario, &why);
	scenario_free(scenario);
}

int list_scenarios(struct cJSON *json, struct error *err)
{
	static const struct text_column columns[] = {{"scenario", 0, 0},
	    {"parties", 0, 0}, {"regions", 0, 1}, {"what it is", 0, 2}};
	char home[PATH_MAX], pattern[PATH_MAX + 32];
	struct text_table *table = NULL;
	glob_t found = {0};
	int rc = home_folder(home, err);

	if (rc < 0)
		return rc;
	snprintf(pattern, sizeof(pattern), "%s/scenarios/*.json", home);
	if (json == NULL)
		table = text_table_create(columns, 4);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			add(json, table, found.gl_pathv[i], strlen(home));
	globfree(&found);
	table_print(table);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "harness/command/list_kinds.h"

#include "harness/command/table_row.h"
#include "harness/plugin/plugin.h"

#include <cjson/cJSON.h>

struct listing {
	cJSON *json;
	struct text_table *table;
};

/* 1 if this host has all that it needs; else `reason` says what is missing. */
static int is_supported(const struct plugin *plugin, char *reason, size_t room)
{
	reason[0] = '\0';
	return plugin->table.supported == NULL ||
	       plugin->table.supported(reason, room) == 0;
}

static void add_json(
    cJSON *list, const char *name, const struct plugin *plugin, const struct error *why)
{
	cJSON *json = cJSON_CreateObject();
	char reason[512];

	cJSON_AddItemToArray(list, json);
	cJSON_AddStringToObject(json, "name", name);
	if (plugin == NULL) {
		cJSON_AddBoolToObject(json, "supported", 0);
		cJSON_AddStringToObject(json, "reason", why->text);
		return;
	}
	cJSON_AddStringToObject(json, "summary", plugin->table.summary);
	cJSON_AddStringToObject(
	    json, "kind", plugin_is_overlay(plugin) ? "overlay" : "channel");
	cJSON_AddStringToObject(json, "layer", plugin->declared.layer);
	cJSON_AddStringToObject(json, "needs", plugin->declared.needs);
	cJSON_AddStringToObject(json, "third_parties", plugin->declared.third_parties);
	cJSON_AddStringToObject(
	    json, "key_distribution", plugin->declared.key_distribution);
	cJSON_AddStringToObject(json, "encryption", plugin->declared.encryption);
	cJSON_AddStringToObject(json, "identity", plugin->declared.identity);
	cJSON_AddStringToObject(json, "steps", plugin->declared.steps);
	if (is_supported(plugin, reason, sizeof(reason))) {
		cJSON_AddBoolToObject(json, "supported", 1);
		return;
	}
	cJSON_AddBoolToObject(json, "supported", 0);
	cJSON_AddStringToObject(json, "reason", reason);
}

static void add_row(struct text_table *table, const char *name,
    const struct plugin *plugin, const struct error *why)
{
	struct table_row row = table_row_begin(table);
	char reason[512];
	int ready = plugin != NULL && is_supported(plugin, reason, sizeof(reason));

	table_row_add(&row, STYLE_PLAIN, "%s", name);
	table_row_add(&row, STYLE_PLAIN, "%s",
	    plugin == NULL              ? "?"
	    : plugin_is_overlay(plugin) ? "overlay"
					: "channel");
	table_row_add(
	    &row, STYLE_PLAIN, "%s", plugin == NULL ? "?" : plugin->declared.layer);
	table_row_add(&row, ready ? STYLE_GOOD : STYLE_WARN, ready ? "ready" : "no");
	table_row_add(&row, STYLE_PLAIN, "%s",
	    ready            ? plugin->table.summary
	    : plugin == NULL ? why->text
			     : reason);
}

static void on_plugin(
    void *user, const char *name, const struct plugin *plugin, const struct error *why)
{
	struct listing *listing = user;

	if (listing->json != NULL)
		add_json(listing->json, name, plugin, why);
	else
		add_row(listing->table, name, plugin, why);
}

int list_transports(struct cJSON *json, struct error *err)
{
	static const struct text_column columns[] = {{"transport", 0, 0}, {"kind", 0, 0},
	    {"layer", 0, 1}, {"here", 0, 0}, {"what it is", 0, 0}};
	struct listing listing = {.json = json};
	int n;

	if (json == NULL)
		listing.table = text_table_create(columns, 5);
	n = plugin_list(on_plugin, &listing);
	table_print(listing.table);
	return n < 0 ? error_set(err, n, "out of memory") : 0;
}

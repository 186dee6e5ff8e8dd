/* SPDX-License-Identifier: MIT */
#include "harness/result/cell_name.h"

#include "harness/result/clean_text.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

char *cell_name_work(const cJSON *id, char *out, size_t out_bytes)
{
	const char *workload = cJSON_GetStringValue(item(id, "workload"));
	const char *size = cJSON_GetStringValue(item(id, "size"));
	const char *mode = cJSON_GetStringValue(item(id, "mode"));
	const cJSON *parties = item(id, "parties");
	int n = cJSON_IsNumber(parties) ? parties->valueint : 0;
	char text[256];

	snprintf(text, sizeof(text), "%s %s%s%s, %d part%s",
	    workload == NULL ? "?" : workload, mode == NULL ? "" : mode,
	    mode == NULL ? "" : " ", size == NULL ? "?" : size, n, n == 1 ? "y" : "ies");
	return clean_text_copy(out, out_bytes, text);
}

const char *cell_name_transport(const cJSON *id)
{
	const char *transport = cJSON_GetStringValue(item(id, "transport"));

	return transport == NULL ? "?" : transport;
}

int cell_name_is_same_work(const cJSON *a, const cJSON *b)
{
	static const char *const keys[] = {"workload", "size", "mode", "parties"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!cJSON_Compare(item(a, keys[i]), item(b, keys[i]), 1))
			return 0;
	return 1;
}

int cell_name_is_first(const cJSON *cells, const cJSON *cell)
{
	for (const cJSON *at = cells->child; at != cell; at = at->next)
		if (cell_name_is_same_work(item(at, "cell"), item(cell, "cell")))
			return 0;
	return 1;
}

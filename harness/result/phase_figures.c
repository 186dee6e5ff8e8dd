/* SPDX-License-Identifier: MIT */
#include "harness/result/phase_figures.h"

#include "harness/result/json_shape.h"
#include "harness/result/spread.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
    {"rounds", offsetof(struct phase_figure, rounds)},
    {"messages", offsetof(struct phase_figure, messages)},
    {"app_bytes", offsetof(struct phase_figure, app_bytes)},
    {"wall_ns", offsetof(struct phase_figure, wall_ns)},
};

#define FIELDS (sizeof(fields) / sizeof(*fields))

static uint64_t field(const struct phase_figure *phase, size_t i)
{
	uint64_t value;

	memcpy(&value, (const char *)phase + fields[i].offset, sizeof(value));
	return value;
}

static uint64_t count(const cJSON *json, const char *key)
{
	return (uint64_t)cJSON_GetObjectItemCaseSensitive(json, key)->valuedouble;
}

/* NULL when there is none. */
static const struct phase_figure *find(
    const struct phase_figures *figures, const char *name)
{
	for (uint32_t i = 0; i < figures->n_phases; i++)
		if (strcmp(figures->phases[i].name, name) == 0)
			return &figures->phases[i];
	return NULL;
}

/* Found or made; NULL when there are too many. */
static struct phase_figure *phase_named(struct phase_figures *figures, const char *name)
{
	struct phase_figure *phase = (struct phase_figure *)find(figures, name);

	if (phase != NULL || figures->n_phases == RECORDER_PHASES_MAX)
		return phase;
	phase = &figures->phases[figures->n_phases++];
	*phase = (struct phase_figure){0};
	snprintf(phase->name, sizeof(phase->name), "%s", name);
	return phase;
}

void phase_figures_read(struct phase_figures *figures, const cJSON *phases)
{
	const cJSON *json;

	figures->n_phases = 0;
	cJSON_ArrayForEach(json, phases)
	{
		struct phase_figure *phase = phase_named(
		    figures, cJSON_GetObjectItemCaseSensitive(json, "name")->valuestring);

		if (phase == NULL)
			return;
		phase->rounds = count(json, "rounds");
		phase->messages = count(json, "messages_out");
		phase->app_bytes = count(json, "app_bytes_out");
		phase->wall_ns = count(json, "wall_ns");
	}
}

void phase_figures_add(struct phase_figures *block, const struct phase_figures *party)
{
	for (uint32_t i = 0; i < party->n_phases; i++) {
		const struct phase_figure *of = &party->phases[i];
		struct phase_figure *phase = phase_named(block, of->name);

		if (phase == NULL)
			return;
		if (phase->rounds < of->rounds)
			phase->rounds = of->rounds;
		if (phase->wall_ns < of->wall_ns)
			phase->wall_ns = of->wall_ns;
		phase->messages += of->messages;
		phase->app_bytes += of->app_bytes;
	}
}

cJSON *phase_figures_json(const struct phase_figures *block)
{
	cJSON *array = cJSON_CreateArray();

	for (uint32_t i = 0; i < block->n_phases; i++) {
		cJSON *json = cJSON_CreateObject();

		cJSON_AddStringToObject(json, "name", block->phases[i].name);
		for (size_t f = 0; f < FIELDS; f++)
			cJSON_AddNumberToObject(
			    json, fields[f].key, (double)field(&block->phases[i], f));
		cJSON_AddItemToArray(array, json);
	}
	return array;
}

static int parse_phase(struct phase_figures *block, const cJSON *json, struct error *err)
{
	static const struct shape name = {.kind = SHAPE_TEXT, .max = RECORDER_NAME_BYTES},
				  number = {.kind = SHAPE_COUNT};
	const cJSON *of = cJSON_GetObjectItemCaseSensitive(json, "name");
	struct phase_figure *phase;

	if (json_shape_check(of, &name, err) < 0)
		return error_wrap(err, "/name");
	phase = phase_named(block, of->valuestring);
	if (phase == NULL)
		return error_set(err, -EINVAL, "more than %u", RECORDER_PHASES_MAX);
	for (size_t f = 0; f < FIELDS; f++) {
		uint64_t value;

		of = cJSON_GetObjectItemCaseSensitive(json, fields[f].key);
		if (json_shape_check(of, &number, err) < 0)
			return error_wrap(err, "/%s", fields[f].key);
		value = (uint64_t)of->valuedouble;
		memcpy((char *)phase + fields[f].offset, &value, sizeof(value));
	}
	return 0;
}

int phase_figures_parse(struct phase_figures *block, const cJSON *json, struct error *err)
{
	const cJSON *phase;

	block->n_phases = 0;
	if (!cJSON_IsArray(json))
		return error_set(err, -EINVAL, "not an array");
	cJSON_ArrayForEach(phase, json)
	{
		if (parse_phase(block, phase, err) < 0)
			return -EINVAL;
	}
	return 0;
}

static cJSON *spreads_of(const struct phase_figures *const *blocks, uint32_t n_blocks,
    const char *name, double *values)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "name", name);
	for (size_t f = 0; f < FIELDS; f++) {
		uint32_t n = 0;

		for (uint32_t b = 0; b < n_blocks; b++) {
			const struct phase_figure *phase = find(blocks[b], name);

			if (phase != NULL)
				values[n++] = (double)field(phase, f);
		}
		cJSON_AddItemToObject(json, fields[f].key, spread_json(values, n));
	}
	return json;
}

cJSON *phase_figures_spreads(const struct phase_figures *const *blocks, uint32_t n_blocks)
{
	struct phase_figures *names = calloc(1, sizeof(*names));
	double *values = calloc(n_blocks + 1, sizeof(*values));
	cJSON *array = cJSON_CreateArray();

	for (uint32_t b = 0; names != NULL && b < n_blocks; b++)
		phase_figures_add(names, blocks[b]);
	for (uint32_t i = 0; names != NULL && values != NULL && i < names->n_phases; i++)
		cJSON_AddItemToArray(
		    array, spreads_of(blocks, n_blocks, names->phases[i].name, values));
	free(names);
	free(values);
	return array;
}

/* SPDX-License-Identifier: MIT */
#include "harness/result/cell_figures.h"

#include "harness/measure/histogram_json.h"
#include "harness/result/effective_rounds.h"
#include "harness/result/spread.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct cell_figures {
	struct block_figures *blocks;
	uint32_t n_blocks, n_tainted;
	struct histogram *clean, *tainted; /* rounds */
	struct effective_rounds effective;
};

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
#define FIELD(field) {#field, offsetof(struct block_figures, field)},
    BLOCK_FIGURES(FIELD)
#undef FIELD
};

struct cell_figures *cell_figures_create(void)
{
	struct cell_figures *figures = calloc(1, sizeof(*figures));

	if (figures == NULL)
		return NULL;
	figures->clean = histogram_create();
	figures->tainted = histogram_create();
	if (figures->clean == NULL || figures->tainted == NULL) {
		cell_figures_destroy(figures);
		return NULL;
	}
	return figures;
}

void cell_figures_destroy(struct cell_figures *figures)
{
	if (figures == NULL)
		return;
	histogram_destroy(figures->clean);
	histogram_destroy(figures->tainted);
	free(figures->blocks);
	effective_rounds_finish(&figures->effective);
	free(figures);
}

int cell_figures_add(struct cell_figures *figures, const struct block_figures *block,
    const struct histogram *round_ns)
{
	struct block_figures *blocks;
	int rc = effective_rounds_add(&figures->effective, block);

	if (rc < 0 || block->delay_scale != 1)
		return rc;
	blocks = realloc(figures->blocks, (figures->n_blocks + 1) * sizeof(*blocks));
	if (blocks == NULL)
		return -ENOMEM;
	figures->blocks = blocks;
	blocks[figures->n_blocks++] = *block;
	figures->n_tainted += block->is_tainted != 0;
	histogram_merge(block->is_tainted ? figures->tainted : figures->clean, round_ns);
	return 0;
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Blocks that count: all if none is clean. */
static int counts(const struct cell_figures *figures, const struct block_figures *block)
{
	return !block->is_tainted || figures->n_tainted == figures->n_blocks;
}

static void add_field(cJSON *json, const struct cell_figures *figures, const char *key,
    size_t offset, double *values)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < figures->n_blocks; i++) {
		int64_t value;

		memcpy(&value, (const char *)&figures->blocks[i] + offset, sizeof(value));
		if (counts(figures, &figures->blocks[i]) && value != FIGURE_UNKNOWN)
			values[n++] = (double)value;
	}
	cJSON_AddItemToObject(json, key, spread_json(values, n));
}

double block_figures_efficiency(const struct block_figures *block)
{
	if (block->wall_ns <= 0 || block->network_floor_ns == FIGURE_UNKNOWN ||
	    block->network_floor_ns == 0)
		return -1;
	return (double)block->network_floor_ns / (double)block->wall_ns;
}

static void add_efficiency(
    cJSON *json, const struct cell_figures *figures, double *values)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < figures->n_blocks; i++) {
		double value = block_figures_efficiency(&figures->blocks[i]);

		if (counts(figures, &figures->blocks[i]) && value >= 0)
			values[n++] = value;
	}
	cJSON_AddItemToObject(json, "network_efficiency", spread_json(values, n));
}

cJSON *decomposition_json(const struct decomposition *parts)
{
	cJSON *json;

	if (parts->method == NULL)
		return cJSON_CreateNull();
	json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "method", parts->method);
	cJSON_AddNumberToObject(json, "latency_ns", (double)parts->latency_ns);
	cJSON_AddNumberToObject(json, "transfer_ns", (double)parts->transfer_ns);
	cJSON_AddNumberToObject(json, "compute_ns", (double)parts->compute_ns);
	cJSON_AddNumberToObject(json, "rest_ns", (double)parts->rest_ns);
	return json;
}

/* The parts of the block whose wall time is the (lower) median, so that they sum up. */
static const struct block_figures *median_block(
    const struct cell_figures *figures, int64_t *walls)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < figures->n_blocks; i++)
		if (counts(figures, &figures->blocks[i]))
			walls[n++] = figures->blocks[i].wall_ns;
	qsort(walls, n, sizeof(*walls), compare_i64);
	for (uint32_t i = 0; i < figures->n_blocks; i++)
		if (counts(figures, &figures->blocks[i]) &&
		    figures->blocks[i].wall_ns == walls[(n - 1) / 2])
			return &figures->blocks[i];
	return NULL;
}

static void add_phases(cJSON *json, const struct cell_figures *figures)
{
	const struct phase_figures **blocks = calloc(figures->n_blocks, sizeof(*blocks));
	uint32_t n = 0;

	for (uint32_t i = 0; blocks != NULL && i < figures->n_blocks; i++)
		if (counts(figures, &figures->blocks[i]))
			blocks[n++] = &figures->blocks[i].phases;
	cJSON_AddItemToObject(json, "phases", phase_figures_spreads(blocks, n));
	free(blocks);
}

static void add_rounds(cJSON *json, const struct cell_figures *figures)
{
	const struct histogram_label label = {.metric = "round_ns",
	    .loop = "closed",
	    .from = HISTOGRAM_NO_PARTY,
	    .to = HISTOGRAM_NO_PARTY};
	int all_tainted = figures->n_tainted == figures->n_blocks;

	cJSON_AddItemToObject(json, "round_ns",
	    histogram_to_json(all_tainted ? figures->tainted : figures->clean, &label));
}

cJSON *cell_figures_json(const struct cell_figures *figures)
{
	size_t n = figures->n_blocks;
	double *values = malloc((n + 1) * sizeof(*values));
	int64_t *walls = malloc((n + 1) * sizeof(*walls));
	cJSON *json = NULL;

	if (n == 0 || values == NULL || walls == NULL)
		goto out;
	json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "blocks_ok", figures->n_blocks);
	cJSON_AddNumberToObject(json, "blocks_tainted", figures->n_tainted);
	cJSON_AddBoolToObject(
	    json, "uses_tainted", figures->n_tainted == figures->n_blocks);
	add_rounds(json, figures);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		add_field(json, figures, fields[i].key, fields[i].offset, values);
	add_efficiency(json, figures, values);
	cJSON_AddItemToObject(
	    json, "effective_rounds", effective_rounds_json(&figures->effective));
	cJSON_AddItemToObject(json, "decomposition",
	    decomposition_json(&median_block(figures, walls)->parts));
	add_phases(json, figures);
out:
	free(values);
	free(walls);
	return json;
}

/* SPDX-License-Identifier: MIT */
#include "harness/result/effective_rounds.h"

#include "harness/result/cell_figures.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SCALES_MAX 16u

struct effective_point {
	double scale, delay_ns, wall_ns;
	int is_tainted;
};

/* The blocks of one scale. */
struct scale {
	double scale, delay_ns, wall_ns; /* the median */
	uint32_t n_blocks;
};

struct line {
	double slope, fixed_ns, off_ns;
};

int effective_rounds_add(
    struct effective_rounds *rounds, const struct block_figures *block)
{
	struct effective_point *points;

	if (block->longest_one_way_ns == FIGURE_UNKNOWN)
		return 0;
	points =
	    realloc(rounds->points, (rounds->n_points + 1) * sizeof(*rounds->points));
	if (points == NULL)
		return -ENOMEM;
	rounds->points = points;
	points[rounds->n_points++] = (struct effective_point){.scale = block->delay_scale,
	    .delay_ns = (double)block->longest_one_way_ns,
	    .wall_ns = (double)block->wall_ns,
	    .is_tainted = block->is_tainted};
	return 0;
}

void effective_rounds_finish(struct effective_rounds *rounds)
{
	free(rounds->points);
	*rounds = (struct effective_rounds){0};
}

static int compare_points(const void *a, const void *b)
{
	const struct effective_point *x = a, *y = b;

	if (x->scale != y->scale)
		return x->scale < y->scale ? -1 : 1;
	if (x->is_tainted != y->is_tainted)
		return x->is_tainted - y->is_tainted;
	return x->wall_ns < y->wall_ns ? -1 : x->wall_ns > y->wall_ns;
}

/* Sorted points: of each scale the clean ones come first, by their wall time. */
static struct scale take_scale(
    const struct effective_point *points, uint32_t n, uint32_t *taken)
{
	uint32_t n_all = 0, n_clean = 0, n_used;

	for (; n_all < n && points[n_all].scale == points[0].scale; n_all++)
		n_clean += !points[n_all].is_tainted;
	n_used = n_clean > 0 ? n_clean : n_all;
	*taken = n_all;
	return (struct scale){.scale = points[0].scale,
	    .delay_ns = points[0].delay_ns,
	    .wall_ns =
		(points[(n_used - 1) / 2].wall_ns + points[n_used / 2].wall_ns) / 2,
	    .n_blocks = n_used};
}

static uint32_t collect(const struct effective_rounds *rounds, struct scale *scales)
{
	uint32_t n = 0, taken;

	qsort(rounds->points, rounds->n_points, sizeof(*rounds->points), compare_points);
	for (uint32_t i = 0; i < rounds->n_points && n < SCALES_MAX; i += taken)
		scales[n++] =
		    take_scale(&rounds->points[i], rounds->n_points - i, &taken);
	return n;
}

/* 0 if all delays are the same. */
static int fit(const struct scale *scales, uint32_t n, struct line *line)
{
	double x_mean = 0, y_mean = 0, xx = 0, xy = 0;

	for (uint32_t i = 0; i < n; i++) {
		x_mean += scales[i].delay_ns / n;
		y_mean += scales[i].wall_ns / n;
	}
	for (uint32_t i = 0; i < n; i++) {
		double x = scales[i].delay_ns - x_mean;

		xx += x * x;
		xy += x * (scales[i].wall_ns - y_mean);
	}
	if (!(xx > 0))
		return 0;
	*line = (struct line){.slope = xy / xx};
	line->fixed_ns = y_mean - line->slope * x_mean;
	for (uint32_t i = 0; i < n; i++)
		line->off_ns =
		    fmax(line->off_ns, fabs(scales[i].wall_ns - line->fixed_ns -
					    line->slope * scales[i].delay_ns));
	return 1;
}

cJSON *effective_rounds_json(const struct effective_rounds *rounds)
{
	struct scale scales[SCALES_MAX];
	uint32_t n = rounds->n_points == 0 ? 0 : collect(rounds, scales);
	cJSON *json, *array;
	struct line line;

	if (n < 2 || !fit(scales, n, &line))
		return cJSON_CreateNull();
	json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "rounds", line.slope);
	cJSON_AddNumberToObject(json, "fixed_ns", round(line.fixed_ns));
	cJSON_AddNumberToObject(json, "off_ns", round(line.off_ns));
	array = cJSON_AddArrayToObject(json, "scales");
	for (uint32_t i = 0; i < n; i++) {
		cJSON *scale = cJSON_CreateObject();

		cJSON_AddNumberToObject(scale, "delay_scale", scales[i].scale);
		cJSON_AddNumberToObject(scale, "longest_one_way_ns", scales[i].delay_ns);
		cJSON_AddNumberToObject(scale, "blocks", scales[i].n_blocks);
		cJSON_AddNumberToObject(scale, "wall_ns", round(scales[i].wall_ns));
		cJSON_AddItemToArray(array, scale);
	}
	return json;
}

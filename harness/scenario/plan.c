/* SPDX-License-Identifier: MIT */
#include "harness/scenario/plan.h"

#include "base/units.h"
#include "engine/workload.h"
#include "harness/scenario/plan_check.h"
#include "harness/scenario/plan_order.h"

#include <stdlib.h>
#include <string.h>

/* Bringing hosts up, measuring every pair, taking everything down. */
#define RUN_OVERHEAD_NS (4 * NS_PER_S)

const char *plan_cell_transport(const struct plan *plan, const struct plan_cell *cell)
{
	return plan->scenario->transports[cell->transport].plugin;
}

const char *plan_cell_workload(const struct plan *plan, const struct plan_cell *cell)
{
	return plan->scenario->workloads[cell->workload].name;
}

const char *plan_cell_size(const struct plan *plan, const struct plan_cell *cell)
{
	return plan->scenario->workloads[cell->workload].sizes[cell->size];
}

uint32_t plan_cell_field_bits(const struct plan *plan, const struct plan_cell *cell)
{
	return plan->scenario->workloads[cell->workload].field_bits;
}

static int wanted(const char *filter, const char *is)
{
	return filter == NULL || strcmp(filter, is) == 0;
}

/* The cells of one computation: one for each transport wanted. */
static void add_cells(
    struct plan *plan, const struct plan_filter *filter, const struct plan_cell *like)
{
	const struct scenario *scenario = plan->scenario;

	for (uint32_t t = 0; t < scenario->n_transports; t++) {
		struct plan_cell *cell = &plan->cells[plan->n_cells];

		if (!wanted(filter->transport, scenario->transports[t].plugin))
			continue;
		*cell = *like;
		cell->transport = t;
		cell->blocks = plan->blocks;
		plan->n_cells++;
	}
}

static int expand_workload(struct plan *plan, const struct plan_filter *filter,
    uint32_t parties, uint32_t index, struct error *err)
{
	const struct scenario_workload *w = &plan->scenario->workloads[index];
	const struct workload *workload = workload_find(w->name);
	const char *mode = w->mode[0] == '\0' ? workload->modes[0] : w->mode;

	if (!wanted(filter->workload, w->name) || !wanted(filter->mode, mode))
		return 0;
	for (uint32_t s = 0; s < w->n_sizes; s++) {
		const struct workload_task task = {
		    .size = w->sizes[s], .mode = mode, .field_bits = w->field_bits};
		struct plan_cell cell = {
		    .workload = index, .size = s, .parties = parties, .mode = mode};
		int rc;

		if (!wanted(filter->size, w->sizes[s]))
			continue;
		rc = workload_size(workload, w->sizes[s], &cell.size_number, err);
		if (rc < 0)
			return error_wrap(err, "%s: /workloads/%u/sizes/%u",
			    plan->scenario->path, index, s);
		rc = workload_accepts(workload, &task, err);
		if (rc < 0)
			return error_wrap(err, "%s: /workloads/%u, size %s",
			    plan->scenario->path, index, w->sizes[s]);
		add_cells(plan, filter, &cell);
	}
	return 0;
}

static int expand(struct plan *plan, const struct plan_filter *filter, struct error *err)
{
	const struct scenario *scenario = plan->scenario;
	size_t most = (size_t)scenario->n_parties_counts * scenario->n_workloads *
		      SCENARIO_SIZES_MAX * scenario->n_transports;

	plan->cells = calloc(most, sizeof(*plan->cells));
	if (plan->cells == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", scenario->path);
	for (uint32_t p = 0; p < scenario->n_parties_counts; p++) {
		if (filter->parties != 0 && filter->parties != scenario->parties[p])
			continue;
		for (uint32_t w = 0; w < scenario->n_workloads; w++) {
			int rc =
			    expand_workload(plan, filter, scenario->parties[p], w, err);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int is_same_computation(const struct plan_cell *a, const struct plan_cell *b)
{
	return a->parties == b->parties && a->workload == b->workload &&
	       a->size == b->size;
}

/* The scale that comes at this place of this block. */
static double scale_at(const struct plan *plan, uint32_t block, uint32_t place)
{
	const struct scenario *scenario = plan->scenario;

	return plan->n_scales == 1
		   ? 1
		   : scenario->delay_scales[(block + place) % plan->n_scales];
}

static void add_block(struct plan *plan, uint32_t first, uint32_t n, uint32_t block,
    const uint8_t *items, struct plan_step *step)
{
	for (uint32_t s = 0; s < plan->n_scales; s++)
		for (uint32_t i = 0; i < n; i++)
			*step++ = (struct plan_step){.cell = first + items[i],
			    .block = block,
			    .position = i,
			    .delay_scale = scale_at(plan, block, s)};
}

/* Steps of all blocks of the cells first .. first + n - 1, which differ in the transport
 * only. `before`: how many steps of a block come before them. */
static void order_computation(
    struct plan *plan, uint32_t first, uint32_t n, uint32_t before)
{
	struct plan_step *step = plan->steps + before * plan->n_scales;
	uint8_t items[PLAN_ORDER_ITEMS_MAX];
	struct plan_order order;

	plan_order_init(&order, n, plan->scenario->seed + first);
	for (uint32_t block = 0; block < plan->blocks; block++) {
		plan_order_next(&order, items);
		add_block(plan, first, n, block, items, step);
		step += plan->n_cells * plan->n_scales;
	}
}

static int order(struct plan *plan, struct error *err)
{
	uint64_t n_steps = (uint64_t)plan->n_cells * plan->blocks * plan->n_scales;

	if (n_steps > PLAN_STEPS_MAX)
		return error_set(err, -EINVAL,
		    "%s: %u cells x %u blocks x %u delay scales are more than %u steps: "
		    "use fewer of them",
		    plan->scenario->path, plan->n_cells, plan->blocks, plan->n_scales,
		    PLAN_STEPS_MAX);
	plan->n_steps = (uint32_t)n_steps;
	plan->steps = calloc(plan->n_steps, sizeof(*plan->steps));
	if (plan->steps == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", plan->scenario->path);
	for (uint32_t first = 0, n; first < plan->n_cells; first += n) {
		for (n = 1;
		     first + n < plan->n_cells &&
		     is_same_computation(&plan->cells[first], &plan->cells[first + n]);
		     n++)
			;
		order_computation(plan, first, n, first);
	}
	return 0;
}

static void estimate(struct plan *plan)
{
	plan->estimate_ns = RUN_OVERHEAD_NS;
	for (uint32_t i = 0; i < plan->n_cells; i++) {
		struct plan_cell *cell = &plan->cells[i];
		const struct estimate_case of = {
		    .workload = workload_find(plan_cell_workload(plan, cell)),
		    .mode = cell->mode,
		    .size = cell->size_number,
		    .parties = cell->parties,
		    .is_overlay = plan_check_overlay(plan_cell_transport(plan, cell)),
		};

		estimate_cell(plan->scenario, &of, &cell->estimate);
		for (uint32_t s = 0; s < plan->n_scales; s++)
			plan->estimate_ns +=
			    plan->blocks *
			    estimate_scaled_ns(&cell->estimate, scale_at(plan, 0, s));
	}
}

int plan_create(const struct scenario *scenario, const struct plan_filter *filter,
    struct plan **out, struct error *err)
{
	static const struct plan_filter all;
	struct plan *plan;
	int rc;

	if (filter == NULL)
		filter = &all;
	rc = plan_check_filter(scenario, filter, err);
	if (rc == 0)
		rc = plan_check_scenario(scenario, filter, err);
	if (rc < 0)
		return rc;
	plan = calloc(1, sizeof(*plan));
	if (plan == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", scenario->path);
	plan->scenario = scenario;
	plan->blocks = filter->blocks == 0 ? scenario->blocks : (uint32_t)filter->blocks;
	plan->reruns = filter->has_no_reruns ? 0 : scenario->reruns;
	plan->n_scales = filter->is_unscaled ? 1 : scenario->n_delay_scales;
	rc = expand(plan, filter, err);
	if (rc == 0)
		rc = order(plan, err);
	if (rc == 0) {
		estimate(plan);
		rc = plan_check_cells(plan, err);
	}
	if (rc < 0) {
		plan_free(plan);
		return rc;
	}
	*out = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	free(plan->cells);
	free(plan->steps);
	free(plan);
}

/* SPDX-License-Identifier: MIT */
#include "harness/scenario/plan_check.h"

#include "base/nearest.h"
#include "base/units.h"
#include "engine/workload.h"
#include "harness/plugin/plugin.h"

#include <stdio.h>
#include <string.h>

#define TRANSPORT_OF_ONE_PROCESS "loopback"

/* Names that could have been given, and the one that was probably meant. */
struct choice {
	struct nearest near;
	char known[ERROR_TEXT_BYTES / 3];
};

static void choice_init(struct choice *choice, const char *given)
{
	nearest_init(&choice->near, given);
	choice->known[0] = '\0';
}

static void choice_offer(struct choice *choice, const char *name)
{
	size_t used = strlen(choice->known);

	nearest_offer(&choice->near, name);
	snprintf(choice->known + used, sizeof(choice->known) - used, "%s%s",
	    used == 0 ? "" : ", ", name);
}

/* "; did you mean 'x'?" or "; there is: a, b" into `out`. */
static const char *choice_text(const struct choice *choice, char *out, size_t room)
{
	if (choice->near.best != NULL)
		snprintf(out, room, "; did you mean '%s'?", choice->near.best);
	else
		snprintf(out, room, "; there is: %s",
		    choice->known[0] == '\0' ? "none" : choice->known);
	return out;
}

static int filter_unmatched(const struct scenario *scenario, const char *option,
    const struct choice *choice, struct error *err)
{
	char text[ERROR_TEXT_BYTES / 2];

	return error_set(err, -EINVAL, "--%s: %s has no '%s'%s", option, scenario->path,
	    choice->near.word, choice_text(choice, text, sizeof(text)));
}

static int check_parties(
    const struct scenario *scenario, int64_t wanted, struct error *err)
{
	struct choice choice;
	char text[24], count[12];

	snprintf(text, sizeof(text), "%lld", (long long)wanted);
	choice_init(&choice, text);
	for (uint32_t i = 0; i < scenario->n_parties_counts; i++) {
		if (scenario->parties[i] == wanted)
			return 0;
		snprintf(count, sizeof(count), "%u", scenario->parties[i]);
		choice_offer(&choice, count);
	}
	return error_set(err, -EINVAL, "--parties: %s has no %s parties; there is: %s",
	    scenario->path, text, choice.known);
}

static int check_transport_filter(
    const struct scenario *scenario, const char *wanted, struct error *err)
{
	struct choice choice;

	choice_init(&choice, wanted);
	for (uint32_t i = 0; i < scenario->n_transports; i++) {
		if (strcmp(scenario->transports[i].plugin, wanted) == 0)
			return 0;
		choice_offer(&choice, scenario->transports[i].plugin);
	}
	return filter_unmatched(scenario, "transport", &choice, err);
}

static int check_workload_filter(
    const struct scenario *scenario, const char *wanted, struct error *err)
{
	struct choice choice;

	choice_init(&choice, wanted);
	for (uint32_t i = 0; i < scenario->n_workloads; i++) {
		if (strcmp(scenario->workloads[i].name, wanted) == 0)
			return 0;
		choice_offer(&choice, scenario->workloads[i].name);
	}
	return filter_unmatched(scenario, "workload", &choice, err);
}

int plan_check_filter(
    const struct scenario *scenario, const struct plan_filter *filter, struct error *err)
{
	int rc = 0;

	if (filter->parties != 0)
		rc = check_parties(scenario, filter->parties, err);
	if (rc == 0 && filter->transport != NULL)
		rc = check_transport_filter(scenario, filter->transport, err);
	if (rc == 0 && filter->workload != NULL)
		rc = check_workload_filter(scenario, filter->workload, err);
	return rc;
}

static int unknown_workload(
    const struct scenario *scenario, uint32_t index, struct error *err)
{
	char text[ERROR_TEXT_BYTES / 2];
	struct choice choice;

	choice_init(&choice, scenario->workloads[index].name);
	for (size_t i = 0; workloads[i] != NULL; i++)
		choice_offer(&choice, workloads[i]->name);
	return error_set(err, -EINVAL, "%s: /workloads/%u/name: no workload '%s'%s",
	    scenario->path, index, scenario->workloads[index].name,
	    choice_text(&choice, text, sizeof(text)));
}

static int check_mode(const struct scenario *scenario, uint32_t index,
    const struct workload *workload, struct error *err)
{
	const char *mode = scenario->workloads[index].mode;
	char text[ERROR_TEXT_BYTES / 2];
	struct choice choice;

	if (mode[0] == '\0')
		return 0;
	choice_init(&choice, mode);
	for (size_t i = 0; workload->modes[i] != NULL; i++) {
		if (strcmp(workload->modes[i], mode) == 0)
			return 0;
		choice_offer(&choice, workload->modes[i]);
	}
	return error_set(err, -EINVAL, "%s: /workloads/%u/mode: %s has no mode '%s'%s",
	    scenario->path, index, workload->name, mode,
	    choice_text(&choice, text, sizeof(text)));
}

static int check_workload(const struct scenario *scenario,
    const struct plan_filter *filter, uint32_t index, struct error *err)
{
	const struct workload *workload = workload_find(scenario->workloads[index].name);
	int rc;

	if (workload == NULL)
		return unknown_workload(scenario, index, err);
	rc = check_mode(scenario, index, workload, err);
	for (uint32_t i = 0; rc == 0 && i < scenario->n_parties_counts; i++) {
		uint32_t parties = scenario->parties[i];

		if (filter->parties != 0 && filter->parties != parties)
			continue;
		if (parties < workload->parties_min || parties > workload->parties_max)
			rc = error_set(err, -EINVAL,
			    "%s: /parties/count: %s takes %u..%u parties, not %u",
			    scenario->path, workload->name, workload->parties_min,
			    workload->parties_max, parties);
	}
	return rc;
}

static int check_options(const struct scenario *scenario, uint32_t index,
    const struct plugin *plugin, struct error *err)
{
	const char *const *options =
	    (const char *const *)scenario->transports[index].options;
	char reason[ERROR_TEXT_BYTES / 2] = "";

	if (plugin->table.options_check == NULL ||
	    plugin->table.options_check(options, reason, sizeof(reason)) == 0)
		return 0;
	return error_set(err, -EINVAL, "%s: /transports/%u/options: %s", scenario->path,
	    index, reason);
}

static int check_transport(
    const struct scenario *scenario, uint32_t index, struct error *err)
{
	const char *name = scenario->transports[index].plugin;
	struct plugin *plugin = NULL;
	int rc = plugin_load(name, &plugin, err);

	if (rc < 0)
		return error_wrap(
		    err, "%s: /transports/%u/plugin", scenario->path, index);
	rc = check_options(scenario, index, plugin, err);
	plugin_destroy(plugin);
	if (rc == 0 && strcmp(name, TRANSPORT_OF_ONE_PROCESS) == 0)
		return error_set(err, -EINVAL,
		    "%s: /transports/%u/plugin: '%s' joins parties of one process; in a "
		    "run each is on a host of its own",
		    scenario->path, index, name);
	return rc;
}

static int check_probes(
    const struct scenario *scenario, const struct plan_filter *filter, struct error *err)
{
	uint32_t n = filter->parties != 0 ? (uint32_t)filter->parties
					  : scenario_parties_max(scenario);
	uint32_t pairs = n * (n - 1);

	if (pairs * scenario->probe_rate_hz > PLAN_PROBES_HZ_MAX)
		return error_set(err, -EINVAL,
		    "%s: /probes/rate_hz: %u a second over the %u ordered pairs of %u "
		    "parties are more than the %u that leave this machine idle: use at "
		    "most %u",
		    scenario->path, scenario->probe_rate_hz, pairs, n, PLAN_PROBES_HZ_MAX,
		    PLAN_PROBES_HZ_MAX / pairs);
	return 0;
}

int plan_check_scenario(
    const struct scenario *scenario, const struct plan_filter *filter, struct error *err)
{
	int rc = check_probes(scenario, filter, err);

	for (uint32_t i = 0; rc == 0 && i < scenario->n_workloads; i++)
		if (filter->workload == NULL ||
		    strcmp(filter->workload, scenario->workloads[i].name) == 0)
			rc = check_workload(scenario, filter, i, err);
	for (uint32_t i = 0; rc == 0 && i < scenario->n_transports; i++)
		if (filter->transport == NULL ||
		    strcmp(filter->transport, scenario->transports[i].plugin) == 0)
			rc = check_transport(scenario, i, err);
	return rc;
}

int plan_check_overlay(const char *transport)
{
	struct plugin *plugin = NULL;
	int is_overlay;

	if (plugin_load(transport, &plugin, NULL) < 0)
		return 0;
	is_overlay = plugin_is_overlay(plugin);
	plugin_destroy(plugin);
	return is_overlay;
}

static int is_same_cell(
    const struct plan *plan, const struct plan_cell *a, const struct plan_cell *b)
{
	return a->transport == b->transport && a->parties == b->parties &&
	       a->size_number == b->size_number && strcmp(a->mode, b->mode) == 0 &&
	       strcmp(plan_cell_workload(plan, a), plan_cell_workload(plan, b)) == 0;
}

static int check_twice(const struct plan *plan, struct error *err)
{
	for (uint32_t i = 0; i < plan->n_cells; i++)
		for (uint32_t j = 0; j < i; j++) {
			const struct plan_cell *cell = &plan->cells[i];

			/* A result names its cells without the field. */
			if (is_same_cell(plan, cell, &plan->cells[j]))
				return error_set(err, -EINVAL,
				    "%s: /workloads/%u: %s, mode %s, size %s is "
				    "there twice%s",
				    plan->scenario->path, cell->workload,
				    plan_cell_workload(plan, cell), cell->mode,
				    plan_cell_size(plan, cell),
				    plan_cell_field_bits(plan, cell) ==
					    plan_cell_field_bits(plan, &plan->cells[j])
					? ""
					: ", with two fields: make a scenario for each");
		}
	return 0;
}

static int check_deadline(
    const struct plan *plan, const struct plan_cell *cell, struct error *err)
{
	uint64_t longest_ns = 0;
	char text[UNITS_TEXT_BYTES];

	for (uint32_t s = 0; s < plan->n_scales; s++) {
		double scale = plan->n_scales == 1 ? 1 : plan->scenario->delay_scales[s];
		uint64_t ns = estimate_scaled_ns(&cell->estimate, scale);

		longest_ns = ns > longest_ns ? ns : longest_ns;
	}
	if (longest_ns <= plan->scenario->cell_timeout_s * NS_PER_S)
		return 0;
	return error_set(err, -EINVAL,
	    "%s: /runs/timeout_s: %u s, but %s %s of %u parties over %s takes about %s: "
	    "allow at least three times as much",
	    plan->scenario->path, plan->scenario->cell_timeout_s,
	    plan_cell_workload(plan, cell), plan_cell_size(plan, cell), cell->parties,
	    plan_cell_transport(plan, cell), units_duration(text, longest_ns));
}

int plan_check_cells(const struct plan *plan, struct error *err)
{
	int rc;

	if (plan->n_cells == 0)
		return error_set(err, -EINVAL,
		    "%s: no cell has the mode and size asked for: `e3 plan %s` shows all",
		    plan->scenario->path, plan->scenario->path);
	rc = check_twice(plan, err);
	for (uint32_t i = 0; rc == 0 && i < plan->n_cells; i++)
		rc = check_deadline(plan, &plan->cells[i], err);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "harness/scenario/scenario_item.h"

#include "engine/field.h"
#include "harness/scenario/scenario.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_BYTES 1024 /* 255 characters */

/* Text of an option's value as the plugin gets it; in `out` (OPTION_BYTES). */
static int option_text(const struct json_scope *at, char *out, struct error *err)
{
	const struct json_rule text = {.bytes = OPTION_BYTES};
	const struct json_rule whole = {
	    .min = -JSON_INTEGER_MAX, .max = JSON_INTEGER_MAX};
	double value = at->value->valuedouble;
	int rc;

	if (cJSON_IsString(at->value))
		return json_read_text(at, &text, out, err);
	if (cJSON_IsBool(at->value)) {
		strcpy(out, cJSON_IsTrue(at->value) ? "true" : "false");
		return 0;
	}
	if (!cJSON_IsNumber(at->value))
		return json_error(
		    at, err, "expected a text, a whole number, true or false");
	rc = json_read_double(at, &whole, &value, err);
	if (rc == 0 && value != floor(value))
		return json_error(at, err, "%.16g is not a whole number", value);
	if (rc == 0)
		snprintf(out, OPTION_BYTES, "%.0f", value);
	return rc;
}

static int read_options(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	char **options = field;
	uint32_t n = 0;

	(void)rule;
	if (!cJSON_IsObject(at->value))
		return json_error(at, err, "expected an object {...}");
	if ((uint32_t)cJSON_GetArraySize(at->value) > SCENARIO_OPTIONS_MAX)
		return json_error(at, err, "more than %u options", SCENARIO_OPTIONS_MAX);
	for (const cJSON *c = at->value->child; c != NULL; c = c->next) {
		struct json_scope member = json_member(at, c);
		char text[OPTION_BYTES];
		int rc = option_text(&member, text, err);

		if (rc < 0)
			return rc;
		options[n] = strdup(c->string);
		if (options[n] == NULL)
			return error_set(err, -ENOMEM, "%s: out of memory", at->file);
		options[++n] = strdup(text);
		if (options[n] == NULL)
			return error_set(err, -ENOMEM, "%s: out of memory", at->file);
		n++;
	}
	return 0;
}

int scenario_read_transport(const struct json_scope *at, void *into, struct error *err)
{
	static const struct json_rule rules[] = {
	    {.key = "plugin",
		.is_required = 1,
		.read = json_read_name,
		.offset = offsetof(struct scenario_transport, plugin),
		.bytes = sizeof(((struct scenario_transport *)NULL)->plugin)},
	    {.key = "options",
		.read = read_options,
		.offset = offsetof(struct scenario_transport, options)},
	    {0},
	};
	struct scenario *scenario = into;
	/* Counted first: half-read options are freed with the scenario. */
	struct scenario_transport *transport =
	    &scenario->transports[scenario->n_transports++];
	int rc = json_read_object(at, rules, transport, err);

	if (rc < 0)
		return rc;
	for (uint32_t t = 0; t + 1 < scenario->n_transports; t++)
		if (strcmp(scenario->transports[t].plugin, transport->plugin) == 0)
			return json_error(at, err, "the transport '%s' stands here twice",
			    transport->plugin);
	return 0;
}

/* "low", "medium", "high", or a number, as text or as a number. */
static int read_size(const struct json_scope *at, void *into, struct error *err)
{
	const struct json_rule number = {.min = 1, .max = 1e9};
	struct scenario_workload *workload = into;
	char *size = workload->sizes[workload->n_sizes];
	const struct json_rule name = {.bytes = sizeof(workload->sizes[0])};
	uint32_t value = 0;
	int rc;

	if (cJSON_IsNumber(at->value))
		rc = json_read_u32(at, &number, &value, err);
	else
		rc = json_read_name(at, &name, size, err);
	if (rc < 0)
		return rc;
	if (value > 0)
		snprintf(size, sizeof(workload->sizes[0]), "%u", value);
	for (uint32_t i = 0; i < workload->n_sizes; i++)
		if (strcmp(workload->sizes[i], size) == 0)
			return json_error(at, err, "'%s' stands here twice", size);
	workload->n_sizes++;
	return 0;
}

static int read_sizes(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	return json_read_array(at, 1, SCENARIO_SIZES_MAX, read_size, field, err);
}

int scenario_read_workload(const struct json_scope *at, void *into, struct error *err)
{
#define WORKLOAD(name)                                                                   \
	.offset = offsetof(struct scenario_workload, name),                              \
	.bytes = sizeof(((struct scenario_workload *)NULL)->name)
	static const struct json_rule rules[] = {
	    {.key = "name", .is_required = 1, .read = json_read_name, WORKLOAD(name)},
	    {.key = "mode", .read = json_read_name, WORKLOAD(mode)},
	    {.key = "sizes", .is_required = 1, .read = read_sizes},
	    {.key = "field_bits",
		.read = json_read_u32,
		WORKLOAD(field_bits),
		.min = FIELD_BITS_MIN,
		.max = FIELD_BITS_MAX},
	    {0},
	};
#undef WORKLOAD
	struct scenario *scenario = into;
	struct scenario_workload *workload = &scenario->workloads[scenario->n_workloads];
	int rc;

	workload->field_bits = 61;
	rc = json_read_object(at, rules, workload, err);
	scenario->n_workloads += rc == 0;
	return rc;
}
